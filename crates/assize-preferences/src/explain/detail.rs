//! The leaf that stands for a reason: of an expected tree the likeliest of the branch, of a reported one the heaviest.

use super::weighing::{self, Kind, leaf_mass, masses};
use crate::weights::Aggregation;
use assize_domain::{
    ActionCategory, Branch, Effect, Evidence, ExpectedTree, HarmAction, ReportedLeaf, ReportedTree, Severity,
    Stakeholder, Tree,
};

/// An action stands for its category where it has more than this share of it; otherwise several could be meant, and the
/// category is named.
const CLEAR_SHARE: f64 = 0.5;

/// What a reason can say beyond its category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Detail {
    /// Harm or benefit.
    pub(super) kind: Kind,
    /// The action, where it is clear.
    pub(super) action: Option<HarmAction>,
    /// What happens.
    pub(super) effect: Effect,
    /// To whom.
    pub(super) stakeholder: Stakeholder,
    /// How much, how likely, how soon.
    pub(super) severity: Severity,
}

/// The leaf behind a piece of evidence; `None` where the evidence is not of the tree, or the tree has no such leaf.
pub(super) fn detail(tree: &Tree, aggregation: &Aggregation, evidence: Evidence) -> Option<Detail> {
    match (evidence, tree) {
        (Evidence::Bias | Evidence::Guard(_), _) => None,
        (Evidence::Harm(_) | Evidence::Benefit, Tree::Both(both)) => {
            detail(aggregation.part(both), aggregation, evidence)
        }
        (Evidence::Harm(category), Tree::Expected(tree)) => likeliest_harm(tree, category),
        (Evidence::Benefit, Tree::Expected(expected)) => {
            // The benefit is one sum over all effects: the heaviest effect stands for it.
            let masses = masses(tree, aggregation).benefit;
            let mass = |effect: Effect| masses.get(effect.index()).copied().unwrap_or(0.0);
            let branches = expected.benefits().iter().rev();
            let heaviest = branches.max_by(|a, b| mass(a.effect).total_cmp(&mass(b.effect)))?;
            of_branch(&heaviest.branch, Kind::Benefit, heaviest.effect)
        }
        (Evidence::Harm(category), Tree::Reported(tree)) => heaviest_harm(tree, aggregation, category),
        (Evidence::Benefit, Tree::Reported(tree)) => {
            let leaves = tree.benefits.iter().map(|leaf| (leaf, leaf_mass(aggregation, Kind::Benefit, leaf)));
            of_leaf(heaviest(leaves)?, Kind::Benefit)
        }
    }
}

fn likeliest_harm(tree: &ExpectedTree, category: ActionCategory) -> Option<Detail> {
    let harm = tree.harms().iter().find(|harm| harm.category == category)?;
    let effect = Effect::ALL.get(harm.effect.largest()).copied()?;
    let share = harm.action.get(harm.action.largest());
    let action = harm.likeliest_action().filter(|_| share > CLEAR_SHARE);
    Some(Detail { action, ..of_branch(&harm.branch, Kind::Harm, effect)? })
}

fn of_branch(branch: &Branch, kind: Kind, effect: Effect) -> Option<Detail> {
    let (stakeholder, severity) = (branch.likeliest_stakeholder()?, branch.likeliest_severity()?);
    Some(Detail { kind, action: None, effect, stakeholder, severity })
}

fn heaviest_harm(tree: &ReportedTree, aggregation: &Aggregation, category: ActionCategory) -> Option<Detail> {
    // Sorted, so that sums are the same to the last bit in whatever order the leaves were written.
    let is_mine = |leaf: &&ReportedLeaf| weighing::category(aggregation, leaf) == Some(category);
    let mut mine: Vec<&ReportedLeaf> = tree.harms.iter().filter(is_mine).collect();
    mine.sort();
    let weighed = || mine.iter().map(|leaf| (*leaf, leaf_mass(aggregation, Kind::Harm, leaf)));
    let leaf = heaviest(weighed())?;
    let all: f64 = weighed().filter_map(|(_, mass)| mass).sum();
    let same = weighed().filter(|(other, _)| other.action == leaf.action).filter_map(|(_, mass)| mass);
    let is_clear = same.sum::<f64>() > CLEAR_SHARE * all;
    // A reporter may put an action under another category than its own; the reason is the category's.
    let action = leaf.action.filter(|action| is_clear && action.category() == category);
    Some(Detail { action, ..of_leaf(leaf, Kind::Harm)? })
}

/// The heaviest leaf that can be read; of equal ones the first in the order of leaves, wherever it was written.
fn heaviest<'a>(leaves: impl Iterator<Item = (&'a ReportedLeaf, Option<f64>)>) -> Option<&'a ReportedLeaf> {
    let readable = leaves.filter_map(|(leaf, mass)| Some((leaf, mass?)));
    // The published sum counts what has no readable effect; a sentence needs one.
    let readable = readable.filter(|(leaf, _)| leaf.effect.is_some());
    readable.max_by(|a, b| a.1.total_cmp(&b.1).then_with(|| b.0.cmp(a.0))).map(|(leaf, _)| leaf)
}

fn of_leaf(leaf: &ReportedLeaf, kind: Kind) -> Option<Detail> {
    let (effect, severity) = (leaf.effect?, leaf.severity()?);
    Some(Detail { kind, action: None, effect, stakeholder: leaf.stakeholder, severity })
}
