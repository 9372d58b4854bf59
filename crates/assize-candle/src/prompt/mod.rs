//! Prompts of decoders: a template whose control tokens are its own, and texts that never become one.

mod template;
mod vocabulary;

pub use template::{Filling, Slot, Template, TemplateError};
pub use vocabulary::{Vocabulary, VocabularyError};
