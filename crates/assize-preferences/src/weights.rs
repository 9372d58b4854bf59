//! What a community multiplies the evidence by, validated.

use crate::safetyanalyst::SafetyAnalyst;
use assize_domain::{ActionCategory, BothTrees, Effect, Extent, LeafWeights, Likelihood, Stakeholder, Tree};

/// How a profile turns an assessment into a sum.
#[derive(Debug, Clone, PartialEq)]
pub enum Aggregation {
    /// Ours: guard, harms and benefits in log-odds.
    Assize(Box<Weights>),
    /// SafetyAnalyst's published sum over the leaves alone.
    SafetyAnalyst(Box<SafetyAnalyst>),
}

impl Aggregation {
    /// The tree that it sums where there are two: ours was made for expected ones, the published one for leaves.
    pub(crate) const fn part<'a>(&self, both: &'a BothTrees) -> &'a Tree {
        match self {
            Self::Assize(_) => both.expected(),
            Self::SafetyAnalyst(_) => both.reported(),
        }
    }
}

/// What multiplies the evidence, in log-odds per unit of evidence; units and ranges in [`crate::KEYS`].
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Starting point of the sum.
    pub bias: f64,
    /// Weight of the guard's view of the prompt.
    pub guard: f64,
    /// Weight of the guard's view of the response.
    pub response: f64,
    /// Points for a certain attack.
    pub adversarial: f64,
    /// Points taken off for a certain refusal.
    pub refusal: f64,
    /// Weight of the expected benefit.
    pub benefit: f64,
    /// Weight of the expected harm, in the order of [`ActionCategory::ALL`].
    pub harm: [f64; ActionCategory::COUNT],
    /// What a leaf weighs in the masses of harm and benefit.
    pub leaf: LeafWeights,
}

impl Aggregation {
    /// The stable name in profiles.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Assize(_) => "assize",
            Self::SafetyAnalyst(_) => "safetyanalyst",
        }
    }

    /// Every number by its key in a profile file, dotted.
    pub fn by_key(&self) -> Vec<(String, f64)> {
        match self {
            Self::Assize(weights) => weights.by_key(),
            Self::SafetyAnalyst(parameters) => parameters.by_key(),
        }
    }
}

impl Weights {
    /// Every weight by its key in a profile file.
    fn by_key(&self) -> Vec<(String, f64)> {
        let single = [
            ("bias", self.bias),
            ("guard", self.guard),
            ("response", self.response),
            ("adversarial", self.adversarial),
            ("refusal", self.refusal),
            ("benefit", self.benefit),
            ("later", self.leaf.later),
        ];
        let mut all: Vec<_> =
            single.into_iter().map(|(key, weight)| (format!("weights.{key}"), weight)).collect();
        all.extend(entries("weights.harm", &ActionCategory::ALL.map(ActionCategory::id), &self.harm));
        all.extend(entries("weights.effect", &Effect::ALL.map(Effect::id), &self.leaf.effect));
        let stakeholders = Stakeholder::ALL.map(Stakeholder::id);
        all.extend(entries("weights.stakeholder", &stakeholders, &self.leaf.stakeholder));
        all.extend(entries("weights.extent", &Extent::ALL.map(Extent::id), &self.leaf.extent));
        all.extend(entries(
            "weights.likelihood",
            &Likelihood::ALL.map(Likelihood::id),
            &self.leaf.likelihood,
        ));
        all
    }
}

/// A table's numbers by their keys.
pub(crate) fn entries(table: &str, ids: &[&str], numbers: &[f64]) -> Vec<(String, f64)> {
    ids.iter().zip(numbers).map(|(id, number)| (format!("{table}.{id}"), *number)).collect()
}
