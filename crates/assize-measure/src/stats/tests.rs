//! Figures against values computed by hand, and AUROC against its definition.

use super::*;
use crate::SplitMix;

fn observations(spec: &[(f32, u8)]) -> Vec<Observation> {
    spec.iter().map(|&(score, label)| Observation { score, label: label == 1 }).collect()
}

fn check(spec: &[(f32, u8)], expected: Figures<Option<f64>>) {
    let found = Sample::new(&observations(spec), 0.5).figures();
    let pairs = [
        (found.f1, expected.f1),
        (found.precision, expected.precision),
        (found.recall, expected.recall),
        (found.fpr, expected.fpr),
        (found.auroc, expected.auroc),
        (found.ece, expected.ece),
    ];
    for (found, expected) in pairs {
        let close = found.zip(expected).is_none_or(|(found, expected)| (found - expected).abs() < 1e-6);
        assert!(
            found.is_some() == expected.is_some() && close,
            "{found:?} instead of {expected:?}: {spec:?}"
        );
    }
}

#[test]
fn a_known_table_has_its_known_figures() {
    // TP 2, FP 1, FN 1, TN 2. Of 9 pairs, .9 beats 3, .6 beats 2, .3 beats 1 and ties with .3 for half.
    // Bins of 1/15: .9 | .6 | .3 .3 | .8 | .1, so |1-.9| + |1-.6| + |1-.6| + .8 + .1 = 1.8 over 6.
    check(
        &[(0.9, 1), (0.6, 1), (0.3, 1), (0.8, 0), (0.3, 0), (0.1, 0)],
        Figures {
            f1: Some(2.0 / 3.0),
            precision: Some(2.0 / 3.0),
            recall: Some(2.0 / 3.0),
            fpr: Some(1.0 / 3.0),
            auroc: Some(6.5 / 9.0),
            ece: Some(1.8 / 6.0),
        },
    );
}

#[test]
fn a_score_at_the_threshold_is_a_yes_and_one_in_the_last_bin_is_counted() {
    let f1 = Some(1.0);
    check(
        &[(0.5, 1), (1.0, 1), (0.0, 0)],
        Figures { f1, precision: f1, recall: f1, fpr: Some(0.0), auroc: f1, ece: Some(0.5 / 3.0) },
    );
}

#[test]
fn figures_that_are_not_defined_are_absent() {
    check(&[], Figures::default());
    let all_positive = [(0.75, 1), (0.25, 1)];
    check(
        &all_positive,
        Figures {
            f1: Some(2.0 / 3.0),
            precision: Some(1.0),
            recall: Some(0.5),
            fpr: None,
            auroc: None,
            ece: Some(0.5),
        },
    );
    let all_negative = [(0.75, 0), (0.25, 0)];
    let fpr = Some(0.5);
    check(&all_negative, Figures { precision: Some(0.0), fpr, ece: Some(0.5), ..Figures::default() });
    // Nobody says yes: precision is unknown, F1 is 0 because positives were missed.
    check(
        &[(0.25, 1), (0.25, 0)],
        Figures {
            f1: Some(0.0),
            precision: None,
            recall: Some(0.0),
            fpr: Some(0.0),
            auroc: Some(0.5),
            ece: Some(0.25),
        },
    );
}

/// Up to 13 observations with scores from a coarse grid, so that many of them tie.
fn random_observations(random: &mut SplitMix) -> Vec<Observation> {
    let grid = [0.0, 0.2, 0.4, 0.5, 0.7, 1.0];
    let count = random.below(14);
    let draw = |_| Observation { score: grid[random.below(grid.len())], label: random.below(2) == 1 };
    (0..count).map(draw).collect()
}

fn brute_force_auroc(observations: &[Observation]) -> Option<f64> {
    let of = |label| observations.iter().filter(move |observation| observation.label == label);
    let points = of(true).flat_map(|yes| {
        of(false).map(|no| {
            if yes.score > no.score {
                1.0
            } else if yes.score < no.score {
                0.0
            } else {
                0.5
            }
        })
    });
    let points: Vec<f64> = points.collect();
    (!points.is_empty()).then(|| points.iter().sum::<f64>() / f64::from(u32::try_from(points.len()).unwrap()))
}

#[test]
fn auroc_is_the_share_of_pairs_in_order() {
    let mut random = SplitMix::new(1);
    for _ in 0..500 {
        let observations = random_observations(&mut random);
        let (found, expected) =
            (Sample::new(&observations, 0.5).figures().auroc, brute_force_auroc(&observations));
        assert_eq!(found.is_some(), expected.is_some());
        let off = found.zip(expected).map_or(0.0, |(found, expected)| (found - expected).abs());
        assert!(off < 1e-12, "{found:?} {expected:?} {observations:?}");
    }
}

#[test]
fn auroc_of_reversed_scores_is_the_rest_and_only_order_counts() {
    let mut random = SplitMix::new(3);
    for _ in 0..200 {
        let given = random_observations(&mut random);
        let change = |change: fn(f32) -> f32| -> Vec<Observation> {
            given.iter().map(|one| Observation { score: change(one.score), ..*one }).collect()
        };
        let found = auroc(&given);
        let off = |other: Option<f64>, expected: fn(f64) -> f64| {
            assert_eq!(found.is_some(), other.is_some());
            found.zip(other).map_or(0.0, |(found, other)| (expected(found) - other).abs())
        };
        assert!(off(auroc(&change(|score| 3.0 - score)), |found| 1.0 - found) < 1e-12);
        assert!(off(auroc(&change(|score| 100.0 * score - 7.0)), |found| found) < 1e-12);
    }
}

#[test]
fn a_redrawn_sample_has_the_figures_of_the_rows_that_were_drawn() {
    let mut random = SplitMix::new(2);
    for _ in 0..200 {
        let mut sorted = random_observations(&mut random);
        sorted.sort_by(|a, b| a.score.total_cmp(&b.score));
        let mut sample = Sample::new(&sorted, 0.5);
        let mut drawn = Vec::new();
        sample.redraw(|count| {
            let index = random.below(count);
            drawn.push(sorted[index]);
            index
        });
        let (found, expected) = (sample.figures(), Sample::new(&drawn, 0.5).figures());
        assert_eq!(
            (found.f1, found.precision, found.recall),
            (expected.f1, expected.precision, expected.recall)
        );
        assert_eq!((found.fpr, found.auroc), (expected.fpr, expected.auroc));
        let off = found.ece.zip(expected.ece).map_or(0.0, |(found, expected)| (found - expected).abs());
        assert!(off < 1e-12);
    }
}
