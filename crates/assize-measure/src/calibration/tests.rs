//! Fits against parameters that are known because the data were made with them.

use super::*;

/// Logits from -4 to 4; each is there with both labels, weighted by the probability that `truth` gives it.
fn expected_data(truth: Platt) -> Vec<Weighted> {
    let logits = (-40..=40_i8).map(|step| f64::from(step) / 10.0);
    let both = logits.flat_map(|score| {
        let yes = truth.probability(score);
        [(true, yes), (false, 1.0 - yes)].map(|(label, weight)| Weighted { score, label, weight })
    });
    both.collect()
}

fn check(truth: Platt) {
    let found = platt(&expected_data(truth)).unwrap();
    let off = (found.scale - truth.scale).abs().max((found.offset - truth.offset).abs());
    assert!(off < 1e-3, "{found:?} instead of {truth:?}");
}

#[test]
fn platt_recovers_known_parameters() {
    for (scale, offset) in [(1.0, 0.0), (0.5, 0.3), (2.0, -1.0), (0.1, 1.5), (1.5, 2.0)] {
        check(Platt { scale, offset });
    }
}

#[test]
fn temperature_recovers_a_known_one() {
    for truth in [0.5, 1.0, 2.5] {
        let found = temperature(&expected_data(Platt { scale: 1.0 / truth, offset: 0.0 })).unwrap();
        assert!((found - truth).abs() < 1e-3, "{found} instead of {truth}");
    }
}

#[test]
fn weights_are_relative() {
    let data = expected_data(Platt { scale: 0.7, offset: -0.4 });
    let heavier: Vec<Weighted> =
        data.iter().map(|one| Weighted { weight: 100.0 * one.weight, ..*one }).collect();
    let (once, heavier) = (platt(&data).unwrap(), platt(&heavier).unwrap());
    assert!((once.scale - heavier.scale).abs() < 1e-6 && (once.offset - heavier.offset).abs() < 1e-6);
}

#[test]
fn probabilities_meet_the_frequency() {
    let data = expected_data(Platt { scale: 0.4, offset: 1.0 });
    let found = platt(&data).unwrap();
    let total: f64 = data.iter().map(|one| one.weight).sum();
    let expected: f64 = data.iter().map(|one| one.weight * found.probability(one.score)).sum();
    let counted: f64 = data.iter().filter(|one| one.label).map(|one| one.weight).sum();
    assert!((expected - counted).abs() / total < 1e-3);
}

#[test]
fn separable_data_stay_finite() {
    for size in [0.01, 1.0, 30.0, 1000.0] {
        let one = |sign: f64| Weighted { score: sign * size, label: sign > 0.0, weight: 1.0 };
        let data = [one(-1.0), one(1.0), one(-2.0), one(2.0)];
        let found = platt(&data).unwrap();
        assert!(found.scale.is_finite() && found.scale > 0.0 && found.offset.abs() < 1e-6, "{found:?}");
        assert!(temperature(&data).unwrap().is_finite());
    }
}

#[test]
fn logits_that_mislead_keep_the_least_scale_and_give_the_share_of_yes() {
    let data = expected_data(Platt { scale: -1.0, offset: 0.5 });
    let found = platt(&data).unwrap();
    assert_eq!(found.scale, MIN_SCALE);
    let total: f64 = data.iter().map(|one| one.weight).sum();
    let yes: f64 = data.iter().filter(|one| one.label).map(|one| one.weight).sum();
    assert!((found.probability(0.0) - yes / total).abs() < 1e-3);
    assert_eq!(temperature(&data), Some(1.0 / MIN_SCALE));
}

#[test]
fn what_cannot_be_fitted_is_absent() {
    let good = Weighted { score: 1.0, label: true, weight: 1.0 };
    let bad = |other: Weighted| {
        assert_eq!(platt(&[good, other]), None, "{other:?}");
        assert_eq!(temperature(&[good, other]), None, "{other:?}");
    };
    assert_eq!(platt(&[]), None);
    bad(good);
    let no = Weighted { label: false, ..good };
    bad(Weighted { weight: 0.0, ..no });
    bad(Weighted { weight: -1.0, ..no });
    bad(Weighted { weight: f64::INFINITY, ..no });
    bad(Weighted { score: f64::NAN, ..no });
    bad(Weighted { score: f64::INFINITY, ..no });
    assert!(platt(&[good, no]).is_some());
}
