//! How much room a text takes, and how it is made to fit. Estimated, because the picture brings no fonts along: by the
//! widths of DejaVu Sans, which is wider than what else may be there.

/// In place of what doesn't fit.
const REST: char = '…';
/// Bold letters are wider by this.
pub(super) const BOLDER: f64 = 1.12;

/// The width of a text in pixels; rather too much than too little.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| size * of_char(c)).sum()
}

/// In heights of the letters.
/// SOURCE: `DejaVuSans.ttf` 2.37, advance widths, the widest of each group.
const fn of_char(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' => 0.34,
        'f' | 'r' | 't' | '(' | ')' | '-' | '/' | '!' => 0.42,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' => 0.6,
        'w' | '&' | 'M' => 0.87,
        'm' | 'W' | '@' | '%' => 1.0,
        'A'..='Z' => 0.79,
        '0'..='9' | 'a'..='z' => 0.64,
        _ => 1.0,
    }
}

/// The text, cut where it would be wider than this.
pub(super) fn fit(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let mut room = most - size * of_char(REST);
    let kept: String = text
        .chars()
        .take_while(|c| {
            room -= size * of_char(*c);
            room >= 0.0
        })
        .collect();
    format!("{}{REST}", kept.trim_end())
}

/// The text in lines of at most this width, broken between words; what doesn't fit on the last line is cut.
pub(super) fn wrap(text: &str, size: f64, most: f64, lines: usize) -> Vec<String> {
    let mut wrapped: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = wrapped.last().map(|line| format!("{line} {word}"));
        let is_last = wrapped.len() >= lines;
        match (wrapped.last_mut(), longer) {
            (Some(line), Some(longer)) if is_last || width(&longer, size) <= most => *line = longer,
            _ => wrapped.push(word.to_owned()),
        }
    }
    wrapped.iter().map(|line| fit(line, size, most)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words_and_cut_at_the_end() {
        let most = width("could help someone", 12.0);
        assert_eq!(
            wrap("could help someone commit a crime", 12.0, most, 2),
            ["could help someone", "commit a crime"]
        );
        let cut = wrap("could help someone commit a crime that pays", 12.0, most, 2);
        assert_eq!(cut.len(), 2);
        assert!(cut[1].ends_with(REST) && width(&cut[1], 12.0) <= most, "{cut:?}");
        assert_eq!(wrap("  ", 12.0, most, 2), Vec::<String>::new());
        assert_eq!(fit("crime", 12.0, most), "crime");
    }
}
