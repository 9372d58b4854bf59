//! Attention's output. Every task is some rows of one sequence, and all heads of theirs.

use super::{
    HeadShape,
    tile::{BLOCK, Columns, Lanes, Place, product, scores, softmax},
};
use crate::{encoder::packing::Span, ops::split_by};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Query rows of a task. Keys and values are packed anew for each, which for 128 rows costs a tenth of the products.
const TASK_ROWS: usize = 128;

pub(super) fn all(input: &[f32], spans: &[Span], shape: HeadShape) -> Vec<f32> {
    let hidden = shape.hidden();
    let total: usize = spans.iter().map(|span| span.len).sum();
    let mut out = vec![0.0; total * hidden];
    let parts = split_by(&mut out, spans.iter().map(|span| span.len * hidden));
    let mut tasks = Vec::new();
    for (out, span) in parts.into_iter().zip(spans) {
        let rows = span.start * shape.row()..(span.start + span.len) * shape.row();
        let sequence = input.get(rows).unwrap_or_default();
        for (index, out) in out.chunks_mut(TASK_ROWS * hidden).enumerate() {
            let queries = sequence.chunks(TASK_ROWS * shape.row()).nth(index).unwrap_or_default();
            tasks.push((sequence, queries, out));
        }
    }
    tasks.into_par_iter().for_each_init(Scratch::default, |scratch, (sequence, queries, out)| {
        Arch::new().dispatch(Task { shape, sequence, queries, out, scratch });
    });
    out
}

#[derive(Default)]
struct Scratch {
    /// Transposed.
    keys: Vec<f32>,
    /// In panels.
    values: Vec<f32>,
    /// One block, transposed and scaled.
    queries: Vec<f32>,
    scores: Vec<Lanes>,
}

struct Task<'a> {
    shape: HeadShape,
    /// All rows of the sequence, for its keys and values.
    sequence: &'a [f32],
    /// The rows whose output is asked for.
    queries: &'a [f32],
    out: &'a mut [f32],
    scratch: &'a mut Scratch,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { shape, sequence, queries, out, scratch } = self;
        let (stride, width, hidden) = (shape.row(), shape.width, shape.hidden());
        let len = sequence.len() / stride;
        scratch.scores.resize(len.next_multiple_of(BLOCK), [0.0; BLOCK]);
        for head in 0..shape.heads {
            let columns =
                |matrix, part| Columns { matrix, stride, offset: part * hidden + head * width, width };
            columns(sequence, 1).transpose(BLOCK, 1.0, &mut scratch.keys);
            columns(sequence, 2).panels(simd, 1.0, len, &mut scratch.values);
            for (queries, out) in queries.chunks(BLOCK * stride).zip(out.chunks_mut(BLOCK * hidden)) {
                columns(queries, 0).transpose(S::F32_LANES, shape.scale(), &mut scratch.queries);
                scores(simd, &scratch.keys, &scratch.queries, width, &mut scratch.scores);
                let scores = scratch.scores.get_mut(..len).unwrap_or_default();
                let inverse = softmax(simd, scores);
                let place = Place { offset: head * width, width };
                for (index, panel) in S::as_simd_f32s(&scratch.values).0.chunks_exact(len).enumerate() {
                    let contexts = product(simd, scores, panel).into_iter().zip(inverse);
                    for (row, (context, inverse)) in out.chunks_exact_mut(hidden).zip(contexts) {
                        let context = simd.mul_f32s(context, simd.splat_f32s(inverse));
                        place.store(simd, row, index, context);
                    }
                }
            }
        }
    }
}
