//! From logits to probabilities: Platt scaling and temperature. Pure; used by the trainer when a model's card is written.

use crate::Observation;

/// A labelled score that counts more or less than others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// A logit for the fits here; any score whose order counts for [`crate::best_f1`].
    pub score: f64,
    /// Whether yes is right.
    pub label: bool,
    /// How many observations it stands for: finite, at least 0.
    pub weight: f64,
}

/// The probability of yes is `sigmoid(scale * logit + offset)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Platt {
    /// At least [`MIN_SCALE`]: calibration never turns the order of the scores round.
    pub scale: f64,
    /// Finite.
    pub offset: f64,
}

/// The least scale. Where the best one is below, the logits say nothing, and only the offset is left to fit; with it a
/// logit of 10 is still within .0025 of the share of yes.
pub const MIN_SCALE: f64 = 1e-3;

/// Strength of the pull toward scale 1 and offset 0, in squared distance for each unit of weight. Separable data would
/// ask for an infinite scale; scale and offset of ordinary data move by less than .001 (this file's tests).
const RIDGE: f64 = 1e-5;

/// Newton's method squares the error with each step; 100 steps are there for the damped ones far away.
const MAX_STEPS: usize = 100;

/// Where a step changes neither number by more, both are found.
const CLOSE: f64 = 1e-10;

/// Which parameters are to be found; the others stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Free {
    Both,
    Scale,
    Offset,
}

/// First and second derivatives of the loss by scale (a) and offset (b).
#[derive(Debug, Clone, Copy)]
struct Slope {
    a: f64,
    b: f64,
    aa: f64,
    ab: f64,
    bb: f64,
}

impl Weighted {
    /// A number that can be compared, and a weight that can be summed.
    pub(crate) fn is_valid(&self) -> bool {
        !self.score.is_nan() && self.weight.is_finite() && self.weight >= 0.0
    }
}

impl From<Observation> for Weighted {
    /// Counts once.
    fn from(Observation { score, label }: Observation) -> Self {
        Self { score: f64::from(score), label, weight: 1.0 }
    }
}

impl Platt {
    /// Leaves every logit as it is.
    pub const IDENTITY: Self = Self { scale: 1.0, offset: 0.0 };

    /// The calibrated probability of yes, in `[0, 1]`, for a finite logit.
    pub fn probability(self, logit: f64) -> f64 {
        1.0 / (1.0 + (-(self.scale * logit + self.offset)).exp())
    }
}

/// Scale and offset with the highest weighted likelihood, found by Newton's method, with a small pull toward
/// [`Platt::IDENTITY`] that keeps separable data finite.
///
/// `None` unless each label has weight, every logit is finite and every weight is finite and not negative.
///
/// SOURCE: Platt 1999, without its smoothed targets, for which the pull stands in.
pub fn platt(observations: &[Weighted]) -> Option<Platt> {
    let total = usable_weight(observations)?;
    let both = fit(observations, total, Platt::IDENTITY, Free::Both)?;
    if both.scale >= MIN_SCALE {
        return Some(both);
    }
    // The loss is convex: where its minimum lies beyond the bound, the best allowed scale is the bound.
    fit(observations, total, Platt { scale: MIN_SCALE, offset: both.offset }, Free::Offset)
}

/// The temperature `T` with the highest weighted likelihood, where the probability of yes is `sigmoid(logit / T)`: Platt
/// scaling with offset 0. In `(0, 1 / MIN_SCALE]`. `None` as for [`platt`].
///
/// SOURCE: Guo et al. 2017 (arXiv:1706.04599), section 4.2.
pub fn temperature(observations: &[Weighted]) -> Option<f64> {
    let total = usable_weight(observations)?;
    let found = fit(observations, total, Platt::IDENTITY, Free::Scale)?;
    Some(1.0 / found.scale.max(MIN_SCALE))
}

/// The whole weight, where there is something to fit.
fn usable_weight(observations: &[Weighted]) -> Option<f64> {
    let valid = observations.iter().all(|one| one.is_valid() && one.score.is_finite());
    let of =
        |label| -> f64 { observations.iter().filter(|one| one.label == label).map(|one| one.weight).sum() };
    let (yes, no) = (of(true), of(false));
    (valid && yes > 0.0 && no > 0.0).then_some(yes + no)
}

/// Newton's method with steps halved until the loss falls: the loss is strictly convex, so it ends at its one minimum.
fn fit(observations: &[Weighted], total: f64, start: Platt, free: Free) -> Option<Platt> {
    let mut at = start;
    let mut here = loss(observations, total, at);
    for _ in 0..MAX_STEPS {
        let step = newton(slope(observations, total, at), free);
        if step.scale.abs().max(step.offset.abs()) < CLOSE {
            break;
        }
        let halved = std::iter::successors(Some(1.0_f64), |factor| Some(factor / 2.0)).take(60);
        let tried = halved.map(|factor| Platt {
            scale: at.scale - factor * step.scale,
            offset: at.offset - factor * step.offset,
        });
        let mut tried = tried.map(|there| (there, loss(observations, total, there)));
        // No step is better: as near as rounding lets it come.
        let Some((there, lower)) = tried.find(|(_, lower)| *lower < here) else { break };
        (at, here) = (there, lower);
    }
    (at.scale.is_finite() && at.offset.is_finite() && here.is_finite()).then_some(at)
}

/// Mean negative log-likelihood and the pull.
fn loss(observations: &[Weighted], total: f64, at: Platt) -> f64 {
    let sum: f64 = observations
        .iter()
        .map(|one| {
            let z = at.scale * one.score + at.offset;
            // ln(1 + e^z) - y z, without overflow.
            let softplus = z.max(0.0) + (-z.abs()).exp().ln_1p();
            one.weight * (softplus - if one.label { z } else { 0.0 })
        })
        .sum();
    sum / total + RIDGE / 2.0 * ((at.scale - 1.0).powi(2) + at.offset.powi(2))
}

fn slope(observations: &[Weighted], total: f64, at: Platt) -> Slope {
    let pull = Slope { a: RIDGE * (at.scale - 1.0), b: RIDGE * at.offset, aa: RIDGE, ab: 0.0, bb: RIDGE };
    observations.iter().fold(pull, |sum, one| {
        let probability = at.probability(one.score);
        let share = one.weight / total;
        let miss = share * (probability - f64::from(u8::from(one.label)));
        let bend = share * probability * (1.0 - probability);
        Slope {
            a: sum.a + miss * one.score,
            b: sum.b + miss,
            aa: sum.aa + bend * one.score * one.score,
            ab: sum.ab + bend * one.score,
            bb: sum.bb + bend,
        }
    })
}

/// The full Newton step, to be subtracted. The pull keeps every denominator above 0.
fn newton(slope: Slope, free: Free) -> Platt {
    let Slope { a, b, aa, ab, bb } = slope;
    match free {
        Free::Both => {
            let determinant = aa * bb - ab * ab;
            Platt { scale: (bb * a - ab * b) / determinant, offset: (aa * b - ab * a) / determinant }
        }
        Free::Scale => Platt { scale: a / aa, offset: 0.0 },
        Free::Offset => Platt { scale: 0.0, offset: b / bb },
    }
}

#[cfg(test)]
mod tests;
