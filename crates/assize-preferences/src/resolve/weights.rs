//! The numbers of either aggregation, from the file, the parent and the defaults.

use super::Resolver;
use crate::keys::{self, Key};
use crate::raw::{RawAggregation, RawProfile, RawSafetyAnalyst, RawWeights};
use crate::safetyanalyst::{SafetyAnalyst, Side};
use crate::weights::{Aggregation, Weights};
use assize_domain::LeafWeights;
use std::collections::BTreeMap;

/// What a table's unknown entry is told: what its entries are.
const KINDS: [(Key, &str); 6] = [
    (keys::HARM, "action category"),
    (keys::SA_ACTION, "action category"),
    (keys::EFFECT, "effect"),
    (keys::STAKEHOLDER, "stakeholder"),
    (keys::EXTENT, "extent"),
    (keys::LIKELIHOOD, "likelihood"),
];

impl Resolver<'_> {
    /// The aggregation that the file names, or else its parent's, or else ours.
    pub(super) fn aggregation(&mut self, raw: &RawProfile) -> Aggregation {
        let inherited = self.parent.map(|parent| match &parent.aggregation {
            Aggregation::Assize(_) => RawAggregation::Assize,
            Aggregation::SafetyAnalyst(_) => RawAggregation::SafetyAnalyst,
        });
        match raw.aggregation.or(inherited).unwrap_or(RawAggregation::Assize) {
            RawAggregation::Assize => {
                self.refuse_idle("safetyanalyst", raw.safetyanalyst.is_some(), "assize");
                let empty = RawWeights::default();
                Aggregation::Assize(Box::new(self.weights(raw.weights.as_ref().unwrap_or(&empty))))
            }
            RawAggregation::SafetyAnalyst => {
                self.refuse_idle("weights", raw.weights.is_some(), "safetyanalyst");
                let empty = RawSafetyAnalyst::default();
                let raw = raw.safetyanalyst.as_ref().unwrap_or(&empty);
                Aggregation::SafetyAnalyst(Box::new(self.safetyanalyst(raw)))
            }
        }
    }

    /// A table that the aggregation in force doesn't read would look as if it did something.
    fn refuse_idle(&mut self, table: &str, is_there: bool, aggregation: &str) {
        if is_there {
            self.error(table, format!("does nothing with `aggregation = \"{aggregation}\"`; take it out"));
        }
    }

    fn weights(&mut self, raw: &RawWeights) -> Weights {
        let parent = self.parent.and_then(|parent| match &parent.aggregation {
            Aggregation::Assize(weights) => Some(weights.as_ref().clone()),
            Aggregation::SafetyAnalyst(_) => None,
        });
        let parent = parent.as_ref();
        Weights {
            bias: self.number(&keys::BIAS, raw.bias, parent.map(|w| w.bias)),
            guard: self.number(&keys::GUARD, raw.guard, parent.map(|w| w.guard)),
            response: self.number(&keys::RESPONSE, raw.response, parent.map(|w| w.response)),
            adversarial: self.number(&keys::ADVERSARIAL, raw.adversarial, parent.map(|w| w.adversarial)),
            refusal: self.number(&keys::REFUSAL, raw.refusal, parent.map(|w| w.refusal)),
            benefit: self.number(&keys::BENEFIT, raw.benefit, parent.map(|w| w.benefit)),
            harm: self.table(&keys::HARM, &raw.harm, parent.map(|w| &w.harm)),
            leaf: self.leaf(raw, parent.map(|w| &w.leaf)),
        }
    }

    fn leaf(&mut self, raw: &RawWeights, parent: Option<&LeafWeights>) -> LeafWeights {
        let leaf = LeafWeights {
            effect: self.table(&keys::EFFECT, &raw.effect, parent.map(|w| &w.effect)),
            stakeholder: self.table(&keys::STAKEHOLDER, &raw.stakeholder, parent.map(|w| &w.stakeholder)),
            extent: self.table(&keys::EXTENT, &raw.extent, parent.map(|w| &w.extent)),
            likelihood: self.table(&keys::LIKELIHOOD, &raw.likelihood, parent.map(|w| &w.likelihood)),
            later: self.number(&keys::LATER, raw.later, parent.map(|w| w.later)),
        };
        self.must_rise(&keys::EXTENT, &leaf.extent);
        self.must_rise(&keys::LIKELIHOOD, &leaf.likelihood);
        leaf
    }

    /// Worse must not weigh less.
    fn must_rise(&mut self, key: &Key, numbers: &[f64]) {
        let pairs = key.entries.windows(2).zip(numbers.windows(2));
        let falls: Vec<_> = pairs.filter(|(_, numbers)| !numbers.is_sorted()).collect();
        for (names, numbers) in falls {
            if let ([lower, upper], [low, high]) = (names, numbers) {
                let problem =
                    format!("is `{high}`, below `{}.{lower}` (`{low}`); allowed: at or above it", key.name);
                self.error(&format!("{}.{upper}", key.name), problem);
            }
        }
    }

    fn safetyanalyst(&mut self, raw: &RawSafetyAnalyst) -> SafetyAnalyst {
        let parent = self.parent.and_then(|parent| match &parent.aggregation {
            Aggregation::SafetyAnalyst(parameters) => Some(parameters.as_ref().clone()),
            Aggregation::Assize(_) => None,
        });
        let parent = parent.as_ref();
        let (harm, benefit) = (parent.map(|p| &p.harm), parent.map(|p| &p.benefit));
        SafetyAnalyst {
            action: self.table(&keys::SA_ACTION, &raw.action, parent.map(|p| &p.action)),
            harm: Side {
                extent_ratios: self.table(
                    &keys::SA_HARM_EXTENT,
                    &raw.harm_extent,
                    harm.map(|s| &s.extent_ratios),
                ),
                likelihood_ratios: self.table(
                    &keys::SA_HARM_LIKELIHOOD,
                    &raw.harm_likelihood,
                    harm.map(|s| &s.likelihood_ratios),
                ),
                later: self.number(&keys::SA_HARM_LATER, raw.harm_later, harm.map(|s| s.later)),
            },
            benefit: Side {
                extent_ratios: self.table(
                    &keys::SA_BENEFIT_EXTENT,
                    &raw.benefit_extent,
                    benefit.map(|s| &s.extent_ratios),
                ),
                likelihood_ratios: self.table(
                    &keys::SA_BENEFIT_LIKELIHOOD,
                    &raw.benefit_likelihood,
                    benefit.map(|s| &s.likelihood_ratios),
                ),
                later: self.number(&keys::SA_BENEFIT_LATER, raw.benefit_later, benefit.map(|s| s.later)),
            },
            benefit_weight: self.number(
                &keys::SA_BENEFIT_WEIGHT,
                raw.benefit_weight,
                parent.map(|p| p.benefit_weight),
            ),
        }
    }

    /// A table of numbers: every entry from the file, the parent or the defaults; unknown entries are errors.
    fn table<const N: usize>(
        &mut self,
        key: &Key,
        raw: &BTreeMap<String, f64>,
        inherited: Option<&[f64; N]>,
    ) -> [f64; N] {
        for name in raw.keys().filter(|name| !key.entries.contains(&name.as_str())) {
            let kind = KINDS.iter().find(|(known, _)| known == key).map_or("ratio", |(_, kind)| kind);
            let problem = format!("is no {kind}; allowed: {}", key.entries.join(", "));
            self.error(&format!("{}.{name}", key.name), problem);
        }
        let mut numbers = [0.0; N];
        for (place, (number, id)) in numbers.iter_mut().zip(key.entries).enumerate() {
            let parent = inherited.and_then(|parent| parent.get(place).copied());
            let otherwise = parent.or_else(|| key.default_at(place));
            *number = self.entry(key, &format!("{}.{id}", key.name), raw.get(*id).copied(), otherwise);
        }
        numbers
    }
}
