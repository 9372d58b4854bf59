//! From log-odds to probabilities: Platt scaling of each head on rows that were kept out of training.
//!
//! Both answers weigh the same, so that a calibrated score is the probability at even odds and 0.5 is the point at
//! which both kinds of error cost the same, whatever the mix of the rows.

use crate::measure::Answer;
use assize_domain::GuardHead;
use assize_measure::{Platt, Weighted, platt};
use serde::Serialize;

/// A head's calibration, and how good it is.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct HeadCalibration {
    /// `sigmoid(scale × logit + offset)`.
    pub scale: f64,
    /// See `scale`.
    pub offset: f64,
    /// Labelled rows.
    pub rows: usize,
    /// Expected calibration error at even odds, before; over 15 bins.
    pub error_before: f64,
    /// After, each half of the rows calibrated by the other half.
    pub error_after: f64,
}

const BINS: usize = 15;

/// Calibrates every head, in the order of [`GuardHead::ALL`]; the identity where a head has not both labels.
pub fn calibrate(answers: &[&Answer]) -> [HeadCalibration; GuardHead::ALL.len()] {
    GuardHead::ALL.map(|head| {
        let rows = balanced(answers, head);
        let Platt { scale, offset, .. } = platt(&rows).unwrap_or(Platt::IDENTITY);
        let (even, odd) = halves(&rows);
        let crossed = [(&even, &odd), (&odd, &even)].map(|(fitted, measured)| {
            let found = platt(fitted).unwrap_or(Platt::IDENTITY);
            calibrated(measured, found)
        });
        HeadCalibration {
            scale,
            offset,
            rows: rows.len(),
            error_before: error(&calibrated(&rows, Platt::IDENTITY)),
            error_after: error(&crossed.concat()),
        }
    })
}

/// Two halves with as many of each answer.
fn halves(rows: &[Weighted]) -> (Vec<Weighted>, Vec<Weighted>) {
    let mut halves = (Vec::new(), Vec::new());
    for label in [true, false] {
        for (index, row) in rows.iter().filter(|row| row.label == label).enumerate() {
            if index % 2 == 0 { halves.0.push(*row) } else { halves.1.push(*row) }
        }
    }
    halves
}

/// Logits with labels, each answer with half of the weight.
fn balanced(answers: &[&Answer], head: GuardHead) -> Vec<Weighted> {
    let labelled = answers.iter().filter_map(|answer| {
        let label = answer.labels.binary.get(head.index()).copied().flatten()? > 0.5;
        Some((f64::from(*answer.outputs.get(head.index())?), label))
    });
    let rows: Vec<(f64, bool)> = labelled.collect();
    let yes = rows.iter().filter(|(_, label)| *label).count();
    let no = rows.len() - yes;
    #[expect(clippy::cast_precision_loss, reason = "some thousand rows")]
    let share = |count: usize| rows.len() as f64 / (2.0 * count.max(1) as f64);
    let weigh = |&(score, label): &(f64, bool)| Weighted {
        score,
        label,
        weight: share(if label { yes } else { no }),
    };
    rows.iter().map(weigh).collect()
}

/// The same rows with probabilities in the place of logits.
fn calibrated(rows: &[Weighted], found: Platt) -> Vec<Weighted> {
    rows.iter().map(|row| Weighted { score: found.probability(row.score), ..*row }).collect()
}

/// Mean distance between probability and frequency over bins of equal width, weighted; 0 for no rows.
fn error(rows: &[Weighted]) -> f64 {
    let mut bins = [0.0_f64; BINS];
    let mut all = 0.0;
    for row in rows {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 15")]
        let bin = ((row.score * 15.0) as usize).min(BINS - 1);
        if let Some(bin) = bins.get_mut(bin) {
            *bin += row.weight * (f64::from(u8::from(row.label)) - row.score);
        }
        all += row.weight;
    }
    if all > 0.0 { bins.iter().map(|bin| bin.abs()).sum::<f64>() / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;

    fn answer(logit: f32, label: f32) -> Answer {
        let labels = Labels { binary: [Some(label), None, None, None], ..Labels::default() };
        Answer { outputs: vec![logit; 4], labels, set: 0 }
    }

    #[test]
    fn overconfident_scores_are_made_milder_and_rare_answers_weigh_as_much() {
        // Says ±4 and is right nine times of ten; one answer of ten is a yes.
        let mut answers = Vec::new();
        for round in 0..20 {
            for index in 0..100 {
                let label = f32::from(u8::from(index % 10 == 0));
                let right = (index / 10 + round) % 10 != 0;
                let says = if right { label } else { 1.0 - label };
                answers.push(answer(if says > 0.5 { 4.0 } else { -4.0 }, label));
            }
        }
        let [found, untouched, ..] = calibrate(&answers.iter().collect::<Vec<_>>());
        let probability = |logit: f64| 1.0 / (1.0 + (-(found.scale * logit + found.offset)).exp());
        assert!((probability(4.0) - 0.9).abs() < 0.01 && (probability(-4.0) - 0.1).abs() < 0.01, "{found:?}");
        assert!(found.error_before > 0.07 && found.error_after < 0.02, "{found:?}");
        assert_eq!((untouched.scale, untouched.offset, untouched.rows), (1.0, 0.0, 0));
    }
}
