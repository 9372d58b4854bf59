//! From an assessment to the values that a profile weighs. Every value is finite, whatever the assessment.

use crate::safetyanalyst::SafetyAnalyst;
use crate::weights::Weights;
use assize_domain::{
    ActionCategory, Assessment, Contribution, Evidence, GuardHead, PromptScores, ResponseScores, Score,
    Subject, SubjectVerdict,
};

/// Scores nearer to 0 or 1 than this are taken as this: a model is never that certain, and log-odds stay finite.
const NEAREST: f64 = 1e-6;
/// One head alone moves the sum by at most this many log-odds times its weight, so that harms and benefits count too.
pub(crate) const LARGEST_EVIDENCE: f64 = 6.0;

/// Bias, harms, benefit and, of a guard's four heads, three at most concern a subject.
const MOST_CONTRIBUTIONS: usize = ActionCategory::COUNT + 5;

/// The logistic function.
pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn log_odds(score: Score) -> f64 {
    log_odds_of(f64::from(score.get()))
}

/// The inverse of [`logistic`], of a probability taken within `[1e-6, 1 - 1e-6]`.
pub(crate) fn log_odds_of(probability: f64) -> f64 {
    unbounded_log_odds(probability.clamp(NEAREST, 1.0 - NEAREST))
}

/// The inverse of [`logistic`]; infinite at 0 and 1.
pub(crate) fn unbounded_log_odds(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}

/// How far the guard's answer lies above (or below) the point where it turns from no to yes, in log-odds.
pub(crate) fn guard_evidence(assessment: &Assessment, head: GuardHead, score: Score) -> f64 {
    let point = log_odds(assessment.operating_points.get(head));
    (log_odds(score) - point).clamp(-LARGEST_EVIDENCE, LARGEST_EVIDENCE)
}

fn contribution(evidence: Evidence, value: f64, weight: f64) -> Contribution {
    Contribution { evidence, value, weight, points: value * weight }
}

/// What a tree comes to under a community's weights: ln(1 + mass), the same for prompt and response.
struct LogMasses {
    harm: [f64; ActionCategory::COUNT],
    benefit: f64,
}

impl LogMasses {
    /// `None` without a tree.
    fn of(assessment: &Assessment, weights: &Weights) -> Option<Self> {
        let masses = assessment.tree.tree()?.masses(&weights.leaf);
        Some(Self { harm: masses.harm.map(log_mass), benefit: log_mass(masses.all_benefit()) })
    }
}

/// Most categories have no mass at all.
fn log_mass(mass: f64) -> f64 {
    if mass == 0.0 { 0.0 } else { mass.ln_1p() }
}

/// Collects a subject's contributions under a community's weights.
pub(crate) struct Ledger<'a> {
    assessment: &'a Assessment,
    weights: &'a Weights,
    contributions: Vec<Contribution>,
}

impl<'a> Ledger<'a> {
    /// Sums up the prompt.
    pub(crate) fn prompt(
        assessment: &'a Assessment,
        weights: &'a Weights,
        scores: &PromptScores,
    ) -> SubjectVerdict {
        let masses = LogMasses::of(assessment, weights);
        Self::open(assessment, weights).with_prompt(scores, masses.as_ref())
    }

    /// Sums up the response.
    pub(crate) fn response(
        assessment: &'a Assessment,
        weights: &'a Weights,
        scores: &ResponseScores,
    ) -> SubjectVerdict {
        let masses = LogMasses::of(assessment, weights);
        Self::open(assessment, weights).with_response(scores, masses.as_ref())
    }

    /// Sums up both, and what they share but once.
    pub(crate) fn both(
        assessment: &'a Assessment,
        weights: &'a Weights,
        (prompt, response): (&PromptScores, &ResponseScores),
    ) -> [SubjectVerdict; 2] {
        let masses = LogMasses::of(assessment, weights);
        let open = || Self::open(assessment, weights);
        [open().with_prompt(prompt, masses.as_ref()), open().with_response(response, masses.as_ref())]
    }

    fn open(assessment: &'a Assessment, weights: &'a Weights) -> Self {
        let mut contributions = Vec::with_capacity(MOST_CONTRIBUTIONS);
        contributions.push(contribution(Evidence::Bias, 1.0, weights.bias));
        Self { assessment, weights, contributions }
    }

    fn with_prompt(mut self, scores: &PromptScores, masses: Option<&LogMasses>) -> SubjectVerdict {
        let harmful = guard_evidence(self.assessment, GuardHead::PromptHarmful, scores.harmful);
        self.add(Evidence::Guard(GuardHead::PromptHarmful), harmful, self.weights.guard);
        let adversarial = f64::from(scores.adversarial.get());
        self.add(Evidence::Guard(GuardHead::Adversarial), adversarial, self.weights.adversarial);
        self.add_masses(masses, (1.0, 1.0));
        self.add_refusal(self.assessment.guard.response.as_ref());
        summed(Subject::Prompt, self.contributions)
    }

    fn with_response(mut self, scores: &ResponseScores, masses: Option<&LogMasses>) -> SubjectVerdict {
        let harmful = guard_evidence(self.assessment, GuardHead::ResponseHarmful, scores.harmful);
        self.add(Evidence::Guard(GuardHead::ResponseHarmful), harmful, self.weights.response);
        // The prompt's harms are realised as far as the reply is harmful itself, its benefits as far as it is not.
        let realised = logistic(harmful);
        self.add_masses(masses, (realised, 1.0 - realised));
        self.add_refusal(Some(scores));
        summed(Subject::Response, self.contributions)
    }

    fn add(&mut self, evidence: Evidence, value: f64, weight: f64) {
        self.contributions.push(contribution(evidence, value, weight));
    }

    /// `harms` and `benefits` in `[0, 1]`: how far each is realised.
    fn add_masses(&mut self, masses: Option<&LogMasses>, (harms, benefits): (f64, f64)) {
        let Some(masses) = masses else { return };
        let by_category = ActionCategory::ALL.into_iter().zip(masses.harm).zip(self.weights.harm);
        for ((category, mass), weight) in by_category {
            self.add(Evidence::Harm(category), harms * mass, weight);
        }
        self.add(Evidence::Benefit, benefits * masses.benefit, -self.weights.benefit);
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
