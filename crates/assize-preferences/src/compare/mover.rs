//! What makes a decision flip: the threshold, where it moved farther than the sum; or else the contribution that moved
//! farthest towards the other decision.

use crate::decide::Outcome;
use crate::evidence::log_odds_of;
use crate::profile::Thresholds;
use assize_domain::{Contribution, DecidedBy, Decision, Evidence, SubjectVerdict};

/// What made a decision flip. Thresholds and sums are compared in log-odds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mover {
    /// The threshold that is reached, or no longer reached: it moved farther than the sum.
    Thresholds,
    /// What was missing in the assessment, because only one of the profiles holds back for it.
    Degradation,
    /// The sum, and in it most of all this contribution.
    Evidence(Evidence),
}

impl Mover {
    /// The stable name: `thresholds`, `degradation` or the evidence's id.
    pub fn id(self) -> String {
        match self {
            Self::Thresholds => "thresholds".to_owned(),
            Self::Degradation => "degradation".to_owned(),
            Self::Evidence(evidence) => evidence.id(),
        }
    }
}

/// Of two outcomes with different decisions, each with the thresholds that it met.
pub(super) fn mover(before: (&Outcome, Thresholds), after: (&Outcome, Thresholds)) -> Mover {
    let becomes_stricter = after.0.decision > before.0.decision;
    let stricter = if becomes_stricter { after.0 } else { before.0 };
    // The sum alone gives less there; and were the other profile to heed what is missing, it would give as much.
    if matches!(stricter.decided_by, DecidedBy::Degradation(_)) {
        return Mover::Degradation;
    }
    let sign = if becomes_stricter { 1.0 } else { -1.0 };
    // A lower threshold counts like that much more evidence.
    let threshold = |thresholds: Thresholds| match stricter.decision {
        Decision::Block => log_odds_of(thresholds.block),
        Decision::Review | Decision::Allow => log_odds_of(thresholds.review),
    };
    let by_threshold = (threshold(before.1) - threshold(after.1)) * sign;
    let (Some(before), Some(after)) = (before.0.subjects.first(), after.0.subjects.first()) else {
        return Mover::Thresholds;
    };
    if (after.score - before.score) * sign < by_threshold {
        return Mover::Thresholds;
    }
    largest_change(before, after, sign).map_or(Mover::Thresholds, Mover::Evidence)
}

/// The evidence whose points moved most in the direction of `sign`; of equal ones the first. What only one side knows has
/// no points on the other.
fn largest_change(before: &SubjectVerdict, after: &SubjectVerdict, sign: f64) -> Option<Evidence> {
    let mut best: Option<(Evidence, f64)> = None;
    let sides = [(before, after, -sign), (after, before, sign)];
    for (one, other, sign) in sides {
        for (place, contribution) in one.contributions.iter().enumerate() {
            let change = (contribution.points - points(other, contribution.evidence, place)) * sign;
            let is_better = best.is_none_or(|(evidence, most)| {
                change > most || (change == most && contribution.evidence < evidence)
            });
            if change > 0.0 && is_better {
                best = Some((contribution.evidence, change));
            }
        }
    }
    best.map(|(evidence, _)| evidence)
}

/// Of an evidence that usually stands at `place`.
fn points(subject: &SubjectVerdict, evidence: Evidence, place: usize) -> f64 {
    let is_it = |contribution: &&Contribution| contribution.evidence == evidence;
    let found = subject.contributions.get(place).filter(is_it);
    found.or_else(|| subject.contributions.iter().find(is_it)).map_or(0.0, |contribution| contribution.points)
}
