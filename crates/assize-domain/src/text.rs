//! The text of a turn. It can be read by the models and by nobody else: no `Debug`, no `Display` shows it.

use std::fmt;

/// What someone wrote. `Debug` prints the length only, so that text can't reach a log by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnText(String);

impl TurnText {
    /// Wraps a text; its size is bounded by [`crate::Conversation::new`].
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the model side only.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Length in bytes of UTF-8.
    pub fn len_bytes(&self) -> usize {
        self.0.len()
    }

    /// Whether there is anything in it that a reader would see.
    ///
    /// White space, control characters and zero-width characters don't count.
    pub fn is_blank(&self) -> bool {
        self.0.chars().all(is_invisible)
    }
}

/// Whether a reader sees nothing of the character: white space, control characters, zero-width characters, variation
/// selectors and tags.
pub fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        )
        || matches!(c, '\u{180B}'..='\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}')
        || matches!(c, '\u{E0000}'..='\u{E0FFF}')
}

impl fmt::Debug for TurnText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TurnText({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_text() {
        assert_eq!(format!("{:?}", TurnText::new("canary")), "TurnText(6 bytes)");
    }

    #[test]
    fn text_of_invisible_characters_is_blank() {
        for text in ["", "  \n\t", "\u{200B}\u{FEFF}", "\u{0000}\u{0007}", "\u{E0041}"] {
            assert!(TurnText::new(text).is_blank(), "{text:?}");
        }
        assert!(!TurnText::new(" . ").is_blank());
    }
}
