//! From contributions to ranked reasons in a person's words.
//!
//! A community's own sentence is used as it is. A default sentence about a harm or the benefit becomes more exact where
//! the tree has a leaf for it: the category's sentence gives way to its action's, where that is clear, and the severity
//! is appended.

use super::detail::{Detail, detail};
use super::phrases;
use super::weighing::Kind;
use crate::decide::Outcome;
use crate::profile::Profile;
use crate::template::{BENEFIT, default_for, degradation_code, floor_code, harm_sentence, low_code};
use assize_domain::{Assessment, Contribution, Decision, Evidence, Reason, SubjectVerdict};

/// Reasons beyond the strongest few tell a person nothing; all contributions are in the verdict anyway.
const MOST_REASONS: usize = 5;
/// Points under this round to nothing in a sentence.
const LEAST_POINTS: f64 = 0.05;
/// What a missing detail leaves behind, and what becomes of it. Each makes the text shorter.
const GAPS: [(&str, &str); 16] = [
    ("  ", " "),
    ("( ", "("),
    (" )", ")"),
    ("()", ""),
    ("(,", "("),
    ("(;", "("),
    (",)", ")"),
    (";)", ")"),
    (" ,", ","),
    (" ;", ";"),
    (" .", "."),
    (",,", ","),
    (":,", ":"),
    (",.", "."),
    (":.", "."),
    (";.", "."),
];

/// A contribution on its way to a sentence.
struct Weighed<'a> {
    contribution: &'a Contribution,
    /// Points of all that carried the decision.
    total: f64,
    detail: Option<Detail>,
}

/// Ranks what carried the decision: floors and degradations first, then the evidence on the decision's side.
pub(crate) fn reasons(assessment: &Assessment, profile: &Profile, outcome: &Outcome) -> Vec<Reason> {
    let floors = outcome.floors.iter().map(|floor| fixed(profile, floor_code(*floor)));
    let degradations =
        outcome.degraded.iter().map(|degradation| fixed(profile, degradation_code(*degradation)));
    let subject = outcome.subjects.first();
    let evidence = subject.map_or_else(Vec::new, |subject| carrying(outcome.decision, subject));
    let total: f64 = evidence.iter().map(|contribution| contribution.points.abs()).sum();
    let evidence = evidence.into_iter().take(MOST_REASONS).map(|contribution| {
        let tree = assessment.tree.tree();
        let detail = tree.and_then(|tree| detail(tree, profile.aggregation(), contribution.evidence));
        weighed(profile, &Weighed { contribution, total, detail })
    });
    floors.chain(degradations).chain(evidence).collect()
}

/// The sentence of a code that stands for no contribution: a floor's or a degradation's.
pub(super) fn fixed(profile: &Profile, code: String) -> Reason {
    let text = sentence(profile, &code, None);
    Reason { code, text, points: None }
}

/// The contributions that speak for the decision, strongest first: for an allow those below zero.
fn carrying(decision: Decision, subject: &SubjectVerdict) -> Vec<&Contribution> {
    let sign = if decision == Decision::Allow { -1.0 } else { 1.0 };
    let is_evidence = |c: &&Contribution| c.evidence != Evidence::Bias && c.points * sign >= LEAST_POINTS;
    let mut found: Vec<&Contribution> = subject.contributions.iter().filter(is_evidence).collect();
    found.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()).then(a.evidence.cmp(&b.evidence)));
    found
}

fn weighed(profile: &Profile, weighed: &Weighed<'_>) -> Reason {
    let contribution = weighed.contribution;
    let code = match contribution.evidence {
        Evidence::Guard(head) if contribution.value < 0.0 => low_code(head),
        Evidence::Guard(_) | Evidence::Harm(_) | Evidence::Benefit | Evidence::Bias => {
            contribution.evidence.id()
        }
    };
    let text = sentence(profile, &code, Some(weighed));
    Reason { code, text, points: Some(contribution.points) }
}

fn sentence(profile: &Profile, code: &str, weighed: Option<&Weighed<'_>>) -> String {
    let own = profile.reasons.get(code).map_or(code, String::as_str);
    let template = weighed.and_then(|weighed| more_exact(weighed, own)).unwrap_or_else(|| own.to_owned());
    let filled = fill(&template, profile.title(), weighed);
    // A sentence that is all details where there are none.
    if filled.is_empty() { default_for(code).unwrap_or(code).to_owned() } else { filled }
}

/// A default sentence with the tree's detail; `None` where the sentence is the community's own, or there is no detail.
fn more_exact(weighed: &Weighed<'_>, sentence: &str) -> Option<String> {
    let detail = weighed.detail?;
    match weighed.contribution.evidence {
        Evidence::Harm(category) if sentence == harm_sentence(category) => {
            let named = phrases::category(category);
            Some(format!("{{action}}: {named}, {{extent}}, {{likelihood}}"))
        }
        Evidence::Benefit if sentence == BENEFIT => Some(format!(
            "{BENEFIT}: {}, {{extent}}, {{likelihood}}",
            phrases::effect(detail.effect, detail.kind)
        )),
        Evidence::Bias | Evidence::Guard(_) | Evidence::Harm(_) | Evidence::Benefit => None,
    }
}

/// Puts values in the placeholders' places. What has no value is closed up, so that the rest still reads well.
fn fill(template: &str, community: &str, weighed: Option<&Weighed<'_>>) -> String {
    let mut text = template.replace("{community}", community);
    let mut is_missing = false;
    for (placeholder, value) in values(weighed) {
        is_missing |= value.is_empty() && text.contains(placeholder);
        text = text.replace(placeholder, &value);
    }
    if is_missing { closed_up(text) } else { text }
}

fn values(weighed: Option<&Weighed<'_>>) -> [(&'static str, String); 9] {
    let category = match weighed.map(|weighed| weighed.contribution.evidence) {
        Some(Evidence::Harm(category)) => Some(category),
        Some(Evidence::Bias | Evidence::Guard(_) | Evidence::Benefit) | None => None,
    };
    let numbers = weighed.map(|w| (w.contribution.points, 100.0 * w.contribution.points.abs() / w.total));
    let detail = weighed.and_then(|weighed| weighed.detail);
    let of_detail =
        |word: &dyn Fn(Detail) -> &'static str| detail.map_or_else(String::new, |d| word(d).to_owned());
    let could = |detail: Detail| match (detail.kind, detail.action, category) {
        (Kind::Harm, Some(action), _) => phrases::action(action),
        (Kind::Harm, None, Some(category)) => harm_sentence(category).to_owned(),
        (Kind::Harm, None, None) | (Kind::Benefit, ..) => String::new(),
    };
    [
        ("{category}", category.map_or_else(String::new, |category| category.title().to_owned())),
        ("{points}", numbers.map_or_else(String::new, |(points, _)| format!("{points:.1}"))),
        ("{percent}", numbers.map_or_else(String::new, |(_, percent)| format!("{percent:.0}"))),
        ("{action}", detail.map_or_else(String::new, could)),
        ("{effect}", of_detail(&|d| phrases::effect(d.effect, d.kind))),
        ("{stakeholder}", of_detail(&|d| phrases::stakeholder(d.stakeholder))),
        ("{extent}", of_detail(&|d| phrases::extent(d.severity.extent))),
        ("{likelihood}", of_detail(&|d| phrases::likelihood(d.severity.likelihood))),
        ("{soon}", of_detail(&|d| phrases::soon(d.severity))),
    ]
}

/// Without double spaces, empty brackets and commas between nothing.
fn closed_up(mut text: String) -> String {
    while let Some((gap, rest)) = GAPS.iter().find(|(gap, _)| text.contains(gap)) {
        text = text.replace(gap, rest);
    }
    let text = text.trim_start_matches([' ', ',', ':', ';', '.', '-', '–']);
    text.trim_end_matches([' ', ',', ':', ';', '-', '–']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, expected: &str) {
        assert_eq!(fill(template, "Allotment", None), expected, "{template}");
    }

    #[test]
    fn what_has_no_value_leaves_no_gap() {
        check("not for {community}", "not for Allotment");
        check("reads as harmful: {category}, {extent}, {likelihood}", "reads as harmful");
        check("reads as harmful ({action}; {soon}) here", "reads as harmful here");
        check("reads as harmful ({stakeholder}, {extent}).", "reads as harmful.");
        check("{action}, and {community} does without", "and Allotment does without");
        check("{effect}, {soon}.", "");
        check("{action}", "");
    }

    #[test]
    fn closing_gaps_comes_to_an_end() {
        assert!(GAPS.iter().all(|(gap, rest)| rest.len() < gap.len()));
    }
}
