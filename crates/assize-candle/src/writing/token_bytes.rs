//! What each token of a model spells, in bytes: a token may be a part of a letter, so text is put together from bytes.
//!
//! Two spellings are known: byte-level (GPT-2, Llama 3, Qwen), where a letter of the vocabulary stands for a byte, and
//! SentencePiece (Mistral, Gemma), where `▁` is a space and `<0x0A>` a byte. A vocabulary of neither is text as it is.

use crate::prompt::VocabularyError;
use serde_json::Value;
use std::collections::BTreeMap;
use tokenizers::Tokenizer;

/// What the tokens of one model spell.
#[derive(Debug)]
pub struct TokenBytes {
    /// By id.
    tokens: Vec<Spelled>,
}

/// What one token spells.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Spelled {
    /// Nothing: a special token, one that stands for what the vocabulary can't say, or an id that the tokenizer doesn't use.
    Nothing,
    /// A name that the model was taught, like `<think>`: to be seen in a text, but no part of what a grammar spells.
    Name(Vec<u8>),
    Text(Vec<u8>),
}

/// How a vocabulary writes bytes.
#[derive(Debug)]
enum Spelling {
    /// A letter a byte.
    ByteLevel(BTreeMap<char, u8>),
    Pieces {
        /// Stands for a space.
        space: Option<char>,
        /// Whether `<0x0A>` is a byte.
        has_bytes: bool,
    },
}

impl TokenBytes {
    /// Reads a `tokenizer.json` for a model of `vocab` tokens.
    ///
    /// # Errors
    /// When it is no tokenizer file, or has more tokens than the model.
    pub fn from_json(json: &[u8], vocab: usize) -> Result<Self, VocabularyError> {
        let value: Value = serde_json::from_slice(json).map_err(VocabularyError::Json)?;
        let tokenizer = Tokenizer::from_bytes(json).map_err(VocabularyError::Unreadable)?;
        let spelling = Spelling::of(&value);
        let mut tokens = vec![Spelled::Nothing; vocab];
        let mut put = |id: u32, spelled: Spelled| {
            let place = usize::try_from(id).ok().and_then(|id| tokens.get_mut(id));
            let place = place.ok_or(VocabularyError::OutOfRange { given: id, vocab })?;
            *place = spelled;
            Ok(())
        };
        for (word, id) in tokenizer.get_vocab(false) {
            put(id, Spelled::Text(spelling.bytes(&word)))?;
        }
        let unknown = value.pointer("/model/unk_token").and_then(Value::as_str);
        if let Some(id) = unknown.and_then(|word| tokenizer.token_to_id(word)) {
            put(id, Spelled::Nothing)?;
        }
        // After the words: a vocabulary may list added tokens among these.
        for (id, added) in tokenizer.get_added_tokens_decoder() {
            let is_seen = !added.special;
            put(id, if is_seen { Spelled::Name(added.content.into_bytes()) } else { Spelled::Nothing })?;
        }
        Ok(Self { tokens })
    }

    /// How many tokens the model has.
    pub const fn vocab(&self) -> usize {
        self.tokens.len()
    }

    /// The bytes of a token of text; none for a control token, whatever its kind.
    pub fn text_of(&self, id: u32) -> &[u8] {
        match self.get(id) {
            Spelled::Text(bytes) => bytes,
            Spelled::Nothing | Spelled::Name(_) => &[],
        }
    }

    /// What tokens spell together. Special tokens spell nothing; a letter that is not whole is a replacement character.
    pub fn spell(&self, ids: &[u32]) -> String {
        let bytes_of = |id: &u32| match self.get(*id) {
            Spelled::Text(bytes) | Spelled::Name(bytes) => bytes.as_slice(),
            Spelled::Nothing => &[],
        };
        let bytes: Vec<u8> = ids.iter().flat_map(bytes_of).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn get(&self, id: u32) -> &Spelled {
        usize::try_from(id).ok().and_then(|id| self.tokens.get(id)).unwrap_or(&Spelled::Nothing)
    }
}

impl Spelling {
    /// As the file's decoder undoes it.
    fn of(file: &Value) -> Self {
        let decoder = file.get("decoder").unwrap_or(&Value::Null);
        let parts = decoder.get("decoders").and_then(Value::as_array);
        let parts: Vec<&Value> = parts.map_or_else(|| vec![decoder], |parts| parts.iter().collect());
        let is = |part: &Value, kind: &str| part.get("type").is_some_and(|given| given == kind);
        if parts.iter().any(|part| is(part, "ByteLevel")) {
            return Self::ByteLevel(letters_of_bytes());
        }
        let letter = |value: Option<&Value>| value.and_then(Value::as_str).and_then(|text| text.parse().ok());
        let space = parts.iter().find_map(|part| {
            if is(part, "Metaspace") {
                letter(part.get("replacement"))
            } else if is(part, "Replace") && part.get("content").is_some_and(|content| content == " ") {
                letter(part.pointer("/pattern/String"))
            } else {
                None
            }
        });
        Self::Pieces { space, has_bytes: parts.iter().any(|part| is(part, "ByteFallback")) }
    }

    fn bytes(&self, word: &str) -> Vec<u8> {
        match self {
            // A word with other letters stands for itself, as the decoder of `tokenizers` has it.
            Self::ByteLevel(letters) => word
                .chars()
                .map(|letter| letters.get(&letter).copied())
                .collect::<Option<_>>()
                .unwrap_or_else(|| word.as_bytes().to_vec()),
            Self::Pieces { space, has_bytes } => {
                if let Some(byte) = byte_of(word).filter(|_| *has_bytes) {
                    return vec![byte];
                }
                let spaced = |letter: char| if Some(letter) == *space { ' ' } else { letter };
                word.chars().map(spaced).collect::<String>().into_bytes()
            }
        }
    }
}

/// `<0x0A>`.
fn byte_of(word: &str) -> Option<u8> {
    let digits = word.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() == 2 { u8::from_str_radix(digits, 16).ok() } else { None }
}

/// The letter for each byte: itself where it can be seen, or else one of those from U+0100 on, in order.
///
/// SOURCE: GPT-2's `bytes_to_unicode`, openai/gpt-2, src/encoder.py.
fn letters_of_bytes() -> BTreeMap<char, u8> {
    let is_seen = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let seen = (0..=u8::MAX).filter(is_seen).map(|byte| (char::from(byte), byte));
    let others = ('\u{100}'..).zip((0..=u8::MAX).filter(|byte| !is_seen(byte)));
    seen.chain(others).collect()
}
