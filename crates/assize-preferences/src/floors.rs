//! The lines that no community can move. They are code, not configuration, so that no file can switch them off.
//!
//! A floor needs two things at once: the topic (found by its terms or by the model's category heads) and the model's
//! own view that what was judged is harmful. A history lesson about nerve agents has the first only.

use crate::evidence::guard_evidence;
use assize_domain::{ActionCategory, Assessment, Floor, GuardHead, RiskCategory, TreeOutcome};

/// From here on sexual content counts as present: one leaf of major, middling likely harm.
const PRESENT_MASS: f32 = 0.5;
/// From here on there is some harm at all: one leaf of minor, middling likely harm.
const SOME_MASS: f32 = 0.125;
/// From here on harm to children counts as what the text is about: more than one leaf of major harm. Higher than the
/// other, because the model also sees some harm to children in sexual content between adults (.69 on one sentence).
const CENTRAL_MASS: f32 = 1.2;
/// From here on a risk category counts as present.
const PRESENT_RISK: f32 = 0.5;

/// The floors that an assessment breaks.
pub(crate) fn broken(assessment: &Assessment) -> Vec<Floor> {
    if !is_harmful(assessment) {
        return Vec::new();
    }
    Floor::ALL.into_iter().filter(|floor| concerns(assessment, *floor)).collect()
}

fn is_harmful(assessment: &Assessment) -> bool {
    let prompt = assessment.guard.prompt.as_ref().map(|scores| (GuardHead::PromptHarmful, scores.harmful));
    let response =
        assessment.guard.response.as_ref().map(|scores| (GuardHead::ResponseHarmful, scores.harmful));
    [prompt, response]
        .into_iter()
        .flatten()
        .any(|(head, score)| guard_evidence(assessment, head, score) >= 0.0)
}

fn concerns(assessment: &Assessment, floor: Floor) -> bool {
    match floor {
        Floor::SexualContentWithMinors => {
            let minors =
                assessment.topics.minors || mass(assessment, ActionCategory::ChildHarm) >= CENTRAL_MASS;
            let sexual = assessment.topics.sexual
                || mass(assessment, ActionCategory::SexualContent) >= PRESENT_MASS
                || risk(assessment, RiskCategory::SexualContent) >= PRESENT_RISK;
            minors && sexual
        }
        Floor::MassHarmWeapons => assessment.topics.mass_harm_weapons && may_hurt(assessment),
    }
}

/// Whether the harm can be that of a weapon: a tasteless joke about one is harmful otherwise. Without a tree, it may.
fn may_hurt(assessment: &Assessment) -> bool {
    let categories = [ActionCategory::ViolenceExtremism, ActionCategory::CriminalActivities];
    let found: f32 = categories.into_iter().map(|category| mass(assessment, category)).sum();
    !matches!(assessment.tree, TreeOutcome::Expected(_)) || found >= SOME_MASS
}

fn mass(assessment: &Assessment, category: ActionCategory) -> f32 {
    match &assessment.tree {
        TreeOutcome::Expected(masses) => masses.harm.get(category.index()).map_or(0.0, |mass| mass.get()),
        TreeOutcome::NotRequested | TreeOutcome::Unusable(_) => 0.0,
    }
}

fn risk(assessment: &Assessment, category: RiskCategory) -> f32 {
    let scores = assessment.guard.prompt.as_ref();
    scores.and_then(|scores| scores.risk.get(category.index())).map_or(0.0, |score| score.get())
}
