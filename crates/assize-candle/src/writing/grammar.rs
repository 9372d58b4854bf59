//! Which tokens may follow, so that a text is JSON of one schema whatever the model would like to write.
//!
//! The work is `llguidance`'s; here it is bound to a model's own tokens, and told never to allow a control token: a text ends
//! because its grammar does.

use super::{request::WriteError, token_bytes::TokenBytes};
use llguidance::{
    Matcher, ParserFactory,
    api::TopLevelGrammar,
    toktrie::{ApproximateTokEnv, INVALID_TOKEN, TokEnv, TokRxInfo, TokTrie},
};
use serde_json::Value;
use std::{fmt, sync::Arc};

/// The grammar library takes a token that begins with this byte for a control token; no letter does.
const MARKER: u8 = TokTrie::SPECIAL_TOKEN_MARKER;

/// A grammar that can't be made.
#[derive(Debug, thiserror::Error)]
pub enum GrammarError {
    /// More tokens than ids.
    #[error("{vocab} tokens are more than a token id can name")]
    Vocabulary {
        /// Tokens of the model.
        vocab: usize,
    },
    /// Not a schema, or one with words that can't be followed.
    #[error("the schema can't be followed: {reason}")]
    Schema {
        /// The grammar library's words about the schema.
        reason: String,
    },
    /// The tokens can't be used.
    #[error("the tokens can't be used: {reason}")]
    Tokens {
        /// The grammar library's words about the tokens.
        reason: String,
    },
}

/// Makes grammars for one model: holds its tokens as a tree.
pub struct GrammarCompiler {
    factory: ParserFactory,
    vocab: usize,
}

/// What a text must obey. Shared by all requests that ask for it.
pub struct Grammar {
    /// Never moves; every text goes its way with a copy.
    start: Matcher,
    vocab: usize,
}

impl GrammarCompiler {
    /// Takes the tokens in.
    ///
    /// # Errors
    /// [`GrammarError::Vocabulary`], [`GrammarError::Tokens`].
    pub fn new(tokens: &TokenBytes) -> Result<Self, GrammarError> {
        let vocab = tokens.vocab();
        let count = u32::try_from(vocab).map_err(|_| GrammarError::Vocabulary { vocab })?;
        let words: Vec<Vec<u8>> = (0..count)
            .map(|id| tokens.text_of(id))
            .map(|word| if word.first() == Some(&MARKER) { Vec::new() } else { word.to_vec() })
            .collect();
        // No token ends a text: the grammar does.
        let trie = TokTrie::from(&TokRxInfo::new(count, INVALID_TOKEN), &words);
        let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory = ParserFactory::new_simple(&env)
            .map_err(|error| GrammarError::Tokens { reason: error.to_string() })?;
        // Its errors must not quote what was written, and it has nothing to print.
        factory.quiet().limits_mut().verbose_errors = false;
        Ok(Self { factory, vocab })
    }

    /// A grammar of all JSON texts that a schema allows. A list or an object: where its end is written, the text is over.
    ///
    /// # Errors
    /// [`GrammarError::Schema`].
    pub fn json(&self, schema: Value) -> Result<Grammar, GrammarError> {
        let start = Matcher::new(self.factory.create_parser(TopLevelGrammar::from_json_schema(schema)));
        match start.get_error() {
            Some(reason) => Err(GrammarError::Schema { reason }),
            None => Ok(Grammar { start, vocab: self.vocab }),
        }
    }
}

impl Grammar {
    /// Tokens of the model that it was made for.
    pub const fn vocab(&self) -> usize {
        self.vocab
    }
}

/// One text's way through a grammar.
pub(super) struct Follower(Matcher);

impl Follower {
    pub(super) fn new(grammar: &Grammar) -> Self {
        // Deep: what copies share is behind one lock, and texts are gone on with at the same time.
        Self(grammar.start.deep_clone())
    }

    /// Makes the scores of tokens that may not follow infinitely low.
    pub(super) fn forbid(&mut self, scores: &mut [f32]) -> Result<(), WriteError> {
        let allowed = self.0.compute_mask().map_err(|_| WriteError::Grammar)?;
        let forbid = |token: usize| {
            if let Some(score) = scores.get_mut(token) {
                *score = f32::NEG_INFINITY;
            }
        };
        allowed.iter_unset_entries(forbid);
        Ok(())
    }

    /// Goes on by a token that was allowed; whether nothing can follow it.
    pub(super) fn ends_with(&mut self, token: u32) -> Result<bool, WriteError> {
        self.0.consume_token(token).map_err(|_| WriteError::Grammar)?;
        Ok(self.0.is_stopped())
    }
}

impl fmt::Debug for GrammarCompiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrammarCompiler").field("vocab", &self.vocab).finish_non_exhaustive()
    }
}

impl fmt::Debug for Grammar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grammar").field("vocab", &self.vocab).finish_non_exhaustive()
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").finish_non_exhaustive()
    }
}
