//! Words and numbers of a picture: escaped, short, and the same on every machine.

use std::fmt::Write as _;

/// Where a text stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label {
    pub(super) x: f64,
    pub(super) y: f64,
    /// `start`, `middle` or `end`.
    pub(super) anchor: &'static str,
    pub(super) fill: &'static str,
    /// Further attributes, each with a space before it.
    pub(super) more: &'static str,
}

/// Writes a text, which must be escaped.
pub(super) fn text(svg: &mut String, label: Label, words: &str) {
    let Label { x, y, anchor, fill, more } = label;
    // Writing to a String can't fail.
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{fill}\"{more}>{words}</text>"
    );
}

/// Draws a path; what follows the colour stands in the same quotation marks.
pub(super) fn line(svg: &mut String, path: &str, stroke: &str) {
    let _ = writeln!(svg, "<path d=\"{path}\" stroke=\"{stroke}\"/>");
}

/// A title may hold anything but braces.
pub(super) fn escaped(words: &str) -> String {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    // Control characters are no XML.
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// With an ellipsis where it is longer than `most` characters.
pub(super) fn shortened(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.to_owned();
    }
    let kept: String = words.chars().take(most.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

/// With commas between thousands.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of things.
pub(super) fn plural(count: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// To a hundredth of a pixel.
pub(super) fn rounded(pixels: f64) -> f64 {
    (pixels * 100.0).round() / 100.0
}

/// Three digits at most.
pub(super) fn threshold(threshold: f64) -> String {
    ((threshold * 1000.0).round() / 1000.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (count, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(count), expected);
        }
        assert_eq!((plural(1, "flip"), plural(2, "flip")), ("1 flip".to_owned(), "2 flips".to_owned()));
    }

    #[test]
    fn words_can_not_leave_their_element() {
        assert_eq!(escaped("a <b> & \u{1}c"), "a &lt;b&gt; &amp;  c");
        assert_eq!(shortened("ééé", 3), "ééé");
        assert_eq!(shortened("éé éé", 4), "éé…");
        assert_eq!(
            (threshold(1.0), threshold(0.45), threshold(0.123_456)),
            ("1".into(), "0.45".into(), "0.123".into())
        );
    }
}
