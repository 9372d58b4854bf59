//! A number that weighs leaves: harm rises with it and so does benefit, so that the score may go up and down again. The
//! search walks from each end of the range towards the present value in steps that provably stay past the crossing,
//! because harm and benefit each only rise, and halves the last step exactly.

use super::bench::{Bench, Crossing, Way};
use super::{Beyond, Knob, Turn};
use assize_domain::{Evidence, Subject, SubjectVerdict};

/// Steps of one walk. They shrink towards a crossing, so that these are enough but for scores that creep along the cut.
const MOST_STEPS: usize = 400;
/// Steps below this share of the way no longer have to be proven.
const LAST_STEP: f64 = 1e-5;
/// Halvings after which two values are neighbours or as good.
const HALVINGS: usize = 60;

/// A subject's score in parts, by what becomes of them as the number rises.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Parts {
    subject: Subject,
    /// As it is.
    fixed: f64,
    /// Points of harm: none falls.
    harm: f64,
    /// Points of benefit, negative: none rises.
    benefit: f64,
}

/// Where the number changes the decision; from each end of its range at most once for each crossing.
pub(super) fn turns(bench: &Bench<'_>, knob: Knob) -> Vec<Turn> {
    let (min, max) = bench.range(knob);
    let curve = |value: f64| parts(bench.sums(knob, value));
    let now = bench.now(knob);
    let mut found = Vec::new();
    let ends = [(min, Beyond::Below), (max, Beyond::Above)];
    for (end, beyond) in ends.into_iter().filter(|(end, _)| *end != now) {
        let at_end = curve(end);
        for crossing in &bench.crossings {
            if crossing.is_past(at_end.iter().map(Parts::score)) {
                let walk = Walk { curve: &curve, crossing: *crossing, from: end, to: now };
                let value = walk.crossing();
                found.extend(value.map(|value| Turn { value, beyond, becomes: crossing.becomes }));
            }
        }
    }
    found
}

/// By subject, so that two points on a curve can be compared part by part.
fn parts(subjects: Vec<SubjectVerdict>) -> Vec<Parts> {
    let of = |subject: SubjectVerdict| {
        let mut parts = Parts { subject: subject.subject, fixed: 0.0, harm: 0.0, benefit: 0.0 };
        for contribution in subject.contributions {
            match contribution.evidence {
                Evidence::Harm(_) => parts.harm += contribution.points,
                Evidence::Benefit => parts.benefit += contribution.points,
                Evidence::Bias | Evidence::Guard(_) => parts.fixed += contribution.points,
            }
        }
        parts
    };
    let mut all: Vec<Parts> = subjects.into_iter().map(of).collect();
    all.sort_by_key(|parts| parts.subject);
    all
}

impl Parts {
    fn score(&self) -> f64 {
        self.fixed + self.harm + self.benefit
    }
}

/// From an end of the range, which lies past the crossing, to the present value, which doesn't.
struct Walk<'a, F> {
    curve: &'a F,
    crossing: Crossing,
    from: f64,
    to: f64,
}

impl<F: Fn(f64) -> Vec<Parts>> Walk<'_, F> {
    /// The value up to which everything from the end on lies past the crossing; `None` where that is not proven in time.
    fn crossing(&self) -> Option<f64> {
        let (past, step) = self.proven()?;
        let (past, not_past) = self.bracket(past, step);
        Some(self.halve(past, not_past))
    }

    /// How far the steps are proven, and the first step that isn't.
    fn proven(&self) -> Option<(f64, f64)> {
        let way = self.to - self.from;
        let (mut at, mut step) = (self.from, way);
        let mut here = (self.curve)(at);
        for _ in 0..MOST_STEPS {
            let next = self.ahead(at, step);
            let there = (self.curve)(next);
            if self.surely_past(&here, &there) {
                (at, here, step) = (next, there, 2.0 * step);
            } else if step.abs() <= LAST_STEP * way.abs() {
                return Some((at, step));
            } else {
                step /= 2.0;
            }
        }
        None
    }

    /// Two values around the crossing: steps of twice the length until one isn't past it.
    fn bracket(&self, mut past: f64, mut step: f64) -> (f64, f64) {
        let mut next = self.ahead(past, step);
        // The present value is not past it, so that this ends there at the latest.
        while next != self.to && self.is_past(next) {
            past = next;
            step *= 2.0;
            next = self.ahead(past, step);
        }
        (past, next)
    }

    fn halve(&self, mut past: f64, mut not_past: f64) -> f64 {
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(past, not_past);
            if self.is_past(middle) {
                past = middle;
            } else {
                not_past = middle;
            }
        }
        not_past
    }

    /// A step on, but not beyond the present value.
    fn ahead(&self, at: f64, step: f64) -> f64 {
        let (low, high) = (self.from.min(self.to), self.from.max(self.to));
        let next = at + step;
        // Too small a step for the number's digits still has to get on.
        if next == at { self.to } else { next.clamp(low, high) }
    }

    fn is_past(&self, value: f64) -> bool {
        self.crossing.is_past((self.curve)(value).iter().map(Parts::score))
    }

    /// Whether every value between two lies past the crossing, at the worst that harm and benefit can be there.
    fn surely_past(&self, here: &[Parts], there: &[Parts]) -> bool {
        let worst = here.iter().zip(there).map(|(a, b)| match self.crossing.way {
            Way::Milder => a.fixed + a.harm.max(b.harm) + a.benefit.max(b.benefit),
            Way::Stricter => a.fixed + a.harm.min(b.harm) + a.benefit.min(b.benefit),
        });
        self.crossing.is_past(worst)
    }
}
