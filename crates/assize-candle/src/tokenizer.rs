//! From user text to word pieces. What a user types is text and nothing else: it never becomes a control token.

use std::collections::BTreeSet;
use tokenizers::Tokenizer;

/// A text that could not be cut into word pieces. Never quotes the text.
#[derive(Debug, thiserror::Error)]
pub enum TokenizeError {
    /// The tokenizer gave up.
    #[error("the text can't be cut into word pieces")]
    Failed {
        /// The tokenizer's own reason.
        #[source]
        source: tokenizers::Error,
    },
    /// The text became a control token, which load-time checks should have made impossible.
    #[error("the text became the control token {id}; the model's tokenizer.json is not safe for user text")]
    ControlToken {
        /// Id of the control token.
        id: u32,
    },
}

/// What is wrong with a `tokenizer.json`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenizerProblem {
    #[error("it is not a tokenizer file")]
    Unreadable {
        #[source]
        source: tokenizers::Error,
    },
    #[error("the special token `{token}` is absent or not marked as special")]
    NoSpecialToken { token: &'static str },
    #[error("the typed text `{text}` would become a control token")]
    ControlTokenFromText { text: String },
    #[error("the largest token id is {given}, but `vocab_size` in config.json is {vocab_size}")]
    IdOutOfRange { given: u32, vocab_size: usize },
    #[error("it has {given} token ids, but `vocab_size` in config.json is {vocab_size}; both must be equal")]
    VocabularySize { given: usize, vocab_size: usize },
}

/// Opens a sequence; its last hidden state is one half of the pooled feature.
const CLS: &str = "[CLS]";
/// Closes a segment.
const SEP: &str = "[SEP]";
/// Stands for a word that has no pieces; the one special token that text may become.
const UNK: &str = "[UNK]";

/// The model's word-piece tokenizer, without truncation and padding.
#[derive(Debug)]
pub struct GuardTokenizer {
    tokenizer: Tokenizer,
    cls: u32,
    sep: u32,
    /// What a word becomes that no pieces can spell.
    unk: u32,
    /// Ids that text must never become: every special token but `[UNK]`.
    forbidden: BTreeSet<u32>,
}

impl GuardTokenizer {
    /// Reads a `tokenizer.json` for an encoder with `vocab_size` embeddings.
    pub(crate) fn from_json(json: &[u8], vocab_size: usize) -> Result<Self, TokenizerProblem> {
        let unreadable = |source| TokenizerProblem::Unreadable { source };
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(unreadable)?;
        // A file may carry its maker's truncation and padding (this one: 128 and 128); windows are cut elsewhere.
        tokenizer.with_truncation(None).map_err(unreadable)?.with_padding(None);
        // By its name the opposite of what it does: special tokens in the text are then encoded as plain text.
        tokenizer.set_encode_special_tokens(true);

        let known: BTreeSet<u32> = tokenizer.get_vocab(true).into_values().collect();
        let largest = known.last().copied().unwrap_or(0);
        if usize::try_from(largest).is_ok_and(|largest| largest >= vocab_size) {
            return Err(TokenizerProblem::IdOutOfRange { given: largest, vocab_size });
        }
        // Fewer pieces than embeddings: another vocabulary, whose ids mean other words to these weights.
        if known.len() != vocab_size {
            return Err(TokenizerProblem::VocabularySize { given: known.len(), vocab_size });
        }
        let special = |token| special_id(&tokenizer, token);
        let (cls, sep, unk) = (special(CLS)?, special(SEP)?, special(UNK)?);
        let mut markers = special_tokens(&tokenizer);
        markers.sort_unstable();
        let forbidden = markers.iter().map(|(id, _)| *id).filter(|id| *id != unk).collect();
        let guard = Self { tokenizer, cls, sep, unk, forbidden };
        for (_, text) in markers {
            match guard.ids(&text) {
                Ok(ids) if ids != [unk] => {}
                _ => return Err(TokenizerProblem::ControlTokenFromText { text }),
            }
        }
        Ok(guard)
    }

    /// The word pieces of `text`, without control tokens, of whatever length; shape `[pieces]`.
    ///
    /// Costs about 1 µs a piece, and 18 ms for a single word of 100 kB (research/cpu-performance.md): bound the text.
    ///
    /// # Errors
    /// When the tokenizer fails, or a control token came out all the same.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, TokenizeError> {
        let encoding =
            self.tokenizer.encode_fast(text, false).map_err(|source| TokenizeError::Failed { source })?;
        let ids = encoding.get_ids();
        match ids.iter().find(|id| self.forbidden.contains(id)) {
            Some(&id) => Err(TokenizeError::ControlToken { id }),
            None => Ok(ids.to_vec()),
        }
    }

    /// Id of the token that opens a sequence.
    pub fn cls(&self) -> u32 {
        self.cls
    }

    /// Id of the token that closes a segment.
    pub fn sep(&self) -> u32 {
        self.sep
    }

    /// Id that stands for a word outside of the vocabulary.
    pub fn unknown(&self) -> u32 {
        self.unk
    }
}

fn special_tokens(tokenizer: &Tokenizer) -> Vec<(u32, String)> {
    let added = tokenizer.get_added_tokens_decoder().into_iter();
    added.filter(|(_, token)| token.special).map(|(id, token)| (id, token.content)).collect()
}

fn special_id(tokenizer: &Tokenizer, token: &'static str) -> Result<u32, TokenizerProblem> {
    let found = special_tokens(tokenizer).into_iter().find(|(_, content)| content == token);
    found.map(|(id, _)| id).ok_or(TokenizerProblem::NoSpecialToken { token })
}

#[cfg(test)]
mod tests;
