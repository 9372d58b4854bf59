//! The decision: a pure function of what was judged and what a community values.

use crate::evidence::{Ledger, leaves_alone, logistic};
use crate::explain::reasons;
use crate::floors;
use crate::profile::{FailureMode, Profile, Thresholds};
use crate::weights::Aggregation;
use assize_domain::{
    Assessment, DecidedBy, Decision, Degradation, Floor, Margin, Provenance, Subject, SubjectVerdict,
    TAXONOMY_VERSION, Tree, TreeOutcome, Verdict,
};

/// The decision without its reasons: what is needed to weigh many assessments again.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What to do.
    pub decision: Decision,
    /// What carried it.
    pub decided_by: DecidedBy,
    /// In `[0, 1]`: that of the more harmful subject.
    pub harmfulness: f64,
    /// The sum of each judged subject, the more harmful one first (the prompt, where they are equal).
    pub subjects: Vec<SubjectVerdict>,
    /// In which ways the assessment fell short.
    pub degraded: Vec<Degradation>,
    pub(crate) floors: Vec<Floor>,
}

/// Applies a community's values to an assessment. Formula and units: the crate's documentation.
pub fn decide(assessment: &Assessment, profile: &Profile) -> Verdict {
    let outcome = weigh(assessment, profile);
    let reasons = reasons(assessment, profile, &outcome);
    let thresholds = profile.thresholds;
    Verdict {
        community: profile.id.clone(),
        decision: outcome.decision,
        decided_by: outcome.decided_by,
        harmfulness: outcome.harmfulness,
        margin: Margin {
            review: outcome.harmfulness - thresholds.review,
            block: outcome.harmfulness - thresholds.block,
        },
        subjects: outcome.subjects,
        reasons,
        degraded: outcome.degraded,
        guard: assessment.guard.clone(),
        tree: assessment.tree.clone(),
        prompt_coverage: assessment.prompt_coverage,
        response_coverage: assessment.response_coverage,
        provenance: Provenance {
            model: assessment.model.clone(),
            precision: assessment.precision,
            consulted: assessment.consulted.clone(),
            profile: profile.digest,
            taxonomy: TAXONOMY_VERSION,
        },
    }
}

/// As [`decide`], without the reasons and without copying what was judged.
pub fn weigh(assessment: &Assessment, profile: &Profile) -> Outcome {
    let subjects = sum_up(assessment, &profile.aggregation);
    let harmfulness = subjects.first().map_or(0.0, |subject| subject.harmfulness);
    let score = subjects.first().map_or(f64::NEG_INFINITY, |subject| subject.score);
    let floors = floors::broken(assessment);
    let mut degraded = assessment.degradations();
    if matches!((&profile.aggregation, assessment.tree.tree()), (Aggregation::Assize(_), Some(Tree::Both(_))))
    {
        // What a reporter left out is no matter of a sum that takes the other tree.
        degraded.retain(|degradation| *degradation != Degradation::PartialTree);
    }
    let by_thresholds = by_thresholds(profile, score);
    if matches!(profile.aggregation, Aggregation::SafetyAnalyst(_))
        && assessment.tree == TreeOutcome::NotRequested
    {
        // There was nothing that this aggregation could weigh, which must not look like harmlessness.
        degraded.push(Degradation::TreeUnusable);
    }
    let (decision, decided_by) = settle(by_thresholds, &floors, strictest(profile, &degraded));
    Outcome { decision, decided_by, harmfulness, subjects, degraded, floors }
}

/// The decision for a score in log-odds by the thresholds alone.
pub(crate) fn by_thresholds(profile: &Profile, score: f64) -> Decision {
    reached(&profile.aggregation, &profile.thresholds, score)
}

/// As [`by_thresholds`], for other thresholds than the profile's.
pub(crate) fn reached(aggregation: &Aggregation, thresholds: &Thresholds, score: f64) -> Decision {
    match aggregation {
        Aggregation::Assize(_) => thresholds.decide(logistic(score)),
        Aggregation::SafetyAnalyst(_) => thresholds.decide_above(score),
    }
}

/// The sum of each judged subject under these weights, the more harmful one first.
pub(crate) fn sum_up(assessment: &Assessment, aggregation: &Aggregation) -> Vec<SubjectVerdict> {
    let (prompt, response) = (assessment.guard.prompt.as_ref(), assessment.guard.response.as_ref());
    let mut subjects: Vec<SubjectVerdict> = match aggregation {
        Aggregation::Assize(weights) => match (prompt, response) {
            (Some(prompt), Some(response)) => Ledger::both(assessment, weights, (prompt, response)).into(),
            (Some(prompt), None) => vec![Ledger::prompt(assessment, weights, prompt)],
            (None, Some(response)) => vec![Ledger::response(assessment, weights, response)],
            (None, None) => Vec::new(),
        },
        Aggregation::SafetyAnalyst(parameters) => {
            let there = [(prompt.is_some(), Subject::Prompt), (response.is_some(), Subject::Response)];
            let there = there.into_iter().filter_map(|(is_there, subject)| is_there.then_some(subject));
            there.map(|subject| leaves_alone(assessment, parameters, subject)).collect()
        }
    };
    subjects.sort_by(|a, b| b.score.total_cmp(&a.score));
    subjects
}

/// The degradation that counts for this community: one that fails closed holds back what was not fully judged.
fn strictest(profile: &Profile, degraded: &[Degradation]) -> Option<Degradation> {
    match profile.on_failure {
        FailureMode::Closed => degraded.iter().copied().max_by_key(|degradation| at_least(*degradation)),
        FailureMode::Open => None,
    }
}

/// What a community that fails closed gives at least. A missing tree may hide anything; of a text read in part, the
/// part was judged.
const fn at_least(degradation: Degradation) -> Decision {
    match degradation {
        Degradation::PartialCoverage | Degradation::PartialTree | Degradation::TierSilent => Decision::Review,
        Degradation::TreeUnusable => Decision::Block,
    }
}

/// What the community gives at least, whatever the sum.
pub(crate) fn whatever_the_sum(profile: &Profile, outcome: &Outcome) -> Decision {
    let by_degradation = strictest(profile, &outcome.degraded).map_or(Decision::Allow, at_least);
    if outcome.floors.is_empty() { by_degradation } else { Decision::Block }
}

/// The strictest of the three wins; what did not change the decision is not named as its cause.
fn settle(
    by_thresholds: Decision,
    floors: &[Floor],
    degradation: Option<Degradation>,
) -> (Decision, DecidedBy) {
    match (floors.first(), degradation) {
        (Some(floor), _) => (Decision::Block, DecidedBy::Floor(*floor)),
        (None, Some(degradation)) if by_thresholds < at_least(degradation) => {
            (at_least(degradation), DecidedBy::Degradation(degradation))
        }
        (None, _) => (by_thresholds, DecidedBy::Thresholds),
    }
}
