//! Self-attention within every sequence of a packed batch: no score between two sequences is ever computed.
//!
//! Sixteen queries are worked on together, one in each lane: scores are kept as `[key][16 queries]`, so that the softmax
//! runs down the rows and needs no padding of keys, and the same layout is the left side of the product with the values.

mod causal;
mod forward;
mod gradient;
mod tile;

pub(crate) use causal::{Cached, CausalPart, CausalShape, causal};
pub(crate) use forward::{AttentionPart, AttentionScratch, attention_parts};

use super::{check_spans, on_cpu, reference};
use crate::encoder::packing::Span;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};

/// `softmax(Q K^T / sqrt(width)) V` for every head of every sequence: `[total, 3 hidden]` (query, key, value, each
/// `heads * width`, not scaled) to `[total, hidden]`.
///
/// # Errors
/// When a shape or dtype does not fit, or the spans do not cover the rows end to end.
pub(crate) fn attention(query_key_value: &Tensor, spans: &[Span], heads: usize) -> Result<Tensor> {
    let shape = HeadShape::of(query_key_value, spans, heads)?;
    if !on_cpu(query_key_value) {
        return reference::attention(query_key_value, spans, heads);
    }
    query_key_value.contiguous()?.apply_op1_no_bwd(&Attention { spans, shape })
}

/// The gradient of [`attention`]'s input, `[total, 3 hidden]`, from its output's. On the CPU only.
///
/// # Errors
/// When a shape or dtype does not fit, or the spans do not cover the rows end to end.
pub(crate) fn attention_gradient(
    query_key_value: &Tensor,
    spans: &[Span],
    heads: usize,
    grad: &Tensor,
) -> Result<Tensor> {
    let shape = HeadShape::of(query_key_value, spans, heads)?;
    query_key_value.contiguous()?.apply_op2_no_bwd(&grad.contiguous()?, &Gradient { spans, shape })
}

/// Heads, and columns of one head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadShape {
    heads: usize,
    width: usize,
}

impl HeadShape {
    /// `heads` that share `hidden` columns.
    pub(crate) fn new(heads: usize, hidden: usize) -> Self {
        Self { heads, width: hidden / heads.max(1) }
    }

    /// Sees that the tensor is query, key and value of as many heads, and that the spans cover its rows.
    fn of(query_key_value: &Tensor, spans: &[Span], heads: usize) -> Result<Self> {
        let (total, columns) = query_key_value.dims2()?;
        check_spans(spans, total)?;
        if heads == 0 || columns == 0 || !columns.is_multiple_of(3 * heads) {
            bail!("rows of {columns} numbers are not query, key and value of {heads} heads");
        }
        Ok(Self { heads, width: columns / 3 / heads })
    }

    pub(crate) const fn heads(self) -> usize {
        self.heads
    }

    /// Columns of one head.
    pub(crate) const fn width(self) -> usize {
        self.width
    }

    const fn hidden(self) -> usize {
        self.heads * self.width
    }

    /// Columns of a row of query, key and value.
    const fn row(self) -> usize {
        3 * self.heads * self.width
    }

    /// What the product of a query and a key is multiplied by.
    fn scale(self) -> f32 {
        super::count(self.width).sqrt().recip()
    }
}

struct Attention<'a> {
    spans: &'a [Span],
    shape: HeadShape,
}

impl CustomOp1 for Attention<'_> {
    fn name(&self) -> &'static str {
        "packed-attention"
    }

    fn cpu_fwd(&self, input: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (total, _) = layout.shape().dims2()?;
        let out = forward::all(super::numbers(input, layout)?, self.spans, self.shape);
        Ok((CpuStorage::F32(out), Shape::from((total, self.shape.hidden()))))
    }
}

/// The input and the output's gradient to the input's gradient.
struct Gradient<'a> {
    spans: &'a [Span],
    shape: HeadShape,
}

impl CustomOp2 for Gradient<'_> {
    fn name(&self) -> &'static str {
        "packed-attention-gradient"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (input, grad) = (super::numbers(input, input_layout)?, super::numbers(grad, grad_layout)?);
        let out = gradient::all(input, grad, self.spans, self.shape);
        Ok((CpuStorage::F32(out), input_layout.shape().clone()))
    }
}
