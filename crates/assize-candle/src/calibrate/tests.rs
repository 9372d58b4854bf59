//! Logits become the domain's numbers, or a reason why not.

use super::*;
use crate::{folder::test_card, leaves::LeafLayout, leaves::LeafLogits};
use assize_domain::RiskCategory;

/// Every share the same, every presence as likely as not.
fn logits() -> HeadLogits {
    HeadLogits { binary: [0.0, 1.0, -1.0, 2.0], risk: [0.0; RiskCategory::ALL.len()], tree: leaves(0, 0.0) }
}

/// Zeros but for one number.
fn leaves(place: usize, number: f32) -> LeafLogits {
    let mut row = [0.0; LeafLayout::WIDTH];
    row[place] = number;
    LeafLogits::from_row(&row).unwrap()
}

fn close(given: f32, expected: f32) -> bool {
    (given - expected).abs() < 1e-6
}

#[test]
fn each_head_has_its_own_calibration() {
    // The test card: scale 2 and offset 1 for `response_harmful`, the identity for the others.
    let card = test_card();
    let expected = [0.5, numerics::sigmoid(3.0), numerics::sigmoid(-1.0), numerics::sigmoid(2.0)];
    for (head, expected) in GuardHead::ALL.into_iter().zip(expected) {
        assert!(close(binary_score(&logits(), &card, head).unwrap().get(), expected), "{head:?}");
    }
    let prompt = prompt_scores(&logits(), &card).unwrap();
    assert!(close(prompt.harmful.get(), expected[0]) && close(prompt.adversarial.get(), expected[3]));
    assert!(prompt.risk.iter().all(|score| close(score.get(), 0.5)));
    let response = response_scores(&logits(), &card).unwrap();
    assert!(close(response.harmful.get(), expected[1]) && close(response.refusal.get(), expected[2]));
}

#[test]
fn masses_are_the_expected_sum_over_leaves() {
    // Everything is as likely as not, and every share the same: half a chance of 1 + ln 2 leaves of the mean weight.
    let (harm, benefit) = expected_tree(&logits()).unwrap().unit_masses();
    let one = 0.5 * (1.0 + std::f32::consts::LN_2) * 0.625 * 0.5;
    assert!(harm.iter().all(|mass| close(*mass, one)), "{harm:?}");
    assert!((benefit - 15.0 * one).abs() < 1e-5, "{benefit}");
}

#[test]
fn a_number_that_is_not_finite_is_never_a_score() {
    let card = test_card();
    for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for head in GuardHead::ALL {
            let mut logits = logits();
            logits.binary[head.index()] = broken;
            assert_eq!(binary_score(&logits, &card, head), Err(NotFinite { head: head.id() }), "{broken}");
        }
        for place in [0, 12] {
            let mut logits = logits();
            logits.risk[place] = broken;
            assert_eq!(prompt_scores(&logits, &card), Err(NotFinite { head: "risk" }), "{broken}");
            assert!(response_scores(&logits, &card).is_ok(), "the response does not need it");
        }
        for place in [0, LeafLayout::HARM_LEAVES.start, LeafLayout::HARM_ACTION.start, LeafLayout::WIDTH - 1]
        {
            let logits = HeadLogits { tree: leaves(place, broken), ..logits() };
            assert_eq!(expected_tree(&logits), Err(UnusableTree::NotFinite), "{broken} at {place}");
        }
    }
}

#[test]
fn the_largest_finite_numbers_are_scores() {
    let card = test_card();
    for (extreme, expected) in [(f32::MAX, 1.0), (f32::MIN, 0.0)] {
        let logits = HeadLogits { binary: [extreme; 4], risk: [extreme; 13], ..logits() };
        for head in GuardHead::ALL {
            assert_eq!(binary_score(&logits, &card, head).unwrap().get(), expected);
        }
        assert_eq!(prompt_scores(&logits, &card).unwrap().risk[0].get(), expected);
    }
}
