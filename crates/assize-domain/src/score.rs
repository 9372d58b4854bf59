//! A number with a range: a [`Score`] is a probability.

/// A number that is no score.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{given} is outside {allowed}")]
pub struct InvalidScore {
    /// The number given.
    pub given: f32,
    /// The range allowed.
    pub allowed: &'static str,
}

/// A calibrated probability in `[0, 1]`, finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Score(f32);

impl Score {
    /// As likely as not.
    pub const HALF: Self = Self(0.5);

    /// Checks the range.
    ///
    /// # Errors
    /// When `value` is not a number or lies outside `[0, 1]`.
    pub fn new(value: f32) -> Result<Self, InvalidScore> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(InvalidScore { given: value, allowed: "0 to 1" })
        }
    }

    /// The probability.
    pub const fn get(self) -> f32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused() {
        for value in [f32::NAN, f32::INFINITY, -0.001, 1.001] {
            assert!(Score::new(value).is_err(), "{value}");
        }
        assert_eq!(Score::new(1.0).unwrap().get(), 1.0);
    }
}
