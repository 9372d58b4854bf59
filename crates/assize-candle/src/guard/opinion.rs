//! What a guard says of a conversation, and how that stands in its assessment. Pure.

use super::spec::{Classify, GuardSpec, SpecCalibration};
use crate::numerics::sigmoid;
use crate::prompt::VocabularyError;
use assize_domain::{Assessment, Conversation, Coverage, GuardHead, OperatingPoints, RiskCategory, Score};
use std::collections::BTreeMap;

/// Why a guard gives no opinion.
#[derive(Debug, thiserror::Error)]
pub enum OpinionError {
    /// The text can't be tokenised.
    #[error("the text can't be tokenised")]
    Vocabulary(#[from] VocabularyError),
    /// The text is too long, and the guard's file says that it is not to be cut.
    #[error("the text is {tokens} tokens, over the guard's limit of {limit}")]
    TooLong {
        /// Tokens of the text.
        tokens: usize,
        /// The most.
        limit: usize,
    },
    /// A probability is no finite number.
    #[error("the guard's answer is not finite")]
    NotFinite,
}

/// What a guard says of a conversation: of each head what it was asked about, and no more.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    pub(super) heads: [Option<Score>; GuardHead::ALL.len()],
    /// Scores of the risk categories that it knows.
    pub risk: BTreeMap<RiskCategory, Score>,
    /// How much of the prompt it read; `None` where it read none.
    pub prompt_coverage: Option<Coverage>,
    /// How much of the response it read; `None` where it read none.
    pub response_coverage: Option<Coverage>,
}

impl Opinion {
    /// What it says of one head.
    pub fn head(&self, head: GuardHead) -> Option<Score> {
        self.heads.get(head.index()).copied().flatten()
    }
}

impl Opinion {
    /// Has the guard's scores stand for what was judged before, with the points that they are measured from. Where it did not
    /// see the earlier turns, it can't take back what was found in their light: then the stricter of both stands. Risk
    /// categories are never taken back, because a guard tells the likeliest only.
    pub fn apply(&self, spec: &GuardSpec, context: Context, assessment: &mut Assessment) {
        let before = assessment.operating_points;
        let stands = |head, own: Score| {
            let given = self.head(head)?;
            let is_stricter = above(given, spec.operating_point(head)) >= above(own, before.get(head));
            (context == Context::Seen || is_stricter).then_some(given)
        };
        let mut points = GuardHead::ALL.map(|head| before.get(head));
        let mut take = |head: GuardHead, own: &mut Score| {
            if let Some(given) = stands(head, *own) {
                *own = given;
                if let Some(point) = points.get_mut(head.index()) {
                    *point = spec.operating_point(head);
                }
            }
        };
        if let Some(prompt) = &mut assessment.guard.prompt {
            take(GuardHead::PromptHarmful, &mut prompt.harmful);
            take(GuardHead::Adversarial, &mut prompt.adversarial);
            for (category, own) in RiskCategory::ALL.into_iter().zip(&mut prompt.risk) {
                let given = self.risk.get(&category).copied();
                *own = given.filter(|given| *given > *own).unwrap_or(*own);
            }
        }
        if let Some(response) = &mut assessment.guard.response {
            take(GuardHead::ResponseHarmful, &mut response.harmful);
            take(GuardHead::ResponseRefusal, &mut response.refusal);
        }
        assessment.operating_points = OperatingPoints::new(points);
        // The scores that stand now are of what the guard read.
        let cut = |own: Option<Coverage>| own.filter(|coverage| !coverage.is_whole());
        if assessment.prompt_coverage.is_some() {
            assessment.prompt_coverage = cut(self.prompt_coverage).or(assessment.prompt_coverage);
        }
        if assessment.response_coverage.is_some() {
            assessment.response_coverage = cut(self.response_coverage).or(assessment.response_coverage);
        }
    }
}

/// Whether a guard saw all that the encoder saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// There are no earlier turns.
    Seen,
    /// There are, and a guard is shown the last ones alone.
    Unseen,
}

impl Context {
    /// What a guard sees of a conversation.
    pub fn of(conversation: &Conversation) -> Self {
        if conversation.earlier_user_turns().next().is_none() { Self::Seen } else { Self::Unseen }
    }
}

impl Opinion {
    /// What a classifier says: for each entry of `classify` that was asked, its scores by class.
    ///
    /// # Errors
    /// [`OpinionError::NotFinite`] for a score that is no probability.
    pub fn of_classes(
        spec: &GuardSpec,
        answers: &[(&Classify, BTreeMap<String, f32>)],
    ) -> Result<Self, OpinionError> {
        let score = |value: f32| Score::new(value).map_err(|_| OpinionError::NotFinite);
        let larger = |own: Option<Score>, other: Score| own.filter(|own| *own > other).unwrap_or(other);
        let mut opinion = Self {
            heads: [None; GuardHead::ALL.len()],
            risk: BTreeMap::new(),
            prompt_coverage: None,
            response_coverage: None,
        };
        let told = answers.iter().flat_map(|(classify, given)| {
            classify.classes.iter().filter_map(|class| Some((class, *given.get(&class.label)?)))
        });
        for (class, value) in told {
            for head in GuardHead::ALL.into_iter().filter(|head| class.head.as_deref() == Some(head.id())) {
                let value = score(calibrated(spec, head, value))?;
                if let Some(own) = opinion.heads.get_mut(head.index()) {
                    *own = Some(larger(*own, value));
                }
            }
            let value = score(value)?;
            let is_named = |category: &RiskCategory| class.risk.iter().any(|id| id == category.id());
            for category in RiskCategory::ALL.into_iter().filter(is_named) {
                let own = opinion.risk.get(&category).copied();
                opinion.risk.insert(category, larger(own, value));
            }
        }
        Ok(opinion)
    }
}

/// How far a score lies above its point, in log-odds.
fn above(score: Score, point: Score) -> f32 {
    let log_odds = |score: Score| {
        let chance = score.get().clamp(LEAST_CHANCE, 1.0 - LEAST_CHANCE);
        (chance / (1.0 - chance)).ln()
    };
    log_odds(score) - log_odds(point)
}

/// A head's chance after the file's correction.
pub(super) fn calibrated(spec: &GuardSpec, head: GuardHead, chance: f32) -> f32 {
    let Some(SpecCalibration { scale, offset }) = spec.calibration.get(head.id()) else { return chance };
    let chance = chance.clamp(LEAST_CHANCE, 1.0 - LEAST_CHANCE);
    sigmoid(scale * (chance / (1.0 - chance)).ln() + offset)
}

/// Log-odds of a chance nearer to 0 or 1 than this say nothing more: f32 can't tell it from 1.
const LEAST_CHANCE: f32 = 1e-6;
