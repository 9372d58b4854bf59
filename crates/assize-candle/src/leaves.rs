//! The leaves of a harm-benefit tree as numbers: what the encoder's leaf heads mean, and the expected tree they give.
//!
//! The lists that its numbers follow are the domain's.
//!
//! For each harmful action category, and for each effect of a benefit, the heads give the probability that the tree
//! has leaves there, how many there then are, and how these are shared out over extent × likelihood × immediacy, over
//! effects and over stakeholders. Expectation is linear, so the expected aggregate under *any* weights is a sum of
//! products over these numbers: no weights are built in, and changing them needs no model.
//!
//! ```text
//! E[Σ leaves w(extent, likelihood, immediacy)]  =  Σ categories  presence × leaves × Σ severities share × w
//! ```
//!
//! Extent, likelihood and immediacy are shared out jointly, so that weights which multiply them are exact. Effects and
//! stakeholders are shared out apart from them: a weight on both is exact only where they don't depend on each other.

use crate::numerics::{sigmoid, softplus};
use assize_domain::{ActionCategory, Effect, HarmAction, LeafWeights, Severity, Stakeholder};
use std::ops::Range;

const ACTIONS: usize = HarmAction::COUNT;
const EFFECTS: usize = Effect::COUNT;
const SEVERITIES: usize = Severity::COUNT;
const STAKEHOLDERS: usize = Stakeholder::COUNT;
const CATEGORIES: usize = ActionCategory::COUNT;

/// Where each group of numbers stands in a row of the leaf heads.
///
/// The groups by category hold one block for each category (or effect of a benefit), in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeafLayout;

impl LeafLayout {
    /// Log-odds that a category has leaves.
    pub const HARM_PRESENCE: Range<usize> = span(0, CATEGORIES);
    /// Leaves beyond the first where there are some, before softplus.
    pub const HARM_LEAVES: Range<usize> = after(&Self::HARM_PRESENCE, CATEGORIES);
    /// Log shares over severities, by category.
    pub const HARM_SEVERITY: Range<usize> = after(&Self::HARM_LEAVES, CATEGORIES * SEVERITIES);
    /// Log shares over effects, by category.
    pub const HARM_EFFECT: Range<usize> = after(&Self::HARM_SEVERITY, CATEGORIES * EFFECTS);
    /// Log shares over stakeholders, by category.
    pub const HARM_STAKEHOLDER: Range<usize> = after(&Self::HARM_EFFECT, CATEGORIES * STAKEHOLDERS);
    /// Log shares over all 45 actions; read within a category.
    pub const HARM_ACTION: Range<usize> = after(&Self::HARM_STAKEHOLDER, ACTIONS);
    /// Log-odds that an effect has benefit leaves.
    pub const BENEFIT_PRESENCE: Range<usize> = after(&Self::HARM_ACTION, EFFECTS);
    /// Benefit leaves beyond the first where there are some, before softplus.
    pub const BENEFIT_LEAVES: Range<usize> = after(&Self::BENEFIT_PRESENCE, EFFECTS);
    /// Log shares over severities, by effect.
    pub const BENEFIT_SEVERITY: Range<usize> = after(&Self::BENEFIT_LEAVES, EFFECTS * SEVERITIES);
    /// Log shares over stakeholders, by effect.
    pub const BENEFIT_STAKEHOLDER: Range<usize> = after(&Self::BENEFIT_SEVERITY, EFFECTS * STAKEHOLDERS);
    /// Numbers in a row.
    pub const WIDTH: usize = Self::BENEFIT_STAKEHOLDER.end;
}

const fn span(start: usize, len: usize) -> Range<usize> {
    Range { start, end: start + len }
}

const fn after(range: &Range<usize>, len: usize) -> Range<usize> {
    span(range.end, len)
}

/// What the leaf heads say of one sequence, before any activation; shape `[LeafLayout::WIDTH]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LeafLogits(Box<[f32]>);

/// The expected leaves of one harmful action category, or of one effect of benefits.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedLeaves {
    /// Probability that there is a leaf, in `[0, 1]`.
    pub presence: f32,
    /// Expected number of leaves, at least 0: presence times the number where there are some.
    pub leaves: f32,
    /// Shares over [`Severity::index`]; they sum to 1.
    pub severity: Vec<f32>,
    /// Shares over [`Effect::ALL`]; they sum to 1. For a benefit all of it is its own effect.
    pub effect: Vec<f32>,
    /// Shares over [`Stakeholder::ALL`]; they sum to 1.
    pub stakeholder: Vec<f32>,
    /// Shares over the category's own entries of [`HarmAction::ALL`], zero elsewhere; empty for a benefit.
    pub action: Vec<f32>,
}

/// The harm-benefit tree that is to be expected of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedTree {
    /// In the order of [`ActionCategory::ALL`].
    pub harms: Vec<ExpectedLeaves>,
    /// In the order of [`Effect::ALL`].
    pub benefits: Vec<ExpectedLeaves>,
}

impl ExpectedLeaves {
    /// The expected sum over the leaves of their weights: `leaves × Σ share × weight`, at least 0.
    pub fn mass(&self, weights: &[f32; SEVERITIES]) -> f32 {
        self.leaves * self.severity.iter().zip(weights).map(|(share, weight)| share * weight).sum::<f32>()
    }

    /// In the unit that masses are told in.
    pub fn unit_mass(&self) -> f32 {
        self.mass(&unit())
    }
}

impl ExpectedTree {
    /// The harm by category and all the benefit, in the unit that masses are told in.
    pub fn unit_masses(&self) -> ([f32; CATEGORIES], f32) {
        let mut harm = [0.0; CATEGORIES];
        harm.iter_mut().zip(&self.harms).for_each(|(mass, leaves)| *mass = leaves.unit_mass());
        (harm, self.benefits.iter().map(ExpectedLeaves::unit_mass).sum())
    }
}

impl LeafLogits {
    /// Takes a row; `None` where it has another length than [`LeafLayout::WIDTH`].
    pub fn from_row(row: &[f32]) -> Option<Self> {
        (row.len() == LeafLayout::WIDTH).then(|| Self(row.into()))
    }

    /// Every number, in the layout's order.
    pub fn row(&self) -> &[f32] {
        &self.0
    }

    /// The tree to be expected; `None` where one of the numbers is not finite.
    pub fn tree(&self) -> Option<ExpectedTree> {
        self.0.iter().all(|logit| logit.is_finite()).then(|| ExpectedTree {
            harms: (0..CATEGORIES).map(|category| self.harm(category)).collect(),
            benefits: (0..EFFECTS).map(|effect| self.benefit(effect)).collect(),
        })
    }

    fn harm(&self, category: usize) -> ExpectedLeaves {
        let (presence, leaves) = self.count(&LeafLayout::HARM_PRESENCE, &LeafLayout::HARM_LEAVES, category);
        let own = HarmAction::ALL.map(|action| action.category().index() == category);
        let actions = self.block(&LeafLayout::HARM_ACTION, 0, ACTIONS);
        let masked: Vec<f32> = actions
            .iter()
            .zip(own)
            .map(|(logit, own)| if own { *logit } else { f32::NEG_INFINITY })
            .collect();
        ExpectedLeaves {
            presence,
            leaves,
            severity: shares(self.block(&LeafLayout::HARM_SEVERITY, category, SEVERITIES)),
            effect: shares(self.block(&LeafLayout::HARM_EFFECT, category, EFFECTS)),
            stakeholder: shares(self.block(&LeafLayout::HARM_STAKEHOLDER, category, STAKEHOLDERS)),
            action: shares(&masked),
        }
    }

    fn benefit(&self, effect: usize) -> ExpectedLeaves {
        let (presence, leaves) =
            self.count(&LeafLayout::BENEFIT_PRESENCE, &LeafLayout::BENEFIT_LEAVES, effect);
        ExpectedLeaves {
            presence,
            leaves,
            severity: shares(self.block(&LeafLayout::BENEFIT_SEVERITY, effect, SEVERITIES)),
            effect: (0..EFFECTS).map(|other| if other == effect { 1.0 } else { 0.0 }).collect(),
            stakeholder: shares(self.block(&LeafLayout::BENEFIT_STAKEHOLDER, effect, STAKEHOLDERS)),
            action: Vec::new(),
        }
    }

    /// Presence, and the expected number of leaves.
    fn count(&self, presence: &Range<usize>, leaves: &Range<usize>, index: usize) -> (f32, f32) {
        let number = |range: &Range<usize>| self.block(range, index, 1).first().copied().unwrap_or_default();
        let presence = sigmoid(number(presence));
        (presence, presence * (1.0 + softplus(number(leaves))))
    }

    fn block(&self, range: &Range<usize>, index: usize, width: usize) -> &[f32] {
        let start = range.start + index * width;
        self.0.get(start..start + width).unwrap_or_default()
    }
}

/// [`LeafWeights::UNIT`] by severity.
#[expect(clippy::cast_possible_truncation, reason = "weights with two digits")]
pub fn unit() -> [f32; SEVERITIES] {
    LeafWeights::UNIT.by_severity().map(|weight| weight as f32)
}

/// Softmax: at least 0, summing to 1.
fn shares(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn groups_lie_end_to_end() {
        assert_eq!(LeafLayout::WIDTH, 16 + 16 + 384 + 240 + 144 + 45 + 15 + 15 + 360 + 135);
    }

    #[test]
    fn a_number_that_is_not_finite_makes_no_tree() {
        let mut row = vec![0.0; LeafLayout::WIDTH];
        assert!(LeafLogits::from_row(&row).unwrap().tree().is_some());
        row[700] = f32::NAN;
        assert_eq!(LeafLogits::from_row(&row).unwrap().tree(), None);
        assert_eq!(LeafLogits::from_row(&row[1..]), None);
    }

    proptest! {
        #[test]
        fn an_expected_tree_has_probabilities_counts_and_shares(
            row in prop::collection::vec(-30.0_f32..30.0, LeafLayout::WIDTH),
        ) {
            let tree = LeafLogits::from_row(&row).unwrap().tree().unwrap();
            for leaves in tree.harms.iter().chain(&tree.benefits) {
                prop_assert!((0.0..=1.0).contains(&leaves.presence) && leaves.leaves >= leaves.presence);
                for shares in [&leaves.severity, &leaves.effect, &leaves.stakeholder] {
                    prop_assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-4);
                }
                // A weight of 1 for every leaf counts the leaves: the read-out is an expectation.
                prop_assert!((leaves.mass(&[1.0; SEVERITIES]) - leaves.leaves).abs() < 1e-3);
            }
            for (category, harm) in tree.harms.iter().enumerate() {
                let own = harm.action.iter().zip(HarmAction::ALL);
                let own = own.filter(|(_, action)| action.category().index() == category);
                prop_assert!((own.map(|(share, _)| share).sum::<f32>() - 1.0).abs() < 1e-4);
            }
        }

        #[test]
        fn the_read_out_is_linear_in_the_weights(
            row in prop::collection::vec(-5.0_f32..5.0, LeafLayout::WIDTH), factor in 0.0_f32..4.0,
        ) {
            let tree = LeafLogits::from_row(&row).unwrap().tree().unwrap();
            let table = unit();
            let scaled = table.map(|weight| weight * factor);
            for leaves in &tree.harms {
                let (one, other) = (leaves.mass(&table) * factor, leaves.mass(&scaled));
                prop_assert!((one - other).abs() <= 1e-3 * (1.0 + one));
            }
        }
    }
}
