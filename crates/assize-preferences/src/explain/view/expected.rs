//! Branches of an expected tree: how their leaves are shared out, and the likeliest of them.

use super::{BranchView, LeafView, Named, Share, SharesView, category, effect, leaf};
use crate::explain::phrases;
use crate::explain::weighing::Kind;
use crate::profile::Profile;
use assize_domain::{
    ActionCategory, Branch, Effect, ExpectedTree, Extent, HarmAction, HarmBranch, Likelihood, ReportedLeaf,
    Severity, Shares, Stakeholder,
};

/// So many leaves of a branch are shown: enough to see what it is about, each less likely than the one before.
const MOST_LEAVES: usize = 3;

/// A branch for each category, unweighed.
pub(super) fn harms(tree: &ExpectedTree, profile: &Profile) -> Vec<BranchView> {
    tree.harms().iter().map(|harm| of_harm(harm, profile)).collect()
}

/// A branch for each effect, unweighed.
pub(super) fn benefits(tree: &ExpectedTree, profile: &Profile) -> Vec<BranchView> {
    let of_benefit = |benefit: &assize_domain::BenefitBranch| {
        let places = Places {
            kind: Kind::Benefit,
            category: None,
            actions: vec![(None, 1.0)],
            effects: vec![(benefit.effect, 1.0)],
        };
        let shares = shares(&benefit.branch, Vec::new(), Vec::new());
        view(
            effect(benefit.effect, Kind::Benefit),
            &benefit.branch,
            shares,
            likeliest(&benefit.branch, &places, profile),
        )
    };
    tree.benefits().iter().map(of_benefit).collect()
}

/// What a branch's leaves can be, with shares, the largest first.
struct Places {
    kind: Kind,
    category: Option<ActionCategory>,
    actions: Vec<(Option<HarmAction>, f64)>,
    effects: Vec<(Effect, f64)>,
}

fn of_harm(harm: &HarmBranch, profile: &Profile) -> BranchView {
    let action = |place: usize| harm.category.actions().nth(place);
    let places = Places {
        kind: Kind::Harm,
        category: Some(harm.category),
        actions: ranked(&harm.action).into_iter().map(|(place, share)| (action(place), share)).collect(),
        effects: ranked(&harm.effect)
            .into_iter()
            .filter_map(|(p, s)| Some((*Effect::ALL.get(p)?, s)))
            .collect(),
    };
    let named = |(action, share): &(Option<HarmAction>, f64)| {
        let name = action.map(|action| Named { id: action.id(), title: action.title() })?;
        Some(Share { name, share: *share })
    };
    let actions = places.actions.iter().filter_map(named).collect();
    let of_effect = |(one, share): &(Effect, f64)| Share { name: effect(*one, Kind::Harm), share: *share };
    let effects = places.effects.iter().map(of_effect).collect();
    let shares = shares(&harm.branch, actions, effects);
    view(category(harm.category), &harm.branch, shares, likeliest(&harm.branch, &places, profile))
}

fn view(name: Named, branch: &Branch, shares: SharesView, examples: Vec<LeafView>) -> BranchView {
    BranchView {
        shares: Some(shares),
        examples,
        ..BranchView::new(name, branch.leaves.get(), branch.presence())
    }
}

fn shares(branch: &Branch, action: Vec<Share>, effect: Vec<Share>) -> SharesView {
    let of = |is_it: &dyn Fn(Severity) -> bool| {
        let all = Severity::all().enumerate().filter(|(_, severity)| is_it(*severity));
        all.map(|(place, _)| branch.severity.get(place)).sum::<f64>() + 0.0
    };
    let extent = Extent::ALL.map(|extent| {
        let name = Named { id: extent.id(), title: phrases::extent(extent) };
        Share { name, share: of(&|severity| severity.extent == extent) }
    });
    let likelihood = Likelihood::ALL.map(|likelihood| {
        let name = Named { id: likelihood.id(), title: phrases::likelihood(likelihood) };
        Share { name, share: of(&|severity| severity.likelihood == likelihood) }
    });
    let stakeholder = Stakeholder::ALL.map(|stakeholder| {
        let name = Named { id: stakeholder.id(), title: phrases::stakeholder(stakeholder) };
        Share { name, share: branch.stakeholder.get(stakeholder.index()) }
    });
    SharesView {
        action,
        effect,
        stakeholder: largest_first(stakeholder.to_vec()),
        extent: largest_first(extent.to_vec()),
        likelihood: largest_first(likelihood.to_vec()),
        immediate: of(&|severity| severity.immediate),
    }
}

fn largest_first(mut shares: Vec<Share>) -> Vec<Share> {
    shares.retain(|share| share.share > 0.0);
    shares.sort_by(|a, b| b.share.total_cmp(&a.share));
    shares
}

/// Places with a share, the largest first, of equal ones the first.
fn ranked<const N: usize>(shares: &Shares<N>) -> Vec<(usize, f64)> {
    let mut places: Vec<(usize, f64)> = (0..N).map(|place| (place, shares.get(place))).collect();
    places.retain(|(_, share)| *share > 0.0);
    places.sort_by(|a, b| b.1.total_cmp(&a.1));
    places
}

/// The leaves with the largest products of shares.
fn likeliest(branch: &Branch, places: &Places, profile: &Profile) -> Vec<LeafView> {
    if branch.leaves.parts() == 0 {
        return Vec::new();
    }
    let all: Vec<Severity> = Severity::all().collect();
    let severities = ranked(&branch.severity).into_iter().filter_map(|(p, s)| Some((*all.get(p)?, s)));
    let stakeholders = ranked(&branch.stakeholder).into_iter();
    let stakeholders = stakeholders.filter_map(|(p, s)| Some((*Stakeholder::ALL.get(p)?, s)));
    let nothing = ReportedLeaf {
        category: places.category,
        published_category: places.category,
        action: None,
        effect: None,
        stakeholder: Stakeholder::User,
        extent: None,
        likelihood: None,
        immediate: None,
    };
    let leaves = spread(&[(nothing, 1.0)], stakeholders, |leaf, stakeholder| leaf.stakeholder = stakeholder);
    let leaves = spread(&leaves, places.actions.iter().copied(), |leaf, action| leaf.action = action);
    let leaves = spread(&leaves, places.effects.iter().copied(), |leaf, effect| leaf.effect = Some(effect));
    let leaves = spread(&leaves, severities, |leaf, severity| {
        leaf.extent = Some(severity.extent);
        leaf.likelihood = Some(severity.likelihood);
        leaf.immediate = Some(severity.immediate);
    });
    let view = |(one, p): &(ReportedLeaf, f64)| {
        Some(LeafView { probability: *p, ..leaf(one, places.kind, profile)? })
    };
    leaves.iter().filter_map(view).collect()
}

/// Each leaf in each place, with the product of the shares; the likeliest of them. None of the others can become one of
/// the likeliest again, because what follows is shared out apart.
fn spread<T: Copy>(
    leaves: &[(ReportedLeaf, f64)],
    places: impl Iterator<Item = (T, f64)>,
    set: impl Fn(&mut ReportedLeaf, T),
) -> Vec<(ReportedLeaf, f64)> {
    let places: Vec<(T, f64)> = places.take(MOST_LEAVES).collect();
    let put = |(leaf, probability): &(ReportedLeaf, f64), (place, share): &(T, f64)| {
        let mut leaf = *leaf;
        set(&mut leaf, *place);
        (leaf, probability * share)
    };
    let mut spread: Vec<_> =
        leaves.iter().flat_map(|leaf| places.iter().map(move |place| put(leaf, place))).collect();
    spread.sort_by(|a: &(ReportedLeaf, f64), b| b.1.total_cmp(&a.1));
    spread.truncate(MOST_LEAVES);
    spread
}
