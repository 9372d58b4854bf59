//! Changes of the surface that leave the meaning: harmless noise, and spellings that hide words from a word list.

use rand::Rng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;

/// Words with fewer letters carry little meaning and are hard to read once they are changed.
const SHORTEST_WORD: usize = 4;
/// Of such words, how many get a typing error.
const TYPO_SHARE: f64 = 0.15;
const CLOSINGS: [&str; 8] =
    ["please", "Please.", "thanks", "Thanks!", "thank you", "pls", "thx in advance", "Thank you so much :)"];

#[derive(Debug, Clone, Copy)]
enum Noise {
    Lower,
    Upper,
    Capitals,
    Typos,
    Punctuation,
    Courtesy,
}

#[derive(Debug, Clone, Copy)]
enum Evasion {
    Leet,
    Homoglyphs,
    ZeroWidth,
    Spaced,
}

/// The text with one or two kinds of harmless noise.
pub(super) fn decorate(text: &str, random: &mut ChaCha8Rng) -> String {
    let mut kinds =
        [Noise::Lower, Noise::Upper, Noise::Capitals, Noise::Typos, Noise::Punctuation, Noise::Courtesy];
    kinds.shuffle(random);
    let number = random.random_range(1..=2);
    kinds.into_iter().take(number).fold(text.to_owned(), |text, kind| noisy(&text, kind, random))
}

/// The text with some of its longer words disguised, all in one way.
pub(super) fn evade(text: &str, random: &mut ChaCha8Rng) -> String {
    let kinds = [Evasion::Leet, Evasion::Homoglyphs, Evasion::ZeroWidth, Evasion::Spaced];
    let Some(kind) = kinds.choose(random).copied() else { return text.to_owned() };
    let share = match kind {
        // A whole text of single letters would be cut long before its end.
        Evasion::Spaced => random.random_range(0.15..0.5),
        Evasion::Leet | Evasion::Homoglyphs | Evasion::ZeroWidth => random.random_range(0.3..1.0),
    };
    long_words(text, share, random, |word, random| disguised(word, kind, random))
}

fn noisy(text: &str, kind: Noise, random: &mut ChaCha8Rng) -> String {
    match kind {
        Noise::Lower => text.to_lowercase(),
        Noise::Upper => text.to_uppercase(),
        Noise::Capitals => long_words(text, 0.3, random, |word, _| word.to_uppercase()),
        Noise::Typos => long_words(text, TYPO_SHARE, random, mistyped),
        Noise::Punctuation => {
            let times = random.random_range(2..=4);
            let ends = ['.', '?', '!'];
            let kept = text.trim_end_matches(ends);
            let mark = text.chars().last().filter(|last| ends.contains(last)).unwrap_or('!');
            std::iter::once(kept.to_owned()).chain((0..times).map(|_| mark.to_string())).collect()
        }
        Noise::Courtesy => {
            let closing = CLOSINGS.choose(random).copied().unwrap_or_default();
            let gap = [" ", ", ", "\n"].choose(random).copied().unwrap_or(" ");
            format!("{text}{gap}{closing}")
        }
    }
}

/// Changes a share of the longer words and leaves white space as it is.
fn long_words(
    text: &str,
    share: f64,
    random: &mut ChaCha8Rng,
    change: impl Fn(&str, &mut ChaCha8Rng) -> String,
) -> String {
    let mut changed = String::with_capacity(text.len());
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let letters = word.chars().filter(|letter| letter.is_alphabetic()).count();
        if letters >= SHORTEST_WORD && random.random_bool(share) {
            changed.push_str(&change(word, random));
            changed.push_str(piece.strip_prefix(word).unwrap_or_default());
        } else {
            changed.push_str(piece);
        }
    }
    changed
}

/// Two letters change places, one is lost, or one comes twice; never the first one.
fn mistyped(word: &str, random: &mut ChaCha8Rng) -> String {
    let mut letters = word.chars().collect::<Vec<_>>();
    let place = random.random_range(1..letters.len().saturating_sub(1).max(2));
    match random.random_range(0..3) {
        0 if place + 1 < letters.len() => letters.swap(place, place + 1),
        1 if place < letters.len() => {
            letters.remove(place);
        }
        _ => {
            let twice = letters.get(place).copied();
            letters.splice(place..place, twice);
        }
    }
    letters.into_iter().collect()
}

fn disguised(word: &str, kind: Evasion, random: &mut ChaCha8Rng) -> String {
    match kind {
        Evasion::Leet => word.chars().map(leet).collect(),
        Evasion::Homoglyphs => word.chars().map(look_alike).collect(),
        Evasion::ZeroWidth => {
            let mark = ["\u{200b}", "\u{200c}", "\u{200d}", "\u{2060}"].choose(random).copied();
            joined(word, mark.unwrap_or("\u{200b}"))
        }
        Evasion::Spaced => joined(word, [" ", ".", "-", "_", "*"].choose(random).copied().unwrap_or(" ")),
    }
}

fn joined(word: &str, between: &str) -> String {
    word.chars().map(String::from).collect::<Vec<_>>().join(between)
}

const fn leet(letter: char) -> char {
    match letter {
        'a' | 'A' => '4',
        'e' | 'E' => '3',
        'i' | 'I' => '1',
        'o' | 'O' => '0',
        's' | 'S' => '5',
        't' | 'T' => '7',
        other => other,
    }
}

/// The Cyrillic letter that looks the same.
const fn look_alike(letter: char) -> char {
    match letter {
        'a' => '\u{430}',
        'c' => '\u{441}',
        'e' => '\u{435}',
        'i' => '\u{456}',
        'o' => '\u{43e}',
        'p' => '\u{440}',
        'x' => '\u{445}',
        'y' => '\u{443}',
        'A' => '\u{410}',
        'E' => '\u{415}',
        'O' => '\u{41e}',
        'P' => '\u{420}',
        other => other,
    }
}
