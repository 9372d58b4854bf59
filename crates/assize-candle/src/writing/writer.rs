//! The writer: one pass through the decoder a step, over all texts on their way. Those that write give one token each; of
//! prompts that are still being read a bounded part goes along, so that a long one doesn't stop the others.

use super::{
    ongoing::Ongoing,
    request::{JoinError, Outcome, Ticket, WriteRequest},
    token_bytes::TokenBytes,
};
use crate::decoder::{Chunk, Decoder, DecoderError, ForkError, KvCache, KvSequence, PAGE};
use candle_core::Tensor;
use rayon::prelude::*;
use std::{mem, sync::Arc};

/// Tokens of prompts in a step, beside one for each text that writes. A step is what the others wait for: with these many it
/// takes some times as long as one without, and a prompt of 2,000 tokens is read in eight.
const READ_TOKENS: usize = 256;
/// On a GPU, which is not busy with less.
const DEVICE_READ_TOKENS: usize = 2_048;

/// A device that has no room for a step of so many tokens has none for the model.
const LEAST_READ_TOKENS: usize = 32;

/// A decoder that writes texts. Owned by a worker's thread.
///
/// A text has room in the cache for all of it from its first step on: what began is never put off.
#[derive(Debug)]
pub struct Writer {
    decoder: Arc<Decoder>,
    tokens: Arc<TokenBytes>,
    cache: KvCache,
    prefixes: Vec<Prefix>,
    /// Tokens that the cache has room for when nothing is on its way.
    room: usize,
    /// In the order of joining.
    ongoing: Vec<Ongoing>,
    /// Tokens of prompts in a step.
    read_tokens: usize,
    /// How often that was halved, since somebody asked.
    splits: usize,
    /// What was read and not yet chosen from; outlives a step only where this failed in between.
    due: Option<Due>,
    next_ticket: u64,
    /// Tokens of a step that the device is taken to have room for.
    #[cfg(test)]
    pub(super) room_for: Option<usize>,
}

/// A beginning that prompts share.
#[derive(Debug)]
struct Prefix {
    tokens: Vec<u32>,
    sequence: KvSequence,
}

/// Texts whose next token is due.
#[derive(Debug)]
struct Due {
    /// `[tickets, hidden]`.
    hidden: Tensor,
    /// In the order of joining.
    tickets: Vec<Ticket>,
}

impl Writer {
    /// A writer with a cache of `cache_tokens` tokens, for remembered beginnings and texts together. `tokens` are of the
    /// decoder's own tokenizer.
    ///
    /// # Errors
    /// When the device has no room, or [`Decoder::prepare_logits`] fails.
    pub fn new(
        decoder: Arc<Decoder>,
        tokens: Arc<TokenBytes>,
        cache_tokens: usize,
    ) -> Result<Self, DecoderError> {
        decoder.prepare_logits()?;
        let cache = decoder.cache(cache_tokens)?;
        let room = cache.capacity();
        let read_tokens = if decoder.is_on_cpu() { READ_TOKENS } else { DEVICE_READ_TOKENS };
        Ok(Self {
            decoder,
            tokens,
            cache,
            prefixes: Vec::new(),
            room,
            ongoing: Vec::new(),
            read_tokens,
            splits: 0,
            due: None,
            next_ticket: 0,
            #[cfg(test)]
            room_for: None,
        })
    }

    /// Reads what many prompts begin with, once and for all; it keeps its part of the cache.
    ///
    /// # Errors
    /// When the decoder fails or the cache has no room; nothing is remembered then.
    pub fn remember(&mut self, prefix: &[u32]) -> Result<(), DecoderError> {
        let free = self.cache.free();
        let mut sequence = KvSequence::default();
        for tokens in prefix.chunks(self.read_tokens) {
            self.decoder
                .forward(&mut self.cache, &mut [Chunk { tokens, sequence: &mut sequence, wanted: 0 }])?;
        }
        self.room -= free - self.cache.free();
        self.prefixes.push(Prefix { tokens: prefix.to_vec(), sequence });
        Ok(())
    }

    /// Takes a text in, from the next step on.
    ///
    /// # Errors
    /// Every variant of [`JoinError`]; nothing has changed then.
    pub fn join(&mut self, request: &WriteRequest) -> Result<Ticket, JoinError> {
        self.check(request)?;
        let whole = request.prompt.len() + request.max_new_tokens.get();
        let (prefix, shared) = prefix_of(&self.prefixes, &request.prompt);
        let shared_pages = shared / PAGE * PAGE;
        let limit = (self.room + shared_pages).min(self.decoder.shape().max_positions);
        if whole.next_multiple_of(PAGE) > self.room + shared_pages || whole > limit {
            return Err(JoinError::TooLong { tokens: whole, limit });
        }
        // Before anything is copied: while there is no room, this is asked before every step.
        if whole.next_multiple_of(PAGE) > self.cache.free() + shared_pages {
            return Err(JoinError::Full);
        }
        let mut sequence = match prefix {
            Some(prefix) => self.cache.fork(&prefix.sequence, shared).map_err(|error| match error {
                ForkError::Full(_) => JoinError::Full,
                ForkError::Tensor(error) => JoinError::Cache(error),
            })?,
            None => KvSequence::default(),
        };
        let rest = whole - sequence.len();
        self.cache.reserve(&mut sequence, rest).map_err(|_full| JoinError::Full)?;
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.ongoing.push(Ongoing::new(ticket, request, sequence));
        Ok(ticket)
    }

    /// Gives a text up; its part of the cache is free again. Nothing happens where it has ended.
    pub fn leave(&mut self, ticket: Ticket) {
        self.ongoing.retain(|ongoing| ongoing.ticket != ticket);
    }

    /// Texts on their way.
    pub const fn ongoing(&self) -> usize {
        self.ongoing.len()
    }

    /// How often a step had to be made smaller because the device had no room for it, since this was last asked.
    pub(super) fn take_splits(&mut self) -> usize {
        mem::take(&mut self.splits)
    }

    /// Tokens of the cache that nobody has.
    pub fn free(&self) -> usize {
        self.cache.free()
    }

    /// Goes on by one pass through the decoder; gives what became of the texts that ended with it, in the order of joining.
    ///
    /// # Errors
    /// When the decoder fails. All texts are still there, as they were: the caller may try again, or have some leave.
    pub fn step(&mut self) -> Result<Vec<Outcome>, DecoderError> {
        if self.due.is_none() {
            match self.read() {
                Ok(due) => self.due = due,
                // Nothing has changed: the next step reads less of the prompts, where there are any.
                Err(error)
                    if error.is_out_of_memory()
                        && self.read_tokens > LEAST_READ_TOKENS
                        && self.ongoing.iter().any(|ongoing| ongoing.pending.len() > 1) =>
                {
                    self.read_tokens /= 2;
                    self.splits += 1;
                    return Ok(Vec::new());
                }
                Err(error) => return Err(error),
            }
        }
        let scores = self.scores()?;
        self.due = None;
        let mut scores = scores.into_iter().peekable();
        // Both are in the order of joining.
        let due: Vec<(&mut Ongoing, Vec<f32>)> = self
            .ongoing
            .iter_mut()
            .filter_map(|ongoing| {
                let (_, scores) = scores.next_if(|(ticket, _)| *ticket == ongoing.ticket)?;
                Some((ongoing, scores))
            })
            .collect();
        due.into_par_iter().for_each(|(ongoing, scores)| ongoing.write(scores));
        let ended = self.ongoing.extract_if(.., |ongoing| ongoing.has_ended());
        Ok(ended.map(|ongoing| ongoing.close(&self.tokens)).collect())
    }

    fn check(&self, request: &WriteRequest) -> Result<(), JoinError> {
        let vocab = self.decoder.shape().vocab;
        if request.prompt.is_empty() {
            return Err(JoinError::EmptyPrompt);
        }
        // Here and not in the step, where it would fail for the others too.
        let is_unknown = |token: &&u32| usize::try_from(**token).is_ok_and(|token| token >= vocab);
        if let Some(token) = request.prompt.iter().find(is_unknown) {
            return Err(JoinError::UnknownToken { token: *token, vocab });
        }
        match request.grammar.as_ref().map(|grammar| grammar.vocab()).filter(|given| *given != vocab) {
            Some(given) => Err(JoinError::OtherVocabulary { given, vocab }),
            None => Ok(()),
        }
    }

    /// Reads what is pending, of prompts no more than a step's part, the oldest first.
    fn read(&mut self) -> Result<Option<Due>, DecoderError> {
        let mut room = self.read_tokens;
        let (mut chunks, mut taken, mut tickets) = (Vec::new(), Vec::new(), Vec::new());
        for Ongoing { ticket, sequence, pending, .. } in &mut self.ongoing {
            // One token is what a text that writes has.
            let count = if pending.len() == 1 { 1 } else { pending.len().min(room) };
            if pending.len() > 1 {
                room -= count;
            }
            taken.push(count);
            let is_whole = count == pending.len();
            if is_whole {
                tickets.push(*ticket);
            }
            if count > 0 {
                let tokens = pending.get(..count).unwrap_or_default();
                chunks.push(Chunk { tokens, sequence, wanted: usize::from(is_whole) });
            }
        }
        if chunks.is_empty() {
            return Ok(None);
        }
        #[cfg(test)]
        if self.room_for.is_some_and(|room| taken.iter().sum::<usize>() > room) {
            return Err(candle_core::Error::Cuda("CUDA_ERROR_OUT_OF_MEMORY".into()).into());
        }
        let hidden = self.decoder.forward(&mut self.cache, &mut chunks)?;
        for (ongoing, count) in self.ongoing.iter_mut().zip(taken) {
            ongoing.pending.drain(..count);
        }
        Ok((!tickets.is_empty()).then_some(Due { hidden, tickets }))
    }

    /// Scores of all tokens for each text that is due and still there.
    fn scores(&self) -> Result<Vec<(Ticket, Vec<f32>)>, DecoderError> {
        let Some(due) = &self.due else { return Ok(Vec::new()) };
        let is_there = |ticket: Ticket| self.ongoing.iter().any(|ongoing| ongoing.ticket == ticket);
        let (rows, tickets): (Vec<u32>, Vec<Ticket>) =
            (0..).zip(due.tickets.iter().copied()).filter(|(_, ticket)| is_there(*ticket)).unzip();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let rows = Tensor::from_vec(rows, tickets.len(), due.hidden.device())?;
        let scores = self.decoder.logits(&due.hidden.index_select(&rows, 0)?)?.to_vec2()?;
        Ok(tickets.into_iter().zip(scores).collect())
    }
}

/// What a prompt has in common with one of the beginnings, and how many tokens; but its last token is read anew, because its
/// hidden state is wanted.
fn prefix_of<'a>(prefixes: &'a [Prefix], prompt: &[u32]) -> (Option<&'a Prefix>, usize) {
    let most = prompt.len().saturating_sub(1);
    let common = |prefix: &Prefix| {
        prefix.tokens.iter().zip(prompt).take_while(|(one, other)| one == other).count().min(most)
    };
    let longest = prefixes.iter().map(|prefix| (Some(prefix), common(prefix)));
    longest.max_by_key(|(_, common)| *common).unwrap_or((None, 0))
}
