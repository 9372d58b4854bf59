//! Figures of merit of a yes-or-no score. Pure; a figure that is not defined is `None`, never 0 and never NaN.

use serde::Serialize;

/// Bins of the expected calibration error, as in Guo et al. 2017 (arXiv:1706.04599).
const BINS: usize = 15;

/// One labelled answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Probability of yes, in `[0, 1]`; for [`auroc`] alone any number that is larger the likelier a yes.
    pub score: f32,
    /// Whether yes is right.
    pub label: bool,
}

/// The same set of figures for values and for intervals. All but the last are better the higher, but for `fpr`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Figures<T> {
    /// `2 TP / (2 TP + FP + FN)`; needs a positive.
    pub f1: T,
    /// `TP / (TP + FP)`; needs an answer of yes.
    pub precision: T,
    /// `TP / (TP + FN)`; needs a positive.
    pub recall: T,
    /// `FP / (FP + TN)`; needs a negative.
    pub fpr: T,
    /// Chance that a positive scores above a negative, half a point where they tie; needs one of each.
    pub auroc: T,
    /// Mean distance between probability and frequency over 15 bins of equal width; needs an observation.
    pub ece: T,
}

/// Observations in ascending order of their scores, each with how often it is there: once, or as often as it was drawn.
#[derive(Debug, Clone)]
pub struct Sample {
    observations: Vec<Counted>,
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    score: f32,
    label: bool,
    says_yes: bool,
    bin: usize,
    times: u32,
}

/// Answers by what they are; f64 because only ratios are asked for, and counts are exact in it.
#[derive(Debug, Clone, Copy, Default)]
struct Confusion {
    true_yes: f64,
    false_yes: f64,
    true_no: f64,
    false_no: f64,
}

impl Sample {
    /// Takes every observation once. A score at the threshold is a yes.
    pub fn new(observations: &[Observation], threshold: f32) -> Self {
        let counted = observations.iter().map(|&Observation { score, label }| Counted {
            score,
            label,
            says_yes: score >= threshold,
            bin: bin(score),
            times: 1,
        });
        let mut observations: Vec<Counted> = counted.collect();
        observations.sort_by(|a, b| a.score.total_cmp(&b.score));
        Self { observations }
    }

    /// Every figure of the sample.
    pub fn figures(&self) -> Figures<Option<f64>> {
        let Confusion { true_yes, false_yes, true_no, false_no } = self.confusion();
        let (positives, negatives) = (true_yes + false_no, false_yes + true_no);
        let f1 = ratio(2.0 * true_yes, 2.0 * true_yes + false_yes + false_no);
        Figures {
            f1: f1.filter(|_| positives > 0.0),
            precision: ratio(true_yes, true_yes + false_yes),
            recall: ratio(true_yes, positives),
            fpr: ratio(false_yes, negatives),
            auroc: ratio(self.ordered_pairs(), positives * negatives),
            ece: ratio(self.miscalibration(), positives + negatives),
        }
    }

    /// Replaces how often each observation is there: as often as `draw` names it in as many draws as there are
    /// observations. `draw` is given their number and names one below it.
    pub fn redraw(&mut self, mut draw: impl FnMut(usize) -> usize) {
        let count = self.observations.len();
        self.observations.iter_mut().for_each(|counted| counted.times = 0);
        for _ in 0..count {
            if let Some(counted) = self.observations.get_mut(draw(count)) {
                counted.times += 1;
            }
        }
    }

    fn confusion(&self) -> Confusion {
        let mut found = Confusion::default();
        for counted in &self.observations {
            let cell = match (counted.label, counted.says_yes) {
                (true, true) => &mut found.true_yes,
                (true, false) => &mut found.false_no,
                (false, true) => &mut found.false_yes,
                (false, false) => &mut found.true_no,
            };
            *cell += f64::from(counted.times);
        }
        found
    }

    /// Pairs of a positive and a negative that are in the right order; ties count half.
    fn ordered_pairs(&self) -> f64 {
        let (mut pairs, mut negatives_below) = (0.0, 0.0);
        for tied in self.observations.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq()) {
            let (mut positives, mut negatives) = (0.0, 0.0);
            for counted in tied {
                *(if counted.label { &mut positives } else { &mut negatives }) += f64::from(counted.times);
            }
            pairs += positives * (negatives_below + negatives / 2.0);
            negatives_below += negatives;
        }
        pairs
    }

    /// Sum over the bins of how far expected and counted positives lie apart.
    fn miscalibration(&self) -> f64 {
        let mut bins = [0.0_f64; BINS];
        for counted in &self.observations {
            if let Some(bin) = bins.get_mut(counted.bin) {
                let expected = f64::from(counted.score);
                *bin += f64::from(counted.times) * (f64::from(u8::from(counted.label)) - expected);
            }
        }
        bins.iter().map(|bin| bin.abs()).sum()
    }
}

/// Chance that a positive scores above a negative, in `[0, 1]`, half a point where they tie; only the order of the scores
/// counts. `None` without a positive or without a negative.
pub fn auroc(observations: &[Observation]) -> Option<f64> {
    Sample::new(observations, 0.5).figures().auroc
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Bin `i` holds the scores from `i / 15` up to, but without, `(i + 1) / 15`; the last one holds 1, too.
fn bin(score: f32) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 15")]
    let bin = (f64::from(score) * 15.0) as usize;
    bin.min(BINS - 1)
}

#[cfg(test)]
mod tests;
