//! One question on its way through an engine elsewhere: what to send, and what its answers come to.

use super::{
    judge::{Choices, Question},
    plan::Plan,
    reader::GuardReader,
};

/// A question whose answers come one after the other from outside.
#[derive(Debug)]
pub struct Inquiry<'a> {
    plan: &'a Plan,
    tokens: Vec<u32>,
    choices: Vec<Vec<f32>>,
}

impl GuardReader {
    /// Begins an inquiry; `None` for a question of another guard.
    pub fn inquire(&self, question: Question) -> Option<Inquiry<'_>> {
        let plan = self.plans.get(question.plan)?;
        Some(Inquiry { plan, tokens: question.tokens, choices: Vec::new() })
    }
}

impl Inquiry<'_> {
    /// The prompt so far.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// The tokens between which the model chooses next; `None` after the last answer.
    pub fn labels(&self) -> Option<Vec<u32>> {
        let answer = self.plan.answers.get(self.choices.len())?;
        Some(answer.labels.iter().map(|label| label.token).collect())
    }

    /// Takes the log-probabilities of [`Self::labels`], in their order, and goes on. One that is not known is as good as 0.
    pub fn choose(&mut self, log_probabilities: &[Option<f32>]) {
        let Some(answer) = self.plan.answers.get(self.choices.len()) else { return };
        let largest = log_probabilities.iter().flatten().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f32> = log_probabilities
            .iter()
            .map(|known| known.map_or(0.0, |known| (known - largest).exp()))
            .collect();
        // Where none is known this is 0 by 0, which no score can be made of.
        let sum: f32 = weights.iter().sum();
        let chances: Vec<f32> = weights.iter().map(|weight| weight / sum).collect();
        if self.choices.len() + 1 < self.plan.answers.len() {
            self.tokens.extend(answer.go_on(&chances));
        }
        self.choices.push(chances);
    }

    /// What was chosen.
    pub fn finish(self) -> Choices {
        Choices(self.choices)
    }
}
