//! How small and how large a sum can be under given weights, whatever the models see.

use crate::evidence::LARGEST_EVIDENCE;
use crate::safetyanalyst::SafetyAnalyst;
use crate::weights::{Aggregation, Weights};
use assize_domain::{ActionCategory, LeafWeights};

/// Leaves of harm in one conversation, and leaves of benefit, at most. Of 2,180 annotated trees the longest has 8 and 5; a
/// reporter that writes one for each stakeholder comes to some tens.
const MOST_LEAVES: f64 = 64.0;

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
    let mass = most_mass(&weights.leaf);
    let guard = LARGEST_EVIDENCE * weights.guard.max(weights.response);
    let in_favour = weights.benefit * mass.ln_1p() + LARGEST_EVIDENCE * weights.refusal;
    // Of the two subjects the larger sum counts.
    let prompt = LARGEST_EVIDENCE * weights.guard + weights.adversarial;
    let against = prompt.max(LARGEST_EVIDENCE * weights.response) + most_harm(&weights.harm, mass);
    Sums {
        smallest: weights.bias - guard - in_favour,
        without_evidence: weights.bias,
        largest: weights.bias + against,
    }
}

/// Major, highly likely, immediate leaves weigh 1 whatever the ratios.
fn of_safetyanalyst(parameters: &SafetyAnalyst) -> Sums {
    let heaviest = parameters.action.iter().copied().fold(0.0, f64::max);
    Sums {
        smallest: -MOST_LEAVES * parameters.benefit_weight,
        without_evidence: 0.0,
        largest: MOST_LEAVES * heaviest,
    }
}

/// The largest mass of one category, and of all together: every leaf is one of the heaviest.
pub(super) fn most_mass(leaf: &LeafWeights) -> f64 {
    let tables: [&[f64]; 4] = [&leaf.effect, &leaf.stakeholder, &leaf.extent, &leaf.likelihood];
    let heaviest = tables.map(|table| table.iter().copied().fold(0.0, f64::max));
    MOST_LEAVES * heaviest.iter().product::<f64>()
}

/// The largest sum of weight × ln(1 + mass) over the categories, where all masses together are `mass`.
///
/// Where the slopes weight / (1 + mass) of all categories that have any are the same, moving mass from one to another
/// gains nothing; a category has none where its slope at 0, its weight, is below that.
fn most_harm(weights: &[f64; ActionCategory::COUNT], mass: f64) -> f64 {
    let mut sorted = *weights;
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (mut together, mut count, mut slope) = (0.0, 0.0, 0.0);
    for weight in sorted {
        if weight <= slope {
            break;
        }
        together += weight;
        count += 1.0;
        slope = together / (mass + count);
    }
    sorted.iter().filter(|weight| **weight > slope).map(|weight| weight * (weight / slope).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(weights: &[f64], mass: f64, expected: f64) {
        let mut all = [0.0; ActionCategory::COUNT];
        all.iter_mut().zip(weights).for_each(|(place, weight)| *place = *weight);
        let found = most_harm(&all, mass);
        assert!((found - expected).abs() < 1e-12, "{weights:?}: {found}, not {expected}");
    }

    #[test]
    fn mass_goes_where_it_counts_most() {
        check(&[], 10.0, 0.0);
        check(&[2.0], 0.0, 0.0);
        check(&[2.0], 3.0, 2.0 * 4.0_f64.ln());
        // Shared evenly: two of mass 3.
        check(&[1.0, 1.0], 6.0, 2.0 * 4.0_f64.ln());
        // A weight of a tenth is not worth one leaf of the other: 8 / (1 + 3) = 2.
        check(&[8.0, 0.1], 3.0, 8.0 * 4.0_f64.ln());
        // Slopes 2 / (1 + 5) = 1 / (1 + 2).
        check(&[1.0, 2.0], 7.0, 2.0 * 6.0_f64.ln() + 3.0_f64.ln());
    }
}
