//! Puts the answers of several sequences together: windows of one text, and a prompt with its context. Trees: [`trees`].

use super::trees;
use crate::calibrate::{self, NotFinite};
use crate::{HeadLogits, ModelCard, leaves::ExpectedTree};
use assize_domain::{GuardHead, PromptScores, Score, TreeOutcome, UnusableTree};

/// What was read of a prompt.
pub(super) struct PromptRead {
    pub(super) scores: PromptScores,
    pub(super) tree: TreeOutcome,
    /// Whether the prompt is harmful because of its context.
    pub(super) context_governs: bool,
}

/// What was read of one text, over all its windows.
pub(super) struct TextRead {
    /// Log-odds; of its harm-benefit side only the first window's is there.
    pub(super) logits: HeadLogits,
    pub(super) tree: Result<ExpectedTree, UnusableTree>,
}

impl TextRead {
    pub(super) fn of(logits: &HeadLogits) -> Self {
        Self { tree: calibrate::expected_tree(logits), logits: logits.clone() }
    }
}

/// One answer for all windows of a text; `None` where there are none.
///
/// Harm anywhere in a text is harm of the text, so harms take the largest answer. A refusal stands at the
/// beginning. Benefit is the mean: one helpful paragraph must not pay for the rest.
pub(super) fn windows(outputs: &[HeadLogits]) -> Option<TextRead> {
    let (first, rest) = outputs.split_first()?;
    let mut all = TextRead::of(first);
    for other in rest {
        for head in [GuardHead::PromptHarmful, GuardHead::ResponseHarmful, GuardHead::Adversarial] {
            raise(all.logits.binary.get_mut(head.index()), other.binary(head));
        }
        all.logits.risk.iter_mut().zip(other.risk).for_each(|(mine, theirs)| raise(Some(mine), theirs));
    }
    if !rest.is_empty() {
        let trees: Result<Vec<_>, _> = outputs.iter().map(calibrate::expected_tree).collect();
        all.tree = trees.map(|trees| trees::of_windows(&trees));
    }
    Some(all)
}

/// Takes the larger; a number that is not finite wins, so that it is found and not lost.
fn raise(mine: Option<&mut f32>, theirs: f32) {
    if let Some(mine) = mine
        && mine.is_finite()
        && (theirs > *mine || !theirs.is_finite())
    {
        *mine = theirs;
    }
}

/// The prompt alone or in its context, whichever makes it worse, answering only for what it adds to the context.
///
/// A context never makes it milder: of score, risks and harms the larger counts, of the benefit the smaller.
pub(super) fn prompt(
    alone: TextRead,
    in_context: Option<(Option<&HeadLogits>, &HeadLogits)>,
    card: &ModelCard,
) -> Result<PromptRead, NotFinite> {
    let TextRead { logits, mut tree } = alone;
    let mut scores = calibrate::prompt_scores(&logits, card)?;
    let mut context_governs = false;
    if let Some((context, joined)) = in_context {
        let before = context.map(|context| calibrate::prompt_scores(context, card)).transpose()?;
        let after = calibrate::prompt_scores(joined, card)?;
        // Where the joined reading answers for the turn alone, there is nothing that the context showed before.
        let added_to = |before: Option<Score>, after| before.map_or(after, |before| added(before, after));
        let harmful_before = before.as_ref().map(|before| before.harmful);
        let harmful = added_to(harmful_before, after.harmful);
        let adversarial = added_to(before.map(|before| before.adversarial), after.adversarial);
        let point = card.operating_points.get(GuardHead::PromptHarmful);
        context_governs = harmful > scores.harmful && harmful >= point;
        scores.harmful = larger(scores.harmful, harmful);
        scores.adversarial = larger(scores.adversarial, adversarial);
        let risks = scores.risk.iter_mut().zip(after.risk);
        risks.for_each(|(risk, after)| *risk = larger(*risk, added_to(harmful_before, after)));
        let fresh = 1.0 - harmful_before.map_or(0.0, Score::get);
        tree = tree.and_then(|alone| Ok(trees::worse(alone, calibrate::expected_tree(joined)?, fresh)));
    }
    let tree = tree.and_then(|tree| trees::narrow(&tree));
    let tree = tree.map_or_else(TreeOutcome::Unusable, TreeOutcome::Weighed);
    Ok(PromptRead { scores, tree, context_governs })
}

/// The probability that it is so now and was not so before.
fn added(before: Score, after: Score) -> Score {
    // A product of two numbers in [0, 1] is in [0, 1].
    Score::new(after.get() * (1.0 - before.get())).unwrap_or(after)
}

fn larger(a: Score, b: Score) -> Score {
    if b > a { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(value: f32) -> Score {
        Score::new(value).unwrap()
    }

    #[test]
    fn a_turn_answers_for_what_it_adds() {
        assert!(added(score(0.95), score(0.95)).get() < 0.05, "an old bad turn is no news");
        assert!(added(score(0.05), score(0.95)).get() > 0.9, "a request that the turn completes is");
    }

    #[test]
    fn what_is_not_finite_is_not_lost_among_windows() {
        for lost in [f32::NAN, f32::NEG_INFINITY, f32::INFINITY] {
            for mut values in [[lost, 1.0], [1.0, lost]] {
                let [mine, theirs] = &mut values;
                raise(Some(mine), *theirs);
                assert!(!mine.is_finite(), "{values:?}");
            }
        }
    }
}
