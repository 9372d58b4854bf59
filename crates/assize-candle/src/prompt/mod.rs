//! Prompts of decoders: a template whose control tokens are its own, and texts that never become one.

mod template;
mod vocabulary;

pub use template::{Filling, Slot, Template, TemplateError};
pub(crate) use vocabulary::{GAP_TOKENS, LEAST_TEXT};
pub use vocabulary::{Vocabulary, VocabularyError};
