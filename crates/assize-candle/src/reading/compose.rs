//! The one place where texts become the sequence that the encoder sees: the service reads with it, the trainer teaches
//! with it, so that the model is asked what it was taught.

use super::{ReadError, windows, words};
use crate::{EncoderShape, Framing, GuardTokenizer, Sequence, SequenceTooLong, tokenizer::TokenizerProblem};

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

/// Control tokens of a pair after a context.
pub(super) const PAIR_OVERHEAD: usize = Sequence::PAIR_OVERHEAD + 1;

/// A prompt, after its context where there is one; of a long one its beginning and its end.
pub(super) fn single(
    framing: Framing,
    context: &[u32],
    prompt: &[u32],
    tokens: usize,
) -> Result<Sequence, SequenceTooLong> {
    if context.is_empty() {
        let room = tokens.saturating_sub(Sequence::SINGLE_OVERHEAD);
        return Sequence::single(framing, &windows::ends(prompt, room));
    }
    let room = tokens.saturating_sub(Sequence::SINGLE_OVERHEAD + 1 + context.len());
    Sequence::in_context(framing, context, &windows::ends(prompt, room))
}

/// What the `room` for a reply's question holds: at most half of it context, its latest part, then the prompt.
pub(super) fn asked<'a>(context: &'a [u32], prompt: &[u32], room: usize) -> (&'a [u32], Vec<u32>) {
    let kept = context.len().min(room / 2);
    let context = context.get(context.len() - kept..).unwrap_or_default();
    (context, windows::ends(prompt, room.saturating_sub(kept)))
}

/// A prompt with a reply, after their context where there is one.
pub(super) fn pair(
    framing: Framing,
    context: &[u32],
    prompt: &[u32],
    response: &[u32],
) -> Result<Sequence, SequenceTooLong> {
    if context.is_empty() {
        return Sequence::pair(framing, prompt, response);
    }
    Sequence::pair_in_context(framing, context, prompt, response)
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
            None => single(self.framing, &context, &prompt, tokens),
            Some(response) => {
                let response = ids(&self.tokenizer, response)?;
                let capacity = tokens.saturating_sub(PAIR_OVERHEAD);
                let room = windows::prompt_room(capacity, response.len(), self.prompt_share);
                let (context, prompt) = asked(&context, &prompt, room);
                let left = capacity.saturating_sub(prompt.len() + context.len());
                pair(self.framing, context, &prompt, &windows::ends(&response, left))
            }
        };
        sequence.map_err(ReadError::Window)
    }
}

/// A `tokenizer.json` that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the tokenizer can't be used: {0}")]
pub struct InvalidTokenizer(#[source] TokenizerProblem);
