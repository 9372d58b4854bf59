//! Self-attention, sequence by sequence: block-diagonal by construction, so no mask exists that could be wrong.

use super::{
    Weights,
    packing::Span,
    parts::{Gradients, Linear},
};
use crate::{
    folder::{EncoderShape, LoadError},
    ops,
};
use candle_core::{Result as TensorResult, Tensor};

/// Query, key and value projections as one matrix, and the output projection.
#[derive(Debug)]
pub(super) struct Attention {
    /// Weight of shape `[3 * hidden, hidden]`: query, key, value. One large product instead of three small ones.
    pub(super) query_key_value: Linear,
    pub(super) output: Linear,
    heads: usize,
}

/// What the gradient needs.
#[derive(Debug)]
pub(super) struct Trace {
    /// The input.
    hidden: Tensor,
    query_key_value: Tensor,
    context: Tensor,
}

impl Attention {
    /// Loads the tensors below `prefix` (`encoder.layer.N.attention`).
    pub(super) fn load(
        weights: &mut Weights<'_>,
        prefix: &str,
        shape: EncoderShape,
    ) -> Result<Self, LoadError> {
        let hidden = shape.hidden;
        let mut take = |name: &str| weights.take_linear(&format!("{prefix}.{name}"), hidden, hidden);
        let parts = [take("self.query")?, take("self.key")?, take("self.value")?];
        let output = take("output.dense")?;
        let query_key_value =
            Linear::fuse(&parts).map_err(|source| weights.not_placed(&format!("{prefix}.self"), source))?;
        Ok(Self { query_key_value, output, heads: shape.attention_heads })
    }

    /// `[total_tokens, hidden]` to the same shape, with the residual, without normalisation.
    pub(super) fn trace(&self, hidden: &Tensor, spans: &[Span]) -> TensorResult<(Tensor, Trace)> {
        let query_key_value = self.query_key_value.forward(hidden)?;
        let context = ops::attention(&query_key_value, spans, self.heads)?;
        let sum = self.output.forward_onto(&context, hidden)?;
        Ok((sum, Trace { hidden: hidden.clone(), query_key_value, context }))
    }

    /// From the output's gradient to the input's, and to those of the weights.
    pub(super) fn gradient(
        &self,
        trace: &Trace,
        grad: &Tensor,
        spans: &[Span],
    ) -> TensorResult<(Tensor, Gradients)> {
        let (context, output) = self.output.gradient(&trace.context, grad)?;
        let projected = ops::attention_gradient(&trace.query_key_value, spans, self.heads, &context)?;
        let (hidden, fused) = self.query_key_value.gradient(&trace.hidden, &projected)?;
        let width = grad.dim(1)?;
        let mut gradients = Vec::from(output.named("output.dense"));
        for (name, start) in [("self.query", 0), ("self.key", width), ("self.value", 2 * width)] {
            gradients.extend(fused.rows(start, width)?.named(name));
        }
        Ok((ops::add(&hidden, grad)?, gradients))
    }
}
