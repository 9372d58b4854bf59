//! How much of a subject the models really read.

/// Tokens given and tokens judged, for one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Tokens of the subject's text.
    pub tokens: usize,
    /// How many of them at least one window held.
    pub judged: usize,
    /// Windows that the model read for it.
    pub windows: usize,
}

impl Coverage {
    /// Judged share of the tokens, in `[0, 1]`; 1 where there was nothing to read.
    #[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^24")]
    pub fn fraction(&self) -> f32 {
        if self.tokens == 0 { 1.0 } else { self.judged as f32 / self.tokens as f32 }
    }

    /// Whether every token was judged.
    pub const fn is_whole(&self) -> bool {
        self.judged >= self.tokens
    }
}
