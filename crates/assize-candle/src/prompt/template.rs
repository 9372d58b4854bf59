//! A prompt's template: control tokens, fixed text, and slots for what a user or a chatbot said.

use super::vocabulary::{Stretch, Vocabulary, VocabularyError};

/// What goes into a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    /// The last user turn.
    Prompt,
    /// The chatbot's answer to it.
    Response,
    /// What the model is asked about, where it is asked several times.
    Criterion,
}

impl Slot {
    /// Every slot.
    pub const ALL: [Self; 3] = [Self::Prompt, Self::Response, Self::Criterion];

    /// As in a template, between double braces.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Response => "response",
            Self::Criterion => "criterion",
        }
    }
}

/// A template that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Braces around something else.
    #[error(
        "`{{{{{given}}}}}` is no slot; allowed: `{{{{prompt}}}}`, `{{{{response}}}}`, `{{{{criterion}}}}`"
    )]
    UnknownSlot {
        /// What stands there.
        given: String,
    },
    /// Braces that don't close.
    #[error("`{{{{` is not closed by `}}}}`")]
    Unclosed,
    /// A control token that the tokenizer lacks.
    #[error("`{given}` is no added token of the checkpoint's tokenizer")]
    NoControl {
        /// The token.
        given: String,
    },
}

/// What fills the slots.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filling<'a> {
    /// The last user turn.
    pub prompt: &'a str,
    /// The chatbot's answer; empty where there is none.
    pub response: &'a str,
    /// What the model is asked about.
    pub criterion: &'a str,
}

impl<'a> Filling<'a> {
    const fn get(&self, slot: Slot) -> &'a str {
        match slot {
            Slot::Prompt => self.prompt,
            Slot::Response => self.response,
            Slot::Criterion => self.criterion,
        }
    }
}

/// A template for one vocabulary.
#[derive(Debug, Clone)]
pub struct Template {
    /// Goes before everything, as a tokenizer adds it by itself: the text after it is still the beginning of a text.
    begin: Option<u32>,
    stretches: Vec<Filled>,
}

#[derive(Debug, Clone)]
enum Filled {
    Control(u32),
    Text(Vec<Piece>),
}

#[derive(Debug, Clone)]
enum Piece {
    Fixed(String),
    Slot(Slot),
}

impl Template {
    /// Parts a template. `begin` is a control token that goes before everything, as a tokenizer adds it by itself.
    ///
    /// # Errors
    /// Every variant of [`TemplateError`].
    pub fn parse(text: &str, begin: Option<&str>, vocabulary: &Vocabulary) -> Result<Self, TemplateError> {
        let begin = begin.map(|begin| control(begin, vocabulary)).transpose()?;
        let mut stretches = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find("{{") {
            let (fixed, after) = rest.split_at_checked(open).unwrap_or_default();
            push_fixed(&mut stretches, fixed, vocabulary);
            let after = after.get(2..).unwrap_or_default();
            let (name, tail) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
            if name.contains("{{") {
                return Err(TemplateError::Unclosed);
            }
            let slot = Slot::ALL.into_iter().find(|slot| slot.id() == name);
            let slot = slot.ok_or_else(|| TemplateError::UnknownSlot { given: name.to_owned() })?;
            push(&mut stretches, Piece::Slot(slot));
            rest = tail;
        }
        push_fixed(&mut stretches, rest, vocabulary);
        Ok(Self { begin, stretches })
    }

    /// Whether a slot is in it.
    pub fn has(&self, slot: Slot) -> bool {
        let pieces = self.stretches.iter().flat_map(|stretch| match stretch {
            Filled::Control(_) => [].iter(),
            Filled::Text(pieces) => pieces.iter(),
        });
        pieces.into_iter().any(|piece| matches!(piece, Piece::Slot(own) if *own == slot))
    }

    /// The tokens of the filled template.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn fill(&self, filling: &Filling<'_>, vocabulary: &Vocabulary) -> Result<Vec<u32>, VocabularyError> {
        let mut tokens: Vec<u32> = self.begin.into_iter().collect();
        for (index, stretch) in self.stretches.iter().enumerate() {
            match stretch {
                Filled::Control(id) => tokens.push(*id),
                Filled::Text(pieces) => {
                    tokens.extend(vocabulary.text(&written(pieces, filling), index == 0)?)
                }
            }
        }
        Ok(tokens)
    }

    /// The tokens that it begins with whatever is said; `criterion` fills its slot.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn beginning(&self, criterion: &str, vocabulary: &Vocabulary) -> Result<Vec<u32>, VocabularyError> {
        let fill = |said: &str| self.fill(&Filling { prompt: said, response: said, criterion }, vocabulary);
        // Texts that begin with nothing in common, one of them with a blank.
        Ok(common(&common(&fill("a")?, &fill(" 7")?), &fill("\n\u{416}")?))
    }

    /// The fixed text that it ends with: after its last slot and its last control token; and whether nothing goes before it.
    pub(crate) fn tail(&self) -> (String, bool) {
        let text = match self.stretches.last() {
            None | Some(Filled::Control(_)) => String::new(),
            Some(Filled::Text(pieces)) => {
                let fixed = pieces.iter().rev().map_while(|piece| match piece {
                    Piece::Fixed(text) => Some(text.as_str()),
                    Piece::Slot(_) => None,
                });
                let fixed: Vec<&str> = fixed.collect();
                fixed.into_iter().rev().collect()
            }
        };
        (text, self.stretches.len() <= 1)
    }
}

/// The id of a control token by its name.
fn control(name: &str, vocabulary: &Vocabulary) -> Result<u32, TemplateError> {
    vocabulary.control(name).ok_or_else(|| TemplateError::NoControl { given: name.to_owned() })
}

fn common(one: &[u32], other: &[u32]) -> Vec<u32> {
    one.iter().zip(other).take_while(|(one, other)| one == other).map(|(token, _)| *token).collect()
}

fn push_fixed(stretches: &mut Vec<Filled>, text: &str, vocabulary: &Vocabulary) {
    for part in vocabulary.part(text) {
        match part {
            Stretch::Control(id) => stretches.push(Filled::Control(id)),
            Stretch::Text(text) => push(stretches, Piece::Fixed(text.to_owned())),
        }
    }
}

fn push(stretches: &mut Vec<Filled>, piece: Piece) {
    match stretches.last_mut() {
        Some(Filled::Text(pieces)) => pieces.push(piece),
        _ => stretches.push(Filled::Text(vec![piece])),
    }
}

fn written(pieces: &[Piece], filling: &Filling<'_>) -> String {
    let text = pieces.iter().map(|piece| match piece {
        Piece::Fixed(text) => text.as_str(),
        Piece::Slot(slot) => filling.get(*slot),
    });
    text.collect()
}
