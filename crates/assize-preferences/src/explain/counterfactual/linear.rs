//! A number that multiplies one contribution: each subject's score is a straight line in it, and where the line meets a
//! cut is the rest of the score divided out.

use super::bench::{Bench, Crossing, Way};
use super::{Beyond, Turn};
use assize_domain::{Contribution, Evidence, GuardHead, SubjectVerdict};

/// A subject's score as a function of one number: `rest + slope · number`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    rest: f64,
    slope: f64,
}

/// Where the number changes the decision; at most once for each crossing, within any range.
pub(super) fn turns(bench: &Bench<'_>, evidence: Evidence) -> Vec<Turn> {
    let lines: Vec<Line> = bench.outcome.subjects.iter().map(|subject| line(subject, evidence)).collect();
    bench.crossings.iter().filter_map(|crossing| meet(&lines, *crossing)).collect()
}

fn line(subject: &SubjectVerdict, evidence: Evidence) -> Line {
    // These two speak for the conversation: the profile's number is positive, and what multiplies is minus that.
    let sign = match evidence {
        Evidence::Benefit | Evidence::Guard(GuardHead::ResponseRefusal) => -1.0,
        Evidence::Bias | Evidence::Guard(_) | Evidence::Harm(_) => 1.0,
    };
    let (own, others): (Vec<&Contribution>, Vec<&Contribution>) =
        subject.contributions.iter().partition(|c| c.evidence == evidence);
    Line {
        rest: others.iter().map(|contribution| contribution.points).sum(),
        slope: own.iter().map(|contribution| sign * contribution.value).sum(),
    }
}

/// With two subjects the larger score decides: becoming milder waits for the last one to fall below the cut, becoming
/// stricter for the first one to reach it, and both are the line that meets the cut first from the milder side.
///
/// INVARIANT: no number raises one subject's score and lowers the other's (the guard's are in one subject only).
fn meet(lines: &[Line], crossing: Crossing) -> Option<Turn> {
    let sloped = lines.iter().filter(|line| line.slope != 0.0);
    let met = sloped.map(|line| ((crossing.cut - line.rest) / line.slope, line.slope > 0.0));
    let (value, rises) = met.reduce(|a, b| if (b.0 < a.0) == a.1 { b } else { a })?;
    let beyond = match (crossing.way, rises) {
        (Way::Milder, true) | (Way::Stricter, false) => Beyond::Below,
        (Way::Milder, false) | (Way::Stricter, true) => Beyond::Above,
    };
    value.is_finite().then_some(Turn { value, beyond, becomes: crossing.becomes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_domain::Decision;

    fn check(lines: &[(f64, f64)], way: Way, expected: Option<(f64, Beyond)>) {
        let lines: Vec<Line> =
            lines.iter().map(|(rest, slope)| Line { rest: *rest, slope: *slope }).collect();
        let crossing = Crossing { becomes: Decision::Review, way, cut: 1.0 };
        let found = meet(&lines, crossing).map(|turn| (turn.value, turn.beyond));
        assert_eq!(found, expected, "{lines:?} {way:?}");
    }

    #[test]
    fn the_larger_score_decides() {
        check(&[(-1.0, 2.0)], Way::Milder, Some((1.0, Beyond::Below)));
        check(&[(-1.0, 2.0), (0.0, 2.0)], Way::Milder, Some((0.5, Beyond::Below)));
        check(&[(0.0, 2.0), (-1.0, 2.0)], Way::Stricter, Some((0.5, Beyond::Above)));
        check(&[(3.0, -2.0), (2.0, -0.5)], Way::Milder, Some((2.0, Beyond::Above)));
        check(&[(3.0, -2.0), (2.0, -0.5)], Way::Stricter, Some((2.0, Beyond::Below)));
        check(&[(3.0, 0.0), (2.0, -1.0)], Way::Stricter, Some((1.0, Beyond::Below)));
        check(&[(3.0, 0.0)], Way::Milder, None);
    }
}
