//! The reporter's model: one checkpoint for both sides of the tree, or one for each, behind one queue.

use crate::writing::{Ticket, TreeSide, WriteRequest, Writer, Written};
use assize_inference::{
    ModelError, Weigh,
    continuous::{ContinuousModel, Ended, NotJoined},
};

/// One side of a tree, to be written.
#[derive(Debug, Clone)]
pub struct TreeText {
    /// Which.
    pub side: TreeSide,
    /// Prompt, budget and rules.
    pub request: WriteRequest,
}

impl Weigh for TreeText {
    fn tokens(&self) -> usize {
        self.request.tokens()
    }
}

/// Writes both sides. Owned by a worker's thread.
#[derive(Debug)]
pub struct ReporterWriter {
    harms: Writer,
    /// Absent where one checkpoint writes both.
    benefits: Option<Writer>,
    /// Whose step was the last one.
    last: TreeSide,
}

impl ReporterWriter {
    /// `benefits` is absent where one checkpoint writes both.
    pub(super) const fn new(harms: Writer, benefits: Option<Writer>) -> Self {
        Self { harms, benefits, last: TreeSide::Benefits }
    }

    /// Whose checkpoint writes a side.
    const fn writes(&self, side: TreeSide) -> TreeSide {
        match (side, &self.benefits) {
            (TreeSide::Benefits, Some(_)) => TreeSide::Benefits,
            (TreeSide::Harms, _) | (TreeSide::Benefits, None) => TreeSide::Harms,
        }
    }

    const fn of(&mut self, checkpoint: TreeSide) -> &mut Writer {
        match (checkpoint, &mut self.benefits) {
            (TreeSide::Benefits, Some(benefits)) => benefits,
            (TreeSide::Harms, _) | (TreeSide::Benefits, None) => &mut self.harms,
        }
    }
}

/// Either writer stands as [`ContinuousModel`] asks, and the two share nothing.
impl ContinuousModel for ReporterWriter {
    type Input = TreeText;
    type Output = Written;
    /// Whose checkpoint writes it, and its ticket there.
    type Ticket = (TreeSide, Ticket);

    fn join(&mut self, text: &TreeText) -> Result<Self::Ticket, NotJoined> {
        let checkpoint = self.writes(text.side);
        Ok((checkpoint, ContinuousModel::join(self.of(checkpoint), &text.request)?))
    }

    fn leave(&mut self, (checkpoint, ticket): Self::Ticket) {
        self.of(checkpoint).leave(ticket);
    }

    /// One checkpoint after the other, so that a step that fails has ended nothing.
    fn step(&mut self) -> Result<Vec<Ended<Self>>, ModelError> {
        let is_busy = |writer: &Option<Writer>| writer.as_ref().is_some_and(|writer| writer.ongoing() > 0);
        let next = match (self.last, self.harms.ongoing() > 0, is_busy(&self.benefits)) {
            (TreeSide::Benefits, true, _) | (TreeSide::Harms, _, false) => TreeSide::Harms,
            (TreeSide::Harms, _, true) | (TreeSide::Benefits, false, _) => TreeSide::Benefits,
        };
        self.last = next;
        let checkpoint = self.writes(next);
        let ended = ContinuousModel::step(self.of(checkpoint))?;
        Ok(ended.into_iter().map(|(ticket, written)| ((checkpoint, ticket), written)).collect())
    }

    fn take_splits(&mut self) -> usize {
        let both = [Some(&mut self.harms), self.benefits.as_mut()];
        both.into_iter().flatten().map(ContinuousModel::take_splits).sum()
    }
}
