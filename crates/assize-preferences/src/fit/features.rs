//! From labelled assessments to what a fit computes with: for each judged subject how fast its score grows with each
//! weight. The formula is asked, not repeated: every number here comes out of the sums that decide.

use super::error::FitError;
use super::{Label, Labelled};
use crate::evidence::Ledger;
use crate::floors;
use crate::weights::Weights;
use assize_domain::{ActionCategory, Assessment, Decision, Effect, Evidence, GuardHead, SubjectVerdict};
use std::cmp::Ordering;

/// Half the width of the step over which slopes by effect are taken. Scores are smooth in it; the error is about its
/// square, and at a weight of 0, where the step goes up alone, about itself.
const STEP: f64 = 1e-4;

/// What a label asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target {
    /// This harmfulness, in `[0, 1]`.
    Harmfulness(f64),
    /// This decision.
    Decision(Decision),
}

/// One judged subject.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sheet {
    /// How fast the score grows with the weight of each evidence, in the order of [`all_evidence`].
    pub(super) values: Vec<f64>,
    /// How fast those values grow with the weight of each effect, in the order of [`Effect::ALL`]; empty without an
    /// assessment.
    pub(super) effects: Vec<Vec<f64>>,
}

/// One label with all that a fit needs to know of its conversation.
#[derive(Debug, Clone)]
pub(super) struct Example<'a> {
    /// The judged subjects; never empty.
    pub(super) sheets: Vec<Sheet>,
    /// The label.
    pub(super) target: Target,
    /// Where scores under other weights of effects come from; `None` for features without an assessment.
    pub(super) assessment: Option<&'a Assessment>,
}

/// Every piece of evidence.
pub(super) fn all_evidence() -> impl Iterator<Item = Evidence> {
    let guard = GuardHead::ALL.into_iter().map(Evidence::Guard);
    let harm = ActionCategory::ALL.into_iter().map(Evidence::Harm);
    std::iter::once(Evidence::Bias).chain(guard).chain(std::iter::once(Evidence::Benefit)).chain(harm)
}

/// The weight that a piece of evidence is multiplied by.
pub(super) fn weight_mut(weights: &mut Weights, evidence: Evidence) -> Option<&mut f64> {
    match evidence {
        Evidence::Bias => Some(&mut weights.bias),
        Evidence::Guard(GuardHead::PromptHarmful) => Some(&mut weights.guard),
        Evidence::Guard(GuardHead::ResponseHarmful) => Some(&mut weights.response),
        Evidence::Guard(GuardHead::ResponseRefusal) => Some(&mut weights.refusal),
        Evidence::Guard(GuardHead::Adversarial) => Some(&mut weights.adversarial),
        Evidence::Benefit => Some(&mut weights.benefit),
        Evidence::Harm(category) => weights.harm.get_mut(category.index()),
    }
}

/// As [`weight_mut`], to read.
pub(super) fn weight_of(weights: &Weights, evidence: Evidence) -> f64 {
    match evidence {
        Evidence::Bias => weights.bias,
        Evidence::Guard(GuardHead::PromptHarmful) => weights.guard,
        Evidence::Guard(GuardHead::ResponseHarmful) => weights.response,
        Evidence::Guard(GuardHead::ResponseRefusal) => weights.refusal,
        Evidence::Guard(GuardHead::Adversarial) => weights.adversarial,
        Evidence::Benefit => weights.benefit,
        Evidence::Harm(category) => weights.harm.get(category.index()).copied().unwrap_or_default(),
    }
}

/// The labels that weights can answer to, in an order that does not depend on the given one, and how many were set
/// aside: those whose conversation was not judged in full, and decisions where a floor decides.
///
/// # Errors
/// Ratings out of range, and decisions among ratings.
pub(super) fn examples<'a>(
    labelled: &'a [Labelled],
    parent: &Weights,
) -> Result<(Vec<Example<'a>>, usize), FitError> {
    let targets = targets(labelled)?;
    let usable = labelled.iter().zip(targets).filter(|(one, target)| is_movable(&one.assessment, *target));
    let mut examples: Vec<Example<'_>> = usable
        .map(|(one, target)| Example {
            sheets: sheets(&one.assessment, parent),
            target,
            assessment: Some(&one.assessment),
        })
        .collect();
    sort(&mut examples);
    let set_aside = labelled.len() - examples.len();
    Ok((examples, set_aside))
}

/// Puts equal conversations side by side.
pub(super) fn sort(examples: &mut [Example<'_>]) {
    examples.sort_by(|a, b| a.order(b).then_with(|| a.target.order(b.target)));
}

fn targets(labelled: &[Labelled]) -> Result<Vec<Target>, FitError> {
    let mut targets = Vec::with_capacity(labelled.len());
    for (place, one) in labelled.iter().enumerate() {
        targets.push(match one.label {
            Label::Rating(rating) if (0.0..=100.0).contains(&rating) => Target::Harmfulness(rating / 100.0),
            Label::Rating(rating) => return Err(FitError::Rating { place: place + 1, rating }),
            Label::Decision(decision) => Target::Decision(decision),
        });
    }
    let decisions = targets.iter().filter(|target| matches!(target, Target::Decision(_))).count();
    let ratings = targets.len() - decisions;
    if decisions > 0 && ratings > 0 { Err(FitError::Mixed { decisions, ratings }) } else { Ok(targets) }
}

/// Whether what the label is about was judged in full, and weights can change the answer.
fn is_movable(assessment: &Assessment, target: Target) -> bool {
    let is_whole = assessment.degradations().is_empty();
    match target {
        Target::Harmfulness(_) => is_whole,
        Target::Decision(_) => is_whole && floors::broken(assessment).is_empty(),
    }
}

/// Every judged subject under given weights.
fn subjects(assessment: &Assessment, weights: &Weights) -> Vec<SubjectVerdict> {
    let prompt = assessment.guard.prompt.as_ref().map(|scores| Ledger::prompt(assessment, weights, scores));
    let response = assessment.guard.response.as_ref();
    let response = response.map(|scores| Ledger::response(assessment, weights, scores));
    prompt.into_iter().chain(response).collect()
}

/// The score of each judged subject under given weights.
pub(super) fn scores(assessment: &Assessment, weights: &Weights) -> Vec<f64> {
    subjects(assessment, weights).iter().map(|subject| subject.score).collect()
}

fn sheets(assessment: &Assessment, parent: &Weights) -> Vec<Sheet> {
    // Under weights of 1 an evidence's points are what its weight multiplies, with its sign.
    let mut unit = parent.clone();
    all_evidence().for_each(|evidence| {
        if let Some(weight) = weight_mut(&mut unit, evidence) {
            *weight = 1.0;
        }
    });
    let mut sheets: Vec<Sheet> = values(assessment, &unit)
        .into_iter()
        .map(|values| Sheet { values, effects: Vec::with_capacity(Effect::COUNT) })
        .collect();
    for effect in Effect::ALL {
        let now = unit.leaf.effect.get(effect.index()).copied().unwrap_or_default();
        let at = |value: f64| {
            let mut weights = unit.clone();
            if let Some(weight) = weights.leaf.effect.get_mut(effect.index()) {
                *weight = value;
            }
            values(assessment, &weights)
        };
        // Below 0 no weight is allowed, and a reported tree would not follow there.
        let (low, high) = ((now - STEP).max(0.0), now + STEP);
        for ((sheet, above), below) in sheets.iter_mut().zip(at(high)).zip(at(low)) {
            let slopes = above.iter().zip(below).map(|(above, below)| (above - below) / (high - low));
            sheet.effects.push(slopes.collect());
        }
    }
    sheets
}

/// By subject, the points of every evidence.
fn values(assessment: &Assessment, weights: &Weights) -> Vec<Vec<f64>> {
    let of_subject = |subject: &SubjectVerdict| all_evidence().map(|one| points(subject, one)).collect();
    subjects(assessment, weights).iter().map(of_subject).collect()
}

fn points(subject: &SubjectVerdict, evidence: Evidence) -> f64 {
    let found = subject.contributions.iter().filter(|contribution| contribution.evidence == evidence);
    found.map(|contribution| contribution.points).sum::<f64>() + 0.0
}

impl Target {
    fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Harmfulness(a), Self::Harmfulness(b)) => a.total_cmp(&b),
            (Self::Decision(a), Self::Decision(b)) => a.cmp(&b),
            (Self::Harmfulness(_), Self::Decision(_)) => Ordering::Less,
            (Self::Decision(_), Self::Harmfulness(_)) => Ordering::Greater,
        }
    }
}

impl Example<'_> {
    /// An order of conversations; equal ones can't be told apart by any weight.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let numbers = |sheet: &Sheet| -> Vec<f64> {
            sheet.values.iter().chain(sheet.effects.iter().flatten()).copied().collect()
        };
        let pairs = self.sheets.iter().zip(&other.sheets);
        let mut orders = pairs.map(|(own, others)| total_order(&numbers(own), &numbers(others)));
        orders.find(|order| order.is_ne()).unwrap_or_else(|| self.sheets.len().cmp(&other.sheets.len()))
    }
}

fn total_order(own: &[f64], others: &[f64]) -> Ordering {
    let mut pairs = own.iter().zip(others).map(|(a, b)| a.total_cmp(b));
    pairs.find(|order| order.is_ne()).unwrap_or_else(|| own.len().cmp(&others.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_domain::{
        Digest, Extent, GuardScores, LeafWeights, Likelihood, ModelIdentity, OperatingPoints, PromptScores,
        ReportedLeaf, ReportedTree, Score, Stakeholder, TopicSignals, Tree, TreeOutcome,
    };

    #[test]
    fn bug_the_slope_at_a_weight_of_nothing_is_whole() {
        let zero = Score::new(0.0).unwrap();
        let leaf = ReportedLeaf {
            category: Some(ActionCategory::Privacy),
            published_category: None,
            action: None,
            effect: Some(Effect::Social),
            stakeholder: Stakeholder::User,
            extent: Some(Extent::Major),
            likelihood: Some(Likelihood::High),
            immediate: Some(true),
        };
        let tree = ReportedTree { harms: vec![leaf], benefits: Vec::new() };
        let prompt = PromptScores { harmful: zero, adversarial: zero, risk: [zero; 13] };
        let assessment = Assessment {
            guard: GuardScores { prompt: Some(prompt), response: None },
            operating_points: OperatingPoints::new([zero; 4]),
            tree: TreeOutcome::Weighed(Tree::Reported(tree)),
            topics: TopicSignals::default(),
            prompt_coverage: None,
            response_coverage: None,
            model: ModelIdentity { name: "by hand".into(), revision: Digest::new([0; 32]) },
            precision: None,
            consulted: Vec::new(),
        };
        let slope = |weight: f64| {
            let mut leaf = LeafWeights::UNIT;
            leaf.effect[Effect::Social.index()] = weight;
            let (bias, guard, response) = (0.0, 0.0, 0.0);
            let (adversarial, refusal, benefit) = (0.0, 0.0, 0.0);
            let harm = [0.0; ActionCategory::COUNT];
            let parent = Weights { bias, guard, response, adversarial, refusal, benefit, harm, leaf };
            let place =
                all_evidence().position(|one| one == Evidence::Harm(ActionCategory::Privacy)).unwrap();
            sheets(&assessment, &parent)[0].effects[Effect::Social.index()][place]
        };
        // Of ln(1 + .85 w): .85 at 0, .85 / 1.85 at 1.
        assert!((slope(0.0) - 0.85).abs() < 1e-3, "{}", slope(0.0));
        assert!((slope(1.0) - 0.85 / 1.85).abs() < 1e-6, "{}", slope(1.0));
    }
}
