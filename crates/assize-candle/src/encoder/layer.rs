//! One layer: attention and feed-forward, each with a residual and layer normalisation after it (post-norm BERT).

use super::{Weights, attention::Attention, packing::Span};
use crate::folder::{EncoderShape, LoadError};
use candle_core::{Result as TensorResult, Tensor};
use candle_nn::{LayerNorm, Linear, Module};

#[derive(Debug)]
pub(super) struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    /// `hidden` to `intermediate`.
    widen: Linear,
    /// `intermediate` to `hidden`.
    narrow: Linear,
    output_norm: LayerNorm,
}

impl Layer {
    /// Loads the tensors below `prefix` (`encoder.layer.N`).
    pub(super) fn load(
        weights: &mut Weights<'_>,
        prefix: &str,
        shape: EncoderShape,
    ) -> Result<Self, LoadError> {
        let EncoderShape { hidden, intermediate, layer_norm_epsilon: epsilon, .. } = shape;
        let name = |part: &str| format!("{prefix}.{part}");
        Ok(Self {
            attention: Attention::load(weights, &name("attention"), shape)?,
            attention_norm: weights.take_layer_norm(&name("attention.output.LayerNorm"), hidden, epsilon)?,
            widen: weights.take_linear(&name("intermediate.dense"), hidden, intermediate)?,
            narrow: weights.take_linear(&name("output.dense"), intermediate, hidden)?,
            output_norm: weights.take_layer_norm(&name("output.LayerNorm"), hidden, epsilon)?,
        })
    }

    /// `[total_tokens, hidden]` to the same shape.
    pub(super) fn forward(&self, hidden: &Tensor, spans: &[Span]) -> TensorResult<Tensor> {
        let attended = (self.attention.forward(hidden, spans)? + hidden)?;
        let attended = self.attention_norm.forward(&attended)?;
        let widened = self.widen.forward(&attended)?.gelu_erf()?;
        self.output_norm.forward(&(self.narrow.forward(&widened)? + attended)?)
    }
}
