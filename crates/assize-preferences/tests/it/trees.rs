//! Trees for tests: arbitrary ones of both kinds, and expected ones with given masses.

use assize_domain::{
    ActionCategory, BenefitBranch, Branch, Effect, ExpectedTree, Extent, HarmAction, HarmBranch, LeafCount,
    Likelihood, ReportedLeaf, ReportedTree, Severity, Shares, Stakeholder, Tree, TreeOutcome,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A leaf of this severity has mass one half.
const HALF: Severity = Severity { extent: Extent::Major, likelihood: Likelihood::Medium, immediate: true };

/// As many leaves of one half as give at least the mass, to a 512th.
pub(crate) fn leaves(mass: f64) -> LeafCount {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "masses of a few leaves")]
    let parts = (mass * 512.0).ceil() as u16;
    LeafCount::from_parts(parts)
}

fn branch(mass: f64) -> Branch {
    Branch {
        leaves: leaves(mass),
        presence: 255,
        severity: Shares::all_at(HALF.index()).unwrap(),
        stakeholder: Shares::all_at(Stakeholder::Public.index()).unwrap(),
    }
}

pub(crate) fn harm(category: ActionCategory, mass: f64) -> HarmBranch {
    let social = Shares::all_at(Effect::Social.index()).unwrap();
    HarmBranch { category, branch: branch(mass), effect: social, action: Shares::all_at(0).unwrap() }
}

/// A tree with these masses, in the unit they are told in; exact for multiples of a 512th.
pub(crate) fn with_masses(harms: &[(ActionCategory, f64)], benefit: f64) -> TreeOutcome {
    let harms = harms.iter().map(|(category, mass)| harm(*category, *mass)).collect();
    let benefit = BenefitBranch { effect: Effect::AccurateInformation, branch: branch(benefit) };
    TreeOutcome::Weighed(Tree::Expected(ExpectedTree::new(harms, vec![benefit])))
}

/// The expected tree with the harm of a category replaced; the others, and other outcomes, as they are.
pub(crate) fn set_harm(outcome: &mut TreeOutcome, category: ActionCategory, mass: f64) -> Option<()> {
    let TreeOutcome::Weighed(Tree::Expected(tree)) = outcome else { return None };
    let mut harms: Vec<_> = tree.harms().iter().copied().filter(|harm| harm.category != category).collect();
    harms.push(harm(category, mass));
    *tree = ExpectedTree::new(harms, tree.benefits().to_vec());
    Some(())
}

fn shares<const N: usize>() -> impl Strategy<Value = Shares<N>> {
    let amounts = prop::collection::vec(prop_oneof![Just(0.0_f32), 0.0_f32..1.0], N);
    amounts.prop_map(|mut amounts| {
        amounts[0] += 1e-3;
        Shares::in_proportion(&amounts.try_into().unwrap()).unwrap()
    })
}

fn count() -> impl Strategy<Value = LeafCount> {
    prop_oneof![Just(0_u16), Just(u16::MAX), 0..2_000_u16].prop_map(LeafCount::from_parts)
}

fn any_branch() -> impl Strategy<Value = Branch> {
    (count(), any::<u8>(), shares(), shares()).prop_map(|(leaves, presence, severity, stakeholder)| Branch {
        leaves,
        presence,
        severity,
        stakeholder,
    })
}

pub(crate) fn harm_branch() -> impl Strategy<Value = HarmBranch> {
    (select(&ActionCategory::ALL[..]), any_branch(), shares(), shares())
        .prop_map(|(category, branch, effect, action)| HarmBranch { category, branch, effect, action })
}

pub(crate) fn benefit_branch() -> impl Strategy<Value = BenefitBranch> {
    (select(&Effect::ALL[..]), any_branch()).prop_map(|(effect, branch)| BenefitBranch { effect, branch })
}

pub(crate) fn leaf() -> impl Strategy<Value = ReportedLeaf> {
    let one = |all: Vec<_>| option::weighted(0.9, select(all));
    let category = (one(ActionCategory::ALL.to_vec()), one(ActionCategory::ALL.to_vec()), any::<bool>())
        .prop_map(|(category, other, same)| (category, if same { category } else { other }));
    let harm = (category, option::weighted(0.9, select(&HarmAction::ALL[..])));
    let size = (
        option::weighted(0.9, select(&Extent::ALL[..])),
        option::weighted(0.9, select(&Likelihood::ALL[..])),
    );
    let rest = (option::weighted(0.9, select(&Effect::ALL[..])), select(&Stakeholder::ALL[..]));
    (harm, size, rest, option::weighted(0.9, any::<bool>())).prop_map(
        |(
            ((category, published_category), action),
            (extent, likelihood),
            (effect, stakeholder),
            immediate,
        )| ReportedLeaf {
            category,
            published_category,
            action,
            effect,
            stakeholder,
            extent,
            likelihood,
            immediate,
        },
    )
}

pub(crate) fn tree() -> impl Strategy<Value = Tree> {
    let harms = prop::collection::vec(harm_branch(), 0..6);
    let expected = (harms, prop::collection::vec(benefit_branch(), 0..6))
        .prop_map(|(harms, benefits)| ExpectedTree::new(harms, benefits))
        .boxed();
    // Most are short; a reporter writes up to some hundred.
    let leaves = || prop_oneof![4 => prop::collection::vec(leaf(), 0..12), 1 => prop::collection::vec(leaf(), 12..150)];
    let reported =
        (leaves(), leaves()).prop_map(|(harms, benefits)| ReportedTree { harms, benefits }).boxed();
    let both = (expected.clone(), reported.clone()).prop_map(|(one, other)| Tree::both(one, other));
    prop_oneof![
        3 => expected.prop_map(Tree::Expected),
        1 => reported.prop_map(Tree::Reported),
        1 => both,
    ]
}

/// Changes each kind of tree that there is.
fn change(tree: &mut Tree, mut one: impl FnMut(&mut Tree)) {
    let Tree::Both(both) = tree else { return one(tree) };
    let (mut expected, mut reported) = (both.expected().clone(), both.reported().clone());
    one(&mut expected);
    one(&mut reported);
    if let (Tree::Expected(expected), Tree::Reported(reported)) = (expected, reported) {
        *tree = Tree::both(expected, reported);
    }
}

/// More harm: a leaf more of a reported tree, more leaves of a branch of an expected one.
pub(crate) fn add_harm(tree: &mut Tree, branch: HarmBranch, leaf: ReportedLeaf) {
    change(tree, |tree| match tree {
        Tree::Both(_) => unreachable!("parted before"),
        Tree::Reported(tree) => tree.harms.push(leaf),
        Tree::Expected(tree) => {
            let mut harms = tree.harms().to_vec();
            match harms.iter_mut().find(|harm| harm.category == branch.category) {
                Some(harm) => harm.branch.leaves = harm.branch.leaves.max(branch.branch.leaves),
                None => harms.push(branch),
            }
            *tree = ExpectedTree::new(harms, tree.benefits().to_vec());
        }
    });
}

/// More benefit, likewise.
pub(crate) fn add_benefit(tree: &mut Tree, branch: BenefitBranch, leaf: ReportedLeaf) {
    change(tree, |tree| match tree {
        Tree::Both(_) => unreachable!("parted before"),
        Tree::Reported(tree) => tree.benefits.push(leaf),
        Tree::Expected(tree) => {
            let mut benefits = tree.benefits().to_vec();
            match benefits.iter_mut().find(|benefit| benefit.effect == branch.effect) {
                Some(benefit) => benefit.branch.leaves = benefit.branch.leaves.max(branch.branch.leaves),
                None => benefits.push(branch),
            }
            *tree = ExpectedTree::new(tree.harms().to_vec(), benefits);
        }
    });
}

/// Where a move falls, in whatever tree there is.
#[derive(Debug, Clone)]
pub(crate) struct Move {
    pub(crate) branch: Index,
    from: Index,
    to: Index,
    /// Which of extent, likelihood and immediacy of a reported leaf is raised.
    part: usize,
}

pub(crate) fn a_move() -> impl Strategy<Value = Move> {
    let places = (any::<Index>(), any::<Index>(), any::<Index>(), 0..3_usize);
    places.prop_map(|(branch, from, to, part)| Move { branch, from, to, part })
}

/// A share of a branch's severity goes to a worse one.
fn worsen_branch(branch: &mut Branch, at: &Move) {
    let all: Vec<Severity> = Severity::all().collect();
    let mut shares = *branch.severity.bytes();
    let (from, to) = (at.from.index(all.len()), at.to.index(all.len()));
    let (low, high) = (all[from], all[to]);
    if high.extent >= low.extent && high.likelihood >= low.likelihood && high.immediate >= low.immediate {
        let moved = shares[from];
        shares[from] -= moved;
        shares[to] += moved;
        branch.severity = Shares::from_bytes(shares).unwrap();
    }
}

/// A leaf is of more extent, likelier, or sooner; as it is where that can't be read or be more.
fn worsen_leaf(leaf: &mut ReportedLeaf, at: &Move) {
    match at.part {
        0 => leaf.extent = leaf.extent.map(|one| Extent::ALL.get(one.index() + 1).copied().unwrap_or(one)),
        1 => {
            let next = |one: Likelihood| Likelihood::ALL.get(one.index() + 1).copied().unwrap_or(one);
            leaf.likelihood = leaf.likelihood.map(next);
        }
        _ => leaf.immediate = leaf.immediate.map(|_| true),
    }
}

/// One harm becomes worse: more extent, likelier, or sooner.
pub(crate) fn worsen_harm(tree: &mut Tree, at: &Move) {
    change(tree, |tree| match tree {
        Tree::Reported(tree) if !tree.harms.is_empty() => worsen_leaf(at.branch.get_mut(&mut tree.harms), at),
        Tree::Expected(tree) if !tree.harms().is_empty() => {
            let mut harms = tree.harms().to_vec();
            worsen_branch(&mut at.branch.get_mut(&mut harms).branch, at);
            *tree = ExpectedTree::new(harms, tree.benefits().to_vec());
        }
        Tree::Reported(_) | Tree::Expected(_) | Tree::Both(_) => {}
    });
}

/// One benefit becomes larger, likewise.
pub(crate) fn improve_benefit(tree: &mut Tree, at: &Move) {
    change(tree, |tree| match tree {
        Tree::Reported(tree) if !tree.benefits.is_empty() => {
            worsen_leaf(at.branch.get_mut(&mut tree.benefits), at);
        }
        Tree::Expected(tree) if !tree.benefits().is_empty() => {
            let mut benefits = tree.benefits().to_vec();
            worsen_branch(&mut at.branch.get_mut(&mut benefits).branch, at);
            *tree = ExpectedTree::new(tree.harms().to_vec(), benefits);
        }
        Tree::Reported(_) | Tree::Expected(_) | Tree::Both(_) => {}
    });
}

/// The same tree with its branches or leaves in another order, which the numbers give.
pub(crate) fn shuffled(tree: &Tree, order: &[Index]) -> Tree {
    fn of<T: Copy>(all: &[T], order: &[Index]) -> Vec<T> {
        let mut rest = all.to_vec();
        let places = order.iter().cycle();
        let mut out = Vec::new();
        for place in places.take(all.len()) {
            out.push(rest.remove(place.index(rest.len())));
        }
        out
    }
    match tree {
        Tree::Expected(tree) => {
            Tree::Expected(ExpectedTree::new(of(tree.harms(), order), of(tree.benefits(), order)))
        }
        Tree::Reported(tree) => Tree::Reported(ReportedTree {
            harms: of(&tree.harms, order),
            benefits: of(&tree.benefits, order),
        }),
        Tree::Both(both) => match (shuffled(both.expected(), order), shuffled(both.reported(), order)) {
            (Tree::Expected(expected), Tree::Reported(reported)) => Tree::both(expected, reported),
            (expected, _) => expected,
        },
    }
}
