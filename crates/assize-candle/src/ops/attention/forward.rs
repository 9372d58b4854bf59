//! Attention's output. Every task is some rows of one sequence, and all heads of theirs.

use super::{
    HeadShape,
    tile::{BLOCK, Columns, Lanes, Place, product, product_of_rows, scores, scores_of_rows, softmax},
};
use crate::{encoder::packing::Span, ops::split_by};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Query rows of a task. Keys and values are packed anew for each, which for 128 rows costs a tenth of the products.
const TASK_ROWS: usize = 128;

pub(super) fn all(input: &[f32], spans: &[Span], shape: HeadShape) -> Vec<f32> {
    let total: usize = spans.iter().map(|span| span.len).sum();
    let mut out = vec![0.0; total * shape.hidden()];
    let parts = attention_parts(input, spans, (shape, rayon::current_num_threads()), &mut out);
    parts
        .into_par_iter()
        .for_each_init(AttentionScratch::default, |scratch, part| scratch.attend(shape, part));
    out
}

/// Some rows of one sequence whose output is asked for.
#[derive(Debug)]
pub(crate) struct AttentionPart<'a> {
    /// Query, key and value of all rows: `[len, 3 hidden]`.
    pub(crate) sequence: &'a [f32],
    /// The first row whose output is asked for.
    pub(crate) first: usize,
    /// `[rows, hidden]`.
    pub(crate) out: &'a mut [f32],
}

/// Cuts [`super::attention`] of `[total, 3 hidden]` to `[total, hidden]` for so many threads. The spans cover the rows end
/// to end.
pub(crate) fn attention_parts<'a>(
    input: &'a [f32],
    spans: &[Span],
    (shape, threads): (HeadShape, usize),
    out: &'a mut [f32],
) -> Vec<AttentionPart<'a>> {
    let total: usize = spans.iter().map(|span| span.len).sum();
    let share = total.div_ceil(threads.max(1)).next_multiple_of(BLOCK).clamp(BLOCK, TASK_ROWS);
    // One thread alone packs a sequence's keys and values once.
    let most = if threads == 1 { total.max(1) } else { share };
    let hidden = shape.hidden();
    let outs = split_by(out, spans.iter().map(|span| span.len * hidden));
    let mut parts = Vec::new();
    for (out, span) in outs.into_iter().zip(spans) {
        let rows = span.start * shape.row()..(span.start + span.len) * shape.row();
        let sequence = input.get(rows).unwrap_or_default();
        let cut = out.chunks_mut(most * hidden).enumerate();
        parts.extend(cut.map(|(index, out)| AttentionPart { sequence, first: index * most, out }));
    }
    parts
}

/// One thread's room; kept from part to part.
#[derive(Debug, Default)]
pub(crate) struct AttentionScratch {
    /// One head's: rows where [`Task::of_width`] does the work, else transposed.
    keys: Vec<f32>,
    /// One head's: rows there, too, else in panels.
    values: Vec<f32>,
    /// One block, transposed and scaled.
    queries: Vec<f32>,
    scores: Vec<Lanes>,
}

impl AttentionScratch {
    /// A part's output, on this thread.
    pub(crate) fn attend(&mut self, shape: HeadShape, part: AttentionPart<'_>) {
        let AttentionPart { sequence, first, out } = part;
        let rows = first * shape.row()..first * shape.row() + 3 * out.len();
        let queries = sequence.get(rows).unwrap_or_default();
        Arch::new().dispatch(Task { shape, sequence, queries, out, scratch: self });
    }
}

struct Task<'a> {
    shape: HeadShape,
    /// All rows of the sequence, for its keys and values.
    sequence: &'a [f32],
    /// The rows whose output is asked for.
    queries: &'a [f32],
    out: &'a mut [f32],
    scratch: &'a mut AttentionScratch,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.shape.width {
            32 => self.of_width::<S, 32>(simd),
            64 => self.of_width::<S, 64>(simd),
            _ => self.of_any_width(simd),
        }
    }
}

impl Task<'_> {
    /// Keys and values in rows: a row of a head is a vector's worth or more, and only the queries, which are the lanes of
    /// the products, have to be transposed.
    #[inline(always)]
    fn of_width<S: Simd, const WIDTH: usize>(self, simd: S) {
        let Self { shape, sequence, queries, out, scratch } = self;
        let (stride, hidden) = (shape.row(), shape.hidden());
        let len = sequence.len() / stride;
        scratch.scores.resize(len.next_multiple_of(BLOCK), [0.0; BLOCK]);
        // Scores of keys that are not there are computed and not looked at.
        scratch.keys.resize(len.next_multiple_of(BLOCK) * WIDTH, 0.0);
        scratch.values.resize(len * WIDTH, 0.0);
        let (keys, _) = scratch.keys.as_chunks_mut::<WIDTH>();
        let (values, _) = scratch.values.as_chunks_mut::<WIDTH>();
        for head in 0..shape.heads {
            let columns =
                |matrix, part| Columns { matrix, stride, offset: part * hidden + head * WIDTH, width: WIDTH };
            columns(sequence, 1).rows::<WIDTH>(keys);
            columns(sequence, 2).rows::<WIDTH>(values);
            for (queries, out) in queries.chunks(BLOCK * stride).zip(out.chunks_mut(BLOCK * hidden)) {
                columns(queries, 0).transpose(S::F32_LANES, shape.scale(), &mut scratch.queries);
                scores_of_rows(simd, keys, &scratch.queries, &mut scratch.scores);
                let scores = scratch.scores.get_mut(..len).unwrap_or_default();
                let inverse = softmax(simd, scores);
                let place = Place { offset: head * WIDTH, width: WIDTH };
                for panel in 0..WIDTH / S::F32_LANES {
                    let contexts = product_of_rows(simd, scores, values, panel).into_iter().zip(inverse);
                    for (row, (context, inverse)) in out.chunks_exact_mut(hidden).zip(contexts) {
                        place.store(simd, row, panel, simd.mul_f32s(context, simd.splat_f32s(inverse)));
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn of_any_width<S: Simd>(self, simd: S) {
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
