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
/// beginning. Benefit is the mean: one helpful paragraph must not pay for the rest.
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

/// Takes the larger; a number that is none wins, so that it is found and not lost.
fn raise(mine: Option<&mut f32>, theirs: f32) {
    if let Some(mine) = mine
        && (theirs > *mine || theirs.is_nan())
    {
        *mine = theirs;
    }
}

/// The prompt alone or in its context, whichever makes it worse, answering only for what it adds to the context.
///
/// Risks, harms and benefit come from the view that governs, and answer for what is added in the same way.
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
        let adversarial = larger(scores.adversarial, added(before.adversarial, after.adversarial));
        let harmful = added(before.harmful, after.harmful);
        if harmful > scores.harmful {
            context_governs = harmful >= card.operating_points.get(GuardHead::PromptHarmful);
            let risk = after.risk.map(|risk| added(before.harmful, risk));
            scores = PromptScores { harmful, risk, ..scores };
            let fresh = 1.0 - before.harmful.get();
            masses = calibrate::expected_masses(joined).map(|masses| scaled(&masses, fresh));
        }
        scores.adversarial = adversarial;
    }
    let tree = masses.map_or_else(TreeOutcome::Unusable, TreeOutcome::Expected);
    Ok(PromptRead { scores, tree, context_governs })
}

/// The harms that this turn adds, `fresh` in `[0, 1]` being the chance that they are not the context's. The benefit
/// stays: what the context spoils is not this turn's to lose.
fn scaled(masses: &ExpectedMasses, fresh: f32) -> ExpectedMasses {
    let harm = masses.harm.map(|mass| Mass::new(mass.get() * fresh).unwrap_or(mass));
    ExpectedMasses { harm, benefit: masses.benefit }
}

/// The probability that it is so now and was not so before.
fn added(before: Score, after: Score) -> Score {
    // A product of two numbers in [0, 1] is in [0, 1].
    Score::new(after.get() * (1.0 - before.get())).unwrap_or(after)
}

fn larger(a: Score, b: Score) -> Score {
    if b > a { b } else { a }
}
