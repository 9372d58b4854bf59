//! How sure the figures are: 95 % percentile intervals over resampled rows (Efron 1979). Pure and deterministic.

use crate::{Figures, Observation, Sample};
use serde::Serialize;

/// Any fixed number: the same file and model give the same report.
const SEED: u64 = 0x00A5_512E;

/// Both ends; as JSON a list of two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(into = "[f64; 2]")]
pub struct Interval {
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

impl From<Interval> for [f64; 2] {
    fn from(interval: Interval) -> Self {
        [interval.low, interval.high]
    }
}

/// An interval for each figure, from `resamples` draws of as many rows as there are.
///
/// A draw without a negative has no FPR and so on; a figure that most draws lack has no interval.
pub fn intervals(
    observations: &[Observation],
    threshold: f32,
    resamples: usize,
) -> Figures<Option<Interval>> {
    let mut random = SplitMix::new(SEED);
    let mut sample = Sample::new(observations, threshold);
    let draw = |_| {
        sample.redraw(|count| random.below(count));
        sample.figures()
    };
    let drawn: Vec<Figures<Option<f64>>> = (0..resamples).map(draw).collect();
    let of = |figure: fn(&Figures<Option<f64>>) -> Option<f64>| interval(drawn.iter().map(figure));
    Figures {
        f1: of(|figures| figures.f1),
        precision: of(|figures| figures.precision),
        recall: of(|figures| figures.recall),
        fpr: of(|figures| figures.fpr),
        auroc: of(|figures| figures.auroc),
        ece: of(|figures| figures.ece),
    }
}

/// An interval for any figure of rows, from `resamples` draws of as many rows as there are: of pairs for a correlation,
/// of observations for an AUROC. `None` where most draws lack the figure, or where there are no draws.
pub fn interval_of<Row: Clone>(
    rows: &[Row],
    figure: impl Fn(&[Row]) -> Option<f64>,
    resamples: usize,
) -> Option<Interval> {
    let mut random = SplitMix::new(SEED);
    let mut drawn = Vec::with_capacity(rows.len());
    let draw = |_| {
        drawn.clear();
        drawn.extend((0..rows.len()).filter_map(|_| rows.get(random.below(rows.len())).cloned()));
        figure(&drawn)
    };
    interval((0..resamples).map(draw))
}

/// From the 2.5th to the 97.5th percentile of the values that are there.
fn interval(values: impl ExactSizeIterator<Item = Option<f64>>) -> Option<Interval> {
    let drawn = values.len();
    let mut values: Vec<f64> = values.flatten().collect();
    if values.len() * 2 < drawn {
        return None;
    }
    values.sort_by(f64::total_cmp);
    // As many values are left out below as above.
    let beyond = values.len() * 25 / 1000;
    let last = values.len().checked_sub(1 + beyond)?;
    Some(Interval { low: *values.get(beyond)?, high: *values.get(last)? })
}

/// Random numbers by SplitMix64 (Steele, Lea, Flood 2014): a few lines are enough here, and no dependency's update
/// changes a report.
#[derive(Debug)]
pub struct SplitMix(u64);

impl SplitMix {
    /// The same seed gives the same numbers.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `count`; 0 where `count` is 0. Uniform up to `count / 2^32`.
    pub fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let scaled = (u128::from(self.next() >> 32) * u128::from(count)) >> 32;
        usize::try_from(scaled).unwrap_or(0)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Pair, auroc, pearson};

    /// 300 rows, a third of them positive, whose scores overlap.
    fn ordinary() -> Vec<Observation> {
        let mut random = SplitMix::new(7);
        let draw = |index: usize| {
            let label = index.is_multiple_of(3);
            let bump = if label { 0.3 } else { 0.0 };
            let noise = f32::from(u16::try_from(random.below(700)).unwrap()) / 1000.0;
            Observation { score: noise + bump, label }
        };
        (0..300).map(draw).collect()
    }

    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = SplitMix::new(1_234_567);
        let published = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.next(), random.next(), random.next()], published);
        assert!((0..1000).all(|_| random.below(3) < 3));
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn intervals_are_deterministic_and_contain_the_figures_of_ordinary_data() {
        let observations = ordinary();
        let found = intervals(&observations, 0.5, 400);
        assert_eq!(found, intervals(&observations, 0.5, 400));
        let point = Sample::new(&observations, 0.5).figures();
        let pairs = [
            (point.f1, found.f1),
            (point.precision, found.precision),
            (point.recall, found.recall),
            (point.fpr, found.fpr),
            (point.auroc, found.auroc),
        ];
        for (point, interval) in pairs {
            let (point, interval) = (point.unwrap(), interval.unwrap());
            assert!(interval.low < point && point < interval.high, "{point} {interval:?}");
            assert!(interval.high - interval.low < 0.25, "300 rows say more than {interval:?}");
        }
    }

    #[test]
    fn a_correlation_lies_in_its_interval_which_more_pairs_make_narrower() {
        let mut random = SplitMix::new(11);
        let mut number = || f64::from(u32::try_from(random.below(1000)).unwrap()) / 1000.0;
        let mut pairs = |count: usize| -> Vec<Pair> {
            let both = (0..count).map(|_| (number(), number()));
            both.map(|(x, y)| Pair { predicted: x + y, actual: x }).collect()
        };
        let mut width = |count| {
            let pairs = pairs(count);
            let (point, found) = (pearson(&pairs).unwrap(), interval_of(&pairs, pearson, 400).unwrap());
            assert_eq!(Some(found), interval_of(&pairs, pearson, 400));
            assert!(found.low < point && point < found.high, "{point} {found:?}");
            found.high - found.low
        };
        assert!(width(800) < width(50) / 2.0);
        assert_eq!(interval_of(&[], pearson, 10), None);
        let pair = Pair { predicted: 1.0, actual: 1.0 };
        assert_eq!((interval_of(&[pair], pearson, 10), interval_of(&[pair; 3], pearson, 0)), (None, None));
    }

    #[test]
    fn any_figure_has_the_interval_of_the_common_ones() {
        let observations = ordinary();
        let (one, other) =
            (interval_of(&observations, auroc, 400).unwrap(), intervals(&observations, 0.5, 400));
        let other = other.auroc.unwrap();
        assert!((one.low - other.low).abs() < 0.02 && (one.high - other.high).abs() < 0.02);
    }

    #[test]
    fn percentiles_leave_out_as_much_below_as_above() {
        let values = (0..1000_u32).map(|value| Some(f64::from(value)));
        let values: Vec<_> = values.collect();
        assert_eq!(interval(values.into_iter()), Some(Interval { low: 25.0, high: 974.0 }));
    }

    #[test]
    fn what_is_not_defined_has_no_interval() {
        let positives = [Observation { score: 0.7, label: true }; 5];
        let found = intervals(&positives, 0.5, 50);
        assert_eq!((found.fpr, found.auroc), (None, None));
        assert_eq!(found.f1, Some(Interval { low: 1.0, high: 1.0 }));
        assert_eq!(intervals(&positives, 0.5, 0), Figures::default());
        assert_eq!(interval([None, None, Some(1.0)].into_iter()), None);
        assert_eq!(intervals(&[], 0.5, 10), Figures::default());
    }
}
