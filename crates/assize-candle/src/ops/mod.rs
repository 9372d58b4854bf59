//! Fused CPU operations of the encoder, each with its gradient: one pass over memory where candle takes several.
//!
//! Every operation has a composed form in `reference`: it runs on any other device, and is the yardstick in the tests.
//! Here is no weight, no batch forming and no policy: numbers in, numbers out. All tensors are f32.

mod attention;
mod bias;
mod gated;
mod gelu;
mod math;
mod norm;
mod pool;
pub(crate) mod reference;
mod scatter;
#[cfg(test)]
mod tests;

pub(crate) use attention::{
    AttentionPart, AttentionScratch, Cached, CausalPart, CausalShape, HeadShape, attention,
    attention_gradient, attention_parts, causal,
};
pub(crate) use bias::{add, add_bias, add_bias_residual, column_sums};
pub(crate) use gated::{Gate, gated};
pub(crate) use gelu::{bias_gelu, bias_gelu_gradient, gelu};
pub(crate) use norm::{LayerNormGradient, NormWeights, layer_norm, layer_norm_gradient};
pub(crate) use pool::{pool, pool_gradient, pooled};
pub(crate) use scatter::scatter_rows;

use crate::encoder::packing::Span;
use candle_core::{CpuStorage, Layout, Result, Tensor, bail};
use rayon::prelude::*;

/// Numbers that one task of a parallel loop works on: 64 KiB, so that a task lasts longer than handing it out, and its
/// input and output stay in a core's second-level cache.
const TASK_NUMBERS: usize = 16 * 1024;

/// Rows of width `width` that make one task.
fn task_rows(width: usize) -> usize {
    (TASK_NUMBERS / width.max(1)).max(1)
}

/// The numbers of a contiguous f32 tensor.
fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    let part = layout.contiguous_offsets().and_then(|(start, end)| all.get(start..end));
    part.map_or_else(|| bail!("a fused operation was given a tensor that is not contiguous"), Ok)
}

/// Rows and width of `x`, which has at least one column, after seeing that every one of `vectors` is as wide.
fn rows_and_width(x: &Layout, vectors: &[&Layout]) -> Result<(usize, usize)> {
    let (rows, width) = x.shape().dims2()?;
    if width == 0 {
        bail!("a fused operation was given rows without columns");
    }
    for vector in vectors {
        let given = vector.shape().dims1()?;
        if given != width {
            bail!("a vector of {given} numbers does not fit rows of {width}");
        }
    }
    Ok((rows, width))
}

/// `x` row by row, in parallel tasks of whole rows: `work` fills its part of the result from the same part of `x`.
fn by_rows(x: &[f32], width: usize, work: impl Fn(&mut [f32], &[f32]) + Sync) -> Vec<f32> {
    by_rows_into(x, (width, width), work)
}

/// As [`by_rows`] from rows of one width to rows of another (at least 1).
fn by_rows_into(x: &[f32], (from, to): (usize, usize), work: impl Fn(&mut [f32], &[f32]) + Sync) -> Vec<f32> {
    let (from, to) = (from.max(1), to.max(1));
    let mut out = vec![0.0; x.len() / from * to];
    let rows = task_rows(from);
    out.par_chunks_mut(rows * to).zip(x.par_chunks(rows * from)).for_each(|(out, x)| work(out, x));
    out
}

/// As [`by_rows`] for `x` and `grad` together; every task also has `sums` numbers of its own, which begin at 0, and their
/// sum over the tasks, in order, follows the result.
fn by_rows_with_sums(
    (x, grad): (&[f32], &[f32]),
    width: usize,
    sums: usize,
    work: impl Fn(&mut [f32], &mut [f32], (&[f32], &[f32])) + Sync,
) -> Vec<f32> {
    let mut all = vec![0.0; x.len() + sums];
    let (out, total) = all.split_at_mut_checked(x.len()).unwrap_or_default();
    let task = width * task_rows(width);
    let tasks = out.par_chunks_mut(task).zip(x.par_chunks(task)).zip(grad.par_chunks(task));
    let partials: Vec<Vec<f32>> = tasks
        .map(|((out, x), grad)| {
            let mut own = vec![0.0; sums];
            work(out, &mut own, (x, grad));
            own
        })
        .collect();
    total.copy_from_slice(&bias::total(sums, &partials));
    all
}

/// Sees that the spans lie end to end and cover the `rows` rows: the parallel loops split buffers by them.
fn check_spans(spans: &[Span], rows: usize) -> Result<()> {
    let mut next = 0;
    for span in spans {
        if span.start != next || span.len == 0 {
            bail!("a sequence at row {} with {} rows does not follow row {next}", span.start, span.len);
        }
        next += span.len;
    }
    if next == rows { Ok(()) } else { bail!("the sequences cover {next} rows of {rows}") }
}

/// Cuts a buffer into parts of the given lengths, from its start.
pub(crate) fn split_by(mut rest: &mut [f32], lengths: impl Iterator<Item = usize>) -> Vec<&mut [f32]> {
    let cut = |length| {
        let (part, left) = std::mem::take(&mut rest).split_at_mut_checked(length).unwrap_or_default();
        rest = left;
        part
    };
    lengths.map(cut).collect()
}

/// Whether the fused code can run on the tensor; elsewhere the composed form does.
fn on_cpu(x: &Tensor) -> bool {
    x.device().is_cpu()
}

/// A size as a number.
#[expect(clippy::cast_precision_loss, reason = "sizes of rows and sequences are far below 2^24")]
fn count(size: usize) -> f32 {
    size as f32
}
