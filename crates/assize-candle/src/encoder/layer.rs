//! One layer: attention and feed-forward, each with a residual and layer normalisation after it (post-norm BERT).

use super::{
    Weights,
    attention::{self, Attention},
    packing::Span,
    parts::{Gradients, LayerNorm, Linear},
};
use crate::{
    folder::{EncoderShape, LoadError},
    ops,
};
use candle_core::{Result as TensorResult, Tensor};

#[derive(Debug)]
pub(super) struct Layer {
    pub(super) attention: Attention,
    pub(super) attention_norm: LayerNorm,
    /// `hidden` to `intermediate`.
    pub(super) widen: Linear,
    /// `intermediate` to `hidden`.
    pub(super) narrow: Linear,
    pub(super) output_norm: LayerNorm,
}

/// What the gradient needs.
#[derive(Debug)]
pub(super) struct Trace {
    attend: AttendTrace,
    feed_forward: FeedForwardTrace,
}

#[derive(Debug)]
struct AttendTrace {
    attention: attention::Trace,
    /// Before normalisation.
    sum: Tensor,
}

#[derive(Debug)]
struct FeedForwardTrace {
    /// The input.
    attended: Tensor,
    /// Before bias and activation.
    widened: Tensor,
    activated: Tensor,
    /// Before normalisation.
    sum: Tensor,
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

    /// `[total_tokens, hidden]` to the same shape. Frees what one half saved before the other begins.
    pub(super) fn forward(&self, hidden: &Tensor, spans: &[Span]) -> TensorResult<Tensor> {
        let attended = self.attend(hidden, spans)?.0;
        Ok(self.feed_forward(&attended)?.0)
    }

    /// As [`Self::forward`], and what the gradient needs.
    pub(super) fn trace(&self, hidden: &Tensor, spans: &[Span]) -> TensorResult<(Tensor, Trace)> {
        let (attended, attend) = self.attend(hidden, spans)?;
        let (output, feed_forward) = self.feed_forward(&attended)?;
        Ok((output, Trace { attend, feed_forward }))
    }

    fn attend(&self, hidden: &Tensor, spans: &[Span]) -> TensorResult<(Tensor, AttendTrace)> {
        let (sum, attention) = self.attention.trace(hidden, spans)?;
        Ok((self.attention_norm.forward(&sum)?, AttendTrace { attention, sum }))
    }

    fn feed_forward(&self, attended: &Tensor) -> TensorResult<(Tensor, FeedForwardTrace)> {
        let widened = self.widen.product(attended)?;
        let activated = ops::bias_gelu(&widened, &self.widen.bias)?;
        let sum = self.narrow.forward_onto(&activated, attended)?;
        let output = self.output_norm.forward(&sum)?;
        Ok((output, FeedForwardTrace { attended: attended.clone(), widened, activated, sum }))
    }

    /// From the output's gradient to the input's, and to those of the weights.
    pub(super) fn gradient(
        &self,
        trace: &Trace,
        grad: &Tensor,
        spans: &[Span],
    ) -> TensorResult<(Tensor, Gradients)> {
        let (attended, mut gradients) = self.feed_forward_gradient(&trace.feed_forward, grad)?;
        let Trace { attend: AttendTrace { attention, sum }, .. } = trace;
        let (sum, norm) = self.attention_norm.gradient(sum, &attended, "attention.output.LayerNorm")?;
        let (hidden, attention) = self.attention.gradient(attention, &sum, spans)?;
        gradients.extend(norm);
        gradients.extend(attention.into_iter().map(|(name, tensor)| (format!("attention.{name}"), tensor)));
        Ok((hidden, gradients))
    }

    fn feed_forward_gradient(
        &self,
        trace: &FeedForwardTrace,
        grad: &Tensor,
    ) -> TensorResult<(Tensor, Gradients)> {
        let (sum, mut gradients) = self.output_norm.gradient(&trace.sum, grad, "output.LayerNorm")?;
        let (activated, narrow) = self.narrow.gradient(&trace.activated, &sum)?;
        let (widened, bias) = ops::bias_gelu_gradient(&trace.widened, &self.widen.bias, &activated)?;
        let (attended, weight) = self.widen.product_gradient(&trace.attended, &widened)?;
        gradients.extend(narrow.named("output.dense"));
        gradients.extend(Linear { weight, bias }.named("intermediate.dense"));
        Ok((ops::add(&attended, &sum)?, gradients))
    }
}
