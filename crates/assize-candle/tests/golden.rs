//! The encoder against reference values, and a sequence alone against the same one in a batch.
//!
//! Reference: `models/guard-v1/golden.json`, 15 inputs with token ids, type ids, logits and masses. The trainer wrote
//! it; `models/recipes/verify.py`, an implementation of its own in NumPy that shares no code with this one, computes
//! its numbers again from the same f16-rounded weights.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a panic is a failed test"
)]

use assize_candle::{DeviceChoice, GuardModel, HeadLogits, Sequence, calibrate};
use serde::Deserialize;
use std::path::PathBuf;

/// Largest difference from the reference that is allowed; logits are between -10 and 10.
const REFERENCE_TOLERANCE: f32 = 1e-4;
/// Largest difference between alone and in a batch that is allowed.
const BATCH_TOLERANCE: f32 = 1e-5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenRow {
    prompt: String,
    response: Option<String>,
    prompt_tokens_kept: usize,
    input_ids: Vec<u32>,
    token_type_ids: Vec<u32>,
    logits: GoldenLogits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenLogits {
    binary: Vec<f32>,
    risk: Vec<f32>,
    harm_mass: Vec<f32>,
    benefit_mass: Vec<f32>,
}

fn guard() -> GuardModel {
    GuardModel::load(&folder(), DeviceChoice::Cpu).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/guard-v1")
}

fn golden_rows() -> Vec<GoldenRow> {
    serde_json::from_slice(&std::fs::read(folder().join("golden.json")).unwrap()).unwrap()
}

/// Head and tail of a prompt that was longer than what the reference kept.
fn keep(ids: &[u32], kept: usize) -> Vec<u32> {
    let head = kept.min(ids.len()).div_ceil(2);
    let tail = kept.min(ids.len()) - head;
    [&ids[..head], &ids[ids.len() - tail..]].concat()
}

fn sequence(guard: &GuardModel, row: &GoldenRow) -> Sequence {
    let prompt = keep(&guard.tokenizer.ids(&row.prompt).unwrap(), row.prompt_tokens_kept);
    match &row.response {
        None => Sequence::single(guard.framing, &prompt).unwrap(),
        Some(response) => {
            Sequence::pair(guard.framing, &prompt, &guard.tokenizer.ids(response).unwrap()).unwrap()
        }
    }
}

/// What the reference lists.
fn listed(logits: &HeadLogits) -> Vec<f32> {
    let (harm, benefit) = calibrate::expected_tree(logits).unwrap().unit_masses();
    [&logits.binary[..], &logits.risk, &harm, &[benefit]].concat()
}

/// Everything that the heads give.
fn numbers(logits: &HeadLogits) -> Vec<f32> {
    [&logits.binary[..], &logits.risk, logits.tree.row()].concat()
}

/// The largest absolute difference; infinite where a number is missing or not finite.
fn largest_difference(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    let differences = left.iter().zip(right).map(|(left, right)| (left - right).abs());
    differences.fold(0.0, |largest, next| if next.is_finite() { largest.max(next) } else { f32::INFINITY })
}

#[test]
fn token_ids_and_type_ids_equal_the_reference() {
    let guard = guard();
    for row in golden_rows() {
        let sequence = sequence(&guard, &row);
        assert_eq!(sequence.ids(), row.input_ids, "{}", row.prompt);
        assert_eq!(sequence.type_ids().collect::<Vec<_>>(), row.token_type_ids, "{}", row.prompt);
    }
}

#[test]
fn logits_equal_the_reference() {
    let mut guard = guard();
    let rows = golden_rows();
    assert_eq!(rows.len(), 15);
    let mut largest = (0.0, "");
    for row in &rows {
        let expected =
            [&row.logits.binary[..], &row.logits.risk, &row.logits.harm_mass, &row.logits.benefit_mass]
                .concat();
        let given = guard.encoder.infer(&[&sequence(&guard, row)]).unwrap();
        let difference = largest_difference(&listed(&given[0]), &expected);
        if difference > largest.0 {
            largest = (difference, &row.prompt);
        }
    }
    println!("largest difference from the reference: {largest:?}");
    assert!(largest.0 <= REFERENCE_TOLERANCE, "largest difference {} at `{}`", largest.0, largest.1);
}

/// Infers the rows in the given order, in batches of `size`, and compares each with itself alone.
fn check_batches(
    guard: &mut GuardModel,
    sequences: &[Sequence],
    alone: &[Vec<f32>],
    order: &[usize],
    size: usize,
) {
    for batch in order.chunks(size) {
        let inputs: Vec<&Sequence> = batch.iter().map(|index| &sequences[*index]).collect();
        let outputs = guard.encoder.infer(&inputs).unwrap();
        assert_eq!(outputs.len(), batch.len());
        for (index, output) in batch.iter().zip(&outputs) {
            let difference = largest_difference(&numbers(output), &alone[*index]);
            assert!(difference <= BATCH_TOLERANCE, "{difference} for row {index} in the batch {batch:?}");
        }
    }
}

#[test]
fn a_sequence_alone_gives_the_same_as_in_any_batch() {
    let mut guard = guard();
    let mut sequences: Vec<Sequence> = golden_rows().iter().map(|row| sequence(&guard, row)).collect();
    // The extremes of length: no word at all, and every position.
    sequences.push(Sequence::single(guard.framing, &[]).unwrap());
    sequences.push(Sequence::single(guard.framing, &[2773; 510]).unwrap());
    let alone: Vec<Vec<f32>> =
        sequences.iter().map(|sequence| numbers(&guard.encoder.infer(&[sequence]).unwrap()[0])).collect();

    let forwards: Vec<usize> = (0..sequences.len()).collect();
    let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
    // 5 and 14 have no common divisor: a shuffle that needs no randomness.
    let shuffled: Vec<usize> = forwards.iter().map(|index| index * 5 % sequences.len()).collect();
    for (order, size) in [(&forwards, sequences.len()), (&backwards, 8), (&shuffled, 3), (&shuffled, 2)] {
        check_batches(&mut guard, &sequences, &alone, order, size);
    }
    check_batches(&mut guard, &sequences, &alone, &[3, 3, 3, 3], 4);
}

#[test]
fn an_empty_batch_has_no_answers() {
    assert_eq!(guard().encoder.infer(&[]).unwrap(), []);
}
