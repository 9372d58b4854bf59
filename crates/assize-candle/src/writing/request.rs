//! What goes into a [`Writer`](super::Writer) and what comes out of it.

use super::{grammar::Grammar, sampling::Sampling};
use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A text to be written.
#[derive(Debug, Clone)]
pub struct WriteRequest {
    /// What the text goes on from, in tokens; at least one.
    pub prompt: Vec<u32>,
    /// The most tokens that are written.
    pub max_new_tokens: NonZeroUsize,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Tokens that end the text; they are no part of it.
    pub stop: Vec<u32>,
    /// What the text must obey; none where it is free.
    pub grammar: Option<Arc<Grammar>>,
    /// Where it is told how far the text is.
    pub progress: Progress,
}

/// How far a text is, for whoever waits for it. Clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<AtomicUsize>);

impl Progress {
    /// Tokens that were written; 0 again where the text had to be begun anew.
    pub fn written(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn tell(&self, written: usize) {
        self.0.store(written, Ordering::Relaxed);
    }
}

/// A request on its way. Never given twice by one writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(super) u64);

/// A text that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The new tokens, without the one that stopped it.
    pub tokens: Vec<u32>,
    /// What they spell. Special tokens spell nothing, and a letter that was cut in two is a replacement character.
    pub text: String,
    /// Why it ends here.
    pub finish: FinishReason,
}

/// Why a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FinishReason {
    /// By a stop token.
    Stop,
    /// As many tokens were written as were asked for. Under a grammar the text is cut off.
    Budget,
    /// The grammar allows nothing more.
    GrammarEnded,
}

/// A text that ended, well or badly, whatever became of the others.
pub type Outcome = (Ticket, Result<Written, WriteError>);

/// Why a request can't join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// No room now; there will be when others have left. The caller keeps the request waiting.
    #[error("the key-value cache has no room now")]
    Full,
    /// No room ever.
    #[error("prompt and text of {tokens} tokens are over the limit of {limit}; ask for less")]
    TooLong {
        /// Tokens of prompt and text together.
        tokens: usize,
        /// The most, by the cache or by what the model was made for.
        limit: usize,
    },
    /// Nothing to go on from.
    #[error("the prompt has no token")]
    EmptyPrompt,
    /// No such token.
    #[error("the token {token} is none of the model's {vocab}")]
    UnknownToken {
        /// Its id.
        token: u32,
        /// Tokens of the model.
        vocab: usize,
    },
    /// The grammar was made for another tokenizer.
    #[error("the grammar is for {given} tokens, but the model has {vocab}")]
    OtherVocabulary {
        /// Tokens of the grammar.
        given: usize,
        /// Tokens of the model.
        vocab: usize,
    },
    /// A shared beginning can't be gone on from.
    #[error("a page of the cache can't be copied")]
    Cache(#[source] candle_core::Error),
}

/// Why one text can't be gone on with, whatever becomes of the others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// No token has a finite score, of those that a grammar allows.
    #[error("no token can follow: none has a finite score")]
    NoToken,
    /// The grammar can't be followed any further. Without a reason: the grammar library's may quote the text.
    #[error("no token can follow: the grammar allows none, or is too large to be followed")]
    Grammar,
}
