//! Puts the answers of several sequences together: windows of one text, and a prompt with its context.

use crate::calibrate::{self, NotFinite};
use crate::{HeadLogits, ModelCard};
use assize_domain::{ExpectedMasses, GuardHead, Mass, PromptScores, Score, TreeOutcome};

/// What was read of a prompt.
pub(super) struct PromptRead {
    pub(super) scores: PromptScores,
    pub(super) tree: TreeOutcome,
    /// Whether the prompt is harmful because of its context.
    pub(super) context_governs: bool,
}

/// One answer for all windows of a text; `None` where there are none.
///
/// Harm anywhere in a text is harm of the text, so harms take the largest answer. A refusal stands at the
/// beginning. Benefit is the mean of the logits: one helpful paragraph must not pay for the rest.
pub(super) fn windows(outputs: &[HeadLogits]) -> Option<HeadLogits> {
    let (first, rest) = outputs.split_first()?;
    let mut all = *first;
    for other in rest {
        for head in [GuardHead::PromptHarmful, GuardHead::ResponseHarmful, GuardHead::Adversarial] {
            raise(all.binary.get_mut(head.index()), other.binary(head));
        }
        all.risk.iter_mut().zip(other.risk).for_each(|(mine, theirs)| raise(Some(mine), theirs));
        all.harm_mass.iter_mut().zip(other.harm_mass).for_each(|(mine, theirs)| raise(Some(mine), theirs));
        all.benefit_mass += other.benefit_mass;
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of windows")]
    let count = outputs.len() as f32;
    all.benefit_mass /= count;
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
    alone: &HeadLogits,
    in_context: Option<(&HeadLogits, &HeadLogits)>,
    card: &ModelCard,
) -> Result<PromptRead, NotFinite> {
    let mut scores = calibrate::prompt_scores(alone, card)?;
    let mut masses = calibrate::expected_masses(alone);
    let mut context_governs = false;
    if let Some((context, joined)) = in_context {
        let before = calibrate::prompt_scores(context, card)?;
        let after = calibrate::prompt_scores(joined, card)?;
        let harmful = added(before.harmful, after.harmful);
        let point = card.operating_points.get(GuardHead::PromptHarmful);
        context_governs = harmful > scores.harmful && harmful >= point;
        scores.harmful = larger(scores.harmful, harmful);
        scores.adversarial = larger(scores.adversarial, added(before.adversarial, after.adversarial));
        let risks = scores.risk.iter_mut().zip(after.risk);
        risks.for_each(|(risk, after)| *risk = larger(*risk, added(before.harmful, after)));
        let fresh = 1.0 - before.harmful.get();
        masses = masses.and_then(|alone| Ok(worse(&alone, &calibrate::expected_masses(joined)?, fresh)));
    }
    let tree = masses.map_or_else(TreeOutcome::Unusable, TreeOutcome::Expected);
    Ok(PromptRead { scores, tree, context_governs })
}

/// The larger harms and the smaller benefit of two readings. `fresh`, in `[0, 1]`, is the chance that what the joined
/// reading shows was not the context's already: as far as it was, this turn doesn't answer for it.
fn worse(alone: &ExpectedMasses, joined: &ExpectedMasses, fresh: f32) -> ExpectedMasses {
    let mut worse = alone.clone();
    for (mine, theirs) in worse.harm.iter_mut().zip(joined.harm) {
        *mine = mass(mine.get().max(theirs.get() * fresh), *mine);
    }
    let (mine, theirs) = (alone.benefit.get(), joined.benefit.get());
    worse.benefit = mass(mine.min(theirs * fresh + mine * (1.0 - fresh)), alone.benefit);
    worse
}

/// Sums and products of finite masses at least 0 with shares are masses; should rounding say otherwise, the old one.
fn mass(value: f32, otherwise: Mass) -> Mass {
    Mass::new(value).unwrap_or(otherwise)
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
    use proptest::prelude::*;

    fn score(value: f32) -> Score {
        Score::new(value).unwrap()
    }

    fn masses(harm: f32, benefit: f32) -> ExpectedMasses {
        ExpectedMasses { harm: [Mass::new(harm).unwrap(); 16], benefit: Mass::new(benefit).unwrap() }
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

    proptest! {
        #[test]
        fn a_context_never_makes_a_turn_milder(
            alone in (0.0_f32..9.0, 0.0_f32..9.0), joined in (0.0_f32..9.0, 0.0_f32..9.0), fresh in 0.0_f32..=1.0,
        ) {
            let alone = masses(alone.0, alone.1);
            let both = worse(&alone, &masses(joined.0, joined.1), fresh);
            prop_assert!(both.harm[0] >= alone.harm[0] && both.benefit <= alone.benefit);
        }
    }
}
