//! From raw head outputs to the domain's numbers. Pure; the last step on the model side.
//!
//! A number that is not finite never becomes a score: it is an error for the guard and an unusable tree for the masses,
//! so that a broken model can't look like a harmless text.

use crate::{HeadLogits, ModelCard, leaves::ExpectedTree, numerics};
use assize_domain::{GuardHead, InvalidScore, PromptScores, ResponseScores, Score, UnusableTree};

/// A guard head gave a number that is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the guard's head `{head}` gave a number that is not finite; the model or its device is broken")]
pub struct NotFinite {
    /// The head's name: that of a [`GuardHead`], or `risk`.
    pub head: &'static str,
}

/// The calibrated probability of one yes-or-no question.
///
/// # Errors
/// When the logit is not finite.
pub fn binary_score(logits: &HeadLogits, card: &ModelCard, head: GuardHead) -> Result<Score, NotFinite> {
    let logit = logits.binary(head);
    let not_finite = NotFinite { head: head.id() };
    if !logit.is_finite() {
        return Err(not_finite);
    }
    Score::new(card.calibration(head).apply(logit)).map_err(|_| not_finite)
}

/// The prompt's scores, from the logits of a sequence that ends in the prompt.
///
/// # Errors
/// When one of the logits is not finite.
pub fn prompt_scores(logits: &HeadLogits, card: &ModelCard) -> Result<PromptScores, NotFinite> {
    let risk = all_of(logits.risk, |logit| {
        // An infinite logit has a sigmoid, but no meaning.
        let probability = if logit.is_finite() { numerics::sigmoid(logit) } else { f32::NAN };
        Score::new(probability)
    });
    Ok(PromptScores {
        harmful: binary_score(logits, card, GuardHead::PromptHarmful)?,
        adversarial: binary_score(logits, card, GuardHead::Adversarial)?,
        risk: risk.ok_or(NotFinite { head: "risk" })?,
    })
}

/// The response's scores, from the logits of a pair of prompt and response.
///
/// # Errors
/// When one of the logits is not finite.
pub fn response_scores(logits: &HeadLogits, card: &ModelCard) -> Result<ResponseScores, NotFinite> {
    Ok(ResponseScores {
        harmful: binary_score(logits, card, GuardHead::ResponseHarmful)?,
        refusal: binary_score(logits, card, GuardHead::ResponseRefusal)?,
    })
}

/// The tree to be expected of the prompt.
///
/// # Errors
/// [`UnusableTree::NotFinite`] when one of the heads' outputs is not finite.
pub fn expected_tree(logits: &HeadLogits) -> Result<ExpectedTree, UnusableTree> {
    logits.tree.tree().ok_or(UnusableTree::NotFinite)
}

/// Converts every number, or none.
fn all_of<T: Copy, const N: usize>(
    numbers: [f32; N],
    convert: impl Fn(f32) -> Result<T, InvalidScore>,
) -> Option<[T; N]> {
    let converted: Vec<T> = numbers.into_iter().map(convert).collect::<Result<_, _>>().ok()?;
    converted.try_into().ok()
}

#[cfg(test)]
mod tests;
