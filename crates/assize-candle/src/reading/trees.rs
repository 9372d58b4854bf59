//! Puts expected trees together, and hands the result to the domain in its few bits.

use crate::leaves::{ExpectedLeaves, ExpectedTree};
use assize_domain::{
    ActionCategory, BenefitBranch, Branch, Effect, HarmAction, HarmBranch, LeafCount, Shares, Tree,
    UnusableTree,
};

/// Branches with fewer leaves are not told of: together they come to less than a quarter of a leaf.
const LEAST_LEAVES: f32 = 1.0 / 64.0;

/// One tree for all windows of a text: of harms the heaviest branch of each category, of benefits the mean. Harm anywhere
/// is harm of the text, and one helpful paragraph must not pay for the rest.
pub(super) fn of_windows(windows: &[ExpectedTree]) -> ExpectedTree {
    let columns = |side: fn(&ExpectedTree) -> &Vec<ExpectedLeaves>| {
        let width = windows.first().map_or(0, |window| side(window).len());
        (0..width).map(move |place| windows.iter().filter_map(move |window| side(window).get(place)))
    };
    let harms = columns(|window| &window.harms).filter_map(|column| column.reduce(heavier).cloned());
    let benefits = columns(|window| &window.benefits).filter_map(|column| {
        #[expect(clippy::cast_precision_loss, reason = "a handful of windows")]
        let equal = 1.0 / windows.len().max(1) as f32;
        mixture(column.map(|leaves| (leaves, equal)))
    });
    ExpectedTree { harms: harms.collect(), benefits: benefits.collect() }
}

/// The heavier harms and the smaller benefit of two readings. `fresh`, in `[0, 1]`, is the chance that what the joined
/// reading shows was not the context's already: as far as it was, this turn doesn't answer for it.
pub(super) fn worse(alone: ExpectedTree, joined: ExpectedTree, fresh: f32) -> ExpectedTree {
    let both = alone.benefits.iter().zip(&joined.benefits);
    let mixed: Vec<_> = both
        .filter_map(|(mine, theirs)| mixture([(theirs, fresh), (mine, 1.0 - fresh)].into_iter()))
        .collect();
    let sum = |benefits: &[ExpectedLeaves]| benefits.iter().map(ExpectedLeaves::unit_mass).sum::<f32>();
    let benefits = if sum(&mixed) < sum(&alone.benefits) { mixed } else { alone.benefits };
    let harms = alone.harms.into_iter().zip(joined.harms).map(|(mine, theirs)| {
        let theirs =
            ExpectedLeaves { presence: theirs.presence * fresh, leaves: theirs.leaves * fresh, ..theirs };
        if theirs.unit_mass() > mine.unit_mass() { theirs } else { mine }
    });
    ExpectedTree { harms: harms.collect(), benefits }
}

/// The tree as the domain keeps it.
///
/// # Errors
/// [`UnusableTree::NotFinite`] when a number is not.
pub(super) fn narrow(tree: &ExpectedTree) -> Result<Tree, UnusableTree> {
    let told = |leaves: &ExpectedLeaves| leaves.leaves.is_nan() || leaves.leaves >= LEAST_LEAVES;
    let harms = ActionCategory::ALL.into_iter().zip(&tree.harms).filter(|(_, leaves)| told(leaves));
    let harms = harms.map(|(category, leaves)| harm(category, leaves));
    let benefits = Effect::ALL.into_iter().zip(&tree.benefits).filter(|(_, leaves)| told(leaves));
    let benefits = benefits.map(|(effect, leaves)| Some(BenefitBranch { effect, branch: branch(leaves)? }));
    let harms: Option<Vec<_>> = harms.collect();
    let benefits: Option<Vec<_>> = benefits.collect();
    let (harms, benefits) = harms.zip(benefits).ok_or(UnusableTree::NotFinite)?;
    Ok(Tree::Expected(assize_domain::ExpectedTree::new(harms, benefits)))
}

fn harm(category: ActionCategory, leaves: &ExpectedLeaves) -> Option<HarmBranch> {
    let own = leaves.action.iter().zip(HarmAction::ALL).filter(|(_, action)| action.category() == category);
    let mut action = [0.0; HarmBranch::MOST_ACTIONS];
    action.iter_mut().zip(own).for_each(|(place, (share, _))| *place = *share);
    Some(HarmBranch {
        category,
        branch: branch(leaves)?,
        effect: shares(&leaves.effect)?,
        action: Shares::in_proportion(&action)?,
    })
}

fn branch(leaves: &ExpectedLeaves) -> Option<Branch> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 255")]
    let presence = (leaves.presence.clamp(0.0, 1.0) * 255.0).round() as u8;
    Some(Branch {
        leaves: LeafCount::nearest(leaves.leaves)?,
        presence,
        severity: shares(&leaves.severity)?,
        stakeholder: shares(&leaves.stakeholder)?,
    })
}

fn shares<const N: usize>(amounts: &[f32]) -> Option<Shares<N>> {
    Shares::in_proportion(amounts.try_into().ok()?)
}

/// The one with more mass; the first of equal ones.
fn heavier<'a>(a: &'a ExpectedLeaves, b: &'a ExpectedLeaves) -> &'a ExpectedLeaves {
    if b.unit_mass() > a.unit_mass() { b } else { a }
}

/// Leaves drawn from several branches, each with its chance: counts add up, and shares do by the leaves that they are of.
fn mixture<'a>(parts: impl Iterator<Item = (&'a ExpectedLeaves, f32)>) -> Option<ExpectedLeaves> {
    let mut parts = parts.peekable();
    let (first, _) = parts.peek()?;
    let empty = |of: &[f32]| vec![0.0; of.len()];
    let mut all = ExpectedLeaves {
        presence: 0.0,
        leaves: 0.0,
        severity: empty(&first.severity),
        effect: first.effect.clone(),
        stakeholder: empty(&first.stakeholder),
        action: Vec::new(),
    };
    for (part, chance) in parts {
        let leaves = part.leaves * chance;
        all.presence += part.presence * chance;
        all.leaves += leaves;
        let add = |to: &mut [f32], from: &[f32]| {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from * leaves);
        };
        add(&mut all.severity, &part.severity);
        add(&mut all.stakeholder, &part.stakeholder);
    }
    let scale = |shares: &mut [f32]| {
        let sum: f32 = shares.iter().sum();
        if sum > 0.0 {
            shares.iter_mut().for_each(|share| *share /= sum);
        }
    };
    scale(&mut all.severity);
    scale(&mut all.stakeholder);
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaves::{LeafLayout, LeafLogits};
    use assize_domain::LeafWeights;
    use proptest::prelude::*;

    /// A tree whose first category and first effect have leaves with these log-odds.
    fn tree(harm: f32, benefit: f32) -> ExpectedTree {
        let mut row = [0.0; LeafLayout::WIDTH];
        row[LeafLayout::HARM_PRESENCE.start] = harm;
        row[LeafLayout::BENEFIT_PRESENCE.start] = benefit;
        LeafLogits::from_row(&row).unwrap().tree().unwrap()
    }

    fn any_tree() -> impl Strategy<Value = ExpectedTree> {
        let row = prop::collection::vec(-6.0_f32..6.0, LeafLayout::WIDTH);
        row.prop_map(|row| LeafLogits::from_row(&row).unwrap().tree().unwrap())
    }

    #[test]
    fn of_windows_the_largest_harms_count_and_the_mean_of_the_benefits() {
        let windows = [tree(-2.0, 3.0), tree(2.0, 1.0), tree(-4.0, -1.0)];
        let masses: Vec<_> = windows.iter().map(ExpectedTree::unit_masses).collect();
        let (harm, benefit) = of_windows(&windows).unit_masses();
        assert_eq!(harm, masses[1].0);
        let mean = masses.iter().map(|(_, benefit)| benefit).sum::<f32>() / 3.0;
        assert!((benefit - mean).abs() < 1e-4, "{benefit} {mean}");
    }

    proptest! {
        #[test]
        fn a_context_never_makes_a_turn_milder(
            alone in any_tree(), joined in any_tree(), fresh in 0.0_f32..=1.0,
        ) {
            let (harm, benefit) = alone.unit_masses();
            let both = worse(alone, joined, fresh).unit_masses();
            prop_assert!(both.0.iter().zip(harm).all(|(both, alone)| *both >= alone) && both.1 <= benefit);
        }

        #[test]
        fn what_the_domain_keeps_weighs_the_same(wide in any_tree()) {
            let (harm, benefit) = wide.unit_masses();
            let kept = narrow(&wide).unwrap().masses(&LeafWeights::UNIT);
            for (kept, wide) in kept.harm.into_iter().zip(harm) {
                prop_assert!((kept - f64::from(wide)).abs() < 0.02 * (1.0 + f64::from(wide)), "{kept} {wide}");
            }
            prop_assert!((kept.all_benefit() - f64::from(benefit)).abs() < 0.02 * (1.0 + f64::from(benefit)));
        }
    }
}
