//! The numbers that can be turned one at a time: every weight of either aggregation, with its key, its place and the one
//! contribution that it multiplies, if it multiplies one.

use crate::keys::{self, Key};
use crate::safetyanalyst::SafetyAnalyst;
use crate::weights::{Aggregation, Weights};
use assize_domain::{ActionCategory, Evidence, GuardHead};
use std::slice;

/// One number of an aggregation.
#[derive(Clone, Copy)]
pub(super) struct Knob {
    table: Table,
    key: Key,
    entry: usize,
    evidence: Option<Evidence>,
}

#[derive(Clone, Copy)]
enum Table {
    Assize(fn(&mut Weights) -> &mut [f64]),
    SafetyAnalyst(fn(&mut SafetyAnalyst) -> &mut [f64]),
}

/// A key, where its numbers are, and which contribution each of them multiplies.
type Row<T> = (Key, fn(&mut T) -> &mut [f64], fn(usize) -> Option<Evidence>);

const ASSIZE: [Row<Weights>; 12] = [
    (keys::BIAS, |w| slice::from_mut(&mut w.bias), |_| Some(Evidence::Bias)),
    (keys::GUARD, |w| slice::from_mut(&mut w.guard), |_| Some(Evidence::Guard(GuardHead::PromptHarmful))),
    (
        keys::RESPONSE,
        |w| slice::from_mut(&mut w.response),
        |_| Some(Evidence::Guard(GuardHead::ResponseHarmful)),
    ),
    (
        keys::ADVERSARIAL,
        |w| slice::from_mut(&mut w.adversarial),
        |_| Some(Evidence::Guard(GuardHead::Adversarial)),
    ),
    (
        keys::REFUSAL,
        |w| slice::from_mut(&mut w.refusal),
        |_| Some(Evidence::Guard(GuardHead::ResponseRefusal)),
    ),
    (keys::BENEFIT, |w| slice::from_mut(&mut w.benefit), |_| Some(Evidence::Benefit)),
    (keys::HARM, |w| &mut w.harm, harm),
    (keys::EFFECT, |w| &mut w.leaf.effect, no_one),
    (keys::STAKEHOLDER, |w| &mut w.leaf.stakeholder, no_one),
    (keys::EXTENT, |w| &mut w.leaf.extent, no_one),
    (keys::LIKELIHOOD, |w| &mut w.leaf.likelihood, no_one),
    (keys::LATER, |w| slice::from_mut(&mut w.leaf.later), no_one),
];

const SAFETYANALYST: [Row<SafetyAnalyst>; 8] = [
    (keys::SA_ACTION, |p| &mut p.action, harm),
    (keys::SA_HARM_EXTENT, |p| &mut p.harm.extent_ratios, no_one),
    (keys::SA_HARM_LIKELIHOOD, |p| &mut p.harm.likelihood_ratios, no_one),
    (keys::SA_HARM_LATER, |p| slice::from_mut(&mut p.harm.later), no_one),
    (keys::SA_BENEFIT_EXTENT, |p| &mut p.benefit.extent_ratios, no_one),
    (keys::SA_BENEFIT_LIKELIHOOD, |p| &mut p.benefit.likelihood_ratios, no_one),
    (keys::SA_BENEFIT_LATER, |p| slice::from_mut(&mut p.benefit.later), no_one),
    (keys::SA_BENEFIT_WEIGHT, |p| slice::from_mut(&mut p.benefit_weight), |_| Some(Evidence::Benefit)),
];

fn harm(entry: usize) -> Option<Evidence> {
    ActionCategory::ALL.get(entry).copied().map(Evidence::Harm)
}

/// A weight on leaves is in several contributions at once.
const fn no_one(_: usize) -> Option<Evidence> {
    None
}

impl Knob {
    /// Every number of an aggregation, in the order of its keys.
    pub(super) fn all(aggregation: &Aggregation) -> Vec<Self> {
        match aggregation {
            Aggregation::Assize(_) => {
                ASSIZE.into_iter().flat_map(|(k, numbers, e)| entries(k, Table::Assize(numbers), e)).collect()
            }
            Aggregation::SafetyAnalyst(_) => {
                let rows = SAFETYANALYST.into_iter();
                rows.flat_map(|(key, numbers, e)| entries(key, Table::SafetyAnalyst(numbers), e)).collect()
            }
        }
    }

    /// The key as in a profile file.
    pub(super) fn name(self) -> String {
        match self.key.entries.get(self.entry) {
            Some(entry) => format!("{}.{entry}", self.key.name),
            None => self.key.name.to_owned(),
        }
    }

    /// The contribution that it multiplies, where it multiplies one.
    pub(super) const fn evidence(self) -> Option<Evidence> {
        self.evidence
    }

    /// Its value.
    pub(super) fn value(self, aggregation: &Aggregation) -> f64 {
        self.numbers(&mut aggregation.clone()).get(self.entry).copied().unwrap_or_default()
    }

    /// The values that it may have while all others stay: those of its key, and where worse must not weigh less, between
    /// its neighbours.
    pub(super) fn range(self, aggregation: &Aggregation) -> (f64, f64) {
        let (mut min, mut max) = self.key.range;
        if [keys::EXTENT.name, keys::LIKELIHOOD.name].contains(&self.key.name) {
            let mut aggregation = aggregation.clone();
            let numbers = self.numbers(&mut aggregation);
            let before = self.entry.checked_sub(1).and_then(|place| numbers.get(place));
            min = before.copied().unwrap_or(min);
            max = numbers.get(self.entry + 1).copied().unwrap_or(max);
        }
        (min, max)
    }

    /// The aggregation with this one number replaced.
    pub(super) fn turned(self, aggregation: &Aggregation, value: f64) -> Aggregation {
        let mut turned = aggregation.clone();
        if let Some(number) = self.numbers(&mut turned).get_mut(self.entry) {
            *number = value;
        }
        turned
    }

    /// The table that it is in; empty for another aggregation than its own.
    fn numbers(self, aggregation: &mut Aggregation) -> &mut [f64] {
        match (self.table, aggregation) {
            (Table::Assize(numbers), Aggregation::Assize(weights)) => numbers(weights),
            (Table::SafetyAnalyst(numbers), Aggregation::SafetyAnalyst(parameters)) => numbers(parameters),
            (Table::Assize(_), Aggregation::SafetyAnalyst(_))
            | (Table::SafetyAnalyst(_), Aggregation::Assize(_)) => &mut [],
        }
    }
}

fn entries(key: Key, table: Table, evidence: fn(usize) -> Option<Evidence>) -> impl Iterator<Item = Knob> {
    (0..key.entries.len().max(1)).map(move |entry| Knob { table, key, entry, evidence: evidence(entry) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_domain::LeafWeights;

    /// Every number another one.
    fn assize() -> Aggregation {
        let weights = Weights {
            bias: 0.1,
            guard: 0.2,
            response: 0.3,
            adversarial: 0.4,
            refusal: 0.5,
            benefit: 0.6,
            harm: std::array::from_fn(|place| 1.0 + f64::from(u8::try_from(place).unwrap())),
            leaf: LeafWeights::UNIT,
        };
        Aggregation::Assize(Box::new(weights))
    }

    #[test]
    fn there_is_a_knob_for_every_number_and_it_turns_that_one() {
        let aggregation = assize();
        let knobs = Knob::all(&aggregation);
        let mut names: Vec<String> = knobs.iter().map(|knob| knob.name()).collect();
        let mut keys: Vec<String> = aggregation.by_key().into_iter().map(|(key, _)| key).collect();
        names.sort();
        keys.sort();
        assert_eq!(names, keys);
        for knob in knobs {
            // One table says which key weighs which evidence.
            assert!(knob.evidence().is_none_or(|one| *keys::key_of(one) == knob.key), "{}", knob.name());
            let of = |aggregation: &Aggregation| {
                let (_, value) =
                    aggregation.by_key().into_iter().find(|(key, _)| *key == knob.name()).unwrap();
                value
            };
            assert_eq!(knob.value(&aggregation), of(&aggregation), "{}", knob.name());
            let turned = knob.turned(&aggregation, 0.75);
            assert_eq!(of(&turned), 0.75, "{}", knob.name());
            assert_eq!(knob.turned(&turned, of(&aggregation)), aggregation, "{}", knob.name());
        }
    }

    #[test]
    fn worse_never_weighs_less() {
        let aggregation = assize();
        let of = |name: &str| {
            let knob = Knob::all(&aggregation).into_iter().find(|knob| knob.name() == name).unwrap();
            knob.range(&aggregation)
        };
        assert_eq!(of("weights.extent.minor"), (0.0, 0.5));
        assert_eq!(of("weights.extent.significant"), (0.25, 0.75));
        assert_eq!(of("weights.likelihood.high"), (0.5, 4.0));
        assert_eq!(of("weights.later"), (0.0, 1.0));
        assert_eq!(of("weights.bias"), (-8.0, 8.0));
    }
}
