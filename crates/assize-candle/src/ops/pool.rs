//! From a sequence's rows to one feature row. Called by the heads.

use super::{check_spans, count, math::add_to, numbers, on_cpu, reference, rows_and_width, split_by};
use crate::encoder::packing::Span;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Mean over the sequence's rows, then its first row: `[total, h]` to `[sequences, 2 h]`.
///
/// # Errors
/// When a shape or dtype does not fit, or the spans do not cover the rows end to end.
pub(crate) fn pool(hidden: &Tensor, spans: &[Span]) -> Result<Tensor> {
    check_spans(spans, hidden.dim(0)?)?;
    if !on_cpu(hidden) {
        return reference::pool(hidden, spans);
    }
    hidden.contiguous()?.apply_op1_no_bwd(&Pool { spans })
}

/// The gradient of [`pool`]'s rows, `[total, h]`, from its output's. On the CPU only.
///
/// # Errors
/// When a shape or dtype does not fit.
pub(crate) fn pool_gradient(spans: &[Span], grad: &Tensor) -> Result<Tensor> {
    grad.contiguous()?.apply_op1_no_bwd(&Gradient { spans })
}

/// As [`pool`], for numbers instead of tensors, on this thread.
pub(crate) fn pooled(hidden: &[f32], width: usize, spans: &[Span]) -> Vec<f32> {
    let mut out = vec![0.0; spans.len() * 2 * width];
    out.chunks_exact_mut(2 * width).zip(spans).for_each(|(out, span)| pool_one(hidden, width, *span, out));
    out
}

fn pool_one(hidden: &[f32], width: usize, span: Span, out: &mut [f32]) {
    let rows = hidden.get(span.start * width..(span.start + span.len) * width).unwrap_or_default();
    Arch::new().dispatch(Forward { out, rows, width });
}

struct Pool<'a> {
    spans: &'a [Span],
}

impl CustomOp1 for Pool<'_> {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, hidden: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, width) = rows_and_width(layout, &[])?;
        let hidden = numbers(hidden, layout)?;
        let mut out = vec![0.0; self.spans.len() * 2 * width];
        let pairs = out.par_chunks_mut(2 * width).zip(self.spans.par_iter());
        pairs.for_each(|(out, span)| pool_one(hidden, width, *span, out));
        Ok((CpuStorage::F32(out), Shape::from((self.spans.len(), 2 * width))))
    }
}

struct Forward<'a> {
    out: &'a mut [f32],
    rows: &'a [f32],
    width: usize,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (mean, first) = self.out.split_at_mut_checked(self.width).unwrap_or_default();
        for row in self.rows.chunks_exact(self.width) {
            add_to(simd, mean, row);
        }
        let share = count(self.rows.len() / self.width).recip();
        for value in mean {
            *value *= share;
        }
        for (out, value) in first.iter_mut().zip(self.rows) {
            *out = *value;
        }
    }
}

/// The output's gradient `[sequences, 2 h]` to that of the rows, `[total, h]`.
struct Gradient<'a> {
    spans: &'a [Span],
}

impl CustomOp1 for Gradient<'_> {
    fn name(&self) -> &'static str {
        "pool-gradient"
    }

    fn cpu_fwd(&self, grad: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, feature) = rows_and_width(layout, &[])?;
        let (width, grad) = (feature / 2, numbers(grad, layout)?);
        let total: usize = self.spans.iter().map(|span| span.len).sum();
        let mut out = vec![0.0; total * width];
        let parts = split_by(&mut out, self.spans.iter().map(|span| span.len * width));
        parts.into_par_iter().zip(grad.par_chunks(feature)).for_each(|(rows, grad)| {
            let (mean, first) = grad.split_at_checked(width).unwrap_or_default();
            spread(rows, mean, first);
        });
        Ok((CpuStorage::F32(out), Shape::from((total, width))))
    }
}

fn spread(rows: &mut [f32], mean: &[f32], first: &[f32]) {
    let share = count(rows.len() / mean.len().max(1)).recip();
    for row in rows.chunks_exact_mut(mean.len()) {
        for (out, mean) in row.iter_mut().zip(mean) {
            *out = mean * share;
        }
    }
    for (out, first) in rows.iter_mut().zip(first) {
        *out += first;
    }
}
