//! A value found, in words. It is rounded to the safe side, so that what the sentence says is true.

use super::{Beyond, Turn};
use assize_domain::Decision;

/// Digits after the point: two, unless more are needed to tell the value from the present one and from the range's end.
const FEWEST_DIGITS: i32 = 2;
/// Rounding may add this share to the change that is needed.
const SLACK: f64 = 0.25;
/// Beyond these a value is told as it is.
const MOST_DIGITS: i32 = 9;

/// As "would be allowed if `weights.harm.privacy` were below 0.80 (now 1.00)".
pub(super) fn sentence(key: &str, now: f64, range: (f64, f64), turn: Turn) -> String {
    let would = match turn.becomes {
        Decision::Allow => "would be allowed",
        Decision::Review => "would be held for review",
        Decision::Block => "would be blocked",
    };
    let (side, is_end) = match turn.beyond {
        Beyond::Below => ("below", turn.value <= range.0),
        Beyond::Above => ("above", turn.value >= range.1),
    };
    if is_end {
        // Past it there is nothing.
        return format!("{would} if `{key}` were at {} (now {now})", turn.value + 0.0);
    }
    let (value, now) = told(now, range, turn);
    format!("{would} if `{key}` were {side} {value} (now {now})")
}

/// The value, rounded away from the present one, and the present one.
fn told(now: f64, range: (f64, f64), turn: Turn) -> (String, String) {
    for digits in FEWEST_DIGITS..=MOST_DIGITS {
        let scale = 10_f64.powi(digits);
        let value = match turn.beyond {
            Beyond::Below => (turn.value * scale).floor() / scale,
            Beyond::Above => (turn.value * scale).ceil() / scale,
        };
        let is_in_range = range.0 < value && value < range.1;
        let is_near = (value - turn.value).abs() <= SLACK * (turn.value - now).abs();
        let (value, present) = (shown(value, digits), shown(now, digits));
        if is_in_range && is_near && value != present {
            return (value, present);
        }
    }
    (turn.value.to_string(), now.to_string())
}

fn shown(value: f64, digits: i32) -> String {
    let digits = usize::try_from(digits).unwrap_or_default();
    // `+ 0.0` makes -0 and 0 the same.
    format!("{:.digits$}", value + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check((now, value, beyond): (f64, f64, Beyond), expected: &str) {
        let turn = Turn { value, beyond, becomes: Decision::Allow };
        assert_eq!(sentence("weights.bias", now, (-8.0, 8.0), turn), expected);
    }

    #[test]
    fn values_are_rounded_to_the_safe_side() {
        check((1.0, 0.8, Beyond::Below), "would be allowed if `weights.bias` were below 0.80 (now 1.00)");
        check((1.0, 0.807, Beyond::Below), "would be allowed if `weights.bias` were below 0.80 (now 1.00)");
        check((1.0, 1.801, Beyond::Above), "would be allowed if `weights.bias` were above 1.81 (now 1.00)");
        check(
            (-1.0, -1.801, Beyond::Below),
            "would be allowed if `weights.bias` were below -1.81 (now -1.00)",
        );
    }

    #[test]
    fn bug_the_end_of_a_range_is_told_as_it_is() {
        check((1.0, -8.0, Beyond::Below), "would be allowed if `weights.bias` were at -8 (now 1)");
        check((0.5, 8.0, Beyond::Above), "would be allowed if `weights.bias` were at 8 (now 0.5)");
    }

    #[test]
    fn close_values_are_told_with_more_digits() {
        check(
            (1.0, 0.9996, Beyond::Below),
            "would be allowed if `weights.bias` were below 0.9996 (now 1.0000)",
        );
        check((1.0, 1.0, Beyond::Below), "would be allowed if `weights.bias` were below 1 (now 1)");
        check(
            (0.0, -7.9996, Beyond::Below),
            "would be allowed if `weights.bias` were below -7.9996 (now 0.0000)",
        );
    }
}
