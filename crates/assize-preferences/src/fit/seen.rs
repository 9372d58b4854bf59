//! What the labelled conversations have anything of: of the rest the labels say nothing, and it stays as it is.

use super::FitStage;
use super::features::{Example, Sheet, Target, all_evidence, weight_of};
use super::parameters::{Numbers, Parameter, is_out_of_reach, is_scaled};
use assize_domain::{Decision, Effect, Evidence};

/// What is there in at least one example.
#[derive(Debug)]
pub(super) struct Seen {
    /// In the order of [`all_evidence`].
    pub(super) evidence: Vec<Evidence>,
    effects: Vec<Effect>,
    decisions: Vec<Decision>,
}

impl Seen {
    pub(super) fn of(examples: &[Example<'_>]) -> Self {
        let is_somewhere = |is_there: &dyn Fn(&Sheet) -> bool| {
            examples.iter().flat_map(|example| &example.sheets).any(is_there)
        };
        let has_value =
            |place: usize| is_somewhere(&|sheet| sheet.values.get(place).is_some_and(|value| *value != 0.0));
        let has_slope = |effect: Effect| {
            is_somewhere(&|sheet| {
                sheet
                    .effects
                    .get(effect.index())
                    .is_some_and(|slopes| slopes.iter().any(|slope| *slope != 0.0))
            })
        };
        let evidence = all_evidence().enumerate().filter(|(place, _)| has_value(*place));
        let effects = Effect::ALL.into_iter().filter(|effect| has_slope(*effect));
        let is_given = |decision: &Decision| {
            examples.iter().any(|example| example.target == Target::Decision(*decision))
        };
        Self {
            evidence: evidence.map(|(_, evidence)| evidence).collect(),
            effects: effects.collect(),
            decisions: Decision::ALL.into_iter().filter(is_given).collect(),
        }
    }

    /// What a stage moves that the stage before it does not.
    pub(super) fn parameters(&self, stage: FitStage, parent: &Numbers) -> Vec<Parameter> {
        match stage {
            FitStage::Parent => Vec::new(),
            FitStage::Bias => {
                let band = self.has_band(parent).then_some(Parameter::Band);
                std::iter::once(Parameter::Weight(Evidence::Bias)).chain(band).collect()
            }
            FitStage::Strength => {
                let weighs = |e: &&Evidence| is_scaled(**e) && weight_of(&parent.weights, **e) > 0.0;
                self.evidence.iter().find(weighs).map(|_| Parameter::Factor).into_iter().collect()
            }
            FitStage::Weights => {
                let weights = self.evidence.iter().filter(|evidence| **evidence != Evidence::Bias);
                weights.map(|evidence| Parameter::Weight(*evidence)).collect()
            }
            FitStage::Effects => self.effects.iter().map(|effect| Parameter::Effect(*effect)).collect(),
        }
    }

    /// Without a review among the labels the band between the thresholds would only ever be closed, and an operator who
    /// labels clear cases would lose it. Where the parent gives no block the band moves for the labels that ask for one, and
    /// only for them: a block that nobody labelled must not become possible.
    fn has_band(&self, parent: &Numbers) -> bool {
        let moved_by =
            if is_out_of_reach(parent.thresholds.block) { Decision::Block } else { Decision::Review };
        self.decisions.contains(&moved_by)
    }
}
