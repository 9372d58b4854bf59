//! What a fit may change: each parameter with its range, how far communities are expected to be from their parent in it,
//! and how it is written into a profile's numbers.

use super::features::{weight_mut, weight_of};
use crate::evidence::{log_odds_of, logistic};
use crate::keys;
use crate::profile::{Profile, Thresholds};
use crate::weights::{Aggregation, Weights};
use assize_domain::{Effect, Evidence, GuardHead};

/// Thresholds beyond these are taken as these when they are turned into log-odds. At the upper one a block is out of
/// reach in practice.
const CUTS: (f64, f64) = (0.001, 0.9999);

/// Standard deviation of a community's bias around its parent's, in log-odds.
///
/// SOURCE: the raters of PluriHarms have mean ratings from 19 to 79, which is 1.4 log-odds to either side; wider than that,
/// so that it hardly pulls.
const BIAS_SPREAD: f64 = 2.0;
/// Of the width of the review band, in log-odds; wide, as labels tell of it directly.
const BAND_SPREAD: f64 = 1.0;
/// Of the factor on all evidence, whose centre is 1: from half as strong to half as strong again.
const FACTOR_SPREAD: f64 = 0.5;
/// Of the weight of one harm category.
///
/// SOURCE: the three communities in `config/communities` that extend `default` are .88 from it, root mean square over all
/// categories.
const HARM_SPREAD: f64 = 1.0;
/// Of the guard's, the reply's, the attack's, the refusal's and the benefit's weights.
///
/// SOURCE: as [`HARM_SPREAD`]: .35 for the guard, .58 for attacks and refusals, .36 for benefit.
const WEIGHT_SPREAD: f64 = 0.5;
/// Of the weight of an effect, whose default is 1: no shipped community sets one; as for the factor.
const EFFECT_SPREAD: f64 = 0.5;

/// One number that a fit may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    /// The weight of one piece of evidence, the bias among them.
    Weight(Evidence),
    /// How far the block threshold lies above the review threshold, in log-odds.
    Band,
    /// What all evidence is multiplied by that speaks of how strongly the community reacts.
    Factor,
    /// The weight of one effect.
    Effect(Effect),
}

/// The numbers of a profile that a fit may change.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numbers {
    pub(super) weights: Weights,
    pub(super) thresholds: Thresholds,
    /// What the weights are pulled to, as a multiple of the parent's; it stands in no profile.
    pub(super) factor: f64,
}

/// Whether the factor reaches a piece of evidence: not what nothing speaks against, and not the refusal, which says how
/// far a reply makes up for what was asked, and not how much that counts.
pub(super) fn is_scaled(evidence: Evidence) -> bool {
    match evidence {
        Evidence::Bias | Evidence::Guard(GuardHead::ResponseRefusal) => false,
        Evidence::Guard(_) | Evidence::Harm(_) | Evidence::Benefit => true,
    }
}

/// The log-odds at which a threshold is crossed.
pub(super) fn cut(threshold: f64) -> f64 {
    log_odds_of(threshold.clamp(CUTS.0, CUTS.1))
}

/// Whether a threshold is so high that nothing reaches it.
pub(super) fn is_out_of_reach(threshold: f64) -> bool {
    threshold >= CUTS.1
}

impl Parameter {
    /// The standard deviation that it is expected to have around its centre.
    pub(super) const fn spread(self) -> f64 {
        match self {
            Self::Weight(Evidence::Bias) => BIAS_SPREAD,
            Self::Weight(Evidence::Harm(_)) => HARM_SPREAD,
            Self::Weight(Evidence::Guard(_) | Evidence::Benefit) => WEIGHT_SPREAD,
            Self::Band => BAND_SPREAD,
            Self::Factor => FACTOR_SPREAD,
            Self::Effect(_) => EFFECT_SPREAD,
        }
    }

    /// Its value in a profile's numbers.
    pub(super) fn read(self, numbers: &Numbers) -> f64 {
        match self {
            Self::Weight(evidence) => weight_of(&numbers.weights, evidence),
            Self::Band => cut(numbers.thresholds.block) - cut(numbers.thresholds.review),
            Self::Factor => numbers.factor,
            Self::Effect(effect) => {
                numbers.weights.leaf.effect.get(effect.index()).copied().unwrap_or_default()
            }
        }
    }

    /// Puts its value into a profile's numbers; a factor is only noted.
    pub(super) fn write(self, value: f64, numbers: &mut Numbers) {
        match self {
            Self::Weight(evidence) => set(weight_mut(&mut numbers.weights, evidence), value),
            Self::Band => {
                let Thresholds { review, block } = numbers.thresholds;
                // What is out of reach stays out of reach, as it was written, until the band is narrower than that.
                let stays = is_out_of_reach(block) && value >= self.read(numbers);
                if !stays {
                    // To rounding the two may change places where the band is 0.
                    numbers.thresholds.block =
                        logistic(cut(review) + value).clamp(review, keys::BLOCK.range.1);
                }
            }
            Self::Factor => numbers.factor = value,
            Self::Effect(effect) => {
                set(numbers.weights.leaf.effect.get_mut(effect.index()), value);
            }
        }
    }

    /// Smallest and largest value; those of a factor keep every weight of `scaled` in its own range.
    pub(super) fn bounds(self, parent: &Numbers, scaled: &[Evidence]) -> (f64, f64) {
        match self {
            Self::Weight(evidence) => keys::key_of(evidence).range,
            Self::Band => (0.0, cut(1.0) - cut(parent.thresholds.review)),
            Self::Factor => {
                let most = |evidence: &Evidence| {
                    let weight = weight_of(&parent.weights, *evidence);
                    (weight > 0.0).then(|| keys::key_of(*evidence).range.1 / weight)
                };
                (0.0, scaled.iter().filter_map(most).fold(f64::INFINITY, f64::min))
            }
            Self::Effect(_) => keys::EFFECT.range,
        }
    }
}

fn set(place: Option<&mut f64>, value: f64) {
    if let Some(place) = place {
        *place = value;
    }
}

impl Numbers {
    /// Those of a profile with our aggregation; `None` for another.
    pub(super) fn of(profile: &Profile) -> Option<Self> {
        match &profile.aggregation {
            Aggregation::Assize(weights) => {
                Some(Self { weights: weights.as_ref().clone(), thresholds: profile.thresholds, factor: 1.0 })
            }
            Aggregation::SafetyAnalyst(_) => None,
        }
    }
}
