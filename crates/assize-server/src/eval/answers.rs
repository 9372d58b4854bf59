//! Asks the encoder each distinct sequence once, over all benchmarks: sets share prompts and replies.

use assize_candle::{EncoderError, GuardEncoder, HeadLogits, Sequence};
use std::cmp::Reverse;
use std::collections::HashMap;

/// Most tokens of a batch: enough rows for the matrix products to fill the cores, little memory. Batches are packed, so
/// nothing is gained by sequences of the same length.
const BATCH_TOKENS: usize = 1024;

/// Token ids, and how many of them belong to the first segment: what the encoder sees of a sequence.
type Key = (Vec<u32>, usize);

/// Where the answer to a sequence will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(usize);

/// The encoder, with everything that it has said so far. Grows with the benchmarks; holds token ids, so it must not
/// outlive the command or be written anywhere.
#[derive(Debug)]
pub(super) struct Answers {
    encoder: GuardEncoder,
    tickets: HashMap<Key, Ticket>,
    /// By ticket.
    known: Vec<Option<HeadLogits>>,
    waiting: Vec<(Ticket, Sequence)>,
}

/// How far [`Answers::infer`] is, in tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    pub(super) done: usize,
    pub(super) all: usize,
}

impl Answers {
    pub(super) fn new(encoder: GuardEncoder) -> Self {
        Self { encoder, tickets: HashMap::new(), known: Vec::new(), waiting: Vec::new() }
    }

    /// Puts a sequence on the list, unless it was there before.
    pub(super) fn ask(&mut self, sequence: Sequence) -> Ticket {
        let first = sequence.type_ids().take_while(|id| *id == 0).count();
        let fresh = Ticket(self.known.len());
        let ticket = *self.tickets.entry((sequence.ids().to_vec(), first)).or_insert(fresh);
        if ticket == fresh {
            self.known.push(None);
            self.waiting.push((ticket, sequence));
        }
        ticket
    }

    /// Answers everything on the list, the longest first, so that a lack of memory shows at once.
    ///
    /// # Errors
    /// When the encoder fails.
    pub(super) fn infer(&mut self, mut progress: impl FnMut(Progress)) -> Result<(), EncoderError> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_by_key(|(_, sequence)| Reverse(sequence.tokens()));
        let all = tokens(&waiting);
        let mut rest = waiting.as_slice();
        let mut done = 0;
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(batch_len(rest));
            let sequences: Vec<&Sequence> = batch.iter().map(|(_, sequence)| sequence).collect();
            let outputs = self.encoder.infer(&sequences)?;
            for ((ticket, _), output) in batch.iter().zip(outputs) {
                if let Some(place) = self.known.get_mut(ticket.0) {
                    *place = Some(output);
                }
            }
            done += tokens(batch);
            progress(Progress { done, all });
            rest = later;
        }
        Ok(())
    }

    /// The answers in the order of the tickets; `None` where one is not there yet.
    pub(super) fn get(&self, tickets: &[Ticket]) -> Option<Vec<HeadLogits>> {
        tickets.iter().map(|ticket| self.known.get(ticket.0).cloned().flatten()).collect()
    }

    /// How many distinct sequences there are.
    #[cfg(test)]
    pub(super) fn distinct(&self) -> usize {
        self.known.len()
    }
}

fn tokens(sequences: &[(Ticket, Sequence)]) -> usize {
    sequences.iter().map(|(_, sequence)| sequence.tokens()).sum()
}

/// How many of the first sequences fit into a batch; at least one.
fn batch_len(sequences: &[(Ticket, Sequence)]) -> usize {
    let mut total = 0;
    let fitting = sequences.iter().take_while(|(_, sequence)| {
        total += sequence.tokens();
        total <= BATCH_TOKENS
    });
    fitting.count().clamp(1, sequences.len().max(1))
}
