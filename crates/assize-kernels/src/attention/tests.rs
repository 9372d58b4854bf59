//! Against attention in f64.
#![expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small numbers of tests")]

use super::Attention;
use crate::{Kernel, samples::numbers};
use proptest::prelude::*;

const HEADS: usize = 3;

fn attention(width: usize) -> Option<Attention> {
    Attention::new(Kernel::Int8Avx512Vnni, HEADS, width)
}

fn exact(sequence: &[f32], width: usize) -> Vec<f32> {
    let hidden = HEADS * width;
    let rows: Vec<&[f32]> = sequence.chunks(3 * hidden).collect();
    let mut out = Vec::new();
    for query in &rows {
        for column in 0..hidden {
            let start = column / width * width;
            let score = |key: &[f32]| {
                let product = |c: usize| f64::from(query[start + c]) * f64::from(key[hidden + start + c]);
                (0..width).map(product).sum::<f64>() / (width as f64).sqrt()
            };
            let scores: Vec<f64> = rows.iter().map(|key| score(key)).collect();
            let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let powers: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
            let value = |(key, power): (&&[f32], &f64)| f64::from(key[2 * hidden + column]) * power;
            let sum: f64 = rows.iter().zip(&powers).map(value).sum();
            out.push((sum / powers.iter().sum::<f64>()) as f32);
        }
    }
    out
}

fn attend(sequence: &[f32], width: usize, first: usize, rows: usize) -> Option<Vec<f32>> {
    let mut out = vec![7.0; rows * HEADS * width];
    assert!(attention(width)?.attend(sequence, first, &mut out));
    Some(out)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn computes_what_f64_does(len in 1_usize..120, wide in any::<bool>(), seed in 0_u32..1000, most in 0.1_f64..4.0) {
        let width = if wide { 64 } else { 32 };
        let sequence = numbers(len * 3 * HEADS * width, seed, most);
        if let Some(out) = attend(&sequence, width, 0, len) {
            for (given, exact) in out.iter().zip(exact(&sequence, width)) {
                prop_assert!((f64::from(*given) - f64::from(exact)).abs() < 5e-4 * most * most.max(1.0), "{given} {exact}");
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_which_rows_are_asked_for(len in 1_usize..60, at in 0_usize..60, seed in 0_u32..1000) {
        let (width, first) = (32, at % len);
        let sequence = numbers(len * 3 * HEADS * width, seed, 2.0);
        let all = attend(&sequence, width, 0, len);
        let some = attend(&sequence, width, first, len - first);
        prop_assert_eq!(all.map(|all| all[first * HEADS * width..].to_vec()), some);
    }

    #[test]
    fn room_that_was_used_before_changes_no_bit(before in 1_usize..80, len in 1_usize..80, seed in 0_u32..1000) {
        let width = 32;
        let sequence = numbers(len * 3 * HEADS * width, seed, 2.0);
        if let (Some(mut used), Some(fresh)) = (attention(width), attend(&sequence, width, 0, len)) {
            let mut poisoned = numbers(before * 3 * HEADS * width, seed + 1, 1e20);
            poisoned[0] = f32::NAN;
            let mut out = vec![0.0; before * HEADS * width];
            assert!(used.attend(&poisoned, 0, &mut out));
            let mut out = vec![0.0; len * HEADS * width];
            assert!(used.attend(&sequence, 0, &mut out));
            prop_assert_eq!(out, fresh);
        }
    }
}

#[test]
fn one_key_that_outweighs_all_others_gives_its_value() {
    let width = 32;
    let mut sequence = numbers(40 * 3 * HEADS * width, 3, 0.5);
    for column in 0..HEADS * width {
        for row in sequence.chunks_mut(3 * HEADS * width) {
            row[column] = 9.0;
        }
        sequence[5 * 3 * HEADS * width + HEADS * width + column] = 9.0;
    }
    let value = &sequence[5 * 3 * HEADS * width + 2 * HEADS * width..6 * 3 * HEADS * width];
    for row in attend(&sequence, width, 0, 40).iter().flat_map(|out| out.chunks(HEADS * width)) {
        for (given, value) in row.iter().zip(value) {
            assert!((given - value).abs() < 1e-4, "{given} {value}");
        }
    }
}

#[test]
fn a_number_that_is_not_finite_is_seen_in_every_row_that_looks_at_it() {
    let (len, width) = (20, 32);
    let hidden = HEADS * width;
    for (part, bad) in
        [(0, f32::NAN), (1, f32::INFINITY), (1, f32::NAN), (2, f32::NEG_INFINITY), (2, f32::NAN)]
    {
        let mut sequence = numbers(len * 3 * hidden, 5, 1.0);
        sequence[4 * 3 * hidden + part * hidden + width] = bad;
        let Some(out) = attend(&sequence, width, 0, len) else { return };
        for (row, numbers) in out.chunks(hidden).enumerate() {
            let touched = part > 0 || row == 4;
            for (head, numbers) in numbers.chunks(width).enumerate() {
                let poisoned = head == 1 && touched;
                assert!(
                    numbers.iter().all(|x| x.is_nan() == poisoned),
                    "part {part}, row {row}, head {head}"
                );
            }
        }
    }
}

/// One head of one query's worth of rows: equal keys with values of 1, and a last key far below them with the value `loud`.
#[test]
fn a_loud_value_without_a_share_takes_nothing_from_the_others() {
    let (width, hidden) = (32, HEADS * 32);
    for (len, loud) in [(256, 10.0), (256, 260.0), (512, 130.0), (512, 1e6)] {
        let mut sequence = vec![1.0; len * 3 * hidden];
        let last = &mut sequence[(len - 1) * 3 * hidden..];
        last[hidden..2 * hidden].fill(-10.0);
        last[2 * hidden..].fill(loud);
        for x in attend(&sequence, width, 0, len).iter().flatten().take((len - 1) * hidden) {
            assert!((x - 1.0).abs() < 0.005, "{len} keys, {loud}: {x}");
        }
    }
}

#[test]
fn scores_without_bounds_still_find_the_largest() {
    let (len, width, hidden) = (40, 32, HEADS * 32);
    let mut sequence = numbers(len * 3 * hidden, 9, 1.0);
    for row in sequence.chunks_mut(3 * hidden) {
        row[..2 * hidden].iter_mut().for_each(|x| *x = x.abs() * 1e5);
    }
    sequence[7 * 3 * hidden + hidden..7 * 3 * hidden + 2 * hidden].fill(3e5);
    let value = sequence[7 * 3 * hidden + 2 * hidden..8 * 3 * hidden].to_vec();
    for row in attend(&sequence, width, 0, len).iter().flat_map(|out| out.chunks(hidden)) {
        for (given, value) in row.iter().zip(&value) {
            assert!((given - value).abs() < 1e-4, "{given} {value}");
        }
    }
}

#[test]
fn nothing_but_zeros_gives_zeros() {
    let sequence = vec![0.0; 17 * 3 * HEADS * 32];
    assert!(attend(&sequence, 32, 0, 17).is_none_or(|out| out.iter().all(|x| *x == 0.0)));
}

#[test]
fn what_does_not_fit_is_refused() {
    assert!(Attention::new(Kernel::F32Plain, HEADS, 32).is_none(), "f32 is computed elsewhere");
    assert!(Attention::new(Kernel::Int8Avx512Vnni, HEADS, 48).is_none());
    assert!(Attention::new(Kernel::Int8Avx512Vnni, 0, 32).is_none());
    assert!(Attention::new(Kernel::Int8Avx512Vnni, usize::MAX / 64, 64).is_none());
    let Some(mut attention) = attention(32) else { return };
    let sequence = vec![0.0; 4 * 3 * HEADS * 32];
    let mut out = vec![0.0; 4 * HEADS * 32];
    assert!(!attention.attend(&sequence, 1, &mut out), "rows that are not there");
    assert!(!attention.attend(&sequence[1..], 0, &mut out), "a part of a row");
    assert!(!attention.attend(&sequence, 0, &mut out[1..]), "a part of a row");
    assert!(!attention.attend(&sequence, usize::MAX, &mut out), "rows that can't be");
    assert!(attention.attend(&sequence, 3, &mut out[..HEADS * 32]));
}
