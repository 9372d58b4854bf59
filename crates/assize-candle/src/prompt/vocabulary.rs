//! A decoder's tokens: control tokens for templates, and all else for text. A text never becomes a control token, whatever a
//! user types, because the tokenizer that reads it knows none.
//!
//! A stretch of text between two control tokens is tokenised as a whole, the template's words and the user's together: that
//! is what the model was trained with ("?" and a line break after it are one token), and it is what the tokenizer of
//! transformers gives for a text without markers.

use aho_corasick::{AhoCorasick, MatchKind};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap};
use tokenizers::{AddedToken, Tokenizer};

/// What is wrong with a tokenizer, or a text that it can't read. Never quotes a user's text.
#[derive(Debug, thiserror::Error)]
pub enum VocabularyError {
    /// No JSON.
    #[error("it is no JSON")]
    Json(#[source] serde_json::Error),
    /// No tokenizer.
    #[error("it is not a tokenizer file")]
    Unreadable(#[source] tokenizers::Error),
    /// The control tokens can't be looked for.
    #[error("its added tokens can't be read")]
    Added,
    /// A token is none of the model's.
    #[error("the largest token id is {given}, but the model has {vocab} tokens")]
    OutOfRange {
        /// The largest id.
        given: u32,
        /// Tokens of the model.
        vocab: usize,
    },
    /// A text can't be tokenised.
    #[error("the text can't be tokenised")]
    Text(#[source] tokenizers::Error),
    /// A letter that only a control token spells.
    #[error("the text holds a letter that the tokenizer has as a control token only")]
    Unspellable,
}

/// The tokens of one decoder.
#[derive(Debug)]
pub struct Vocabulary {
    /// Without added tokens; for the stretch that a template begins with.
    first: Tokenizer,
    /// For every other stretch, where the tokenizer treats the beginning apart.
    later: Option<Tokenizer>,
    /// Finds control tokens in a template; none where there are none.
    finder: Option<AhoCorasick>,
    /// Ids, in the finder's order.
    controls: Vec<u32>,
    /// What text must never become, and how it is written.
    forbidden: BTreeMap<u32, String>,
}

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stretch<'a> {
    Control(u32),
    Text(&'a str),
}

impl Vocabulary {
    /// Reads a `tokenizer.json` for a model of `vocab` tokens.
    ///
    /// # Errors
    /// Every variant of [`VocabularyError`] but the last.
    pub fn from_json(json: &[u8], vocab: usize) -> Result<Self, VocabularyError> {
        let mut value: Value = serde_json::from_slice(json).map_err(VocabularyError::Json)?;
        let whole = Tokenizer::from_bytes(json).map_err(VocabularyError::Unreadable)?;
        let largest = whole.get_vocab(true).into_values().max().unwrap_or_default();
        if usize::try_from(largest).is_ok_and(|largest| largest >= vocab) {
            return Err(VocabularyError::OutOfRange { given: largest, vocab });
        }
        let mut added: Vec<(String, u32)> = whole
            .get_added_tokens_decoder()
            .into_iter()
            .filter(|(id, token)| !token.content.is_empty() && !is_blank_word(&value, token, *id))
            .map(|(id, token)| (token.content, id))
            .collect();
        added.sort();
        for key in ["post_processor", "truncation", "padding"] {
            if let Some(part) = value.get_mut(key) {
                *part = Value::Null;
            }
        }
        if let Some(Value::Array(known)) = value.get_mut("added_tokens") {
            let is_control = |token: &Value| {
                let content = token.get("content").and_then(Value::as_str).unwrap_or_default();
                content.is_empty() || added.iter().any(|(control, _)| control == content)
            };
            known.retain(|token| !is_control(token));
        }
        let first = tokenizer(&value)?;
        let later = if forget_first(&mut value) { Some(tokenizer(&value)?) } else { None };
        let contents = added.iter().map(|(content, _)| content);
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(contents);
        let finder = if added.is_empty() { None } else { Some(finder.map_err(|_| VocabularyError::Added)?) };
        let controls: Vec<u32> = added.iter().map(|(_, id)| *id).collect();
        let forbidden = added.into_iter().map(|(content, id)| (id, content)).collect();
        Ok(Self { first, later, finder, controls, forbidden })
    }

    /// Tokens of a text, none of them control.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, VocabularyError> {
        self.text(text, true)
    }

    /// Parts a template: what the tokenizer knows as an added token is control there.
    pub(super) fn part<'a>(&self, template: &'a str) -> Vec<Stretch<'a>> {
        let mut parts = Vec::new();
        let mut from = 0;
        for found in self.finder.iter().flat_map(|finder| finder.find_iter(template)) {
            parts.extend(text_of(template, from, found.start()));
            let control = self.controls.get(found.pattern().as_usize());
            parts.extend(control.map(|id| Stretch::Control(*id)));
            from = found.end();
        }
        parts.extend(text_of(template, from, template.len()));
        parts
    }

    /// The id of a control token.
    pub(crate) fn control(&self, content: &str) -> Option<u32> {
        match self.part(content).as_slice() {
            [Stretch::Control(id)] => Some(*id),
            _ => None,
        }
    }

    /// Tokens of one stretch of text.
    pub(crate) fn text(&self, text: &str, is_first: bool) -> Result<Vec<u32>, VocabularyError> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let tokenizer = self.later.as_ref().filter(|_| !is_first).unwrap_or(&self.first);
        let ids = |text: &str| tokenizer.encode_fast(text, false).map_err(VocabularyError::Text);
        let encoding = ids(text)?;
        // A vocabulary may list control tokens among its words, and a tokenizer may look up whole words: such a word is
        // spelled, letter by letter.
        let mut words = Vec::with_capacity(encoding.len());
        for id in encoding.get_ids() {
            let Some(word) = self.forbidden.get(id) else {
                words.push(*id);
                continue;
            };
            for letter in word.chars() {
                let letter = ids(letter.encode_utf8(&mut [0; 4]))?;
                let before = words.len();
                words.extend(letter.get_ids().iter().filter(|id| !self.forbidden.contains_key(id)));
                if words.len() == before {
                    return Err(VocabularyError::Unspellable);
                }
            }
        }
        Ok(words)
    }

    /// How many tokens a text would be by itself, and the same text without its middle where these are more than `most`.
    pub(crate) fn shortened<'a>(
        &self,
        text: &'a str,
        most: usize,
    ) -> Result<(usize, Cow<'a, str>), VocabularyError> {
        let tokenizer = self.later.as_ref().unwrap_or(&self.first);
        let encoding = tokenizer.encode(text, false).map_err(VocabularyError::Text)?;
        let offsets = encoding.get_offsets();
        let count = offsets.len();
        if count <= most {
            return Ok((count, Cow::Borrowed(text)));
        }
        let (head, tail) = (most.div_ceil(2), most / 2);
        let end = head.checked_sub(1).and_then(|last| offsets.get(last)).map_or(0, |(_, end)| *end);
        let start = offsets.get(count - tail).map_or(text.len(), |(start, _)| *start);
        // Offsets of a byte of a letter are those of the letter, and may overlap.
        let start = start.max(end);
        let (head, tail) = (text.get(..end).unwrap_or_default(), text.get(start..).unwrap_or_default());
        Ok((count, Cow::Owned(format!("{head}{CUT}{tail}"))))
    }
}

/// Tokens of what stands in a gap, at most.
pub(crate) const GAP_TOKENS: usize = 8;
/// A model that can read no more than this of a text is not worth asking.
pub(crate) const LEAST_TEXT: usize = 32;

/// Stands where the middle of a text was left out.
const CUT: &str = " [...] ";

fn text_of(template: &str, from: usize, to: usize) -> Option<Stretch<'_>> {
    template.get(from..to).filter(|text| !text.is_empty()).map(Stretch::Text)
}

fn tokenizer(value: &Value) -> Result<Tokenizer, VocabularyError> {
    Tokenizer::from_bytes(value.to_string()).map_err(VocabularyError::Unreadable)
}

/// Whether an added token is a line break or a run of blanks that the vocabulary has as a word, as Gemma's: text, not control.
fn is_blank_word(file: &Value, token: &AddedToken, id: u32) -> bool {
    let known = file.pointer("/model/vocab").and_then(|vocab| vocab.get(&token.content));
    let is_word = known.and_then(Value::as_u64) == Some(u64::from(id));
    !token.special && is_word && token.content.chars().all(char::is_whitespace)
}

/// Has a tokenizer that puts a space before the first word only put none; false where there is nothing of the kind.
fn forget_first(value: &mut Value) -> bool {
    let mut found = false;
    match value {
        Value::Object(map) => {
            if map.get("prepend_scheme").is_some_and(|scheme| scheme == "first") {
                map.insert("prepend_scheme".to_owned(), Value::String("never".to_owned()));
                found = true;
            }
            for (_, part) in map.iter_mut().filter(|(key, _)| *key != "model" && *key != "decoder") {
                found |= forget_first(part);
            }
        }
        Value::Array(parts) => {
            for part in parts {
                found |= forget_first(part);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}
