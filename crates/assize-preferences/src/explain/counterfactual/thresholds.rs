//! The two thresholds: the harmfulness itself is the value past which a decision changes.

use super::bench::{Bench, JUST};
use super::{Beyond, Counterfactual, Turn, tell};
use crate::keys::{self, Key};
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
    let (thresholds, harmfulness) = (bench.profile.thresholds(), bench.outcome.harmfulness);
    let review = |beyond, becomes| Move { key: keys::REVIEW, now: thresholds.review, beyond, becomes };
    let block = |beyond, becomes| Move { key: keys::BLOCK, now: thresholds.block, beyond, becomes };
    let moves = match bench.outcome.decision {
        Decision::Allow => vec![review(Beyond::Below, Decision::Review)],
        Decision::Review => {
            vec![review(Beyond::Above, Decision::Allow), block(Beyond::Below, Decision::Block)]
        }
        Decision::Block => vec![block(Beyond::Above, Decision::Review)],
    };
    let told = moves.into_iter().filter_map(|Move { key, now, beyond, becomes }| {
        let (mut min, mut max) = key.range;
        if key.name == keys::REVIEW.name {
            max = max.min(thresholds.block);
        } else {
            min = min.max(thresholds.review);
        }
        let is_possible = match beyond {
            Beyond::Below => harmfulness - JUST > min,
            Beyond::Above => harmfulness + JUST < max,
        };
        let turn = Turn { value: harmfulness, beyond, becomes };
        (is_possible && becomes >= bench.least).then(|| tell(key.name, now, key.range, turn))
    });
    told.collect()
}
