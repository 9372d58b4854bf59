//! SafetyAnalyst's published aggregation: a plain sum over the leaves of the tree, with 29 parameters in `[0, 1]`.
//!
//! ```text
//! score = Σ harms  A[category] · extent · likelihood · discount_if_not_immediate
//!       - weight · Σ benefits  extent · likelihood · discount_if_not_immediate
//! unsafe  <=>  score > 0,   probability = logistic(score)
//! ```
//!
//! Its quirks, all kept here so that its numbers can be had again:
//! - Nothing is normalised: a longer tree has a larger sum.
//! - Extents and likelihoods are *chained ratios*: major is 1, substantial is its ratio, significant its ratio times
//!   that, and so on down.
//! - The category is the first of the 16 whose title is found, letter for letter, in the action as written; an action
//!   without one weighs nothing. Nothing else here reads that category ([`ReportedLeaf::published_category`]).
//! - An extent or a likelihood in other words weighs nothing, and an effect whose immediacy is not a yes or a no is
//!   passed over. (Everywhere else in Assize what can't be read is told, never a silent zero.)
//! - A discount of 0 leaves immediate effects whole, because 0 to the power of 0 is 1.
//! - The effects themselves and the stakeholders don't count.
//! - Safe is `score ≤ 0`, however small the score: decided on the score, as its logistic is one half to rounding already
//!   at 1e-17. A tree without leaves is safe with probability one half.
//!
//! Of an expected tree the sum is its expectation. Its fit to harms or benefits alone (23 parameters) is left out.
//!
//! SOURCE: Li et al. 2024, `src/aggregation.py` of the authors' repository at its commit of October 2025.

use crate::keys;
use crate::weights::entries;
use assize_domain::{ActionCategory, Extent, Likelihood, ReportedLeaf, Severity, Tree};

/// The 29 parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct SafetyAnalyst {
    /// Weight of harm by action category, in the order of [`ActionCategory::ALL`].
    pub action: [f64; ActionCategory::COUNT],
    /// How harmful leaves weigh.
    pub harm: Side,
    /// How beneficial leaves weigh.
    pub benefit: Side,
    /// Weight of all benefits relative to harms.
    pub benefit_weight: f64,
}

/// What the leaves of one side weigh.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Ratios of minor, significant and substantial extent.
    pub extent_ratios: [f64; Extent::COUNT - 1],
    /// Ratios of low and medium likelihood.
    pub likelihood_ratios: [f64; Likelihood::COUNT - 1],
    /// Discount of what is not immediate.
    pub later: f64,
}

/// What the leaves of a tree come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sums {
    /// Before the weights of the categories.
    pub(crate) harm: [f64; ActionCategory::COUNT],
    /// Before their weight.
    pub(crate) benefit: f64,
}

impl Side {
    /// The weight of every severity, in the order of [`Severity::index`].
    pub(crate) fn by_severity(&self) -> [f64; Severity::COUNT] {
        let mut table = [0.0; Severity::COUNT];
        for (place, severity) in table.iter_mut().zip(Severity::all()) {
            let extent = chained(&self.extent_ratios, severity.extent.index());
            let likelihood = chained(&self.likelihood_ratios, severity.likelihood.index());
            *place = extent * likelihood * if severity.immediate { 1.0 } else { self.later };
        }
        table
    }
}

/// The product of the ratios from `place` up to the last; 1 above it.
fn chained(ratios: &[f64], place: usize) -> f64 {
    ratios.iter().skip(place).product()
}

impl SafetyAnalyst {
    /// The sums over a tree's leaves.
    pub(crate) fn sums(&self, tree: &Tree) -> Sums {
        let (harm_table, benefit_table) = (self.harm.by_severity(), self.benefit.by_severity());
        let mut sums = Sums { harm: [0.0; ActionCategory::COUNT], benefit: 0.0 };
        match tree {
            Tree::Expected(tree) => {
                for harm in tree.harms() {
                    let sum = harm.branch.leaves.get() * harm.branch.severity.mean(&harm_table);
                    sums.add(harm.category, sum);
                }
                let benefits = tree.benefits().iter().map(|benefit| &benefit.branch);
                sums.benefit = benefits.map(|b| b.leaves.get() * b.severity.mean(&benefit_table)).sum();
            }
            Tree::Both(both) => return self.sums(both.reported()),
            Tree::Reported(tree) => {
                let mut counts = [Counts::default(); ActionCategory::COUNT];
                for leaf in &tree.harms {
                    let place = leaf.published_category.map(ActionCategory::index);
                    if let Some(counts) = place.and_then(|place| counts.get_mut(place)) {
                        counts.add(leaf);
                    }
                }
                sums.harm = counts.map(|counts| counts.sum(&harm_table));
                sums.benefit = Counts::of(&tree.benefits).sum(&benefit_table);
            }
        }
        sums
    }

    /// Every parameter by its key in a profile file, in the published order.
    pub(crate) fn by_key(&self) -> Vec<(String, f64)> {
        let groups: [(keys::Key, &[f64]); 8] = [
            (keys::SA_ACTION, &self.action),
            (keys::SA_HARM_EXTENT, &self.harm.extent_ratios),
            (keys::SA_HARM_LIKELIHOOD, &self.harm.likelihood_ratios),
            (keys::SA_HARM_LATER, &[self.harm.later]),
            (keys::SA_BENEFIT_EXTENT, &self.benefit.extent_ratios),
            (keys::SA_BENEFIT_LIKELIHOOD, &self.benefit.likelihood_ratios),
            (keys::SA_BENEFIT_LATER, &[self.benefit.later]),
            (keys::SA_BENEFIT_WEIGHT, &[self.benefit_weight]),
        ];
        let named = groups.into_iter().map(|(key, numbers)| match (key.entries, numbers) {
            ([], [number, ..]) => vec![(key.name.to_owned(), *number)],
            (ids, numbers) => entries(key.name, ids, numbers),
        });
        named.flatten().collect()
    }
}

impl Sums {
    fn add(&mut self, category: ActionCategory, sum: f64) {
        if let Some(found) = self.harm.get_mut(category.index()) {
            *found += sum;
        }
    }
}

/// How many leaves there are of each severity: a sum over these is the same to the last bit, in whatever order the leaves
/// were written. One of which a word is unknown is in none, and weighs nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts([u32; Severity::COUNT]);

impl Counts {
    fn of(leaves: &[ReportedLeaf]) -> Self {
        let mut counts = Self::default();
        leaves.iter().for_each(|leaf| counts.add(leaf));
        counts
    }

    pub(crate) fn add(&mut self, leaf: &ReportedLeaf) {
        let place = leaf.severity().map(Severity::index);
        if let Some(count) = place.and_then(|place| self.0.get_mut(place)) {
            *count += 1;
        }
    }

    pub(crate) fn sum(&self, table: &[f64; Severity::COUNT]) -> f64 {
        // Begins at 0.0: the sum of no numbers is -0.0 otherwise.
        self.0.iter().zip(table).fold(0.0, |sum, (count, weight)| sum + f64::from(*count) * weight)
    }
}
