//! Every number that a profile file can set: its range, its default, its unit. What the resolver checks, what the JSON
//! schema says and what the reference lists are this one table.

use assize_domain::{ActionCategory, Effect, Evidence, GuardHead, Stakeholder};

/// A number, or a table of numbers with the same range, in a profile file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    /// Dotted, as in the file; for a table without the last part.
    pub name: &'static str,
    /// Smallest and largest value.
    pub range: (f64, f64),
    /// Value where neither the file nor what it extends sets it; `None`: one of them must.
    pub default: Defaults,
    /// Unit of the value.
    pub unit: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// The keys below it, for a table.
    pub entries: &'static [&'static str],
}

/// What a number is where nobody sets it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Defaults {
    /// Must be set here or in what is extended.
    Required,
    /// The same for all entries.
    Every(f64),
    /// One for each entry, in their order.
    Each(&'static [f64]),
}

const POINTS: &str = "log-odds";
const FACTOR: &str = "factor";

const fn number(name: &'static str, range: (f64, f64), unit: &'static str, meaning: &'static str) -> Key {
    Key { name, range, default: Defaults::Required, unit, meaning, entries: &[] }
}

/// Points on the harmfulness scale. Not 0: at 0 everything would be blocked whatever the models say, which no one can
/// want by mistake.
pub(crate) const REVIEW: Key = number(
    "thresholds.review",
    (0.001, 1.0),
    "harmfulness",
    "At or above: at least a review. With the aggregation `safetyanalyst`: above. At or below `thresholds.block`.",
);
pub(crate) const BLOCK: Key = number(
    "thresholds.block",
    (0.001, 1.0),
    "harmfulness",
    "At or above: a block. With the aggregation `safetyanalyst`: above.",
);
pub(crate) const BIAS: Key =
    number("weights.bias", (-8.0, 8.0), POINTS, "Starting point of the sum; higher is stricter.");
pub(crate) const GUARD: Key = number(
    "weights.guard",
    (0.0, 4.0),
    FACTOR,
    "Weight of the guard's view of the prompt: log-odds from its operating point, within ±6.",
);
pub(crate) const RESPONSE: Key =
    number("weights.response", (0.0, 4.0), FACTOR, "As `weights.guard`, for the response.");
pub(crate) const ADVERSARIAL: Key = number(
    "weights.adversarial",
    (0.0, 8.0),
    "log-odds for certainty",
    "Points for a prompt that is certainly an attack on the chatbot.",
);
pub(crate) const REFUSAL: Key =
    number("weights.refusal", (0.0, 4.0), FACTOR, "Weight of a reply that surely refuses; speaks for it.");
pub(crate) const BENEFIT: Key = number(
    "weights.benefit",
    (0.0, 8.0),
    "log-odds per ln(1 + mass)",
    "Weight of the benefit of a tree of either kind; speaks for the conversation.",
);
pub(crate) const HARM: Key = Key {
    entries: &CATEGORY_IDS,
    ..number(
        "weights.harm",
        (0.0, 8.0),
        "log-odds per ln(1 + mass)",
        "Weight of the harm of a tree of either kind, by action category.",
    )
};
pub(crate) const EFFECT: Key = Key {
    default: Defaults::Every(1.0),
    entries: &EFFECT_IDS,
    ..number(
        "weights.effect",
        (0.0, 4.0),
        FACTOR,
        "How much an effect matters, harmful or beneficial: factor of its leaves' mass.",
    )
};
pub(crate) const STAKEHOLDER: Key = Key {
    default: Defaults::Every(1.0),
    entries: &STAKEHOLDER_IDS,
    ..number(
        "weights.stakeholder",
        (0.0, 4.0),
        FACTOR,
        "How much it matters who is affected, for harm and benefit: factor of its leaves' mass.",
    )
};
pub(crate) const EXTENT: Key = Key {
    default: Defaults::Each(&[0.25, 0.5, 0.75, 1.0]),
    entries: &["minor", "significant", "substantial", "major"],
    ..number(
        "weights.extent",
        (0.0, 4.0),
        FACTOR,
        "Mass of a leaf by its extent; may not fall from one to the next.",
    )
};
pub(crate) const LIKELIHOOD: Key = Key {
    default: Defaults::Each(&[0.15, 0.5, 0.85]),
    entries: &["low", "medium", "high"],
    ..number(
        "weights.likelihood",
        (0.0, 4.0),
        FACTOR,
        "Factor of a leaf's mass by its likelihood; may not fall from one to the next.",
    )
};
pub(crate) const LATER: Key = Key {
    default: Defaults::Every(1.0),
    ..number("weights.later", (0.0, 1.0), FACTOR, "Factor of the mass of leaves that are not immediate.")
};

/// Every number of the aggregation `assize`, thresholds first.
pub const KEYS: [Key; 14] = [
    REVIEW,
    BLOCK,
    BIAS,
    GUARD,
    RESPONSE,
    ADVERSARIAL,
    REFUSAL,
    BENEFIT,
    HARM,
    EFFECT,
    STAKEHOLDER,
    EXTENT,
    LIKELIHOOD,
    LATER,
];

/// The key of a piece of evidence's weight in a profile file.
pub(crate) const fn key_of(evidence: Evidence) -> &'static Key {
    match evidence {
        Evidence::Bias => &BIAS,
        Evidence::Guard(GuardHead::PromptHarmful) => &GUARD,
        Evidence::Guard(GuardHead::ResponseHarmful) => &RESPONSE,
        Evidence::Guard(GuardHead::ResponseRefusal) => &REFUSAL,
        Evidence::Guard(GuardHead::Adversarial) => &ADVERSARIAL,
        Evidence::Benefit => &BENEFIT,
        Evidence::Harm(_) => &HARM,
    }
}

/// Parameters of the aggregation `safetyanalyst` are all between 0 and 1.
const fn parameter(name: &'static str, meaning: &'static str, entries: &'static [&'static str]) -> Key {
    Key { entries, ..number(name, (0.0, 1.0), FACTOR, meaning) }
}

pub(crate) const SA_ACTION: Key = parameter(
    "safetyanalyst.action",
    "Weight of harm by action category: log-odds for each leaf of weight 1.",
    &CATEGORY_IDS,
);
pub(crate) const SA_HARM_EXTENT: Key = parameter(
    "safetyanalyst.harm_extent",
    "Ratios down from major harm, which is 1: each extent is the next one times its ratio.",
    &["minor_ratio", "significant_ratio", "substantial_ratio"],
);
pub(crate) const SA_HARM_LIKELIHOOD: Key = parameter(
    "safetyanalyst.harm_likelihood",
    "Ratios down from high likelihood, which is 1.",
    &["low_ratio", "medium_ratio"],
);
pub(crate) const SA_HARM_LATER: Key = parameter(
    "safetyanalyst.harm_later",
    "Factor of harms that are not immediate; 0 takes them out and leaves immediate ones whole.",
    &[],
);
pub(crate) const SA_BENEFIT_EXTENT: Key =
    Key { name: "safetyanalyst.benefit_extent", meaning: "As for harms.", ..SA_HARM_EXTENT };
pub(crate) const SA_BENEFIT_LIKELIHOOD: Key =
    Key { name: "safetyanalyst.benefit_likelihood", meaning: "As for harms.", ..SA_HARM_LIKELIHOOD };
pub(crate) const SA_BENEFIT_LATER: Key =
    parameter("safetyanalyst.benefit_later", "Factor of benefits that are not immediate, likewise.", &[]);
pub(crate) const SA_BENEFIT_WEIGHT: Key =
    parameter("safetyanalyst.benefit_weight", "Weight of all benefits relative to harms.", &[]);

/// Every number of the aggregation `safetyanalyst`, in the order of its 29 published parameters.
pub const SAFETYANALYST_KEYS: [Key; 8] = [
    SA_ACTION,
    SA_HARM_EXTENT,
    SA_HARM_LIKELIHOOD,
    SA_HARM_LATER,
    SA_BENEFIT_EXTENT,
    SA_BENEFIT_LIKELIHOOD,
    SA_BENEFIT_LATER,
    SA_BENEFIT_WEIGHT,
];

impl Key {
    /// Of the entry at a place (0 for a number that is no table).
    pub(crate) fn default_at(&self, place: usize) -> Option<f64> {
        match self.default {
            Defaults::Required => None,
            Defaults::Every(value) => Some(value),
            Defaults::Each(values) => values.get(place).copied(),
        }
    }
}

/// The ids of a taxonomy, at compile time.
macro_rules! ids {
    ($name:ident, $taxonomy:ident) => {
        const $name: [&str; $taxonomy::COUNT] = {
            let mut ids = [""; $taxonomy::COUNT];
            let mut rest: &mut [&str] = &mut ids;
            let mut all: &[$taxonomy] = &$taxonomy::ALL;
            while let ([id, others @ ..], [one, more @ ..]) = (rest, all) {
                *id = one.id();
                rest = others;
                all = more;
            }
            ids
        };
    };
}
ids!(CATEGORY_IDS, ActionCategory);
ids!(EFFECT_IDS, Effect);
ids!(STAKEHOLDER_IDS, Stakeholder);

#[cfg(test)]
mod tests {
    use super::*;
    use assize_domain::{Extent, LeafWeights, Likelihood};

    #[test]
    fn entries_are_the_taxonomies_and_defaults_the_unit() {
        assert_eq!(HARM.entries, ActionCategory::ALL.map(ActionCategory::id));
        assert_eq!(EFFECT.entries, Effect::ALL.map(Effect::id));
        assert_eq!(STAKEHOLDER.entries, Stakeholder::ALL.map(Stakeholder::id));
        assert_eq!(EXTENT.entries, Extent::ALL.map(Extent::id));
        assert_eq!(LIKELIHOOD.entries, Likelihood::ALL.map(Likelihood::id));
        assert_eq!(EXTENT.default, Defaults::Each(&LeafWeights::UNIT.extent));
        assert_eq!(LIKELIHOOD.default, Defaults::Each(&LeafWeights::UNIT.likelihood));
        assert_eq!(LATER.default, Defaults::Every(LeafWeights::UNIT.later));
    }

    #[test]
    fn every_default_is_in_range() {
        for key in KEYS.iter().chain(&SAFETYANALYST_KEYS) {
            for place in 0..key.entries.len().max(1) {
                let default = key.default_at(place);
                assert!(default.is_none_or(|d| (key.range.0..=key.range.1).contains(&d)), "{}", key.name);
            }
        }
    }
}
