//! Words of lenient JSON: where a quoted or a bare one ends, and what it says.

use super::Value;
use std::borrow::Cow;

/// The text up to its closing quote, and what is behind it; `None` where the end is missing. A quote closes where JSON
/// could go on behind it, or where a line ends and another text begins (a comma is missing); any other is a part of
/// the text. Each run of blanks is looked at once for the quote before it, so that this stays linear.
pub(super) fn quoted(text: &str, quote: char) -> Option<(Cow<'_, str>, &str)> {
    let mut chars = text.char_indices();
    while let Some((place, next)) = chars.next() {
        if next == '\\' {
            chars.next();
        } else if next == quote && ends_before(chars.as_str(), quote) {
            let raw = text.get(..place)?;
            let words = if raw.contains('\\') { Cow::Owned(unescaped(raw)) } else { Cow::Borrowed(raw) };
            return Some((words, chars.as_str()));
        }
    }
    None
}

fn ends_before(behind: &str, quote: char) -> bool {
    let next = behind.trim_start();
    // By length: to compare `next` with the end of `behind` would read all that is left, for every quote.
    let blanks = behind.get(..behind.len() - next.len()).unwrap_or_default();
    let is_next_line = next.starts_with(quote) && blanks.contains('\n');
    next.is_empty() || next.starts_with([',', ':', '}', ']']) || is_next_line
}

/// A word without quotes up to the end of its line or the next sign of JSON's; `None` where the text ends before.
pub(super) fn bare(text: &str) -> Option<(&str, &str)> {
    let end = text.find([',', ':', '{', '}', '[', ']', '\n'])?;
    Some((text.get(..end)?.trim_end(), text.get(end..)?))
}

/// What a bare word says. Python's `True`, `False` and `None` are JSON's, and other words are texts without their quotes.
pub(super) fn bare_value(word: Cow<'_, str>) -> Value<'_> {
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    if is("true") || is("false") {
        Value::Flag(is("true"))
    } else if let Ok(whole) = word.parse() {
        Value::Whole(whole)
    } else if is("null") || is("none") || word.parse::<f64>().is_ok() {
        Value::Other
    } else {
        Value::Text(word)
    }
}

/// An unknown escape stands for its sign, a broken code for U+FFFD.
fn unescaped(raw: &str) -> String {
    let mut words = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        words.push_str(plain);
        let mut chars = escape.chars();
        let sign = chars.next();
        rest = chars.as_str();
        match sign {
            Some('n') => words.push('\n'),
            Some('t') => words.push('\t'),
            Some('r') => words.push('\r'),
            Some('b') => words.push('\u{8}'),
            Some('f') => words.push('\u{c}'),
            Some('u') => {
                let (sign, after) = by_code(rest);
                words.push(sign);
                rest = after;
            }
            Some(other) => words.push(other),
            None => {}
        }
    }
    words.push_str(rest);
    words
}

/// The character of a code behind `\u`, or of two codes that only together are one; and what is behind them.
fn by_code(text: &str) -> (char, &str) {
    let Some((first, after)) = code(text) else { return (char::REPLACEMENT_CHARACTER, text) };
    if let Some(sign) = char::from_u32(u32::from(first)) {
        return (sign, after);
    }
    let second = after.strip_prefix("\\u").and_then(code);
    let pair = second.and_then(|(second, after)| {
        let sign = char::decode_utf16([first, second]).next()?.ok()?;
        Some((sign, after))
    });
    pair.unwrap_or((char::REPLACEMENT_CHARACTER, after))
}

/// Four hexadecimal digits.
fn code(text: &str) -> Option<(u16, &str)> {
    let (digits, after) = text.split_at_checked(4)?;
    let is_code = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_code.then(|| u16::from_str_radix(digits, 16).ok()).flatten().map(|code| (code, after))
}
