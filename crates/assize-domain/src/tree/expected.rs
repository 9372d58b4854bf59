//! The tree that is to be expected: a branch for each action category with harm, and for each effect with benefit.

use super::{LeafCount, LeafWeights, Masses, Shares, mass::put};
use crate::{ActionCategory, Effect, HarmAction, Severity, Stakeholder};

/// Leaves of one kind. Ordered by their number first.
///
/// Extent, likelihood and immediacy are shared out jointly, so that weights which multiply them are exact. Stakeholders
/// (and effects and actions of a harm) are shared out apart from them: exact where they don't depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Branch {
    /// How many leaves are to be expected.
    pub leaves: LeafCount,
    /// The probability that there is at least one, in 255ths.
    pub presence: u8,
    /// How they are shared out by severity, in the order of [`Severity::index`].
    pub severity: Shares<{ Severity::COUNT }>,
    /// How by who is affected, in the order of [`Stakeholder::ALL`].
    pub stakeholder: Shares<{ Stakeholder::COUNT }>,
}

/// The harm by one category of actions. Ordered by category, then by how many leaves there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HarmBranch {
    /// Which.
    pub category: ActionCategory,
    /// Its leaves.
    pub branch: Branch,
    /// How they are shared out by effect, in the order of [`Effect::ALL`].
    pub effect: Shares<{ Effect::COUNT }>,
    /// How by action, in the order of [`ActionCategory::actions`].
    pub action: Shares<{ HarmBranch::MOST_ACTIONS }>,
}

/// The benefit of one kind of effect. Ordered as [`HarmBranch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BenefitBranch {
    /// Which.
    pub effect: Effect,
    /// Its leaves.
    pub branch: Branch,
}

/// All branches. INVARIANT: at most one for each category and one for each effect, in the taxonomy's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExpectedTree {
    harms: Vec<HarmBranch>,
    benefits: Vec<BenefitBranch>,
}

impl HarmBranch {
    /// Actions that a category has at most.
    pub const MOST_ACTIONS: usize = 6;

    /// The action with the largest share.
    pub fn likeliest_action(&self) -> Option<HarmAction> {
        self.category.actions().nth(self.action.largest())
    }

    fn mass(&self, severity: &[f64; Severity::COUNT], weights: &LeafWeights) -> f64 {
        self.branch.mass(severity, weights) * self.effect.mean(&weights.effect)
    }
}

impl Branch {
    /// The probability that there is at least one leaf, in `[0, 1]`.
    pub fn presence(&self) -> f64 {
        f64::from(self.presence) / 255.0
    }

    /// The severity with the largest share.
    pub fn likeliest_severity(&self) -> Option<Severity> {
        Severity::all().nth(self.severity.largest())
    }

    /// Who is affected most.
    pub fn likeliest_stakeholder(&self) -> Option<Stakeholder> {
        Stakeholder::ALL.get(self.stakeholder.largest()).copied()
    }

    /// The expected sum of severity times stakeholder over the leaves.
    fn mass(&self, severity: &[f64; Severity::COUNT], weights: &LeafWeights) -> f64 {
        self.leaves.get() * self.severity.mean(severity) * self.stakeholder.mean(&weights.stakeholder)
    }
}

impl ExpectedTree {
    /// Puts branches in order; of several of one kind the one with most leaves stays, wherever it stood.
    pub fn new(mut harms: Vec<HarmBranch>, mut benefits: Vec<BenefitBranch>) -> Self {
        harms.sort_by(|a, b| a.category.cmp(&b.category).then_with(|| b.cmp(a)));
        harms.dedup_by_key(|harm| harm.category);
        benefits.sort_by(|a, b| a.effect.cmp(&b.effect).then_with(|| b.cmp(a)));
        benefits.dedup_by_key(|benefit| benefit.effect);
        Self { harms, benefits }
    }

    /// By category.
    pub fn harms(&self) -> &[HarmBranch] {
        &self.harms
    }

    /// By effect.
    pub fn benefits(&self) -> &[BenefitBranch] {
        &self.benefits
    }

    /// The harm in one category alone.
    pub(super) fn harm_in(&self, category: ActionCategory, weights: &LeafWeights) -> f64 {
        let harm = self.harms.iter().find(|harm| harm.category == category);
        harm.map_or(0.0, |harm| harm.mass(&weights.by_severity(), weights))
    }

    /// The expected sum of the leaves' weights.
    pub(super) fn masses(&self, weights: &LeafWeights) -> Masses {
        let severity = weights.by_severity();
        let mut masses = Masses::default();
        for harm in &self.harms {
            put(&mut masses.harm, harm.category.index(), harm.mass(&severity, weights));
        }
        for benefit in &self.benefits {
            let weight = weights.effect.get(benefit.effect.index()).copied().unwrap_or_default();
            put(
                &mut masses.benefit,
                benefit.effect.index(),
                benefit.branch.mass(&severity, weights) * weight,
            );
        }
        masses
    }
}
