//! The ladder on features alone.

use crate::fit::features::{Example, Sheet, Target, all_evidence, sort};
use crate::fit::judge::{exact_score, lean, loss};
use crate::fit::ladder::climb;
use crate::fit::parameters::{Numbers, Parameter};
use crate::fit::rung::Rung;
use crate::fit::{FitSettings, FitStage};
use crate::profile::Thresholds;
use crate::weights::Weights;
use assize_domain::{ActionCategory, Decision, Evidence, GuardHead, LeafWeights};
use proptest::collection::vec;
use proptest::prelude::*;

fn parent() -> Numbers {
    let weights = Weights {
        bias: -1.0,
        guard: 0.7,
        response: 0.7,
        adversarial: 0.5,
        refusal: 3.0,
        benefit: 0.5,
        harm: [1.0; ActionCategory::COUNT],
        leaf: LeafWeights::UNIT,
    };
    Numbers { weights, thresholds: Thresholds { review: 0.5, block: 0.8 }, factor: 1.0 }
}

/// A prompt with the guard's view, the mass of privacy and that of benefit.
fn sheet((guard, privacy, benefit): (f64, f64, f64)) -> Sheet {
    let value = |evidence| match evidence {
        Evidence::Bias => 1.0,
        Evidence::Guard(GuardHead::PromptHarmful) => guard,
        Evidence::Harm(ActionCategory::Privacy) => privacy,
        Evidence::Benefit => -benefit,
        Evidence::Guard(_) | Evidence::Harm(_) => 0.0,
    };
    Sheet { values: all_evidence().map(value).collect(), effects: Vec::new() }
}

fn one_sheet() -> impl Strategy<Value = Sheet> {
    (-3.0..3.0f64, 0.0..2.0f64, 0.0..1.0f64).prop_map(sheet)
}

fn rated(sheet: &Sheet, rating: f64) -> Example<'static> {
    Example { sheets: vec![sheet.clone()], target: Target::Harmfulness(rating), assessment: None }
}

fn ratings() -> impl Strategy<Value = Vec<(Sheet, f64)>> {
    vec((one_sheet(), 0.0..=1.0f64), 3..20)
}

fn decisions() -> impl Strategy<Value = Vec<Example<'static>>> {
    let decision = proptest::sample::select(&Decision::ALL[..]);
    let one = (vec(one_sheet(), 1..3), decision).prop_map(|(sheets, decision)| Example {
        sheets,
        target: Target::Decision(decision),
        assessment: None,
    });
    vec(one, 3..20)
}

/// The numbers of one stage on all examples.
fn fitted(stage: FitStage, examples: &[Example<'_>], spread: f64) -> Numbers {
    let parent = parent();
    let rung = Rung::new(stage, examples, &parent, spread).unwrap();
    rung.climb(&vec![true; examples.len()], &parent)
}

fn total(examples: &[Example<'_>], numbers: &Numbers) -> f64 {
    examples.iter().map(|one| loss(one, numbers, exact_score(one, numbers, &parent()).1)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn raising_ratings_never_lowers_the_bias(given in ratings(), by in vec(0.0..1.0f64, 20)) {
        let before: Vec<_> = given.iter().map(|(sheet, rating)| rated(sheet, *rating)).collect();
        let raised = given.iter().zip(by);
        let after: Vec<_> = raised.map(|((sheet, rating), by)| rated(sheet, rating + by * (1.0 - rating))).collect();
        let bias = |examples: &[Example<'_>]| fitted(FitStage::Bias, examples, 1.0).weights.bias;
        prop_assert!(bias(&after) >= bias(&before) - 1e-9);
    }

    #[test]
    fn every_number_is_in_its_range(examples in decisions(), stage in 1..4usize, spread in 0.1..100.0f64) {
        let numbers = fitted(FitStage::ALL[stage], &examples, spread);
        for evidence in all_evidence() {
            let parameter = Parameter::Weight(evidence);
            let (low, high) = parameter.bounds(&parent(), &[]);
            prop_assert!((low..=high).contains(&parameter.read(&numbers)), "{evidence:?} of {numbers:?}");
        }
        let Thresholds { review, block } = numbers.thresholds;
        prop_assert!(review == 0.5 && (review..=1.0).contains(&block));
    }

    #[test]
    fn a_stage_fits_its_labels_no_worse_than_the_parent(examples in decisions(), stage in 1..4usize) {
        let numbers = fitted(FitStage::ALL[stage], &examples, 1.0);
        prop_assert!(total(&examples, &numbers) <= total(&examples, &parent()) + 1e-12);
    }

    #[test]
    fn labels_as_the_parent_would_give_them_move_nothing(sheets in vec(one_sheet(), 3..20), stage in 1..4usize) {
        let parent = parent();
        let as_parent = |sheet: &Sheet| {
            let (_, score) = exact_score(&rated(sheet, 0.5), &parent, &parent);
            rated(sheet, crate::evidence::logistic(score))
        };
        let examples: Vec<_> = sheets.iter().map(as_parent).collect();
        let numbers = fitted(FitStage::ALL[stage], &examples, 1.0);
        for evidence in all_evidence() {
            let parameter = Parameter::Weight(evidence);
            prop_assert!((parameter.read(&numbers) - parameter.read(&parent)).abs() < 1e-6, "{numbers:?}");
        }
    }

    #[test]
    fn the_more_it_is_pulled_the_nearer_it_stays(given in ratings()) {
        let examples: Vec<_> = given.iter().map(|(sheet, rating)| rated(sheet, *rating)).collect();
        let moved = |spread| (fitted(FitStage::Bias, &examples, spread).weights.bias - parent().weights.bias).abs();
        prop_assert!(moved(0.3) <= moved(1.0) + 1e-9);
        prop_assert!(moved(1e-4) < 1e-3);
    }

    #[test]
    fn numbers_that_stay_at_the_parent_lean_nowhere(examples in decisions()) {
        for one in &examples {
            let (_, score) = exact_score(one, &parent(), &parent());
            prop_assert_eq!(lean(one, (&parent(), score), &parent()), 0.0);
        }
    }
}

#[test]
fn the_band_stays_where_no_label_is_a_review() {
    let labels =
        [(3.0, Decision::Block), (2.0, Decision::Block), (-1.0, Decision::Allow), (0.5, Decision::Allow)];
    let example = |(guard, decision): (f64, Decision)| Example {
        sheets: vec![sheet((guard, 0.1, 0.1))],
        target: Target::Decision(decision),
        assessment: None,
    };
    let clear: Vec<_> = labels.into_iter().map(example).collect();
    assert_eq!(fitted(FitStage::Weights, &clear, 1.0).thresholds.block, 0.8);
    let reviews: Vec<_> = labels.into_iter().chain([(2.5, Decision::Review)]).map(example).collect();
    assert_ne!(fitted(FitStage::Weights, &reviews, 1.0).thresholds.block, 0.8);
}

/// Labels of many people about one conversation are one observation of the gain.
#[test]
fn labels_of_one_conversation_are_left_out_together() {
    let once: Vec<_> = (0..12_u8)
        .map(|place| {
            let x = f64::from(place) / 4.0 - 1.5;
            (sheet((x, 0.2, 0.3)), if place % 3 == 0 { 0.9 } else { 0.6 })
        })
        .collect();
    let examples = |times: usize| {
        let mut all: Vec<_> =
            once.iter().flat_map(|(sheet, rating)| vec![rated(sheet, *rating); times]).collect();
        sort(&mut all);
        all
    };
    let settings = FitSettings { highest: FitStage::Strength, spread: 1.0 };
    // Twice the labels with half the spread's square are the same problem.
    let tighter = FitSettings { spread: 0.5_f64.sqrt(), ..settings };
    let single = climb(&examples(1), &parent(), &settings);
    let double = climb(&examples(2), &parent(), &tighter);
    assert_eq!((single.conversations, double.conversations), (12, 12));
    for (a, b) in single.reports.iter().zip(&double.reports) {
        assert!(
            (a.gain.low - b.gain.low).abs() < 1e-7 && (a.log_loss - b.log_loss).abs() < 1e-7,
            "{a:?} {b:?}"
        );
    }
}
