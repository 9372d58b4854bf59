//! The tree as data: whole, summing to what was decided on, and ready for JSON.

use super::scenes;
use crate::arbitrary::{assessment, profiles, values};
use assize_domain::{Evidence, ReportedTree, Tree, TreeOutcome};
use assize_preferences::{BranchView, TreeForm, TreeView, decide, tree_view};
use proptest::prelude::*;

/// Sums of some hundred products.
const TOLERANCE: f64 = 1e-9;

/// Points of all branches for one subject.
fn points(branches: &[BranchView], subject: usize) -> f64 {
    branches.iter().map(|branch| branch.points[subject].points).sum()
}

/// To nine digits: logarithms of one machine and of another may differ in the last.
fn rounded(mut view: TreeView) -> TreeView {
    let round = |number: &mut f64| *number = (*number * 1e9).round() / 1e9;
    for branch in view.harms.iter_mut().chain(&mut view.benefits) {
        round(&mut branch.mass);
        branch.points.iter_mut().for_each(|points| round(&mut points.points));
        branch.examples.iter_mut().for_each(|leaf| round(&mut leaf.mass));
    }
    view
}

#[test]
fn an_expected_tree_as_json() {
    let mut view = tree_view(&scenes::both(), &scenes::shipped("default"));
    view.harms.truncate(1);
    view.benefits.truncate(1);
    insta::assert_json_snapshot!("expected", rounded(view));
}

#[test]
fn a_reported_tree_as_json() {
    let mut view = tree_view(&scenes::reported(), &scenes::shipped("default"));
    assert_eq!(view.unreadable, 2);
    let leaves = |branches: &[BranchView]| branches.iter().map(|branch| branch.examples.len()).sum::<usize>();
    assert_eq!(leaves(&view.harms) + leaves(&view.benefits), 58);
    view.harms.truncate(1);
    view.harms[0].examples.truncate(2);
    view.benefits.truncate(1);
    insta::assert_json_snapshot!("reported", rounded(view));
}

#[test]
fn a_missing_tree_says_why() {
    let check = |tree, form| {
        let view = tree_view(&scenes::assessment((0.5, 0.0), None, tree), &scenes::shipped("default"));
        assert_eq!((view.form, view.harms.len(), view.benefits.len()), (form, 0, 0));
    };
    check(TreeOutcome::NotRequested, TreeForm::NotRequested);
    check(TreeOutcome::Unusable(assize_domain::UnusableTree::NotFinite), TreeForm::Unusable);
}

#[test]
fn the_published_aggregation_has_a_view_too() {
    let profile = scenes::shipped("safetyanalyst");
    for scene in [scenes::harmful(), scenes::reported()] {
        let (view, verdict) = (tree_view(&scene, &profile), decide(&scene, &profile));
        let sum = points(&view.harms, 0) + points(&view.benefits, 0);
        assert!((sum - verdict.subjects[0].score).abs() <= TOLERANCE, "{sum} {verdict:?}");
    }
}

#[test]
fn bug_what_counts_without_a_name_is_shown() {
    let mut scene = scenes::reported();
    let TreeOutcome::Weighed(Tree::Reported(tree)) = &mut scene.tree else { panic!("another tree") };
    tree.harms.iter_mut().chain(&mut tree.benefits).for_each(|leaf| leaf.effect = None);
    let profile = scenes::shipped("safetyanalyst");
    let (view, verdict) = (tree_view(&scene, &profile), decide(&scene, &profile));
    let sum = points(&view.harms, 0) + points(&view.benefits, 0);
    assert!((sum - verdict.subjects[0].score).abs() <= TOLERANCE && sum != 0.0, "{sum} {verdict:?}");
    assert_eq!((view.benefits.len(), view.benefits[0].name.title), (1, "(not named)"));
    assert_eq!(view.harms[0].examples[0].effect.id, "not_named");
    assert!(assize_preferences::tree_svg(&view, &verdict).contains("(not named)"));
    // Ours needs the effect.
    assert!(tree_view(&scene, &scenes::shipped("default")).harms.is_empty());
}

proptest! {
    #[test]
    fn branches_sum_to_what_was_decided_on(a in assessment(), profile in profiles()) {
        let (view, verdict) = (tree_view(&a, &profile), decide(&a, &profile));
        for (place, subject) in verdict.subjects.iter().enumerate() {
            let of = |is_it: &dyn Fn(Evidence) -> bool| {
                subject.contributions.iter().filter(|c| is_it(c.evidence)).map(|c| c.points).sum::<f64>()
            };
            let harm = of(&|evidence| matches!(evidence, Evidence::Harm(_)));
            prop_assert!((points(&view.harms, place) - harm).abs() <= TOLERANCE, "{:?}", view);
            let benefit = of(&|evidence| evidence == Evidence::Benefit);
            prop_assert!((points(&view.benefits, place) - benefit).abs() <= TOLERANCE, "{:?}", view);
        }
    }

    #[test]
    fn branches_are_what_the_tree_is(a in assessment(), v in values()) {
        let view = tree_view(&a, &v.profile());
        for branch in view.harms.iter().chain(&view.benefits) {
            prop_assert!(branch.mass >= 0.0 && branch.mass.is_finite());
            let likely: f64 = branch.examples.iter().map(|leaf| leaf.probability).sum();
            let is_expected = branch.shares.is_some();
            prop_assert!(!is_expected || likely <= 1.0 + TOLERANCE);
            prop_assert!(is_expected || branch.examples.is_sorted_by(|a, b| a.mass >= b.mass));
            if !is_expected {
                let counted: f64 = branch.examples.iter().filter(|leaf| leaf.counts).map(|leaf| leaf.mass).sum();
                prop_assert!((counted - branch.mass).abs() <= TOLERANCE, "{:?}", branch);
            }
            for shares in branch.shares.iter() {
                for all in [&shares.stakeholder, &shares.extent, &shares.likelihood] {
                    let sum: f64 = all.iter().map(|share| share.share).sum();
                    prop_assert!((sum - 1.0).abs() <= TOLERANCE, "{:?}", shares);
                }
            }
        }
        let shown = a.tree.tree().filter(|_| view.form == TreeForm::Reported);
        let unreadable = shown.and_then(Tree::reported).map_or(0, ReportedTree::unreadable);
        prop_assert_eq!(view.unreadable, unreadable);
    }
}
