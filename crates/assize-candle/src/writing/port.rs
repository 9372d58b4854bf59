//! Lets `assize-inference` drive the writer: a worker's thread owns it and calls it step by step.

use super::{JoinError, Outcome, Ticket, WriteRequest, Writer, Written};
use crate::port::failed;
use assize_inference::{
    ModelError, Weigh,
    continuous::{ContinuousModel, Ended, NotJoined},
};

/// Prompt and text: all that it may take of the cache, a shared beginning counted too.
impl Weigh for WriteRequest {
    fn tokens(&self) -> usize {
        self.prompt.len().saturating_add(self.max_new_tokens.get())
    }
}

/// A text has its own pages, sampler and grammar, all of which go when it leaves, so a later one stands alone as the trait
/// asks, also after a panic.
impl ContinuousModel for Writer {
    type Input = WriteRequest;
    type Output = Written;
    type Ticket = Ticket;

    fn join(&mut self, request: &WriteRequest) -> Result<Ticket, NotJoined> {
        self.join(request).map_err(|error| match error {
            JoinError::Full => NotJoined::NoRoom,
            JoinError::TooLong { .. }
            | JoinError::EmptyPrompt
            | JoinError::UnknownToken { .. }
            | JoinError::OtherVocabulary { .. }
            | JoinError::Cache(_) => NotJoined::Failed(failed(&error)),
        })
    }

    fn leave(&mut self, ticket: Ticket) {
        self.leave(ticket);
    }

    fn step(&mut self) -> Result<Vec<Ended<Self>>, ModelError> {
        let ended = self.step().map_err(|error| failed(&error))?;
        let told = |(ticket, written): Outcome| (ticket, written.map_err(|error| failed(&error)));
        Ok(ended.into_iter().map(told).collect())
    }

    fn take_splits(&mut self) -> usize {
        self.take_splits()
    }
}
