//! Numbers with a range: a [`Score`] is a probability, a [`Mass`] is an expected amount of harm or benefit.

/// A number that is no score or no mass.
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

/// An expected sum over the leaves of a harm-benefit tree of extent times likelihood; finite, at least 0.
///
/// Extent is .25 (minor), .5, .75 or 1 (major); likelihood .15 (low), .5 or .85 (high). One leaf of major and highly
/// likely harm has mass .85.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Mass(f32);

impl Mass {
    /// No harm or benefit at all.
    pub const ZERO: Self = Self(0.0);

    /// Checks the range.
    ///
    /// # Errors
    /// When `value` is not finite or negative.
    pub fn new(value: f32) -> Result<Self, InvalidScore> {
        if value.is_finite() && value >= 0.0 {
            Ok(Self(value))
        } else {
            Err(InvalidScore { given: value, allowed: "0 and above, finite" })
        }
    }

    /// The amount.
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
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.001] {
            assert!(Mass::new(value).is_err(), "{value}");
        }
        assert_eq!(Score::new(1.0).unwrap().get(), 1.0);
        assert_eq!(Mass::new(7.5).unwrap().get(), 7.5);
    }
}
