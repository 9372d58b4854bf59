//! Bytes of tokens put together are the text that the tokenizer parted.

use super::*;
use crate::prompt::{Vocabulary, VocabularyError};

/// Every letter of the vocabularies, spaces in a row, line breaks, and letters that no vocabulary has.
const TEXTS: [&str; 5] = [
    "How do I bake bread?",
    "  two  spaces\n\n\tand a tab",
    "naïve «Ünïcödé» – 漢字 🍞",
    "{\"a\": [1, 23]}",
    "\u{7f}\u{ad}ÿ",
];

#[test]
fn bytes_of_a_text_are_the_text() {
    for name in ["gemma", "granite", "llama3", "mistral", "olmo2", "qwen"] {
        let file = std::fs::read(folder().join(format!("tests/tokenizers/{name}.json"))).unwrap();
        let vocabulary = Vocabulary::from_json(&file, 1000).unwrap();
        let tokens = TokenBytes::from_json(&file, 1000).unwrap();
        for text in TEXTS {
            let spelled = tokens.spell(&vocabulary.ids(text).unwrap());
            // Llama's old tokenizer begins every text with a space.
            let spelled = if name == "mistral" { spelled.strip_prefix(' ').unwrap() } else { &spelled };
            assert_eq!(spelled, text, "{name}");
        }
    }
}

#[test]
fn control_tokens_spell_nothing_and_names_are_no_text() {
    let tokens = letters();
    let spelled: Vec<&[u8]> = (92..97).map(|id| tokens.text_of(id)).collect();
    assert_eq!(spelled, [b"}".as_slice(), b"", b"", b"", b""]);
    assert_eq!(tokens.spell(&[91, 93, 94, 95, 92]), "{<think>}");
}

#[test]
fn a_letter_that_is_cut_in_two_is_a_replacement_character() {
    let file = std::fs::read(folder().join("tests/tokenizers/qwen.json")).unwrap();
    let ids = Vocabulary::from_json(&file, 1000).unwrap().ids("漢").unwrap();
    let tokens = TokenBytes::from_json(&file, 1000).unwrap();
    assert_eq!(tokens.spell(&ids), "漢");
    assert_eq!(tokens.spell(&ids[..ids.len() - 1]), "\u{fffd}");
}

#[test]
fn more_tokens_than_the_model_has_are_refused() {
    let file = std::fs::read(folder().join("tests/tokenizers/qwen.json")).unwrap();
    assert!(matches!(TokenBytes::from_json(&file, 400), Err(VocabularyError::OutOfRange { vocab: 400, .. })));
    assert!(matches!(TokenBytes::from_json(b"{", 400), Err(VocabularyError::Json(_))));
    assert!(matches!(TokenBytes::from_json(b"{}", 400), Err(VocabularyError::Unreadable(_))));
}
