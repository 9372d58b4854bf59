//! The lines that no community can move. They are code, not configuration, so that no file can switch them off.
//!
//! A floor needs two things at once: the topic (found by its terms or by the model's category heads) and the model's
//! own view that what was judged is harmful. A history lesson about nerve agents has the first only.

use crate::evidence::guard_evidence;
use assize_domain::{ActionCategory, Assessment, Floor, GuardHead, LeafWeights, RiskCategory};

/// From here on sexual content counts as present: one leaf of major, middling likely harm.
const PRESENT_MASS: f64 = 0.5;
/// From here on there is some harm at all: one leaf of minor, middling likely harm.
const SOME_MASS: f64 = 0.125;
/// From here on harm to children counts as what the text is about: more than one leaf of major harm. Higher than the
/// other, because the model also sees some harm to children in sexual content between adults (.69 on one sentence).
const CENTRAL_MASS: f64 = 1.2;
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
    assessment.tree.tree().is_none_or(|tree| {
        categories.map(|category| tree.harm_in(category, &LeafWeights::UNIT)).iter().sum::<f64>() >= SOME_MASS
    })
}

fn mass(assessment: &Assessment, category: ActionCategory) -> f64 {
    assessment.tree.tree().map_or(0.0, |tree| tree.harm_in(category, &LeafWeights::UNIT))
}

fn risk(assessment: &Assessment, category: RiskCategory) -> f32 {
    let scores = assessment.guard.prompt.as_ref();
    scores.and_then(|scores| scores.risk.get(category.index())).map_or(0.0, |score| score.get())
}
