//! The two thresholds: the harmfulness itself is the value past which a decision changes.

use super::bench::{Bench, JUST};
use super::{Beyond, Counterfactual, Turn, tell};
use crate::decide::reached;
use crate::keys::{self, Key};
use crate::profile::Thresholds;
use assize_domain::Decision;

/// A threshold that separates the present decision from the next one, and where it would have to be.
struct Move {
    key: Key,
    now: f64,
    beyond: Beyond,
    becomes: Decision,
}

/// What the thresholds would have to be. The review threshold stays at or below the block threshold.
pub(super) fn turns(bench: &Bench<'_>) -> Vec<Counterfactual> {
    let thresholds = bench.profile.thresholds();
    let review = |beyond, becomes| Move { key: keys::REVIEW, now: thresholds.review, beyond, becomes };
    let block = |beyond, becomes| Move { key: keys::BLOCK, now: thresholds.block, beyond, becomes };
    let moves = match bench.outcome.decision {
        Decision::Allow => vec![review(Beyond::Below, Decision::Review)],
        Decision::Review => {
            vec![review(Beyond::Above, Decision::Allow), block(Beyond::Below, Decision::Block)]
        }
        Decision::Block => vec![block(Beyond::Above, Decision::Review)],
    };
    moves.into_iter().filter_map(|one| told(bench, one)).collect()
}

fn told(bench: &Bench<'_>, Move { key, now, beyond, becomes }: Move) -> Option<Counterfactual> {
    let (thresholds, harmfulness) = (bench.profile.thresholds(), bench.outcome.harmfulness);
    let is_review = key.name == keys::REVIEW.name;
    let (min, max) = if is_review {
        (key.range.0, key.range.1.min(thresholds.block))
    } else {
        (key.range.0.max(thresholds.review), key.range.1)
    };
    let (is_possible, end) = match beyond {
        Beyond::Below => (harmfulness - JUST > min, min),
        Beyond::Above => (harmfulness + JUST < max, max),
    };
    if becomes < bench.least {
        return None;
    }
    if is_possible {
        return Some(tell(key.name, now, key.range, Turn { value: harmfulness, beyond, becomes }));
    }
    // Nothing is left past the harmfulness; the end itself may still do.
    let at_end = if is_review {
        Thresholds { review: end, ..thresholds }
    } else {
        Thresholds { block: end, ..thresholds }
    };
    let score = bench.outcome.subjects.first().map_or(f64::NEG_INFINITY, |subject| subject.score);
    let decided = reached(bench.profile.aggregation(), &at_end, score).max(bench.least);
    (decided == becomes && end != now)
        .then(|| tell(key.name, now, (min, max), Turn { value: end, beyond, becomes }))
}
