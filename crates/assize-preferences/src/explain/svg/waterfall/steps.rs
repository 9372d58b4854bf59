//! The rows of a sum: the starting point, the strongest contributions, and the rest in one row.

use super::super::palette::START;
use super::colour;
use crate::explain::phrases;
use assize_domain::{Contribution, Evidence, GuardHead, SubjectVerdict};

/// Rows for single contributions.
const MOST_STEPS: usize = 9;
/// Weaker ones go into the last row together.
const LEAST_POINTS: f64 = 0.05;
/// Less than this is shown as 0.00.
const LEAST_SHOWN: f64 = 0.005;

/// One row.
pub(super) struct Step {
    pub(super) label: String,
    pub(super) points: f64,
    pub(super) colour: &'static str,
}

/// The rows of a subject; their points add up to its score, but for rounding.
pub(super) fn steps(subject: &SubjectVerdict) -> Vec<Step> {
    let (start, mut evidence): (Vec<&Contribution>, Vec<&Contribution>) =
        subject.contributions.iter().partition(|contribution| contribution.evidence == Evidence::Bias);
    evidence.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()).then(a.evidence.cmp(&b.evidence)));
    let is_strong = |contribution: &&&Contribution| contribution.points.abs() >= LEAST_POINTS;
    let strong = evidence.iter().filter(is_strong).count().min(MOST_STEPS);
    let (named, others) = evidence.split_at(strong);
    let of_start = |c: &&Contribution| Step { label: label(c.evidence), points: c.points, colour: START };
    let of_named =
        |c: &&Contribution| Step { label: label(c.evidence), points: c.points, colour: colour(c.points) };
    let mut steps: Vec<Step> = start.iter().map(of_start).chain(named.iter().map(of_named)).collect();
    let others: Vec<f64> = others.iter().map(|c| c.points).filter(|points| *points != 0.0).collect();
    let points: f64 = others.iter().sum();
    if points.abs() >= LEAST_SHOWN {
        let label =
            if others.len() == 1 { "one other".to_owned() } else { format!("{} others", others.len()) };
        steps.push(Step { label, points, colour: colour(points) });
    }
    steps
}

fn label(evidence: Evidence) -> String {
    match evidence {
        Evidence::Bias => "starting point".to_owned(),
        Evidence::Guard(GuardHead::PromptHarmful) => "guard on the prompt".to_owned(),
        Evidence::Guard(GuardHead::ResponseHarmful) => "guard on the response".to_owned(),
        Evidence::Guard(GuardHead::ResponseRefusal) => "refusal".to_owned(),
        Evidence::Guard(GuardHead::Adversarial) => "attack on the chatbot".to_owned(),
        Evidence::Harm(category) => phrases::category(category),
        Evidence::Benefit => "benefit".to_owned(),
    }
}
