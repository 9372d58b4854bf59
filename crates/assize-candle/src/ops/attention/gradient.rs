//! Attention's gradient. The probabilities are computed again: keeping them would take more memory than all the rest.
//!
//! SOURCE: with `P = softmax(S)` and `dP = dO V^T`, `dS = P * (dP - rowsum(P * dP))`; FlashAttention (Dao et al. 2022),
//! appendix B.2. Every task is one sequence.

use super::{
    HeadShape,
    tile::{BLOCK, Columns, Lanes, Place, accumulate, product, scores, softmax},
};
use crate::{encoder::packing::Span, ops::split_by};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

pub(super) fn all(input: &[f32], grad: &[f32], spans: &[Span], shape: HeadShape) -> Vec<f32> {
    let mut out = vec![0.0; input.len()];
    let parts = split_by(&mut out, spans.iter().map(|span| span.len * shape.row()));
    let rows = |matrix: &[f32], span: &Span, row: usize| -> std::ops::Range<usize> {
        let end = (span.start + span.len) * row;
        span.start * row..end.min(matrix.len())
    };
    let tasks: Vec<_> = parts.into_iter().zip(spans).collect();
    tasks.into_par_iter().for_each_init(Scratch::default, |scratch, (out, span)| {
        let sequence = input.get(rows(input, span, shape.row())).unwrap_or_default();
        let grad = grad.get(rows(grad, span, shape.hidden())).unwrap_or_default();
        Arch::new().dispatch(Task { shape, sequence, grad, out, scratch });
    });
    out
}

#[derive(Default)]
struct Scratch {
    keys: Packed,
    values: Packed,
    /// One block of queries, scaled.
    queries: Packed,
    /// One block of the output's gradient.
    grads: Packed,
    scores: Vec<Lanes>,
    score_grads: Vec<Lanes>,
    /// In panels.
    key_grads: Vec<f32>,
    /// In panels.
    value_grads: Vec<f32>,
}

#[derive(Default)]
struct Packed {
    transposed: Vec<f32>,
    panels: Vec<f32>,
}

struct Task<'a> {
    shape: HeadShape,
    sequence: &'a [f32],
    /// The output's gradient.
    grad: &'a [f32],
    out: &'a mut [f32],
    scratch: &'a mut Scratch,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { shape, sequence, grad, out, scratch } = self;
        let (stride, width, hidden) = (shape.row(), shape.width, shape.hidden());
        let len = sequence.len() / stride;
        for buffer in [&mut scratch.scores, &mut scratch.score_grads] {
            buffer.resize(len.next_multiple_of(BLOCK), [0.0; BLOCK]);
        }
        for head in 0..shape.heads {
            let offset = head * width;
            let columns = |matrix, part| Columns { matrix, stride, offset: part * hidden + offset, width };
            columns(sequence, 1).transpose(BLOCK, 1.0, &mut scratch.keys.transposed);
            columns(sequence, 1).panels(simd, shape.scale(), len, &mut scratch.keys.panels);
            columns(sequence, 2).transpose(BLOCK, 1.0, &mut scratch.values.transposed);
            for buffer in [&mut scratch.key_grads, &mut scratch.value_grads] {
                buffer.clear();
                buffer.resize(scratch.keys.panels.len(), 0.0);
            }
            let inputs = sequence.chunks(BLOCK * stride).zip(grad.chunks(BLOCK * hidden));
            for ((rows, grad), out) in inputs.zip(out.chunks_mut(BLOCK * stride)) {
                let (queries, grads) = (&mut scratch.queries, &mut scratch.grads);
                columns(rows, 0).transpose(S::F32_LANES, shape.scale(), &mut queries.transposed);
                columns(rows, 0).panels(simd, shape.scale(), BLOCK, &mut queries.panels);
                let grad = Columns { matrix: grad, stride: hidden, offset, width };
                grad.transpose(S::F32_LANES, 1.0, &mut grads.transposed);
                grad.panels(simd, 1.0, BLOCK, &mut grads.panels);
                block(simd, scratch, (len, width), (out, stride), offset);
            }
            let place = |part| Place { offset: part * hidden + offset, width };
            place(1).store_panels(simd, &scratch.key_grads, (&mut *out, stride));
            place(2).store_panels(simd, &scratch.value_grads, (&mut *out, stride));
        }
    }
}

/// One block of queries: writes their gradient, and adds to that of all keys and values.
#[inline(always)]
fn block<S: Simd>(
    simd: S,
    scratch: &mut Scratch,
    (len, width): (usize, usize),
    (out, stride): (&mut [f32], usize),
    offset: usize,
) {
    let Scratch { keys, values, queries, grads, scores: probabilities, score_grads, .. } = scratch;
    scores(simd, &keys.transposed, &queries.transposed, width, probabilities);
    let probabilities = probabilities.get_mut(..len).unwrap_or_default();
    let inverse = softmax(simd, probabilities);
    scores(simd, &values.transposed, &grads.transposed, width, score_grads);
    let score_grads = score_grads.get_mut(..len).unwrap_or_default();
    softmax_gradient(simd, probabilities, score_grads, &inverse);
    accumulate(simd, probabilities, &grads.panels, &mut scratch.value_grads);
    accumulate(simd, score_grads, &queries.panels, &mut scratch.key_grads);
    let place = Place { offset, width };
    for (index, panel) in S::as_simd_f32s(&keys.panels).0.chunks_exact(len).enumerate() {
        for (row, value) in out.chunks_exact_mut(stride).zip(product(simd, score_grads, panel)) {
            place.store(simd, row, index, value);
        }
    }
}

/// Divides the probabilities by their sum, and turns their gradient into that of the scores.
#[inline(always)]
fn softmax_gradient<S: Simd>(simd: S, probabilities: &mut [Lanes], grads: &mut [Lanes], inverse: &Lanes) {
    for (part, inverse) in S::as_simd_f32s(inverse).0.iter().enumerate() {
        let mut sum = simd.splat_f32s(0.0);
        for (row, grad) in probabilities.iter_mut().zip(grads.iter()) {
            let (row, grad) = (S::as_mut_simd_f32s(row).0.get_mut(part), S::as_simd_f32s(grad).0.get(part));
            if let (Some(probability), Some(grad)) = (row, grad) {
                *probability = simd.mul_f32s(*probability, *inverse);
                sum = simd.mul_add_e_f32s(*probability, *grad, sum);
            }
        }
        for (row, grad) in probabilities.iter().zip(grads.iter_mut()) {
            let (row, grad) = (S::as_simd_f32s(row).0.get(part), S::as_mut_simd_f32s(grad).0.get_mut(part));
            if let (Some(probability), Some(grad)) = (row, grad) {
                *grad = simd.mul_f32s(*probability, simd.sub_f32s(*grad, sum));
            }
        }
    }
}
