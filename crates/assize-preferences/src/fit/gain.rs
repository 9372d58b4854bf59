//! What a stage gains on labels that it was not fitted to, and how sure that is.

/// A mean difference from the parent, with its 95 % interval; above 0 is better than the parent.
///
/// The interval is the normal one with Student's quantile, from paired differences on left-out labels; labels of one
/// conversation are taken together as one observation. It says how the gain varies with the labels drawn, the fitted
/// numbers being given. It is wide: a community three standard errors away from its parent has a gain of half as many.
/// Whether there is a difference at all is another question, and has an answer of its own
/// ([`super::StageReport::distinguishable`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// The mean.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A mean over labels and its standard error, by conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mean {
    pub(super) mean: f64,
    pub(super) error: f64,
    conversations: f64,
}

impl Mean {
    /// Of differences, with the conversation that each belongs to; equal conversations stand side by side.
    pub(super) fn of(differences: &[f64], conversations: &[usize]) -> Self {
        let count: f64 = differences.iter().map(|_| 1.0).sum();
        let mean = differences.iter().sum::<f64>() / count;
        let together = conversations.chunk_by(|a, b| a == b);
        let mut rest = differences;
        let mut sums = Vec::new();
        for one in together {
            let (own, others) = rest.split_at_checked(one.len()).unwrap_or((rest, &[]));
            sums.push(own.iter().map(|difference| difference - mean).sum::<f64>());
            rest = others;
        }
        let groups: f64 = sums.iter().map(|_| 1.0).sum();
        let squares: f64 = sums.iter().map(|sum| sum * sum).sum();
        Self { mean, error: (squares * groups / (groups - 1.0)).sqrt() / count, conversations: groups }
    }

    /// With its 95 % interval.
    pub(super) fn gain(self) -> Gain {
        let width = self.error * student(NORMAL_TWO_SIDED, self.conversations - 1.0);
        Gain { estimate: self.mean, low: self.mean - width, high: self.mean + width }
    }

    /// Whether it is above 0 by more than chance gives one of four tries in 40.
    pub(super) fn is_clear(self) -> bool {
        self.mean > self.error * student(NORMAL_OF_FOUR, self.conversations - 1.0)
    }
}

/// The normal quantile of 97.5 %.
const NORMAL_TWO_SIDED: f64 = 1.959_963_984_540_054;
/// The normal quantile of 100 % - 2.5 % / 4: four stages are tried, and each gets its part of the chance to be wrong
/// (Bonferroni).
const NORMAL_OF_FOUR: f64 = 2.497_705_474_412_374;

/// A quantile of Student's distribution from the normal one, to a hundredth from 9 degrees of freedom on.
///
/// SOURCE: Abramowitz and Stegun 1964, 26.7.5.
fn student(normal: f64, degrees: f64) -> f64 {
    let (third, fifth, seventh) = (normal.powi(3), normal.powi(5), normal.powi(7));
    let first = (third + normal) / 4.0;
    let second = (5.0 * fifth + 16.0 * third + 3.0 * normal) / 96.0;
    let last = (3.0 * seventh + 19.0 * fifth + 17.0 * third - 15.0 * normal) / 384.0;
    normal + first / degrees + second / degrees.powi(2) + last / degrees.powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (degrees, expected) in [(9.0, 2.2622), (19.0, 2.0930), (49.0, 2.0096), (1e9, 1.9600)] {
            assert!((student(NORMAL_TWO_SIDED, degrees) - expected).abs() < 1e-3, "{degrees}");
        }
        for (degrees, expected) in [(9.0, 3.1109), (19.0, 2.7629), (49.0, 2.5969), (1e9, 2.4977)] {
            assert!((student(NORMAL_OF_FOUR, degrees) - expected).abs() < 1e-2, "{degrees}");
        }
    }

    #[test]
    fn a_mean_by_hand() {
        // Deviations -1, 0 and 1: variance 1, standard error 1 / sqrt(3).
        let mean = Mean::of(&[1.0, 2.0, 3.0], &[0, 1, 2]);
        assert!((mean.mean - 2.0).abs() < 1e-12 && (mean.error - 3_f64.sqrt().recip()).abs() < 1e-12);
    }

    #[test]
    fn a_label_given_twice_is_no_second_conversation() {
        let once = Mean::of(&[1.0, 2.0, 4.0], &[0, 1, 2]);
        let twice = Mean::of(&[1.0, 1.0, 2.0, 2.0, 4.0, 4.0], &[0, 0, 1, 1, 2, 2]);
        assert!((once.mean - twice.mean).abs() < 1e-12 && (once.error - twice.error).abs() < 1e-12);
    }
}
