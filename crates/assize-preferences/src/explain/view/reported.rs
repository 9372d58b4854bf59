//! Branches of a reported tree: the leaves that count, grouped.

use super::{BranchView, LeafView, NOT_NAMED, Named, category, effect, leaf};
use crate::explain::weighing::{self, Kind};
use crate::profile::Profile;
use crate::weights::Aggregation;
use assize_domain::{ActionCategory, Effect, ReportedLeaf, ReportedTree};

/// A branch for each category with a leaf that can be read, unweighed.
pub(super) fn harms(tree: &ReportedTree, profile: &Profile) -> Vec<BranchView> {
    let branch = |of: ActionCategory| {
        let is_mine = |leaf: &&ReportedLeaf| weighing::category(profile.aggregation(), leaf) == Some(of);
        let mine = tree.harms.iter().filter(is_mine);
        group(category(of), Kind::Harm, mine, profile)
    };
    ActionCategory::ALL.into_iter().filter_map(branch).collect()
}

/// A branch for each effect with a leaf that can be read, and one for what counts without a name, unweighed.
pub(super) fn benefits(tree: &ReportedTree, profile: &Profile) -> Vec<BranchView> {
    let branch = |of: Option<Effect>| {
        let mine = tree.benefits.iter().filter(move |leaf| leaf.effect == of);
        let name = of.map_or(NOT_NAMED, |of| effect(of, Kind::Benefit));
        group(name, Kind::Benefit, mine, profile)
    };
    Effect::ALL.into_iter().map(Some).chain([None]).filter_map(branch).collect()
}

fn group<'a>(
    name: Named,
    kind: Kind,
    leaves: impl Iterator<Item = &'a ReportedLeaf>,
    profile: &Profile,
) -> Option<BranchView> {
    // Of leaves that weigh the same the order is theirs, not that of writing.
    let mut leaves: Vec<&ReportedLeaf> = leaves.collect();
    leaves.sort();
    let mut leaves: Vec<LeafView> = leaves.into_iter().filter_map(|one| leaf(one, kind, profile)).collect();
    leaves.sort_by(|a, b| b.mass.total_cmp(&a.mass));
    if leaves.is_empty() {
        return None;
    }
    match profile.aggregation() {
        Aggregation::Assize(_) => only_heaviest_count(&mut leaves),
        Aggregation::SafetyAnalyst(_) => {}
    }
    #[expect(clippy::cast_precision_loss, reason = "leaves of one text, far below 2^52")]
    let count = leaves.len() as f64;
    Some(BranchView { examples: leaves, ..BranchView::new(name, count, 1.0) })
}

/// Of leaves with one effect, which stand heaviest first, the first counts.
fn only_heaviest_count(leaves: &mut [LeafView]) {
    let mut told: Vec<&'static str> = Vec::new();
    for leaf in leaves {
        leaf.counts = !told.contains(&leaf.effect.id);
        told.push(leaf.effect.id);
    }
}
