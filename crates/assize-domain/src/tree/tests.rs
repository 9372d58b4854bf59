//! What trees weigh, and that what is kept in few bits is kept exactly.

use super::*;
use crate::{Effect, Extent, Likelihood, Severity, Stakeholder};

const SEVERITY: Severity = Severity { extent: Extent::Major, likelihood: Likelihood::High, immediate: false };

fn branch(leaves: f32) -> Branch {
    Branch {
        leaves: LeafCount::nearest(leaves).unwrap(),
        presence: 200,
        severity: Shares::all_at(SEVERITY.index()).unwrap(),
        stakeholder: Shares::in_proportion(&[1.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap(),
    }
}

fn expected() -> Tree {
    let harm = HarmBranch {
        category: ActionCategory::Privacy,
        branch: branch(2.0),
        effect: Shares::all_at(Effect::Social.index()).unwrap(),
        action: Shares::all_at(1).unwrap(),
    };
    let benefit = BenefitBranch { effect: Effect::Death, branch: branch(1.0) };
    Tree::Expected(ExpectedTree::new(vec![harm, harm], vec![benefit]))
}

fn leaf(extent: Extent, immediate: bool) -> ReportedLeaf {
    ReportedLeaf {
        category: Some(ActionCategory::Privacy),
        published_category: None,
        action: None,
        effect: Some(Effect::Social),
        stakeholder: Stakeholder::Children,
        extent: Some(extent),
        likelihood: Some(Likelihood::High),
        immediate: Some(immediate),
    }
}

#[test]
fn the_unit_is_extent_times_likelihood() {
    let masses = expected().masses(&LeafWeights::UNIT);
    assert!((masses.harm_in(ActionCategory::Privacy) - 2.0 * 0.85).abs() < 1e-12, "{masses:?}");
    assert!((masses.all_harm() - 1.7).abs() < 1e-12 && (masses.all_benefit() - 0.85).abs() < 1e-12);
}

#[test]
fn bug_of_two_branches_of_one_kind_the_larger_stays_whatever_their_order() {
    let harm = |leaves: f32, action: usize| HarmBranch {
        category: ActionCategory::Privacy,
        branch: branch(leaves),
        effect: Shares::all_at(0).unwrap(),
        action: Shares::all_at(action).unwrap(),
    };
    let benefit = |leaves: f32| BenefitBranch { effect: Effect::Death, branch: branch(leaves) };
    let tree = |harms: [HarmBranch; 3], benefits: [BenefitBranch; 2]| {
        ExpectedTree::new(harms.to_vec(), benefits.to_vec())
    };
    let one = tree([harm(1.0, 0), harm(2.0, 0), harm(2.0, 1)], [benefit(0.5), benefit(3.0)]);
    let other = tree([harm(2.0, 1), harm(2.0, 0), harm(1.0, 0)], [benefit(3.0), benefit(0.5)]);
    assert_eq!(one, other);
    assert_eq!(one.harms().len(), 1);
    assert_eq!((one.harms()[0].branch.leaves.get(), one.benefits()[0].branch.leaves.get()), (2.0, 3.0));
}

#[test]
fn every_weight_counts() {
    let weigh = |change: &dyn Fn(&mut LeafWeights)| {
        let mut weights = LeafWeights::UNIT;
        change(&mut weights);
        expected().masses(&weights).all_harm() / 1.7
    };
    assert!((weigh(&|w| w.later = 0.5) - 0.5).abs() < 1e-9);
    assert!((weigh(&|w| w.extent[3] = 0.5) - 0.5).abs() < 1e-9);
    assert!((weigh(&|w| w.likelihood[2] = 0.17) - 0.2).abs() < 1e-9);
    assert!((weigh(&|w| w.effect[Effect::Social.index()] = 3.0) - 3.0).abs() < 1e-9);
    // Three quarters of those affected are children; shares are within a 255th.
    assert!((weigh(&|w| w.stakeholder[Stakeholder::Children.index()] = 0.0) - 0.25).abs() < 1.0 / 255.0);
}

#[test]
fn what_is_said_twice_counts_once() {
    let mut tree = ReportedTree { harms: vec![leaf(Extent::Major, true)], benefits: Vec::new() };
    let once = Tree::Reported(tree.clone()).masses(&LeafWeights::UNIT);
    assert!((once.all_harm() - 0.85).abs() < 1e-12);
    tree.harms.push(leaf(Extent::Minor, true));
    tree.harms.push(leaf(Extent::Major, false));
    assert_eq!(Tree::Reported(tree.clone()).masses(&LeafWeights::UNIT), once);
    let other = ReportedLeaf { effect: Some(Effect::Death), ..leaf(Extent::Major, true) };
    tree.harms.push(other);
    assert!(Tree::Reported(tree).masses(&LeafWeights::UNIT).all_harm() > once.all_harm());
}

#[test]
fn what_cannot_be_read_is_counted_and_not_weighed() {
    let unreadable = [
        ReportedLeaf { extent: None, ..leaf(Extent::Major, true) },
        ReportedLeaf { effect: None, ..leaf(Extent::Major, true) },
        ReportedLeaf { category: None, ..leaf(Extent::Major, true) },
    ];
    let tree = ReportedTree { harms: unreadable.to_vec(), benefits: unreadable[..1].to_vec() };
    assert_eq!(tree.unreadable(), 4);
    let tree = Tree::Reported(tree);
    assert!(tree.is_partial());
    assert_eq!(tree.masses(&LeafWeights::UNIT).all_harm(), 0.0);
}

#[test]
fn shares_sum_to_one_and_read_back() {
    let thirds = Shares::in_proportion(&[1.0, 1.0, 1.0, 0.0]).unwrap();
    assert_eq!(thirds.bytes(), &[85, 85, 85, 0]);
    let shares = Shares::in_proportion(&[0.7, 0.2, 0.1, 1e-9]).unwrap();
    assert_eq!(Shares::from_bytes(*shares.bytes()), Some(shares));
    assert!((shares.get(0) - 0.7).abs() < 1.0 / 255.0 && shares.largest() == 0);
    assert!((shares.mean(&[1.0, 1.0, 1.0, 1.0]) - 1.0).abs() < 1e-12);
    for amounts in [[0.0; 4], [1.0, -0.1, 0.0, 0.0], [f32::NAN; 4], [f32::INFINITY, 0.0, 0.0, 0.0]] {
        assert_eq!(Shares::in_proportion(&amounts), None, "{amounts:?}");
    }
    assert_eq!(Shares::from_bytes([255, 1]), None);
    assert_eq!(Shares::<4>::all_at(4), None);
}

#[test]
fn counts_are_kept_to_a_256th() {
    assert_eq!(LeafCount::nearest(1.5).map(LeafCount::get), Some(1.5));
    assert_eq!(LeafCount::nearest(1e9).map(LeafCount::parts), Some(u16::MAX));
    assert_eq!(LeafCount::nearest(-1.0), None);
    assert_eq!(LeafCount::nearest(f32::NAN), None);
}

#[test]
fn the_harm_of_one_category_is_that_among_all() {
    let reported =
        Tree::Reported(ReportedTree { harms: vec![leaf(Extent::Major, true)], benefits: Vec::new() });
    for tree in [expected(), reported] {
        let masses = tree.masses(&LeafWeights::UNIT);
        for category in ActionCategory::ALL {
            assert_eq!(tree.harm_in(category, &LeafWeights::UNIT), masses.harm_in(category), "{category:?}");
        }
        assert!(masses.all_harm() > 0.0);
    }
}

#[test]
fn the_table_of_severities_is_in_their_order() {
    let weights = LeafWeights { extent: [0.1, 0.2, 0.4, 0.8], later: 0.3, ..LeafWeights::UNIT };
    for (severity, weight) in Severity::all().zip(weights.by_severity()) {
        assert_eq!(weight, weights.severity(severity), "{severity:?}");
    }
}
