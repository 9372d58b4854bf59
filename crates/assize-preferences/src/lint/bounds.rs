//! How small and how large a sum can be under given weights, whatever the models see.

use crate::evidence::LARGEST_EVIDENCE;
use crate::safetyanalyst::SafetyAnalyst;
use crate::weights::{Aggregation, Weights};
use assize_domain::{Effect, LeafWeights};

/// Leaves of one branch of an expected tree at most: a [`assize_domain::LeafCount`] holds no more.
const MOST_EXPECTED: f64 = 65_535.0 / 256.0;
/// Leaves of one side of a reported tree at most.
///
/// SOURCE: `assize_record::reporter::MOST_LEAVES`.
const MOST_REPORTED: f64 = 10_000.0;

/// Sums, in log-odds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sums {
    /// No sum is below this.
    pub(super) smallest: f64,
    /// The sum without any evidence: the models are undecided, and the tree is empty.
    pub(super) without_evidence: f64,
    /// No sum is above this.
    pub(super) largest: f64,
}

/// The sums that an aggregation can give.
pub(super) fn sums(aggregation: &Aggregation) -> Sums {
    match aggregation {
        Aggregation::Assize(weights) => of_assize(weights),
        Aggregation::SafetyAnalyst(parameters) => of_safetyanalyst(parameters),
    }
}

fn of_assize(weights: &Weights) -> Sums {
    let guard = LARGEST_EVIDENCE * weights.guard.max(weights.response);
    let in_favour =
        weights.benefit * most_benefit(&weights.leaf).ln_1p() + LARGEST_EVIDENCE * weights.refusal;
    // Of the two subjects the larger sum counts. Every category has a branch of its own, as full as any.
    let prompt = LARGEST_EVIDENCE * weights.guard + weights.adversarial;
    let harm = weights.harm.iter().sum::<f64>() * most_harm(&weights.leaf).ln_1p();
    let against = prompt.max(LARGEST_EVIDENCE * weights.response) + harm;
    Sums {
        smallest: weights.bias - guard - in_favour,
        without_evidence: weights.bias,
        largest: weights.bias + against,
    }
}

/// Major, highly likely, immediate leaves weigh 1 whatever the ratios. An expected tree has a branch for each category and
/// each effect; a reported one has all its leaves where they weigh most.
fn of_safetyanalyst(parameters: &SafetyAnalyst) -> Sums {
    let heaviest = parameters.action.iter().copied().fold(0.0, f64::max);
    let expected = MOST_EXPECTED * parameters.action.iter().sum::<f64>();
    let benefits = MOST_REPORTED.max(MOST_EXPECTED * Effect::ALL.iter().map(|_| 1.0).sum::<f64>());
    Sums {
        smallest: -benefits * parameters.benefit_weight,
        without_evidence: 0.0,
        largest: expected.max(MOST_REPORTED * heaviest),
    }
}

/// The largest mass of harm in one category: a full branch of the heaviest leaves. A reported tree has less, one leaf for
/// each effect at most.
pub(super) fn most_harm(leaf: &LeafWeights) -> f64 {
    MOST_EXPECTED * heaviest_severity(leaf) * heaviest(&leaf.effect)
}

/// The largest mass of benefit: a full branch for each effect.
pub(super) fn most_benefit(leaf: &LeafWeights) -> f64 {
    MOST_EXPECTED * heaviest_severity(leaf) * leaf.effect.iter().sum::<f64>()
}

/// Of whoever counts most, immediate.
fn heaviest_severity(leaf: &LeafWeights) -> f64 {
    heaviest(&leaf.stakeholder) * heaviest(&leaf.extent) * heaviest(&leaf.likelihood)
}

fn heaviest(weights: &[f64]) -> f64 {
    weights.iter().copied().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_domain::LeafCount;

    #[test]
    fn a_branch_is_as_full_as_a_count_can_be() {
        assert_eq!(LeafCount::from_parts(u16::MAX).get(), MOST_EXPECTED);
        assert!((most_harm(&LeafWeights::UNIT) - 0.85 * MOST_EXPECTED).abs() < 1e-9);
        assert!((most_benefit(&LeafWeights::UNIT) - 15.0 * 0.85 * MOST_EXPECTED).abs() < 1e-9);
    }
}
