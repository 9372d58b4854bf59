//! The decision: a pure function of what was judged and what a community values.

use crate::evidence::Ledger;
use crate::explain::reasons;
use crate::floors;
use crate::profile::{FailureMode, Profile};
use assize_domain::{
    Assessment, DecidedBy, Decision, Degradation, Floor, Margin, Provenance, SubjectVerdict,
    TAXONOMY_VERSION, Verdict,
};

/// Applies a community's values to an assessment. Formula and units: the crate's documentation.
pub fn decide(assessment: &Assessment, profile: &Profile) -> Verdict {
    let subjects = sum_up(assessment, profile);
    let harmfulness = subjects.first().map_or(0.0, |subject| subject.harmfulness);
    let floors = floors::broken(assessment);
    let degraded = assessment.degradations();
    let by_thresholds = profile.thresholds.decide(harmfulness);
    let (decision, decided_by) = settle(by_thresholds, &floors, strictest(profile, &degraded));
    let reasons = subjects
        .first()
        .map_or_else(Vec::new, |subject| reasons(profile, decision, subject, (&floors, &degraded)));
    let thresholds = profile.thresholds;
    Verdict {
        community: profile.id.clone(),
        decision,
        decided_by,
        harmfulness,
        margin: Margin { review: harmfulness - thresholds.review, block: harmfulness - thresholds.block },
        subjects,
        reasons,
        degraded,
        guard: assessment.guard.clone(),
        tree: assessment.tree.clone(),
        prompt_coverage: assessment.prompt_coverage,
        response_coverage: assessment.response_coverage,
        provenance: Provenance {
            model: assessment.model.clone(),
            profile: profile.digest,
            taxonomy: TAXONOMY_VERSION,
        },
    }
}

/// The sum of each judged subject, the more harmful one first (the prompt, where they are equal).
fn sum_up(assessment: &Assessment, profile: &Profile) -> Vec<SubjectVerdict> {
    let prompt = assessment.guard.prompt.as_ref();
    let prompt = prompt.map(|scores| Ledger::prompt(assessment, &profile.weights, scores));
    let response = assessment.guard.response.as_ref();
    let response = response.map(|scores| Ledger::response(assessment, &profile.weights, scores));
    let mut subjects: Vec<SubjectVerdict> = prompt.into_iter().chain(response).collect();
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
        Degradation::PartialCoverage => Decision::Review,
        Degradation::TreeUnusable => Decision::Block,
    }
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
