//! How much of a subject the models really read.

/// From so many unknown tokens on, and this share of all, a text counts as not read: an emoji is no matter, a text in
/// an unknown script or with a symbol in every word is.
const LEAST_UNKNOWN: usize = 3;
const UNKNOWN_SHARE: usize = 3;

/// Tokens given and tokens judged, for one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Tokens of the subject's text.
    pub tokens: usize,
    /// How many of them the model has read: at least one window held them, and they are in its vocabulary.
    pub judged: usize,
    /// How many a window held without the model knowing them.
    pub unknown: usize,
    /// Windows that the model read for it.
    pub windows: usize,
}

impl Coverage {
    /// Judged share of the tokens, in `[0, 1]`; 0 where the text gave no token at all.
    #[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^24")]
    pub fn fraction(&self) -> f32 {
        if self.tokens == 0 { 0.0 } else { self.judged as f32 / self.tokens as f32 }
    }

    /// Whether the text as a whole was read: windows held all of it, and the model knew what they held.
    pub const fn is_whole(&self) -> bool {
        let held = self.judged + self.unknown >= self.tokens;
        let known = self.unknown < LEAST_UNKNOWN || self.unknown * UNKNOWN_SHARE < self.tokens;
        self.tokens > 0 && held && known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check((tokens, judged, unknown): (usize, usize, usize), is_whole: bool) {
        let coverage = Coverage { tokens, judged, unknown, windows: 1 };
        assert_eq!(coverage.is_whole(), is_whole, "{coverage:?}");
    }

    #[test]
    fn text_is_whole_when_it_was_held_and_known() {
        check((9, 9, 0), true);
        check((9, 8, 1), true);
        check((2, 1, 1), true);
        check((9, 8, 0), false);
        check((4, 1, 3), false);
        check((100, 96, 4), true);
        check((0, 0, 0), false);
    }
}
