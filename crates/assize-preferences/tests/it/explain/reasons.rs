//! Sentences: what the tree adds to them, and that a community's own come first.

use super::scenes::{self, assessment};
use crate::arbitrary::{assessment as any_assessment, values};
use crate::files;
use assize_domain::{
    ActionCategory, Assessment, Effect, Extent, HarmAction, Likelihood, ReportedLeaf, ReportedTree,
    Stakeholder, Tree, TreeOutcome,
};
use assize_preferences::{Profile, decide};
use proptest::prelude::*;
use std::sync::Arc;

fn profile(reasons: &str) -> Arc<Profile> {
    files::profile("test", &[("test.toml", &(files::complete() + reasons))])
}

/// The sentence of a code.
fn told(assessment: &Assessment, profile: &Profile, code: &str) -> String {
    let reasons = decide(assessment, profile).reasons;
    reasons.into_iter().find(|reason| reason.code == code).map_or_else(String::new, |reason| reason.text)
}

fn leaf(action: Option<HarmAction>, effect: Effect, extent: Extent) -> ReportedLeaf {
    ReportedLeaf {
        category: Some(ActionCategory::Privacy),
        published_category: Some(ActionCategory::Privacy),
        action,
        effect: Some(effect),
        stakeholder: Stakeholder::Children,
        extent: Some(extent),
        likelihood: Some(Likelihood::Medium),
        immediate: Some(false),
    }
}

fn reported(harms: Vec<ReportedLeaf>) -> Assessment {
    let tree = ReportedTree { harms, benefits: Vec::new() };
    assessment((0.9, 0.0), None, TreeOutcome::Weighed(Tree::Reported(tree)))
}

const PRIVACY: &str = "harm.privacy";
const ACCOUNT: &str =
    "could help someone spy on another person or take over their account: privacy, significant, likely";

#[test]
fn a_harm_is_told_by_its_likeliest_action_and_severity() {
    let reasons = decide(&scenes::harmful(), &profile("")).reasons;
    let given: Vec<(&str, &str)> = reasons.iter().map(|r| (r.code.as_str(), r.text.as_str())).collect();
    let expected = [
        ("guard.prompt_harmful", "the request reads as harmful"),
        (PRIVACY, ACCOUNT),
        (
            "harm.security_risks",
            "could help someone get at data or systems that are not theirs: security risks, substantial, possible",
        ),
        ("guard.adversarial", "the request looks like an attack on the chatbot"),
        (
            "harm.deception",
            "could help someone deceive people with scams, fakes or phishing: deception, major, unlikely",
        ),
    ];
    assert_eq!(given, expected);
}

#[test]
fn without_a_clear_action_the_category_is_named() {
    // Another crime than the named ones has the largest share, but only two fifths.
    let shipped = scenes::shipped("default");
    let expected = "could help with a crime: criminal activities, minor, likely";
    let mut scene = scenes::harmful();
    scene.guard.prompt.as_mut().unwrap().adversarial = assize_domain::Score::new(0.0).unwrap();
    assert_eq!(told(&scene, &shipped, "harm.criminal_activities"), expected);
}

#[test]
fn a_benefit_is_told_by_its_heaviest_effect() {
    let mild = Assessment { guard: scenes::harmless().guard, ..scenes::harmful() };
    let strong = "weights.bias = -8.0";
    let file = files::complete_but("weights.bias", strong);
    let profile = files::profile("test", &[("test.toml", &file)]);
    let expected = "answering is expected to help people: accurate information, significant, likely";
    assert_eq!(told(&mild, &profile, "benefit"), expected);
}

#[test]
fn of_a_reported_tree_the_heaviest_leaf_is_told() {
    let accounts = Some(HarmAction::PrivacyViolations);
    let mut leaves = vec![
        leaf(Some(HarmAction::SensitiveData), Effect::Social, Extent::Minor),
        leaf(accounts, Effect::FreedomAgency, Extent::Major),
        leaf(accounts, Effect::Death, Extent::Minor),
    ];
    let clause =
        "could help someone spy on another person or take over their account: privacy, major, possible";
    assert_eq!(told(&reported(leaves.clone()), &profile(""), PRIVACY), clause);
    // Half of the weight is no longer clear.
    leaves.extend([leaf(None, Effect::Social, Extent::Major), leaf(None, Effect::Ecosystem, Extent::Minor)]);
    let category = "could expose someone's private information: privacy, major, possible";
    assert_eq!(told(&reported(leaves.clone()), &profile(""), PRIVACY), category);
    // An action of another category would speak of something else than the code.
    leaves = vec![leaf(Some(HarmAction::Weapons), Effect::Death, Extent::Major)];
    assert_eq!(told(&reported(leaves), &profile(""), PRIVACY), category);
}

#[test]
fn a_communitys_own_sentence_comes_first() {
    let own = "reasons.\"harm.privacy\" = \"not here, {community}\"";
    assert_eq!(told(&scenes::harmful(), &profile(own), PRIVACY), "not here, Base");
}

#[test]
fn a_communitys_own_sentence_may_hold_every_detail() {
    let own =
        "reasons.\"harm.privacy\" = \"{action}: {effect} for {stakeholder}, {extent}, {likelihood}, {soon}\"";
    let expected = "could help someone spy on another person or take over their account: \
                    loss of money for other people, significant, likely, soon";
    assert_eq!(told(&scenes::harmful(), &profile(own), PRIVACY), expected);
    let own = "reasons.\"harm.deception\" = \"{category} {soon}\"";
    assert_eq!(told(&scenes::harmful(), &profile(own), "harm.deception"), "Deception in the long run");
}

#[test]
fn a_detail_that_is_not_there_leaves_no_gap() {
    let check = |own: &str, expected: &str| {
        let own = format!("reasons.\"guard.prompt_harmful\" = \"{own}\"");
        assert_eq!(told(&scenes::harmful(), &profile(&own), "guard.prompt_harmful"), expected, "{own}");
    };
    check("harmful ({extent}, {likelihood}) for {community}", "harmful for Base");
    check("harmful: {action}, {stakeholder}", "harmful");
    check("{action} {soon}", "the request reads as harmful");
}

proptest! {
    #[test]
    fn sentences_read_as_sentences(a in any_assessment(), v in values()) {
        for reason in decide(&a, &v.profile()).reasons {
            let text = &reason.text;
            prop_assert!(text.len() <= 200 && !text.trim().is_empty(), "{}", text);
            prop_assert!(!text.contains("  ") && !text.contains(" ,") && !text.ends_with([',', ':', ' ']), "{}", text);
            prop_assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || " ,:'-".contains(c)), "{}", text);
            let codes = ["guard.", "harm.", "benefit", "floor.", "degraded."];
            prop_assert!(codes.iter().any(|code| reason.code.starts_with(code)), "{}", reason.code);
        }
    }
}
