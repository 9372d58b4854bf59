//! Puts the answers of several sequences together: windows of one text, and a prompt with its context.

use crate::calibrate::{self, NotFinite};
use crate::{HeadLogits, ModelCard};
use assize_domain::{ExpectedMasses, GuardHead, Mass, PromptScores, Score, TreeOutcome, UnusableTree};

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
    pub(super) masses: Result<ExpectedMasses, UnusableTree>,
}

impl TextRead {
    pub(super) fn of(logits: &HeadLogits) -> Self {
        Self { masses: calibrate::expected_masses(logits), logits: logits.clone() }
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
        all.masses = all.masses.and_then(|all| Ok(united(&all, &calibrate::expected_masses(other)?)));
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of windows")]
    let count = outputs.len() as f32;
    all.masses =
        all.masses.map(|all| ExpectedMasses { benefit: mass(all.benefit.get() / count, all.benefit), ..all });
    Some(all)
}

/// The larger harms, and the benefits' sum.
fn united(all: &ExpectedMasses, other: &ExpectedMasses) -> ExpectedMasses {
    let mut harm = all.harm;
    harm.iter_mut()
        .zip(other.harm)
        .for_each(|(mine, theirs)| *mine = mass(mine.get().max(theirs.get()), *mine));
    ExpectedMasses { harm, benefit: mass(all.benefit.get() + other.benefit.get(), all.benefit) }
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
    let TextRead { logits, mut masses } = alone;
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
    use crate::leaves::{LeafLayout, LeafLogits};
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

    /// The answer of a window whose first category and first effect have leaves with these log-odds.
    fn window(harm: f32, benefit: f32) -> HeadLogits {
        let mut row = [0.0; LeafLayout::WIDTH];
        row[LeafLayout::HARM_PRESENCE.start] = harm;
        row[LeafLayout::BENEFIT_PRESENCE.start] = benefit;
        let tree = LeafLogits::from_row(&row).unwrap();
        HeadLogits { binary: [0.0; 4], risk: [0.0; 13], tree }
    }

    #[test]
    fn of_windows_the_largest_harms_count_and_the_mean_of_the_benefits() {
        let outputs = [window(-2.0, 3.0), window(2.0, 1.0), window(-4.0, -1.0)];
        let alone: Vec<ExpectedMasses> =
            outputs.iter().map(|output| calibrate::expected_masses(output).unwrap()).collect();
        let all = windows(&outputs).unwrap().masses.unwrap();
        assert_eq!(all.harm, alone[1].harm);
        let mean = alone.iter().map(|masses| masses.benefit.get()).sum::<f32>() / 3.0;
        assert!((all.benefit.get() - mean).abs() < 1e-5, "{} {mean}", all.benefit.get());
        let broken = [window(0.0, 0.0), window(f32::NAN, 0.0)];
        assert_eq!(windows(&broken).unwrap().masses, Err(UnusableTree::NotFinite));
        assert!(windows(&[]).is_none());
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
