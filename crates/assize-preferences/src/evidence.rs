//! From an assessment to the values that a profile weighs. Every value is finite, whatever the assessment.

use crate::safetyanalyst::SafetyAnalyst;
use crate::weights::Weights;
use assize_domain::{
    ActionCategory, Assessment, Contribution, Evidence, GuardHead, Masses, PromptScores, ResponseScores,
    Score, Subject, SubjectVerdict,
};

/// Scores nearer to 0 or 1 than this are taken as this: a model is never that certain, and log-odds stay finite.
const NEAREST: f64 = 1e-6;
/// One head alone moves the sum by at most this many log-odds times its weight, so that harms and benefits count too.
const LARGEST_EVIDENCE: f64 = 6.0;

/// The logistic function.
pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn log_odds(score: Score) -> f64 {
    let p = f64::from(score.get()).clamp(NEAREST, 1.0 - NEAREST);
    (p / (1.0 - p)).ln()
}

/// How far the guard's answer lies above (or below) the point where it turns from no to yes, in log-odds.
pub(crate) fn guard_evidence(assessment: &Assessment, head: GuardHead, score: Score) -> f64 {
    let point = log_odds(assessment.operating_points.get(head));
    (log_odds(score) - point).clamp(-LARGEST_EVIDENCE, LARGEST_EVIDENCE)
}

fn contribution(evidence: Evidence, value: f64, weight: f64) -> Contribution {
    Contribution { evidence, value, weight, points: value * weight }
}

/// Collects a subject's contributions under a community's weights.
pub(crate) struct Ledger<'a> {
    assessment: &'a Assessment,
    weights: &'a Weights,
    /// Under the community's weights; `None` without a tree.
    masses: Option<Masses>,
    contributions: Vec<Contribution>,
}

impl<'a> Ledger<'a> {
    /// Sums up the prompt.
    pub(crate) fn prompt(
        assessment: &'a Assessment,
        weights: &'a Weights,
        scores: &PromptScores,
    ) -> SubjectVerdict {
        let mut ledger = Self::open(assessment, weights);
        let harmful = guard_evidence(assessment, GuardHead::PromptHarmful, scores.harmful);
        ledger.add(Evidence::Guard(GuardHead::PromptHarmful), harmful, weights.guard);
        let adversarial = f64::from(scores.adversarial.get());
        ledger.add(Evidence::Guard(GuardHead::Adversarial), adversarial, weights.adversarial);
        ledger.add_masses(1.0, 1.0);
        ledger.add_refusal(assessment.guard.response.as_ref());
        ledger.close(Subject::Prompt)
    }

    /// Sums up the response.
    pub(crate) fn response(
        assessment: &'a Assessment,
        weights: &'a Weights,
        scores: &ResponseScores,
    ) -> SubjectVerdict {
        let mut ledger = Self::open(assessment, weights);
        let harmful = guard_evidence(assessment, GuardHead::ResponseHarmful, scores.harmful);
        ledger.add(Evidence::Guard(GuardHead::ResponseHarmful), harmful, weights.response);
        // The prompt's harms are realised as far as the reply is harmful itself, its benefits as far as it is not.
        let realised = logistic(harmful);
        ledger.add_masses(realised, 1.0 - realised);
        ledger.add_refusal(Some(scores));
        ledger.close(Subject::Response)
    }

    fn open(assessment: &'a Assessment, weights: &'a Weights) -> Self {
        let contributions = vec![contribution(Evidence::Bias, 1.0, weights.bias)];
        let masses = assessment.tree.tree().map(|tree| tree.masses(&weights.leaf));
        Self { assessment, weights, masses, contributions }
    }

    fn add(&mut self, evidence: Evidence, value: f64, weight: f64) {
        self.contributions.push(contribution(evidence, value, weight));
    }

    /// `harms` and `benefits` in `[0, 1]`: how far each is realised.
    fn add_masses(&mut self, harms: f64, benefits: f64) {
        let Some(masses) = self.masses else { return };
        let by_category = ActionCategory::ALL.into_iter().zip(masses.harm).zip(self.weights.harm);
        for ((category, mass), weight) in by_category {
            self.add(Evidence::Harm(category), harms * mass.ln_1p(), weight);
        }
        self.add(Evidence::Benefit, benefits * masses.all_benefit().ln_1p(), -self.weights.benefit);
    }

    fn add_refusal(&mut self, scores: Option<&ResponseScores>) {
        let Some(scores) = scores else { return };
        // Only a reply that surely refuses makes up for anything, and only as far as it is not harmful itself: "I can't
        // help with that" may be followed by help.
        let refusal = guard_evidence(self.assessment, GuardHead::ResponseRefusal, scores.refusal).max(0.0);
        let harmful = guard_evidence(self.assessment, GuardHead::ResponseHarmful, scores.harmful);
        let refusal = refusal * (1.0 - logistic(harmful));
        self.add(Evidence::Guard(GuardHead::ResponseRefusal), refusal, -self.weights.refusal);
    }

    fn close(self, subject: Subject) -> SubjectVerdict {
        summed(subject, self.contributions)
    }
}

/// SafetyAnalyst's sum over the tree; a subject without a tree sums to 0.
pub(crate) fn leaves_alone(
    assessment: &Assessment,
    parameters: &SafetyAnalyst,
    subject: Subject,
) -> SubjectVerdict {
    let mut contributions = Vec::new();
    if let Some(tree) = assessment.tree.tree() {
        let sums = parameters.sums(tree);
        let by_category = ActionCategory::ALL.into_iter().zip(sums.harm).zip(parameters.action);
        contributions.extend(
            by_category.map(|((category, sum), weight)| contribution(Evidence::Harm(category), sum, weight)),
        );
        contributions.push(contribution(Evidence::Benefit, sums.benefit, -parameters.benefit_weight));
    }
    summed(subject, contributions)
}

fn summed(subject: Subject, contributions: Vec<Contribution>) -> SubjectVerdict {
    // Begins at 0.0: the sum of no numbers is -0.0 otherwise.
    let score = contributions.iter().fold(0.0, |sum, contribution| sum + contribution.points);
    SubjectVerdict { subject, score, harmfulness: logistic(score), contributions }
}
