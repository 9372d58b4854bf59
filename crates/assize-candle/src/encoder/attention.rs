//! Self-attention, sequence by sequence: block-diagonal by construction, so no mask exists that could be wrong.

use super::{Weights, packing::Span};
use crate::folder::{EncoderShape, LoadError};
use candle_core::{D, Result as TensorResult, Tensor};
use candle_nn::{Linear, Module, ops::softmax_last_dim};

/// Query, key and value projections as one matrix, and the output projection.
#[derive(Debug)]
pub(super) struct Attention {
    /// Weight of shape `[3 * hidden, hidden]`: query, key, value. One large product instead of three small ones.
    query_key_value: Linear,
    output: Linear,
    heads: usize,
    head_width: usize,
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
        let (query, key, value) = (take("self.query")?, take("self.key")?, take("self.value")?);
        let output = take("output.dense")?;
        // Scaling the query's weights once spares a pass over all scores of every sequence. f64 to f32 by candle.
        let query_key_value = fuse(&query, &key, &value, scale(shape.head_width()))
            .map_err(|source| weights.not_placed(&format!("{prefix}.self"), source))?;
        Ok(Self { query_key_value, output, heads: shape.attention_heads, head_width: shape.head_width() })
    }

    /// `[total_tokens, hidden]` to the same shape, without residual and normalisation.
    pub(super) fn forward(&self, hidden: &Tensor, spans: &[Span]) -> TensorResult<Tensor> {
        let total = hidden.dim(0)?;
        // [total, 3, heads, width] -> [3, heads, total, width]: one copy, after which every sequence's part has rows
        // that matrix products accept as they are, on the CPU and on CUDA.
        let projected = self.query_key_value.forward(hidden)?;
        let projected = projected.reshape((total, 3, self.heads, self.head_width))?;
        let projected = projected.permute((1, 2, 0, 3))?.contiguous()?;
        let (query, key, value) = (projected.get(0)?, projected.get(1)?, projected.get(2)?);
        let contexts = spans.iter().map(|span| {
            let part = |packed: &Tensor| packed.narrow(1, span.start, span.len);
            attend(&part(&query)?, &part(&key)?, &part(&value)?)
        });
        let contexts = Tensor::cat(&contexts.collect::<TensorResult<Vec<_>>>()?, 0)?;
        self.output.forward(&contexts.reshape((total, self.heads * self.head_width))?)
    }
}

/// One sequence: query (scaled), key and value of shape `[heads, len, width]` to `[len, heads, width]` (a view).
fn attend(query: &Tensor, key: &Tensor, value: &Tensor) -> TensorResult<Tensor> {
    let scores = query.matmul(&key.transpose(D::Minus1, D::Minus2)?)?;
    softmax_last_dim(&scores)?.matmul(value)?.transpose(0, 1)
}

/// `1 / sqrt(width)`.
#[expect(clippy::cast_precision_loss, reason = "a head's width is far below 2^53")]
fn scale(width: usize) -> f64 {
    (width as f64).sqrt().recip()
}

fn fuse(query: &Linear, key: &Linear, value: &Linear, query_scale: f64) -> TensorResult<Linear> {
    let weights = [(query.weight() * query_scale)?, key.weight().clone(), value.weight().clone()];
    let biases = [query, key, value].map(|linear| linear.bias().cloned());
    let mut biases: Vec<Tensor> = biases.into_iter().flatten().collect();
    if let Some(bias) = biases.first_mut() {
        *bias = (&*bias * query_scale)?;
    }
    Ok(Linear::new(Tensor::cat(&weights, 0)?, Some(Tensor::cat(&biases, 0)?)))
}
