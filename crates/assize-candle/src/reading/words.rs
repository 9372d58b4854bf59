//! Breaks up words that are too long for the tokenizer, which would read them as one unknown token.

use std::borrow::Cow;

/// SOURCE: `max_input_chars_per_word` of BERT's WordPiece; a longer word becomes `[UNK]` whole, whatever it says.
const LONGEST_WORD: usize = 100;

/// The text with a blank after every 100 characters that have none between them; the text itself where there are no
/// such words.
pub(super) fn broken_up(text: &str) -> Cow<'_, str> {
    let is_long = |word: &str| word.len() > LONGEST_WORD && word.chars().count() > LONGEST_WORD;
    if !text.split_whitespace().any(is_long) {
        return Cow::Borrowed(text);
    }
    let mut broken = String::with_capacity(text.len() + text.len() / LONGEST_WORD);
    let mut run = 0;
    for c in text.chars() {
        run = if c.is_whitespace() { 0 } else { run + 1 };
        if run > LONGEST_WORD {
            broken.push(' ');
            run = 1;
        }
        broken.push(c);
    }
    Cow::Owned(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_over_the_limit_are_broken() {
        let long = "x".repeat(250);
        assert_eq!(broken_up("a few short words"), "a few short words");
        assert_eq!(broken_up(&"é".repeat(100)), "é".repeat(100));
        let parts: Vec<usize> = broken_up(&format!("a {long} b")).split(' ').map(str::len).collect();
        assert_eq!(parts, [1, 100, 100, 50, 1]);
    }
}
