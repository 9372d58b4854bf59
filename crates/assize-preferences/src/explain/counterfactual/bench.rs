//! Where a number is tried: the exact decision under a changed aggregation, and the scores at which decisions change.

use super::{Beyond, Knob, Turn};
use crate::decide::{Outcome, by_thresholds, sum_up, whatever_the_sum};
use crate::profile::Profile;
use assize_domain::{Assessment, Decision, SubjectVerdict};

/// "Just past" and "just before" a value, as a share of the key's range: far below what anyone writes, far above what
/// rounding does.
pub(super) const JUST: f64 = 1e-9;
/// Scores between which every threshold lies: the logistic of the first is below .001, the smallest threshold, and that
/// of the last is 1.
const LOWEST: f64 = -10.0;
const HIGHEST: f64 = 40.0;
/// Halvings after which two scores between these are neighbours.
const HALVINGS: usize = 80;

/// One assessment under one profile.
pub(super) struct Bench<'a> {
    assessment: &'a Assessment,
    pub(super) profile: &'a Profile,
    /// What there is at present.
    pub(super) outcome: &'a Outcome,
    /// What is given at least, whatever the sum.
    pub(super) least: Decision,
    /// Where the sum would change the decision.
    pub(super) crossings: Vec<Crossing>,
}

/// A change of the decision, and the score at which it happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Crossing {
    /// The decision's name past it.
    pub(super) becomes: Decision,
    /// Milder: all subjects must be below `cut`. Stricter: one of them must reach it.
    pub(super) way: Way,
    /// In log-odds.
    pub(super) cut: f64,
}

/// Towards allowing, or towards blocking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Milder,
    Stricter,
}

impl Crossing {
    /// Whether scores lie past it.
    pub(super) fn is_past(&self, mut scores: impl Iterator<Item = f64>) -> bool {
        match self.way {
            Way::Milder => scores.all(|score| score < self.cut),
            Way::Stricter => scores.any(|score| score >= self.cut),
        }
    }
}

impl<'a> Bench<'a> {
    pub(super) fn new(assessment: &'a Assessment, profile: &'a Profile, outcome: &'a Outcome) -> Self {
        let least = whatever_the_sum(profile, outcome);
        let others = Decision::ALL.into_iter().filter(|one| *one != outcome.decision && *one >= least);
        let crossings = others.filter_map(|becomes| crossing(profile, outcome.decision, becomes)).collect();
        Self { assessment, profile, outcome, least, crossings }
    }

    /// The present value of a number.
    pub(super) fn now(&self, knob: Knob) -> f64 {
        knob.value(self.profile.aggregation())
    }

    /// The values that a number may have.
    pub(super) fn range(&self, knob: Knob) -> (f64, f64) {
        knob.range(self.profile.aggregation())
    }

    /// The sums with one number replaced.
    pub(super) fn sums(&self, knob: Knob, value: f64) -> Vec<SubjectVerdict> {
        sum_up(self.assessment, &knob.turned(self.profile.aggregation(), value))
    }

    /// The turn, if the decision is what it says just past its value and not yet so just before it. Where nothing is left
    /// past the value, the end of the range takes its place.
    pub(super) fn tried(&self, knob: Knob, turn: Turn) -> Option<Turn> {
        let (min, max) = self.range(knob);
        let just = JUST * (max - min);
        let (past, before, end) = match turn.beyond {
            Beyond::Below => (turn.value - just, turn.value + just, min),
            Beyond::Above => (turn.value + just, turn.value - just, max),
        };
        // The end is tried where the value lies at it or as good.
        let is_inside = (min..=max).contains(&past);
        let is_there = is_inside || (turn.value - end).abs() <= just;
        let past = if is_inside { past } else { end };
        let decides = |value| self.decision(knob, value) == turn.becomes;
        let holds = is_there && decides(past) && !decides(before.clamp(min, max));
        holds.then_some(if is_inside { turn } else { Turn { value: end, ..turn } })
    }

    fn decision(&self, knob: Knob, value: f64) -> Decision {
        let score = self.sums(knob, value).first().map_or(f64::NEG_INFINITY, |subject| subject.score);
        by_thresholds(self.profile, score).max(self.least)
    }
}

/// How the decision becomes another; `None` where no score gives it.
fn crossing(profile: &Profile, now: Decision, becomes: Decision) -> Option<Crossing> {
    let (way, first_past) = match (becomes < now, becomes) {
        (false, _) => (Way::Stricter, becomes),
        (true, Decision::Allow) => (Way::Milder, Decision::Review),
        (true, Decision::Review | Decision::Block) => (Way::Milder, Decision::Block),
    };
    Some(Crossing { becomes, way, cut: cut(profile, first_past)? })
}

/// The smallest score that is decided as strictly as this. By halving instead of the inverse of the logistic, because
/// near 1 it is rounding that decides, and a threshold of 1 has no log-odds.
fn cut(profile: &Profile, decision: Decision) -> Option<f64> {
    let is_reached = |score: f64| by_thresholds(profile, score) >= decision;
    if !is_reached(HIGHEST) {
        return None;
    }
    let (mut below, mut reached) = (LOWEST, HIGHEST);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(below, reached);
        if is_reached(middle) {
            reached = middle;
        } else {
            below = middle;
        }
    }
    Some(reached)
}
