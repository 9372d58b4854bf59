//! What would have to be otherwise for another decision: for each single number of a profile the value past which the
//! decision changes. Computed from the sum in closed form where a number multiplies one contribution, by search on the
//! exact sum where it weighs leaves. Every value told has been tried: the decision is another just past it and not yet
//! just before it.

mod bench;
mod knob;
mod linear;
mod search;
mod sentence;
mod thresholds;

use super::reasons::fixed;
use crate::decide::weigh;
use crate::profile::Profile;
use crate::template::{degradation_code, floor_code};
use assize_domain::{Assessment, DecidedBy, Decision};
use bench::Bench;
use knob::Knob;

/// A present value nearer to 0 than this share of the key's range counts as this far, so that a change from 0 can be
/// compared with others.
const LEAST_SHARE: f64 = 0.01;

/// Which single changes of a profile would change a decision.
#[derive(Debug, Clone, PartialEq)]
pub enum Counterfactuals {
    /// The smallest relative change first. What is told holds, but not all that would hold is told: for a number that
    /// weighs leaves, which raises harm and benefit at once, only stretches of values that reach an end of its range are
    /// looked for, and a stretch where the score creeps along the threshold may be given up. Numbers that multiply one
    /// contribution, and thresholds, are complete: where none is here, none of them changes the decision alone.
    Found(Vec<Counterfactual>),
    /// The sum did not decide, so that no weight and no threshold would change anything.
    NotBySum {
        /// A floor or a degradation.
        decided_by: DecidedBy,
        /// The same in words.
        text: String,
    },
}

/// One number of a profile, and the value past which the decision is another.
#[derive(Debug, Clone, PartialEq)]
pub struct Counterfactual {
    /// As in the profile file, dotted: `weights.harm.privacy`, `thresholds.review`.
    pub key: String,
    /// The present value, in the key's own unit.
    pub now: f64,
    /// The value past which the decision changes, within the key's range ([`crate::KEYS`],
    /// [`crate::SAFETYANALYST_KEYS`]), and where numbers must rise, between its neighbours. At the value itself the
    /// decision may be either; where it is the end of the range, the decision is another there and nowhere before.
    pub value: f64,
    /// On which side of `value` the decision is another. Everywhere there within the range, it is at least as mild (or
    /// strict) as told.
    pub beyond: Beyond,
    /// The decision just past `value`.
    pub becomes: Decision,
    /// How far `value` lies from `now`, relative to `now`; at least 0.
    pub change: f64,
    /// The same in words: "would be allowed if `weights.harm.privacy` were below 0.80 (now 1.00)". The value in it is
    /// rounded to the safe side.
    pub text: String,
}

/// A side of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Beyond {
    /// Smaller values.
    Below,
    /// Larger values.
    Above,
}

/// A value found, before it is told.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Turn {
    value: f64,
    beyond: Beyond,
    becomes: Decision,
}

/// Finds for each number of the profile the values past which the decision would be milder or stricter. A pure function;
/// at most some thousand sums, for each number that weighs leaves a few hundred.
pub fn counterfactuals(assessment: &Assessment, profile: &Profile) -> Counterfactuals {
    let outcome = weigh(assessment, profile);
    let code = match outcome.decided_by {
        DecidedBy::Thresholds => None,
        DecidedBy::Floor(floor) => Some(floor_code(floor)),
        DecidedBy::Degradation(degradation) => Some(degradation_code(degradation)),
    };
    if let Some(code) = code {
        let text = format!("no weight and no threshold changes this: {}", fixed(profile, code).text);
        return Counterfactuals::NotBySum { decided_by: outcome.decided_by, text };
    }
    let bench = Bench::new(assessment, profile, &outcome);
    let mut found = thresholds::turns(&bench);
    for knob in Knob::all(profile.aggregation()) {
        let turns = match knob.evidence() {
            Some(evidence) => linear::turns(&bench, evidence),
            None => search::turns(&bench, knob),
        };
        let tried = turns.into_iter().filter_map(|turn| bench.tried(knob, turn));
        found.extend(tried.map(|turn| tell(&knob.name(), bench.now(knob), bench.range(knob), turn)));
    }
    found.sort_by(|a, b| {
        let by_change = a.change.total_cmp(&b.change);
        by_change.then_with(|| a.key.cmp(&b.key)).then_with(|| a.becomes.cmp(&b.becomes))
    });
    Counterfactuals::Found(found)
}

fn tell(key: &str, now: f64, range: (f64, f64), turn: Turn) -> Counterfactual {
    let Turn { value, beyond, becomes } = turn;
    let change = (value - now).abs() / now.abs().max(LEAST_SHARE * (range.1 - range.0));
    let text = sentence::sentence(key, now, range, turn);
    Counterfactual { key: key.to_owned(), now, value, beyond, becomes, change, text }
}
