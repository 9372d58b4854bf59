//! What a label makes of numbers: how surprising it is under them, how wrong they are, and to which side of the parent it
//! lies. Exact, by the sums that decide.

use super::features::{Example, Sheet, Target, all_evidence, scores, weight_of};
use super::parameters::{Numbers, Parameter, cut};
use super::solver::cross_entropy;
use crate::evidence::logistic;
use assize_domain::Decision;

/// A decision answers two questions, "at least a review?" and "a block?", and still is one label.
const QUESTION: f64 = 0.5;

/// What a label asks of a score: whether it lies above a cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    /// What raises the cut, if anything does.
    pub(super) raised_by: Option<Parameter>,
    /// In log-odds.
    pub(super) cut: f64,
    /// How surely, in `[0, 1]`.
    pub(super) target: f64,
    /// How much of a label it is.
    pub(super) weight: f64,
}

/// What a label asks under given thresholds.
pub(super) fn questions(target: Target, numbers: &Numbers) -> Vec<Question> {
    match target {
        Target::Harmfulness(target) => vec![Question { raised_by: None, cut: 0.0, target, weight: 1.0 }],
        Target::Decision(decision) => {
            let thresholds = numbers.thresholds;
            let asked = [
                (None, thresholds.review, Decision::Review),
                (Some(Parameter::Band), thresholds.block, Decision::Block),
            ];
            let ask = |(raised_by, threshold, least): (Option<Parameter>, f64, Decision)| Question {
                raised_by,
                cut: cut(threshold),
                target: if decision >= least { 1.0 } else { 0.0 },
                weight: QUESTION,
            };
            asked.map(ask).into()
        }
    }
}

/// The cross-entropy of a label under given numbers, in nats; of a decision the mean over its two questions.
pub(super) fn loss(example: &Example<'_>, numbers: &Numbers, score: f64) -> f64 {
    let questions = questions(example.target, numbers);
    questions.iter().map(|asked| asked.weight * cross_entropy(score - asked.cut, asked.target)).sum()
}

/// How wrong the numbers are about a label, in `[0, 1]`: the distance of harmfulness from the rating; of a decision half of
/// the steps from one to the other.
pub(super) fn error(example: &Example<'_>, numbers: &Numbers, score: f64) -> f64 {
    match example.target {
        Target::Harmfulness(target) => (logistic(score) - target).abs(),
        Target::Decision(decision) => {
            let given = numbers.thresholds.decide(logistic(score));
            let differ =
                |least: Decision| if (given >= least) == (decision >= least) { 0.0 } else { QUESTION };
            [Decision::Review, Decision::Block].map(differ).iter().sum()
        }
    }
}

/// How far numbers lean to the label's side of the parent, in nats: what the label lacks at the parent, times how far the
/// numbers move there. Its mean is 0 for whatever numbers that don't know the label, where the parent is right on
/// average; it is the loss's first order, without the second that a step of the right direction but too long has to
/// pay.
pub(super) fn lean(example: &Example<'_>, (numbers, score): (&Numbers, f64), parent: &Numbers) -> f64 {
    let (_, at_parent) = exact_score(example, parent, parent);
    let (new, old) = (questions(example.target, numbers), questions(example.target, parent));
    let lean = |(new, old): (&Question, &Question)| {
        let before = at_parent - old.cut;
        old.weight * (old.target - logistic(before)) * (score - new.cut - before)
    };
    new.iter().zip(&old).map(lean).sum()
}

/// The score of a subject under the weights of the evidence alone.
pub(super) fn linear_score(sheet: &Sheet, numbers: &Numbers) -> f64 {
    all_evidence()
        .zip(&sheet.values)
        .map(|(evidence, value)| weight_of(&numbers.weights, evidence) * value)
        .sum()
}

/// The score of the more harmful subject and its place, by the formula that decides.
pub(super) fn exact_score(example: &Example<'_>, numbers: &Numbers, parent: &Numbers) -> (usize, f64) {
    let scores = match example.assessment {
        Some(assessment) if numbers.weights.leaf != parent.weights.leaf => {
            scores(assessment, &numbers.weights)
        }
        Some(_) | None => example.sheets.iter().map(|sheet| linear_score(sheet, numbers)).collect(),
    };
    let strictest = scores.into_iter().enumerate().reduce(|a, b| if b.1 > a.1 { b } else { a });
    strictest.unwrap_or((0, 0.0))
}
