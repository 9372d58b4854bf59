//! The three functions between logits and probabilities, each safe for every finite input.

/// Smallest distance to 0 and to 1 that [`logit`] sees: 2^-24, the gap between 1 and the f32 just below it. Nearer to
/// 1 there is no other f32, so a wider range would treat the two ends differently.
const EDGE: f32 = 1.0 / 16_777_216.0;

/// The logistic function `1 / (1 + e^-x)`, in `[0, 1]`.
///
/// Infinities give 0 and 1; only NaN gives NaN. `exp` sees no positive number, so nothing overflows.
pub fn sigmoid(x: f32) -> f32 {
    let small = (-x.abs()).exp();
    if x >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}

/// `ln(1 + e^x)`: at least 0, close to `x` for large `x`. Infinities give 0 and infinity; NaN gives NaN.
///
/// Written as `max(x, 0) + ln(1 + e^-|x|)`, which neither overflows nor loses small values.
pub fn softplus(x: f32) -> f32 {
    if x.is_nan() {
        return x; // `f32::max` would hide it
    }
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The log-odds `ln(p / (1 - p))` of a probability, finite: `p` is first brought to 2^-24 from 0 and 1 (about ±16.6).
///
/// NaN gives NaN.
pub fn logit(p: f32) -> f32 {
    let p = p.clamp(EDGE, 1.0 - EDGE);
    p.ln() - (-p).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finite() -> impl Strategy<Value = f32> {
        // Bit patterns reach every magnitude; the plain range keeps to where logits really lie.
        prop_oneof![any::<f32>().prop_filter("finite", |x| x.is_finite()), -30.0_f32..30.0]
    }

    proptest! {
        #[test]
        fn sigmoid_is_a_probability_monotone_and_symmetric(a in finite(), b in finite()) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!((0.0..=1.0).contains(&sigmoid(a)));
            prop_assert!(sigmoid(low) <= sigmoid(high), "{low} {high}");
            prop_assert!((sigmoid(a) + sigmoid(-a) - 1.0).abs() <= 2.0 * f32::EPSILON, "{a}");
        }

        #[test]
        fn softplus_is_finite_monotone_and_symmetric(a in finite(), b in finite()) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(softplus(a).is_finite() && softplus(a) >= 0.0 && softplus(a) >= a, "{a}");
            // Rounding of the last bit may differ on either side of a step.
            prop_assert!(softplus(low) <= softplus(high) * (1.0 + 2.0 * f32::EPSILON), "{low} {high}");
            let difference = softplus(a) - softplus(-a);
            prop_assert!((difference - a).abs() <= 2.0 * f32::EPSILON * a.abs().max(1.0), "{a}");
        }

        #[test]
        fn logit_is_finite_monotone_symmetric_and_undoes_sigmoid(p in 0.0_f32..=1.0, q in 0.0_f32..=1.0) {
            let (low, high) = (p.min(q), p.max(q));
            prop_assert!(logit(p).is_finite(), "{p}");
            prop_assert!(logit(low) <= logit(high) + 4.0 * f32::EPSILON, "{low} {high}");
            prop_assert!((sigmoid(logit(p)) - p).abs() <= 4.0 * f32::EPSILON, "{p}");
            // 1 - q is exact for q in [0.5, 1].
            let q = 0.5 + q / 2.0;
            prop_assert!((logit(q) + logit(1.0 - q)).abs() <= 4.0 * f32::EPSILON * logit(q).max(1.0), "{q}");
        }
    }

    #[test]
    fn edges_are_as_documented() {
        for (input, expected) in [(f32::NEG_INFINITY, 0.0), (-200.0, 0.0), (0.0, 0.5), (f32::MAX, 1.0)] {
            assert_eq!(sigmoid(input), expected, "{input}");
        }
        for (input, expected) in [(f32::NEG_INFINITY, 0.0), (0.0, std::f32::consts::LN_2), (1e30, 1e30)] {
            assert_eq!(softplus(input), expected, "{input}");
        }
        assert!(sigmoid(f32::NAN).is_nan() && softplus(f32::NAN).is_nan() && logit(f32::NAN).is_nan());
        assert_eq!(logit(0.0), -logit(1.0));
        assert!((logit(0.0) + 16.635_532).abs() < 1e-5);
    }
}
