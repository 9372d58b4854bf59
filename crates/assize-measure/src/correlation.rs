//! How far two numbers go together: correlations and the mean distance. Pure; the last step before a report.

/// Two numbers told of the same thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// What the model says; finite, in any unit.
    pub predicted: f64,
    /// What is right, as people or annotations say; finite, and for [`mean_absolute_error`] in the same unit.
    pub actual: f64,
}

/// A variance of rounding errors only, relative to the mean square: such numbers are all the same.
const ROUNDING: f64 = 1e-24;

/// Pearson's product-moment correlation, in `[-1, 1]`; the same for every positive linear change of either side.
///
/// `None` where one side does not vary (so also below two pairs) or a number is not finite.
pub fn pearson(pairs: &[Pair]) -> Option<f64> {
    let count = count(pairs.len())?;
    let mean = |side: fn(&Pair) -> f64| pairs.iter().map(side).sum::<f64>() / count;
    let (predicted, actual) = (mean(|pair| pair.predicted), mean(|pair| pair.actual));
    let mut sums = Sums::default();
    for pair in pairs {
        let (x, y) = (pair.predicted - predicted, pair.actual - actual);
        sums = Sums { xx: sums.xx + x * x, yy: sums.yy + y * y, xy: sums.xy + x * y };
    }
    let varies = |sum: f64, mean: f64| sum > ROUNDING * count * mean * mean && sum > 0.0;
    if !(varies(sums.xx, predicted) && varies(sums.yy, actual)) {
        return None;
    }
    let found = sums.xy / (sums.xx.sqrt() * sums.yy.sqrt());
    found.is_finite().then(|| found.clamp(-1.0, 1.0))
}

/// Spearman's rank correlation, in `[-1, 1]`: Pearson's over the ranks, where tied numbers share the mean of theirs.
///
/// `None` as for [`pearson`].
pub fn spearman(pairs: &[Pair]) -> Option<f64> {
    if !pairs.iter().all(|pair| pair.predicted.is_finite() && pair.actual.is_finite()) {
        return None;
    }
    let of = |side: fn(&Pair) -> f64| ranks(&pairs.iter().map(side).collect::<Vec<f64>>());
    let (predicted, actual) = (of(|pair| pair.predicted), of(|pair| pair.actual));
    let ranked = predicted.into_iter().zip(actual);
    let ranked: Vec<Pair> = ranked.map(|(predicted, actual)| Pair { predicted, actual }).collect();
    pearson(&ranked)
}

/// Mean distance between both sides, in their unit, at least 0. `None` without a pair or where a number is not finite.
pub fn mean_absolute_error(pairs: &[Pair]) -> Option<f64> {
    let sum: f64 = pairs.iter().map(|pair| (pair.predicted - pair.actual).abs()).sum();
    count(pairs.len()).map(|count| sum / count).filter(|mean| mean.is_finite())
}

/// Sums of products of deviations.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    xx: f64,
    yy: f64,
    xy: f64,
}

/// Each value's rank from 1, in the order of the values given.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0.0;
    // `==`, so that 0 and -0 tie; `total_cmp` sorts them next to one another.
    for tied in order.chunk_by(|(_, a), (_, b)| a == b) {
        let size: f64 = tied.iter().map(|_| 1.0).sum();
        for (place, _) in tied {
            if let Some(rank) = ranks.get_mut(*place) {
                *rank = below + (size + 1.0) / 2.0;
            }
        }
        below += size;
    }
    ranks
}

/// `None` where there is nothing.
fn count(given: usize) -> Option<f64> {
    let count = f64::from(u32::try_from(given).ok()?);
    (count > 0.0).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SplitMix;

    fn pairs(spec: &[(f64, f64)]) -> Vec<Pair> {
        spec.iter().map(|&(predicted, actual)| Pair { predicted, actual }).collect()
    }

    fn close(found: Option<f64>, expected: Option<f64>) {
        let off = found.zip(expected).map_or(0.0, |(found, expected)| (found - expected).abs());
        assert!(found.is_some() == expected.is_some() && off < 1e-9, "{found:?} instead of {expected:?}");
    }

    fn check(spec: &[(f64, f64)], expected: [Option<f64>; 3]) {
        let pairs = pairs(spec);
        let found = [pearson(&pairs), spearman(&pairs), mean_absolute_error(&pairs)];
        found.into_iter().zip(expected).for_each(|(found, expected)| close(found, expected));
    }

    #[test]
    fn known_pairs_have_their_known_figures() {
        // Deviations -1.5 -.5 .5 1.5 and -2 0 -1 3: products 3 + 0 - .5 + 4.5 = 7, squares 5 and 14.
        let pearson = 7.0 / 70.0_f64.sqrt();
        // Ranks 1 2 3 4 and 1 3 2 4: 1 - 6 * 2 / (4 * 15).
        let found = [Some(pearson), Some(0.8), Some(1.0)];
        check(&[(1.0, 0.0), (2.0, 2.0), (3.0, 1.0), (4.0, 5.0)], found);
        // Ranks 1.5 1.5 3 and 1 2 3: deviations -.5 -.5 1 and -1 0 1, so 1.5 / sqrt(1.5 * 2).
        let tied = pairs(&[(7.0, 1.0), (7.0, 2.0), (9.0, 4.0)]);
        close(spearman(&tied), Some(1.5 / 3.0_f64.sqrt()));
    }

    #[test]
    fn what_is_not_defined_is_absent() {
        check(&[], [None, None, None]);
        check(&[(1.0, 3.0)], [None, None, Some(2.0)]);
        check(&[(0.1, 1.0), (0.1, 2.0), (0.1, 4.0)], [None, None, Some((0.9 + 1.9 + 3.9) / 3.0)]);
        check(&[(f64::NAN, 1.0), (0.1, 2.0)], [None, None, None]);
        check(&[(f64::INFINITY, 1.0), (0.1, 2.0)], [None, None, None]);
    }

    fn random(seed: u64) -> Vec<Pair> {
        let mut random = SplitMix::new(seed);
        let mut number = || f64::from(u32::try_from(random.below(1000)).unwrap()) / 100.0;
        (0..50).map(|_| (number(), number())).map(|(x, y)| Pair { predicted: x + y, actual: y }).collect()
    }

    #[test]
    fn pearson_survives_linear_and_spearman_monotone_changes() {
        for seed in 0..50 {
            let pairs = random(seed);
            let change =
                |change: fn(Pair) -> Pair| -> Vec<Pair> { pairs.iter().copied().map(change).collect() };
            let linear = change(|pair| Pair { predicted: 3.0 * pair.predicted - 7.0, ..pair });
            let negated = change(|pair| Pair { predicted: -pair.predicted, ..pair });
            let swapped = change(|pair| Pair { predicted: pair.actual, actual: pair.predicted });
            let monotone = change(|pair| Pair { predicted: pair.predicted.exp(), ..pair });
            let found = pearson(&pairs);
            close(pearson(&linear), found);
            close(pearson(&swapped), found);
            close(pearson(&negated), found.map(|found| -found));
            close(spearman(&monotone), spearman(&pairs));
            close(spearman(&negated), spearman(&pairs).map(|found| -found));
            close(pearson(&change(|pair| Pair { predicted: pair.actual, ..pair })), Some(1.0));
        }
    }
}
