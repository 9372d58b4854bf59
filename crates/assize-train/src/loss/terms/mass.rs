//! Expected mass against true mass: ties presence, number and severity together in the one number that is read out.

use assize_candle::leaves::unit;
use assize_candle::numerics::{sigmoid, softplus};
use assize_domain::Severity;
use std::ops::Range;

/// Keeps the slope of the root finite at 0: about the mass of one minor, unlikely leaf.
const FLOOR: f32 = 0.05;

/// Where one side of the tree, harms or benefits, has its numbers.
pub(in crate::loss) struct Side {
    pub(in crate::loss) presence: Range<usize>,
    pub(in crate::loss) leaves: Range<usize>,
    pub(in crate::loss) severity: Range<usize>,
}

/// One category's (or effect's) expected mass, and how it changes.
struct Part {
    mass: f32,
    by_presence: f32,
    by_leaves: f32,
    by_severity: [f32; Severity::COUNT],
}

impl Side {
    /// Half squared differences of roots: of the total, weighted by `scales.0`, and of each category, by `scales.1`.
    pub(in crate::loss) fn loss(
        &self,
        logits: &[f32],
        gradient: &mut [f32],
        targets: &[f32],
        scales: (f32, f32),
    ) -> f32 {
        let parts: Vec<Part> = (0..targets.len()).map(|index| self.part(logits, index)).collect();
        let (expected, target) = (parts.iter().map(|part| part.mass).sum(), targets.iter().sum());
        let (total, slope) = roots(expected, target);
        let mut loss = scales.0 * total;
        for (index, (part, target)) in parts.iter().zip(targets).enumerate() {
            let (own, own_slope) = roots(part.mass, *target);
            loss += scales.1 * own;
            self.add(gradient, index, part, scales.0 * slope + scales.1 * own_slope);
        }
        loss
    }

    fn part(&self, logits: &[f32], index: usize) -> Part {
        let number = |range: &Range<usize>| logits.get(range.start + index).copied().unwrap_or_default();
        let start = self.severity.start + index * Severity::COUNT;
        let severity = logits.get(start..start + Severity::COUNT).unwrap_or_default();
        let largest = severity.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f32> = severity.iter().map(|logit| (logit - largest).exp()).collect();
        let sum: f32 = powers.iter().sum();
        let weights = unit();
        let mean = powers.iter().zip(weights).map(|(power, weight)| power / sum * weight).sum::<f32>();
        let presence = sigmoid(number(&self.presence));
        let leaves = 1.0 + softplus(number(&self.leaves));
        let mut by_severity = [0.0; Severity::COUNT];
        for ((slope, power), weight) in by_severity.iter_mut().zip(&powers).zip(weights) {
            *slope = presence * leaves * power / sum * (weight - mean);
        }
        Part {
            mass: presence * leaves * mean,
            by_presence: presence * (1.0 - presence) * leaves * mean,
            by_leaves: presence * sigmoid(number(&self.leaves)) * mean,
            by_severity,
        }
    }

    fn add(&self, gradient: &mut [f32], index: usize, part: &Part, slope: f32) {
        for (range, by) in [(&self.presence, part.by_presence), (&self.leaves, part.by_leaves)] {
            if let Some(place) = gradient.get_mut(range.start + index) {
                *place += slope * by;
            }
        }
        let start = self.severity.start + index * Severity::COUNT;
        let places = gradient.get_mut(start..start + Severity::COUNT).unwrap_or_default();
        places.iter_mut().zip(part.by_severity).for_each(|(place, by)| *place += slope * by);
    }
}

/// `(√(expected + floor) - √(target + floor))² / 2`, and its derivative by `expected`.
fn roots(expected: f32, target: f32) -> (f32, f32) {
    let root = (expected + FLOOR).sqrt();
    let difference = root - (target + FLOOR).sqrt();
    (difference * difference / 2.0, difference / (2.0 * root))
}
