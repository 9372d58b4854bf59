//! The one place where texts become the sequence that the encoder sees: the service reads with it, the trainer teaches
//! with it, so that the model is asked what it was taught.

use super::{ReadError, windows, words};
use crate::{EncoderShape, Framing, GuardTokenizer, Sequence, tokenizer::TokenizerProblem};

/// Earlier user turns are read up to this many tokens, the latest first: enough for the turns that a split request
/// spans, short enough that the context doesn't drown the prompt.
const CONTEXT_TOKENS: usize = 96;

/// The word pieces of a text.
pub(super) fn ids(tokenizer: &GuardTokenizer, text: &str) -> Result<Vec<u32>, ReadError> {
    tokenizer.ids(&words::broken_up(text)).map_err(ReadError::Tokenize)
}

/// The latest tokens of the earlier user turns (given the latest first), in the order they were written; at most half
/// a window, so that the prompt has room beside it.
pub(super) fn context<'a>(
    tokenizer: &GuardTokenizer,
    latest_first: impl Iterator<Item = &'a str>,
    window_tokens: usize,
) -> Result<Vec<u32>, ReadError> {
    let mut parts: Vec<Vec<u32>> = Vec::new();
    let mut left = CONTEXT_TOKENS.min(window_tokens / 2);
    for turn in latest_first {
        let mut ids = ids(tokenizer, turn)?;
        // A long turn gives its end: that is what the next turn follows.
        ids.drain(..ids.len().saturating_sub(left));
        left -= ids.len();
        parts.push(ids);
        if left == 0 {
            break;
        }
    }
    parts.reverse();
    Ok(parts.concat())
}

/// Makes one sequence of an example to learn from, in the very form in which the service asks.
///
/// Unlike the service it makes no windows: of what is too long it keeps the beginning and the end.
#[derive(Debug)]
pub struct Composer {
    tokenizer: GuardTokenizer,
    framing: Framing,
    prompt_share: f32,
}

impl Composer {
    /// Reads a `tokenizer.json` for an encoder of this shape; `prompt_share` as in a model card.
    ///
    /// # Errors
    /// When the tokenizer is none, is not safe for user text, or has another vocabulary.
    pub fn open(tokenizer: &[u8], shape: EncoderShape, prompt_share: f32) -> Result<Self, InvalidTokenizer> {
        let tokenizer = GuardTokenizer::from_json(tokenizer, shape.vocab_size).map_err(InvalidTokenizer)?;
        let framing = Framing { cls: tokenizer.cls(), sep: tokenizer.sep(), max_tokens: shape.max_positions };
        Ok(Self { tokenizer, framing, prompt_share })
    }

    /// `context` holds the earlier user turns, the oldest first. At most `tokens` tokens, control tokens included.
    ///
    /// # Errors
    /// When the tokenizer fails, or `tokens` is over the encoder's positions.
    pub fn sequence(
        &self,
        context: &[impl AsRef<str>],
        prompt: &str,
        response: Option<&str>,
        tokens: usize,
    ) -> Result<Sequence, ReadError> {
        let latest_first = context.iter().rev().map(AsRef::as_ref);
        let context = self::context(&self.tokenizer, latest_first, tokens)?;
        let prompt = ids(&self.tokenizer, prompt)?;
        let sequence = match response {
            None => {
                let capacity = tokens.saturating_sub(Sequence::SINGLE_OVERHEAD);
                let end = windows::ends(&prompt, capacity.saturating_sub(context.len()));
                Sequence::single(self.framing, &[context, end].concat())
            }
            Some(response) => {
                let response = ids(&self.tokenizer, response)?;
                let capacity = tokens.saturating_sub(Sequence::PAIR_OVERHEAD);
                let room = windows::prompt_room(capacity, response.len(), self.prompt_share);
                let prompt = windows::ends(&[context, prompt].concat(), room);
                let response = windows::ends(&response, capacity.saturating_sub(prompt.len()));
                Sequence::pair(self.framing, &prompt, &response)
            }
        };
        sequence.map_err(ReadError::Window)
    }
}

/// A `tokenizer.json` that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the tokenizer can't be used: {0}")]
pub struct InvalidTokenizer(#[source] TokenizerProblem);
