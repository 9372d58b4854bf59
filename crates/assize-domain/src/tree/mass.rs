//! Weights on leaves, and what a tree comes to under them.

use crate::{ActionCategory, Effect, Extent, Likelihood, Severity, Stakeholder};

/// What a leaf weighs: the product of its effect's, its stakeholder's, its extent's and its likelihood's weights, and of
/// `later` where it is not immediate. The same for harms and benefits: they say what matters, not which way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeafWeights {
    /// In the order of [`Effect::ALL`].
    pub effect: [f64; Effect::COUNT],
    /// In the order of [`Stakeholder::ALL`].
    pub stakeholder: [f64; Stakeholder::COUNT],
    /// In the order of [`Extent::ALL`].
    pub extent: [f64; Extent::COUNT],
    /// In the order of [`Likelihood::ALL`].
    pub likelihood: [f64; Likelihood::COUNT],
    /// Factor of what is not immediate.
    pub later: f64,
}

/// How much harm there is by action category, and how much benefit by effect; finite and at least 0 where the weights are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Masses {
    /// In the order of [`ActionCategory::ALL`].
    pub harm: [f64; ActionCategory::COUNT],
    /// In the order of [`Effect::ALL`].
    pub benefit: [f64; Effect::COUNT],
}

impl LeafWeights {
    /// The unit in which masses are told: extent .25 (minor), .5, .75, 1 (major), likelihood .15 (low), .5, .85 (high), all
    /// effects and stakeholders 1, later effects as immediate ones. One leaf of major, highly likely harm is .85.
    ///
    /// SOURCE: the expected likelihoods of SafetyAnalyst's bands and even steps of extent, as in guard-v0's README.
    pub const UNIT: Self = Self {
        effect: [1.0; Effect::COUNT],
        stakeholder: [1.0; Stakeholder::COUNT],
        extent: [0.25, 0.5, 0.75, 1.0],
        likelihood: [0.15, 0.5, 0.85],
        later: 1.0,
    };

    /// The weight of every severity, in the order of [`Severity::index`].
    pub fn by_severity(&self) -> [f64; Severity::COUNT] {
        let mut table = [0.0; Severity::COUNT];
        let mut places = table.iter_mut();
        for extent in self.extent {
            for likelihood in self.likelihood {
                for (immediacy, place) in [self.later, 1.0].into_iter().zip(&mut places) {
                    *place = extent * likelihood * immediacy;
                }
            }
        }
        table
    }

    /// The weight of one severity.
    pub fn severity(&self, severity: Severity) -> f64 {
        let extent = self.extent.get(severity.extent.index()).copied().unwrap_or_default();
        let likelihood = self.likelihood.get(severity.likelihood.index()).copied().unwrap_or_default();
        extent * likelihood * if severity.immediate { 1.0 } else { self.later }
    }

    /// The weight of who is affected by what.
    pub fn affected(&self, effect: Effect, stakeholder: Stakeholder) -> f64 {
        let effect = self.effect.get(effect.index()).copied().unwrap_or_default();
        effect * self.stakeholder.get(stakeholder.index()).copied().unwrap_or_default()
    }
}

impl Masses {
    /// The harm in one category.
    pub fn harm_in(&self, category: ActionCategory) -> f64 {
        self.harm.get(category.index()).copied().unwrap_or_default()
    }

    /// All harm.
    pub fn all_harm(&self) -> f64 {
        self.harm.iter().sum()
    }

    /// All benefit.
    pub fn all_benefit(&self) -> f64 {
        self.benefit.iter().sum()
    }
}

/// Sets one place.
pub(super) fn put<const N: usize>(masses: &mut [f64; N], place: usize, mass: f64) {
    if let Some(found) = masses.get_mut(place) {
        *found = mass;
    }
}
