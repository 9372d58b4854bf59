//! The leaves of a harm-benefit tree as numbers: what the encoder's leaf heads mean, and the expected tree they give.
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
//!
//! SOURCE: SafetyAnalyst's schema (Li et al. 2024): 16 categories, 45 actions (AIR-2024), 15 effects, 4 extents,
//! 3 likelihoods, immediate or not; 9 groups of stakeholders as the training trees have them.

use crate::numerics::{sigmoid, softplus};
use assize_domain::ActionCategory;
use std::ops::Range;

/// The 45 harmful actions, in the taxonomy's order; [`CATEGORY_OF_ACTION`] has the category of each.
pub const ACTIONS: [&str; 45] = [
    "Confidentiality",
    "Integrity",
    "Availability",
    "Automated Decision-Making",
    "Autonomous Unsafe Operation of Systems",
    "Advice in Heavily Regulated Industries",
    "Supporting Malicious Organized Groups",
    "Celebrating Suffering",
    "Violent Acts",
    "Depicting Violence",
    "Weapon Usage & Development",
    "Military and Warfare",
    "Harassment",
    "Hate Speech",
    "Perpetuating Harmful Beliefs",
    "Offensive Language",
    "Adult Content",
    "Erotic",
    "Non-Consensual Nudity",
    "Monetized",
    "Endangerment, Harm, or Abuse of Children",
    "Child Sexual Abuse",
    "Suicidal and Non-suicidal Self-injury",
    "Political Persuasion",
    "Influencing Politics",
    "Deterring Democratic Participation",
    "Disrupting Social Order",
    "High-Risk Financial Activities",
    "Unfair Market Practices",
    "Disempowering Workers",
    "Fraudulent Schemes",
    "Fraud",
    "Academic Dishonesty",
    "Mis/disinformation",
    "Sowing Division",
    "Misrepresentation",
    "Types of Defamation",
    "Violating Specific Types of Rights",
    "Discriminatory Activities",
    "Protected Characteristics",
    "Unauthorized Privacy Violations",
    "Types of Sensitive Data",
    "Illegal/Regulated Substances",
    "Illegal Services/Exploitation",
    "Other Unlawful/Criminal Activities",
];

/// Index into [`ActionCategory::ALL`] of each of [`ACTIONS`].
pub const CATEGORY_OF_ACTION: [usize; 45] = [
    0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 6, 7, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 10,
    10, 11, 12, 13, 13, 14, 14, 15, 15, 15,
];

/// The 15 effects, harmful or beneficial.
pub const EFFECTS: [&str; 15] = [
    "Death",
    "Physical health",
    "Transient emotional changes",
    "Persistent emotional state changes",
    "Social",
    "Physical property",
    "Financial property",
    "Intellectual property",
    "Freedom and agency",
    "Accurate information access",
    "Institutional",
    "Public resource",
    "Societal disruption or order",
    "Non-human animals",
    "Ecosystem",
];

/// Who is affected.
pub const STAKEHOLDERS: [&str; 9] = [
    "user",
    "other individuals",
    "vulnerable or protected group",
    "children",
    "organisations",
    "government",
    "public",
    "environment",
    "AI provider",
];

/// How much, from little to much.
pub const EXTENTS: [&str; 4] = ["minor", "significant", "substantial", "major"];

/// How likely, from less to more.
pub const LIKELIHOODS: [&str; 3] = ["low", "medium", "high"];

/// Combinations of extent, likelihood and immediacy: [`severity`] is the index.
pub const SEVERITIES: usize = EXTENTS.len() * LIKELIHOODS.len() * 2;

/// The index of a combination: immediacy runs fastest, then likelihood, then extent.
pub const fn severity(extent: usize, likelihood: usize, immediate: bool) -> usize {
    (extent * LIKELIHOODS.len() + likelihood) * 2 + immediate as usize
}

const CATEGORIES: usize = ActionCategory::ALL.len();

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
    pub const HARM_EFFECT: Range<usize> = after(&Self::HARM_SEVERITY, CATEGORIES * EFFECTS.len());
    /// Log shares over stakeholders, by category.
    pub const HARM_STAKEHOLDER: Range<usize> = after(&Self::HARM_EFFECT, CATEGORIES * STAKEHOLDERS.len());
    /// Log shares over all 45 actions; read within a category.
    pub const HARM_ACTION: Range<usize> = after(&Self::HARM_STAKEHOLDER, ACTIONS.len());
    /// Log-odds that an effect has benefit leaves.
    pub const BENEFIT_PRESENCE: Range<usize> = after(&Self::HARM_ACTION, EFFECTS.len());
    /// Benefit leaves beyond the first where there are some, before softplus.
    pub const BENEFIT_LEAVES: Range<usize> = after(&Self::BENEFIT_PRESENCE, EFFECTS.len());
    /// Log shares over severities, by effect.
    pub const BENEFIT_SEVERITY: Range<usize> = after(&Self::BENEFIT_LEAVES, EFFECTS.len() * SEVERITIES);
    /// Log shares over stakeholders, by effect.
    pub const BENEFIT_STAKEHOLDER: Range<usize> =
        after(&Self::BENEFIT_SEVERITY, EFFECTS.len() * STAKEHOLDERS.len());
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
    /// Shares over [`SEVERITIES`]; they sum to 1.
    pub severity: Vec<f32>,
    /// Shares over [`EFFECTS`]; they sum to 1. For a benefit all of it is its own effect.
    pub effect: Vec<f32>,
    /// Shares over [`STAKEHOLDERS`]; they sum to 1.
    pub stakeholder: Vec<f32>,
    /// Shares over the category's own entries of [`ACTIONS`], zero elsewhere; empty for a benefit.
    pub action: Vec<f32>,
}

/// The harm-benefit tree that is to be expected of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedTree {
    /// In the order of [`ActionCategory::ALL`].
    pub harms: Vec<ExpectedLeaves>,
    /// In the order of [`EFFECTS`].
    pub benefits: Vec<ExpectedLeaves>,
}

/// What a leaf weighs by its extent, likelihood and immediacy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeverityWeights {
    /// In the order of [`EXTENTS`].
    pub extent: [f32; EXTENTS.len()],
    /// In the order of [`LIKELIHOODS`].
    pub likelihood: [f32; LIKELIHOODS.len()],
    /// Factor of what is not immediate.
    pub later: f32,
}

impl SeverityWeights {
    /// The weights of the unit that masses are given in: later effects count as much as immediate ones.
    ///
    /// SOURCE: guard-v0's README, "harm mass".
    pub const MASS: Self = Self { extent: [0.25, 0.5, 0.75, 1.0], likelihood: [0.15, 0.5, 0.85], later: 1.0 };

    /// The weight of every combination, in the order of [`severity`].
    pub fn table(&self) -> [f32; SEVERITIES] {
        let mut table = [0.0; SEVERITIES];
        let extents = self.extent.iter().enumerate();
        let pairs =
            extents.flat_map(|(e, x)| self.likelihood.iter().enumerate().map(move |(l, y)| (e, l, x * y)));
        for (extent, likelihood, weight) in pairs {
            for (immediate, factor) in [(false, self.later), (true, 1.0)] {
                if let Some(place) = table.get_mut(severity(extent, likelihood, immediate)) {
                    *place = weight * factor;
                }
            }
        }
        table
    }
}

impl ExpectedLeaves {
    /// The expected sum over the leaves of their weights: `leaves × Σ share × weight`, at least 0.
    pub fn mass(&self, weights: &[f32; SEVERITIES]) -> f32 {
        self.leaves * self.severity.iter().zip(weights).map(|(share, weight)| share * weight).sum::<f32>()
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
            benefits: (0..EFFECTS.len()).map(|effect| self.benefit(effect)).collect(),
        })
    }

    fn harm(&self, category: usize) -> ExpectedLeaves {
        let (presence, leaves) = self.count(&LeafLayout::HARM_PRESENCE, &LeafLayout::HARM_LEAVES, category);
        let own = CATEGORY_OF_ACTION.map(|of| of == category);
        let actions = self.block(&LeafLayout::HARM_ACTION, 0, ACTIONS.len());
        let masked: Vec<f32> = actions
            .iter()
            .zip(own)
            .map(|(logit, own)| if own { *logit } else { f32::NEG_INFINITY })
            .collect();
        ExpectedLeaves {
            presence,
            leaves,
            severity: shares(self.block(&LeafLayout::HARM_SEVERITY, category, SEVERITIES)),
            effect: shares(self.block(&LeafLayout::HARM_EFFECT, category, EFFECTS.len())),
            stakeholder: shares(self.block(&LeafLayout::HARM_STAKEHOLDER, category, STAKEHOLDERS.len())),
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
            effect: (0..EFFECTS.len()).map(|other| if other == effect { 1.0 } else { 0.0 }).collect(),
            stakeholder: shares(self.block(&LeafLayout::BENEFIT_STAKEHOLDER, effect, STAKEHOLDERS.len())),
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
        assert_eq!(severity(3, 2, true), SEVERITIES - 1);
        assert!(CATEGORY_OF_ACTION.is_sorted() && CATEGORY_OF_ACTION.last() == Some(&15));
    }

    #[test]
    fn the_unit_of_mass_is_extent_times_likelihood() {
        let table = SeverityWeights::MASS.table();
        assert_eq!(table[severity(0, 0, true)], 0.25 * 0.15);
        assert_eq!(table[severity(3, 2, false)], 0.85);
        let later = SeverityWeights { later: 0.0, ..SeverityWeights::MASS }.table();
        assert_eq!((later[severity(3, 2, false)], later[severity(3, 2, true)]), (0.0, 0.85));
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
                let own = harm.action.iter().zip(CATEGORY_OF_ACTION).filter(|(_, of)| *of == category);
                prop_assert!((own.map(|(share, _)| share).sum::<f32>() - 1.0).abs() < 1e-4);
            }
        }

        #[test]
        fn the_read_out_is_linear_in_the_weights(
            row in prop::collection::vec(-5.0_f32..5.0, LeafLayout::WIDTH), factor in 0.0_f32..4.0,
        ) {
            let tree = LeafLogits::from_row(&row).unwrap().tree().unwrap();
            let table = SeverityWeights::MASS.table();
            let scaled = table.map(|weight| weight * factor);
            for leaves in &tree.harms {
                let (one, other) = (leaves.mass(&table) * factor, leaves.mass(&scaled));
                prop_assert!((one - other).abs() <= 1e-3 * (1.0 + one));
            }
        }
    }
}
