//! What the guard model says: probabilities for a fixed set of questions.

use crate::{RiskCategory, Score};

/// The four yes-or-no questions of a guard, after WildGuard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GuardHead {
    /// Is the prompt harmful?
    PromptHarmful,
    /// Is the response harmful?
    ResponseHarmful,
    /// Is the response a refusal?
    ResponseRefusal,
    /// Is the prompt adversarial: a jailbreak or an injection, whatever it asks for?
    Adversarial,
}

impl GuardHead {
    /// Every head.
    pub const ALL: [Self; 4] =
        [Self::PromptHarmful, Self::ResponseHarmful, Self::ResponseRefusal, Self::Adversarial];

    /// The name in model folders and evaluation files.
    pub const fn id(self) -> &'static str {
        match self {
            Self::PromptHarmful => "prompt_harmful",
            Self::ResponseHarmful => "response_harmful",
            Self::ResponseRefusal => "response_refusal",
            Self::Adversarial => "adversarial",
        }
    }

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The score at which the model's maker would turn each head's answer from no to yes.
///
/// Evidence is measured from here, so that a profile means the same under another checkpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoints([Score; 4]);

impl OperatingPoints {
    /// Points in the order of [`GuardHead::ALL`].
    pub const fn new(points: [Score; 4]) -> Self {
        Self(points)
    }

    /// The point of one head.
    pub const fn get(&self, head: GuardHead) -> Score {
        let [prompt, response, refusal, adversarial] = self.0;
        match head {
            GuardHead::PromptHarmful => prompt,
            GuardHead::ResponseHarmful => response,
            GuardHead::ResponseRefusal => refusal,
            GuardHead::Adversarial => adversarial,
        }
    }
}

/// What the guard says of the prompt, in its context.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptScores {
    /// Probability that the prompt is harmful.
    pub harmful: Score,
    /// Probability that the prompt is an attack on the chatbot.
    pub adversarial: Score,
    /// One score for each [`RiskCategory`], in the order of [`RiskCategory::ALL`].
    pub risk: [Score; RiskCategory::ALL.len()],
}

/// What the guard says of the response, read together with its prompt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResponseScores {
    /// Probability that the response is harmful.
    pub harmful: Score,
    /// Probability that the response is a refusal.
    pub refusal: Score,
}

/// The guard's scores for what was judged; `None` for what was not asked for.
///
/// INVARIANT (kept by [`crate::Conversation`]): at least one is there.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardScores {
    /// Scores of the prompt.
    pub prompt: Option<PromptScores>,
    /// Scores of the response.
    pub response: Option<ResponseScores>,
}
