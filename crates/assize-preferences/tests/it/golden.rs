//! Verdicts computed by hand. Scores and masses are chosen so that every value is a multiple of ln 2 or ln 3:
//! a score of 0.75 has log-odds ln 3, one of 0.25 minus ln 3, one of 0.5 none; masses of 1, 3 and 7 count ln 2, ln 4 and
//! ln 8.

use crate::files;
use crate::trees::with_masses;
use assize_domain::{
    ActionCategory, Assessment, Contribution, Coverage, DecidedBy, Decision, Digest, Evidence, Floor,
    GuardHead, GuardScores, ModelIdentity, OperatingPoints, PromptScores, ResponseScores, Score, Subject,
    TopicSignals, Verdict,
};
use assize_preferences::decide;
use std::f64::consts::{LN_2, SQRT_2};

const LN_3: f64 = 1.098_612_288_668_109_8;
/// Sums of a dozen numbers below 10.
const TOLERANCE: f64 = 1e-12;

const ALLOTMENT: &str = r#"
title = "Allotment"
extends = "base"
[weights]
bias = -1.0
guard = 0.5
response = 2.0
adversarial = 4.0
refusal = 0.5
benefit = 2.0
[weights.harm]
violence_extremism = 3.0
privacy = 0.5
[reasons]
"harm.violence_extremism" = "{category} ({points} points, {percent} %) is not for {community}"
"#;

fn score(value: f32) -> Score {
    Score::new(value).unwrap()
}

/// Operating points: .25 for the prompt, .5 for the others. Masses: 3 of violence, 1 of privacy, 7 of benefit.
fn assessment(prompt: Option<(f32, f32)>, response: Option<(f32, f32)>) -> Assessment {
    let harms = [(ActionCategory::ViolenceExtremism, 3.0), (ActionCategory::Privacy, 1.0)];
    let coverage = Coverage { tokens: 9, judged: 9, unknown: 0, windows: 1 };
    Assessment {
        guard: GuardScores {
            prompt: prompt.map(|(harmful, adversarial)| PromptScores {
                harmful: score(harmful),
                adversarial: score(adversarial),
                risk: [score(0.0); 13],
            }),
            response: response.map(|(harmful, refusal)| ResponseScores {
                harmful: score(harmful),
                refusal: score(refusal),
            }),
        },
        operating_points: OperatingPoints::new([score(0.25), score(0.5), score(0.5), score(0.5)]),
        tree: with_masses(&harms, 7.0),
        topics: TopicSignals::default(),
        prompt_coverage: prompt.map(|_| coverage),
        response_coverage: response.map(|_| coverage),
        model: ModelIdentity { name: "by hand".into(), revision: Digest::new([0; 32]) },
        precision: None,
        consulted: Vec::new(),
    }
}

fn judge(assessment: &Assessment) -> Verdict {
    let base = files::complete();
    let files = [("base.toml", base.as_str()), ("allotment.toml", ALLOTMENT)];
    decide(assessment, &files::profile("allotment", &files))
}

fn check_close(what: &str, given: f64, expected: f64) {
    assert!((given - expected).abs() <= TOLERANCE, "{what}: {given}, not {expected}");
}

/// Points by evidence, in order; harms that are left out have none.
fn check_subject(verdict: &Verdict, place: usize, subject: Subject, points: &[(Evidence, f64)]) {
    let given = &verdict.subjects[place];
    assert_eq!(given.subject, subject);
    let told = |evidence| points.iter().any(|(expected, _)| *expected == evidence);
    let (named, rest): (Vec<&Contribution>, Vec<&Contribution>) =
        given.contributions.iter().partition(|c| told(c.evidence));
    assert!(rest.iter().all(|c| matches!(c.evidence, Evidence::Harm(_)) && c.points == 0.0), "{rest:?}");
    assert_eq!(named.len(), points.len(), "{named:?}");
    for (given, (evidence, expected)) in named.iter().zip(points) {
        assert_eq!(given.evidence, *evidence);
        check_close(&evidence.id(), given.points, *expected);
    }
    check_close("score", given.score, points.iter().map(|(_, points)| points).sum());
}

fn check_reasons(verdict: &Verdict, expected: &[(&str, &str)]) {
    let given: Vec<(&str, &str)> =
        verdict.reasons.iter().map(|reason| (reason.code.as_str(), reason.text.as_str())).collect();
    assert_eq!(given, expected);
}

fn check_decision(verdict: &Verdict, decision: Decision, by: DecidedBy, harmfulness: f64) {
    assert_eq!((verdict.decision, verdict.decided_by), (decision, by));
    check_close("harmfulness", verdict.harmfulness, harmfulness);
    check_close("margin.review", verdict.margin.review, harmfulness - 0.5);
    check_close("margin.block", verdict.margin.block, harmfulness - 0.8);
}

const VIOLENCE: Evidence = Evidence::Harm(ActionCategory::ViolenceExtremism);
const PRIVACY: Evidence = Evidence::Harm(ActionCategory::Privacy);
const fn guard(head: GuardHead) -> Evidence {
    Evidence::Guard(head)
}

/// The prompt that all but the mild case share: harmful .75, an attack with probability .25.
const PROMPT: (f32, f32) = (0.75, 0.25);

const EVIDENCE_AGAINST: [(&str, &str); 4] = [
    // 3 ln 4 = 4.159 of 6.604: 63 %.
    ("harm.violence_extremism", "Violence & Extremism (4.2 points, 63 %) is not for Allotment"),
    // ln 3 = 1.099, then 1, then 0.5 ln 2 = 0.347.
    ("guard.prompt_harmful", "the request reads as harmful"),
    ("guard.adversarial", "the request looks like an attack on the chatbot"),
    (
        "harm.privacy",
        "could help someone spy on another person or take over their account: privacy, major, possible",
    ),
];

#[test]
fn a_prompt_alone() {
    let verdict = judge(&assessment(Some(PROMPT), None));
    let points = [
        // 1 × -1
        (Evidence::Bias, -1.0),
        // (ln 3 - (-ln 3)) × 0.5 = ln 3 = 1.098612
        (guard(GuardHead::PromptHarmful), LN_3),
        // 0.25 × 4
        (guard(GuardHead::Adversarial), 1.0),
        // ln(1 + 3) × 3 = 6 ln 2 = 4.158883
        (VIOLENCE, 6.0 * LN_2),
        // ln(1 + 1) × 0.5 = 0.346574
        (PRIVACY, 0.5 * LN_2),
        // ln(1 + 7) × -2 = -6 ln 2 = -4.158883
        (Evidence::Benefit, -6.0 * LN_2),
    ];
    check_subject(&verdict, 0, Subject::Prompt, &points);
    assert_eq!(verdict.subjects.len(), 1);
    // Sum: ln 3 + 0.5 ln 2 = ln(3 √2) = 1.445186; the odds are 3 √2 to 1: 4.242641 / 5.242641 = 0.809256.
    let odds = 3.0 * SQRT_2;
    check_decision(&verdict, Decision::Block, DecidedBy::Thresholds, odds / (1.0 + odds));
    check_close("as a decimal", (verdict.harmfulness * 1e6).round(), 809_256.0);
    check_reasons(&verdict, &EVIDENCE_AGAINST);
}

#[test]
fn a_prompt_and_its_reply() {
    let verdict = judge(&assessment(Some(PROMPT), Some((0.5, 0.75))));
    // (ln 3 - 0) × 0.5 × -0.5 = -0.274653, for both subjects: half of it, because the reply is harmful by half.
    let refusal = (guard(GuardHead::ResponseRefusal), -0.25 * LN_3);
    // As for the prompt alone, and the refusal.
    let prompt = [
        (Evidence::Bias, -1.0),
        (guard(GuardHead::PromptHarmful), LN_3),
        (guard(GuardHead::Adversarial), 1.0),
        (VIOLENCE, 6.0 * LN_2),
        (PRIVACY, 0.5 * LN_2),
        (Evidence::Benefit, -6.0 * LN_2),
        refusal,
    ];
    check_subject(&verdict, 0, Subject::Prompt, &prompt);
    let response = [
        (Evidence::Bias, -1.0),
        // (0 - 0) × 2
        (guard(GuardHead::ResponseHarmful), 0.0),
        // The reply realises logistic(0) = half of each harm: 0.5 × ln 4 × 3 = 2.079442
        (VIOLENCE, 3.0 * LN_2),
        // 0.5 × ln 2 × 0.5 = 0.173287
        (PRIVACY, 0.25 * LN_2),
        // And the other half of the benefit: 0.5 × ln 8 × -2 = -2.079442
        (Evidence::Benefit, -3.0 * LN_2),
        refusal,
    ];
    // Sum: -1 + 0.25 ln 2 - 0.25 ln 3 = -1.101366, below the prompt's.
    check_subject(&verdict, 1, Subject::Response, &response);
    check_close("response", verdict.subjects[1].score, -1.0 + 0.25 * LN_2 - 0.25 * LN_3);
    // The prompt's sum: ln 3 + 0.5 ln 2 - 0.25 ln 3; odds 3^0.75 × √2 = 3.223710; 3.223710 / 4.223710 = 0.763241.
    let odds = 3.0_f64.powf(0.75) * SQRT_2;
    check_decision(&verdict, Decision::Review, DecidedBy::Thresholds, odds / (1.0 + odds));
    check_close("as a decimal", (verdict.harmfulness * 1e6).round(), 763_241.0);
    check_reasons(&verdict, &EVIDENCE_AGAINST);
}

#[test]
fn bug_a_refusal_in_front_does_not_pay_for_a_harmful_reply() {
    let verdict = judge(&assessment(Some((0.9, 0.0)), Some((0.99, 0.99))));
    assert_eq!(verdict.decision, Decision::Block, "{verdict:?}");
}

#[test]
fn a_mild_prompt() {
    // Harmful 0.0625 has odds 1 to 15: -ln 15 + ln 3 = -ln 5 = -1.609438, × 0.5.
    let mut mild = assessment(Some((0.0625, 0.0)), None);
    mild.tree = with_masses(&[], 7.0);
    let verdict = judge(&mild);
    let points = [
        (Evidence::Bias, -1.0),
        (guard(GuardHead::PromptHarmful), -0.5 * 5.0_f64.ln()),
        (guard(GuardHead::Adversarial), 0.0),
        (Evidence::Benefit, -6.0 * LN_2),
    ];
    check_subject(&verdict, 0, Subject::Prompt, &points);
    // Sum: -1 - ln(64 √5); the odds against are e × 64 × √5 = 389.009 to 1: 1 / 390.009 = 0.002564.
    let odds_against = std::f64::consts::E * 64.0 * 5.0_f64.sqrt();
    check_decision(&verdict, Decision::Allow, DecidedBy::Thresholds, 1.0 / (1.0 + odds_against));
    check_close("as a decimal", (verdict.harmfulness * 1e6).round(), 2_564.0);
    let expected = [
        ("benefit", "answering is expected to help people: accurate information, major, possible"),
        ("guard.prompt_harmful.low", "the request does not read as harmful"),
    ];
    check_reasons(&verdict, &expected);
}

#[test]
fn a_floor_and_a_gap_are_told_before_the_evidence() {
    let mut gap = assessment(Some(PROMPT), None);
    gap.topics.mass_harm_weapons = true;
    gap.prompt_coverage = Some(Coverage { tokens: 9, judged: 8, unknown: 0, windows: 1 });
    let verdict = judge(&gap);
    assert_eq!(verdict.decision, Decision::Block);
    assert_eq!(verdict.decided_by, DecidedBy::Floor(Floor::MassHarmWeapons));
    let mut expected = vec![
        ("floor.mass_harm_weapons", "help with weapons of mass harm is never allowed"),
        ("degraded.partial_coverage", "a part of the text was not read"),
    ];
    expected.extend(EVIDENCE_AGAINST);
    check_reasons(&verdict, &expected);
    assert!(verdict.reasons[..2].iter().all(|reason| reason.points.is_none()));
}
