//! From contributions to ranked reasons in a person's words.

use crate::profile::Profile;
use crate::template::{degradation_code, floor_code, low_code};
use assize_domain::{Contribution, Decision, Degradation, Evidence, Floor, Reason, SubjectVerdict};

/// Reasons beyond the strongest few tell a person nothing; all contributions are in the verdict anyway.
const MOST_REASONS: usize = 5;
/// Points under this round to nothing in a sentence.
const LEAST_POINTS: f64 = 0.05;

/// Ranks what carried the decision: floors and degradations first, then the evidence on the decision's side.
pub(crate) fn reasons(
    profile: &Profile,
    decision: Decision,
    subject: &SubjectVerdict,
    absolute: (&[Floor], &[Degradation]),
) -> Vec<Reason> {
    let floors = absolute.0.iter().map(|floor| fixed(profile, floor_code(*floor)));
    let degradations = absolute.1.iter().map(|degradation| fixed(profile, degradation_code(*degradation)));
    let evidence = carrying(decision, subject);
    let total: f64 = evidence.iter().map(|contribution| contribution.points.abs()).sum();
    let evidence =
        evidence.into_iter().take(MOST_REASONS).map(|contribution| weighed(profile, contribution, total));
    floors.chain(degradations).chain(evidence).collect()
}

/// The contributions that speak for the decision, strongest first: for an allow those below zero.
fn carrying(decision: Decision, subject: &SubjectVerdict) -> Vec<&Contribution> {
    let sign = if decision == Decision::Allow { -1.0 } else { 1.0 };
    let is_evidence = |c: &&Contribution| c.evidence != Evidence::Bias && c.points * sign >= LEAST_POINTS;
    let mut found: Vec<&Contribution> = subject.contributions.iter().filter(is_evidence).collect();
    found.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()).then(a.evidence.cmp(&b.evidence)));
    found
}

fn fixed(profile: &Profile, code: String) -> Reason {
    let text = sentence(profile, &code, None);
    Reason { code, text, points: None }
}

fn weighed(profile: &Profile, contribution: &Contribution, total: f64) -> Reason {
    let code = match contribution.evidence {
        Evidence::Guard(head) if contribution.value < 0.0 => low_code(head),
        Evidence::Guard(_) | Evidence::Harm(_) | Evidence::Benefit | Evidence::Bias => {
            contribution.evidence.id()
        }
    };
    let text = sentence(profile, &code, Some((contribution, total)));
    Reason { code, text, points: Some(contribution.points) }
}

fn sentence(profile: &Profile, code: &str, weighed: Option<(&Contribution, f64)>) -> String {
    let template = profile.reasons.get(code).map_or(code, String::as_str);
    let category = match weighed.map(|(contribution, _)| contribution.evidence) {
        Some(Evidence::Harm(category)) => category.title(),
        Some(Evidence::Bias | Evidence::Guard(_) | Evidence::Benefit) | None => "",
    };
    let points = weighed.map_or_else(String::new, |(c, _)| format!("{:.1}", c.points));
    let percent =
        weighed.map_or_else(String::new, |(c, total)| format!("{:.0}", 100.0 * c.points.abs() / total));
    template
        .replace("{community}", profile.title())
        .replace("{category}", category)
        .replace("{points}", &points)
        .replace("{percent}", &percent)
}
