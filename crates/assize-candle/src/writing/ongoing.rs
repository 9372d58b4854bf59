//! One text on its way: what is to be read for it, what was written, and how its next token is chosen.

use super::{
    grammar::Follower,
    request::{FinishReason, Outcome, Progress, Ticket, WriteError, WriteRequest, Written},
    sampling::Sampler,
    token_bytes::TokenBytes,
};
use crate::decoder::KvSequence;
use std::mem;

/// A text between two steps.
#[derive(Debug)]
pub(super) struct Ongoing {
    pub(super) ticket: Ticket,
    /// What was read of it. Has the pages for all that may come.
    pub(super) sequence: KvSequence,
    /// Tokens to be read: the rest of the prompt, or the one that was written last.
    pub(super) pending: Vec<u32>,
    written: Vec<u32>,
    max_new_tokens: usize,
    stop: Vec<u32>,
    sampler: Sampler,
    follower: Option<Follower>,
    progress: Progress,
    /// How it ended; then it leaves.
    end: Option<Result<FinishReason, WriteError>>,
}

impl Ongoing {
    /// Begins a text; `sequence` has the first tokens of the prompt.
    pub(super) fn new(ticket: Ticket, request: &WriteRequest, sequence: KvSequence) -> Self {
        request.progress.tell(0);
        Self {
            ticket,
            pending: request.prompt.get(sequence.len()..).unwrap_or_default().to_vec(),
            sequence,
            written: Vec::new(),
            max_new_tokens: request.max_new_tokens.get(),
            stop: request.stop.clone(),
            sampler: Sampler::new(request.sampling),
            follower: request.grammar.as_deref().map(Follower::new),
            progress: request.progress.clone(),
            end: None,
        }
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Writes one token, by the scores of all.
    pub(super) fn write(&mut self, mut scores: Vec<f32>) {
        match self.choose(&mut scores) {
            Ok(None) => {}
            Ok(Some(finish)) => self.end = Some(Ok(finish)),
            Err(error) => self.end = Some(Err(error)),
        }
    }

    fn choose(&mut self, scores: &mut [f32]) -> Result<Option<FinishReason>, WriteError> {
        if let Some(follower) = &mut self.follower {
            follower.forbid(scores)?;
        }
        let token = self.sampler.choose(scores).ok_or(WriteError::NoToken)?;
        if self.stop.contains(&token) {
            return Ok(Some(FinishReason::Stop));
        }
        self.written.push(token);
        self.pending.push(token);
        self.progress.tell(self.written.len());
        if let Some(follower) = &mut self.follower
            && follower.ends_with(token)?
        {
            return Ok(Some(FinishReason::GrammarEnded));
        }
        Ok((self.written.len() >= self.max_new_tokens).then_some(FinishReason::Budget))
    }

    /// What became of it; its pages are free from here on.
    pub(super) fn close(mut self, tokens: &TokenBytes) -> Outcome {
        let end = self.end.take().unwrap_or(Err(WriteError::NoToken));
        let text = tokens.spell(&self.written);
        let written = mem::take(&mut self.written);
        (self.ticket, end.map(|finish| Written { tokens: written, text, finish }))
    }
}
