//! The products as plain code: what the vector kernels are compared with, and what runs where there is none.

use super::Task;
use crate::kernel::Precision;
use crate::linear::{Into, PANEL};
use crate::quantise::Scale;

pub(super) fn run(precision: Precision, task: &Task<'_>, out: &mut [f32]) {
    let rows = task.rows.numbers().chunks_exact(task.rows.words().max(1)).zip(task.rows.scales());
    for ((row, scale), out) in rows.zip(out.chunks_exact_mut(task.width)) {
        let result = match precision {
            Precision::F32 => products(task, row, |sum, a, b| sum + f32::from_bits(a) * f32::from_bits(b)),
            Precision::Bf16 => products(task, row, |sum, a, b| {
                let ([a0, a1], [b0, b1]) = (halves(a), halves(b));
                sum + a0 * b0 + a1 * b1
            }),
            Precision::Int8 => int8(task, row, *scale),
        };
        let out = out.iter_mut().skip(task.column);
        for ((out, result), bias) in out.zip(result).zip(task.bias) {
            match task.into {
                Into::Replace => *out = result + bias,
                Into::Add => *out += result + bias,
            }
        }
    }
}

fn products(task: &Task<'_>, row: &[u32], add: impl Fn(f32, u32, u32) -> f32) -> [f32; PANEL] {
    let mut sums = [0.0; PANEL];
    for (a, group) in row.iter().zip(task.panel.chunks_exact(PANEL)) {
        for (sum, b) in sums.iter_mut().zip(group) {
            *sum = add(*sum, *a, *b);
        }
    }
    sums
}

/// `step * sum * weight's scale + lowest * sum of the weights`.
fn int8(task: &Task<'_>, row: &[u32], scale: Scale) -> [f32; PANEL] {
    let mut sums = [0_i32; PANEL];
    for (a, group) in row.iter().zip(task.panel.chunks_exact(PANEL)) {
        for (sum, b) in sums.iter_mut().zip(group) {
            let pairs = a.to_le_bytes().into_iter().zip(b.to_le_bytes());
            *sum += pairs.map(|(a, b)| i32::from(a) * i32::from(b.cast_signed())).sum::<i32>();
        }
    }
    let mut results = [0.0; PANEL];
    let weights = task.scales.iter().zip(task.offsets);
    for ((result, sum), (weight, offset)) in results.iter_mut().zip(sums).zip(weights) {
        #[expect(clippy::cast_precision_loss, reason = "as the vector kernels do: rounded to nearest")]
        let sum = sum as f32;
        *result = scale.step * (sum * weight) + scale.lowest * offset;
    }
    results
}

/// The two bf16 numbers of a word.
fn halves(word: u32) -> [f32; 2] {
    [f32::from_bits(word << 16), f32::from_bits(word & 0xffff_0000)]
}
