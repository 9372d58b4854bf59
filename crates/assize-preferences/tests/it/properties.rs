//! The formula, for whatever assessment and whatever valid profile: what sums to what, and which way each thing moves it.

use crate::arbitrary::{Values, assessment, profiles, score, threshold, values};
use crate::trees;
use assize_domain::{
    ActionCategory, Assessment, BenefitBranch, DecidedBy, Decision, Degradation, GuardHead, HarmBranch,
    PromptScores, ReportedLeaf, ResponseScores, Score, Subject, Tree, TreeOutcome, Verdict,
};
use assize_preferences::{decide, tree_view};
use proptest::prelude::*;
use proptest::sample::Index;

/// Two units in the last place of a harmfulness near 1: what `exp` of one machine and of another may differ by.
const ROUNDING: f64 = 4e-16;

/// Scores that differ by less may be the same sum, rounded otherwise.
const SAME_SCORE: f64 = 1e-9;

/// Something in an assessment that can be raised.
#[derive(Debug, Clone)]
enum Raised {
    Harm(HarmBranch, ReportedLeaf),
    WorseHarm(trees::Move),
    PromptHarmful(Score),
    ResponseHarmful(Score),
    Adversarial(Score),
    Benefit(BenefitBranch, ReportedLeaf),
    MoreBenefit(trees::Move),
    Refusal(Score),
}

/// What speaks against a conversation.
fn against() -> impl Strategy<Value = Raised> {
    prop_oneof![
        2 => (trees::harm_branch(), trees::leaf()).prop_map(|(branch, leaf)| Raised::Harm(branch, leaf)),
        2 => trees::a_move().prop_map(Raised::WorseHarm),
        1 => score().prop_map(Raised::PromptHarmful),
        1 => score().prop_map(Raised::ResponseHarmful),
        1 => score().prop_map(Raised::Adversarial),
    ]
}

/// What speaks for a conversation.
fn in_favour() -> impl Strategy<Value = Raised> {
    let benefit = (trees::benefit_branch(), readable_leaf());
    let benefit = benefit.prop_map(|(branch, leaf)| Raised::Benefit(branch, leaf));
    prop_oneof![benefit, trees::a_move().prop_map(Raised::MoreBenefit), score().prop_map(Raised::Refusal)]
}

/// The assessment with one thing raised; unchanged where the thing is not there.
fn raise(before: &Assessment, raised: Raised) -> Assessment {
    let mut after = before.clone();
    match raised {
        Raised::Harm(branch, leaf) => tree(&mut after, |tree| trees::add_harm(tree, branch, leaf)),
        Raised::Benefit(branch, leaf) => tree(&mut after, |tree| trees::add_benefit(tree, branch, leaf)),
        Raised::WorseHarm(at) => tree(&mut after, |tree| trees::worsen_harm(tree, &at)),
        Raised::MoreBenefit(at) => tree(&mut after, |tree| trees::improve_benefit(tree, &at)),
        Raised::PromptHarmful(to) => prompt(&mut after, |scores| lift(&mut scores.harmful, to)),
        Raised::Adversarial(to) => prompt(&mut after, |scores| lift(&mut scores.adversarial, to)),
        Raised::ResponseHarmful(to) => response(&mut after, |scores| lift(&mut scores.harmful, to)),
        Raised::Refusal(to) => response(&mut after, |scores| lift(&mut scores.refusal, to)),
    }
    after
}

fn lift<T: PartialOrd>(value: &mut T, to: T) {
    if to > *value {
        *value = to;
    }
}

fn tree(assessment: &mut Assessment, change: impl FnOnce(&mut Tree)) {
    if let TreeOutcome::Weighed(tree) = &mut assessment.tree {
        change(tree);
    }
}

/// A benefit that can't be read is no benefit: it makes the assessment fall short.
fn readable_leaf() -> impl Strategy<Value = ReportedLeaf> {
    trees::leaf().prop_filter("readable", |leaf| leaf.effect.is_some() && leaf.severity().is_some())
}

fn prompt(assessment: &mut Assessment, change: impl Fn(&mut PromptScores)) {
    assessment.guard.prompt.iter_mut().for_each(change);
}

fn response(assessment: &mut Assessment, change: impl Fn(&mut ResponseScores)) {
    assessment.guard.response.iter_mut().for_each(change);
}

/// The second is at least as harmful and as strict as the first.
fn check_risen(low: &Verdict, high: &Verdict) -> Result<(), TestCaseError> {
    let (from, to) = (low.subjects[0].score, high.subjects[0].score);
    prop_assert!(to >= from - SAME_SCORE, "{low:?}\n{high:?}");
    prop_assert!(high.decision >= low.decision || from > to, "{low:?}\n{high:?}");
    Ok(())
}

proptest! {
    #[test]
    fn contributions_sum_to_the_score_and_harmfulness_is_its_logistic(a in assessment(), profile in profiles()) {
        let verdict = decide(&a, &profile);
        prop_assert_eq!(verdict.harmfulness, verdict.subjects[0].harmfulness);
        for subject in &verdict.subjects {
            let points = subject.contributions.iter().fold(0.0, |sum, contribution| sum + contribution.points);
            prop_assert_eq!(points, subject.score, "in their order to the last bit");
            prop_assert!(subject.score.is_finite());
            prop_assert!(subject.contributions.iter().all(|c| c.points == c.value * c.weight));
            prop_assert!((0.0..=1.0).contains(&subject.harmfulness));
            prop_assert!((subject.harmfulness - 1.0 / (1.0 + (-subject.score).exp())).abs() <= ROUNDING);
            prop_assert!(subject.score <= verdict.subjects[0].score, "the more harmful one is not the first");
        }
    }

    #[test]
    fn the_order_of_a_tree_changes_no_bit_of_a_verdict(
        a in assessment(), profile in profiles(), order in prop::collection::vec(any::<Index>(), 1..40),
    ) {
        let mut other = a.clone();
        tree(&mut other, |tree| *tree = trees::shuffled(tree, &order));
        let verdict = decide(&a, &profile);
        let shuffled = decide(&other, &profile);
        prop_assert_eq!(Verdict { tree: a.tree.clone(), ..shuffled }, verdict);
        prop_assert_eq!(tree_view(&other, &profile), tree_view(&a, &profile));
    }

    #[test]
    fn what_was_judged_is_what_is_summed(a in assessment(), v in values()) {
        let mut summed: Vec<Subject> =
            decide(&a, &v.profile()).subjects.iter().map(|subject| subject.subject).collect();
        summed.sort();
        let there = [(a.guard.prompt.is_some(), Subject::Prompt), (a.guard.response.is_some(), Subject::Response)];
        let judged: Vec<Subject> = there.iter().filter(|(is_there, _)| *is_there).map(|(_, s)| *s).collect();
        prop_assert_eq!(summed, judged);
    }

    #[test]
    fn raising_what_speaks_against_never_makes_it_milder(a in assessment(), profile in profiles(), raised in against()) {
        let (before, after) = (decide(&a, &profile), decide(&raise(&a, raised), &profile));
        check_risen(&before, &after)?;
    }

    #[test]
    fn raising_what_speaks_for_it_never_makes_it_stricter(a in assessment(), profile in profiles(), raised in in_favour()) {
        let (before, after) = (decide(&a, &profile), decide(&raise(&a, raised), &profile));
        check_risen(&after, &before)?;
    }

    #[test]
    fn raising_a_weight_of_harm_never_lowers_harmfulness(
        a in assessment(), v in values(), index in 0..ActionCategory::ALL.len(), to in 0.0..=8.0f64,
    ) {
        let mut raised = v.clone();
        raised.harm[index] = to.max(v.harm[index]);
        let (before, after) = (decide(&a, &v.profile()), decide(&a, &raised.profile()));
        prop_assert!(after.harmfulness >= before.harmfulness - ROUNDING, "{before:?}\n{after:?}");
    }

    #[test]
    fn the_decision_never_falls_as_harmfulness_rises(v in values(), a in 0.0..=1.0f64, b in 0.0..=1.0f64) {
        let thresholds = v.profile().thresholds();
        let points = [0.0, a, b, thresholds.review, thresholds.block, 1.0];
        for (low, high) in points.iter().flat_map(|x| points.map(|y| (x.min(y), x.max(y)))) {
            prop_assert!(thresholds.decide(low) <= thresholds.decide(high), "{low} {high}");
        }
        prop_assert_eq!(thresholds.decide(thresholds.block), Decision::Block);
        prop_assert!(thresholds.decide(thresholds.review) >= Decision::Review);
        prop_assert_eq!(thresholds.decide(0.0), Decision::Allow);
    }

    #[test]
    fn stricter_thresholds_never_give_a_milder_decision(
        a in assessment(), v in values(), review in threshold(), block in threshold(),
    ) {
        let block = block.min(v.block);
        let stricter = Values { review: review.min(v.review).min(block), block, ..v.clone() };
        prop_assert!(decide(&a, &stricter.profile()).decision >= decide(&a, &v.profile()).decision);
    }

    #[test]
    fn what_is_missing_holds_back_where_a_community_fails_closed(a in assessment(), v in values()) {
        let closed = decide(&a, &Values { on_failure: "closed", ..v.clone() }.profile());
        let open = Values { on_failure: "open", ..v }.profile();
        let by_thresholds = open.thresholds().decide(closed.harmfulness);
        let open = decide(&a, &open);
        prop_assert_eq!(open.harmfulness, closed.harmfulness);
        // Of two trees this sum takes the expected one, which is whole: what a reporter left out is no matter of it.
        let is_of_other = |degradation: &Degradation| {
            *degradation == Degradation::PartialTree && matches!(a.tree.tree(), Some(Tree::Both(_)))
        };
        let missing: Vec<_> = a.degradations().into_iter().filter(|missing| !is_of_other(missing)).collect();
        prop_assert_eq!(&closed.degraded, &missing);
        prop_assert!(closed.degraded.is_empty() || closed.decision > Decision::Allow, "{closed:?}");
        match open.decided_by {
            DecidedBy::Floor(_) => prop_assert_eq!(open.decision, Decision::Block),
            DecidedBy::Thresholds => prop_assert_eq!(open.decision, by_thresholds),
            DecidedBy::Degradation(_) => prop_assert!(false, "open, and a degradation decided: {open:?}"),
        }
        match closed.decided_by {
            DecidedBy::Degradation(cause) => {
                let least = |cause: &Degradation| match cause {
                    Degradation::PartialCoverage | Degradation::PartialTree | Degradation::TierSilent => {
                        Decision::Review
                    }
                    Degradation::TreeUnusable => Decision::Block,
                };
                prop_assert_eq!(Some(closed.decision), closed.degraded.iter().map(least).max());
                prop_assert!(closed.decision == least(&cause) && by_thresholds < closed.decision, "{closed:?}");
            }
            DecidedBy::Floor(_) | DecidedBy::Thresholds => prop_assert_eq!(closed.decision, open.decision),
        }
    }

    #[test]
    fn few_reasons_are_told_and_each_speaks_for_the_decision(a in assessment(), profile in profiles()) {
        let verdict = decide(&a, &profile);
        let points: Vec<f64> = verdict.reasons.iter().filter_map(|reason| reason.points).collect();
        prop_assert!(points.len() <= 5);
        let is_allowed = verdict.decision == Decision::Allow;
        prop_assert!(points.iter().all(|points| (*points < 0.0) == is_allowed), "{points:?}");
        prop_assert!(points.is_sorted_by(|a, b| a.abs() >= b.abs()), "{points:?}");
        let has_brace = verdict.reasons.iter().any(|reason| reason.text.contains(['{', '}']));
        prop_assert!(!has_brace, "a placeholder is left: {verdict:?}");
    }

    #[test]
    fn evidence_at_the_operating_point_adds_nothing(a in assessment(), v in values()) {
        let mut a = a;
        let points = a.operating_points;
        prompt(&mut a, |scores| scores.harmful = points.get(GuardHead::PromptHarmful));
        response(&mut a, |scores| scores.harmful = points.get(GuardHead::ResponseHarmful));
        for subject in decide(&a, &v.profile()).subjects {
            prop_assert_eq!(subject.contributions[1].value, 0.0, "{:?}", subject.contributions[1]);
        }
    }
}

#[test]
fn bug_nothing_judged_is_not_nothing_harmful() {
    let mut nothing = crate::explain::scenes::harmless();
    nothing.guard.prompt = None;
    let told = |on_failure: &str| {
        let file = crate::files::complete_but("on_failure", &format!("on_failure = {on_failure:?}"));
        decide(&nothing, &crate::files::profile("base", &[("base.toml", &file)]))
    };
    let verdict = told("closed");
    assert_eq!(verdict.degraded, [Degradation::PartialCoverage]);
    assert_eq!(verdict.decided_by, DecidedBy::Degradation(Degradation::PartialCoverage));
    assert_eq!(verdict.decision, Decision::Review);
    assert_eq!(verdict.reasons[0].code, "degraded.partial_coverage");
    let verdict = told("open");
    assert_eq!((verdict.decision, verdict.degraded.len()), (Decision::Allow, 1));
}
