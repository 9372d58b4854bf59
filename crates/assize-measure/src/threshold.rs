//! The threshold that a set would have liked best. Pure.
//!
//! Found on a benchmark it tells how far a fixed threshold is from the set's own optimum and must never be used, because
//! it has seen the answers. The trainer may use the one of its calibration rows.

use crate::Weighted;

/// The highest F1 of a set and where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestF1 {
    /// In `[0, 1]`.
    pub f1: f64,
    /// A score from here on is a yes: the middle between the lowest score that is one and the highest that is not, in
    /// the unit of the scores.
    pub threshold: f64,
}

/// The threshold with the highest F1, the highest one where several have it.
///
/// A score of minus infinity is never a yes and one of plus infinity always is, so that what was not judged can be wrong
/// at each threshold. `None` without a positive or a finite score, where a score is NaN, or where a weight is negative or
/// not finite.
pub fn best_f1(observations: &[Weighted]) -> Option<BestF1> {
    if !observations.iter().all(Weighted::is_valid) {
        return None;
    }
    let mut sorted = observations.to_vec();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    let positives: f64 = sorted.iter().filter(|one| one.label).map(|one| one.weight).sum();
    if positives <= 0.0 {
        return None;
    }
    // `2 TP / (2 TP + FP + FN)` is twice the true yes over all yes and all positives.
    let (mut yes, mut true_yes) = (0.0, 0.0);
    let mut best: Option<BestF1> = None;
    let mut groups = sorted.chunk_by(|a, b| a.score == b.score).peekable();
    while let Some(group) = groups.next() {
        yes += group.iter().map(|one| one.weight).sum::<f64>();
        true_yes += group.iter().filter(|one| one.label).map(|one| one.weight).sum::<f64>();
        let score = group.first().map(|one| one.score).filter(|score| score.is_finite());
        let f1 = 2.0 * true_yes / (yes + positives);
        let Some(score) = score.filter(|_| best.is_none_or(|best| f1 > best.f1)) else { continue };
        let below = groups.peek().and_then(|group| group.first()).map(|one| one.score);
        best = Some(BestF1 { f1, threshold: middle(below, score) });
    }
    best
}

/// The middle, or the upper end where there is none between them.
fn middle(below: Option<f64>, score: f64) -> f64 {
    let middle = below.map(|below| below + (score - below) / 2.0);
    middle.filter(|middle| middle.is_finite() && below.is_some_and(|below| below < *middle)).unwrap_or(score)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Observation, Sample, SplitMix};

    fn check(spec: &[(f64, u8, f64)], expected: Option<(f64, f64)>) {
        let observations: Vec<Weighted> = spec
            .iter()
            .map(|&(score, label, weight)| Weighted { score, label: label == 1, weight })
            .collect();
        let found = best_f1(&observations);
        assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
        if let Some((found, (f1, threshold))) = found.zip(expected) {
            assert!(
                (found.f1 - f1).abs() < 1e-12 && (found.threshold - threshold).abs() < 1e-12,
                "{found:?}"
            );
        }
    }

    #[test]
    fn known_sets_have_their_known_optimum() {
        check(&[(0.9, 1, 1.0), (0.5, 1, 1.0), (0.3, 0, 1.0)], Some((1.0, 0.4)));
        // Yes from .9: 2/(1+2); from .5: 2/(2+2); from .3: 4/(3+2).
        check(&[(0.9, 1, 1.0), (0.5, 0, 1.0), (0.3, 1, 1.0)], Some((0.8, 0.3)));
        // A heavy negative: 2/3 from .9, 4/(7+2) from .3.
        check(&[(0.9, 1, 1.0), (0.5, 0, 5.0), (0.3, 1, 1.0)], Some((2.0 / 3.0, 0.7)));
        // Tied scores stand or fall together.
        check(&[(0.5, 1, 1.0), (0.5, 0, 1.0)], Some((2.0 / 3.0, 0.5)));
    }

    #[test]
    fn what_was_not_judged_is_wrong_at_every_threshold() {
        let (up, down) = (f64::INFINITY, f64::NEG_INFINITY);
        check(&[(0.5, 1, 1.0), (up, 0, 1.0), (down, 1, 1.0)], Some((0.5, 0.5)));
        check(&[(up, 0, 1.0), (down, 1, 1.0)], None);
    }

    #[test]
    fn what_is_not_defined_is_absent() {
        check(&[], None);
        check(&[(0.5, 0, 1.0)], None);
        check(&[(0.5, 1, 0.0)], None);
        check(&[(0.5, 1, -1.0)], None);
        check(&[(f64::NAN, 1, 1.0)], None);
    }

    #[test]
    fn no_threshold_of_a_grid_is_better_and_the_one_found_is_as_good_as_told() {
        let mut random = SplitMix::new(5);
        for _ in 0..200 {
            let scores = [0.1_f32, 0.2, 0.4, 0.5, 0.7, 0.9];
            let draw = |_| Observation { score: scores[random.below(6)], label: random.below(2) == 1 };
            let observations: Vec<Observation> = (0..12).map(draw).collect();
            let weighted = observations.iter().map(|&one| Weighted::from(one));
            let Some(best) = best_f1(&weighted.collect::<Vec<_>>()) else { continue };
            let f1 = |threshold| Sample::new(&observations, threshold).figures().f1.unwrap();
            #[expect(clippy::cast_possible_truncation, reason = "as the service compares")]
            let found = f1(best.threshold as f32);
            assert!((found - best.f1).abs() < 1e-12);
            assert!((0..=20_u8).all(|step| f1(f32::from(step) / 20.0) <= best.f1 + 1e-12));
        }
    }
}
