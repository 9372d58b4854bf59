//! From hidden states to logits: pooling, then one linear layer that holds every head's rows.

use super::{
    EncoderError, Weights,
    packing::Span,
    parts::{Gradients, Linear},
};
use crate::{
    HeadLogits,
    folder::{EncoderShape, HeadOrder, LoadError},
    leaves::LeafLayout,
    ops,
};
use assize_domain::{GuardHead, RiskCategory};
use candle_core::{Result as TensorResult, Tensor};

/// All heads as one matrix of shape `[HeadLogits::WIDTH, 2 * hidden]`, rows in the domain's order.
#[derive(Debug)]
pub(super) struct Heads {
    pub(super) fused: Linear,
    order: HeadOrder,
}

/// What the gradient needs.
#[derive(Debug)]
pub(super) struct Trace {
    /// Shape `[spans, 2 * hidden]`.
    features: Tensor,
}

impl Heads {
    pub(super) fn load(
        weights: &mut Weights<'_>,
        shape: EncoderShape,
        order: &HeadOrder,
    ) -> Result<Self, LoadError> {
        let feature = 2 * shape.hidden;
        let every_leaf: Vec<u32> = (0_u32..).take(LeafLayout::WIDTH).collect();
        let parts =
            [("heads.binary", &order.binary), ("heads.risk", &order.risk), ("heads.leaves", &every_leaf)];
        let mut heads = Vec::with_capacity(parts.len());
        for (name, rows) in parts {
            let Linear { weight, bias } = weights.take_linear(name, feature, rows.len())?;
            let placed = |tensor| reorder(tensor, rows).map_err(|source| weights.not_placed(name, source));
            heads.push(Linear { weight: placed(&weight)?, bias: placed(&bias)? });
        }
        let fused = Linear::fuse(&heads).map_err(|source| weights.not_placed("heads", source))?;
        Ok(Self { fused, order: order.clone() })
    }

    /// Whether [`Self::gradient`] knows the names: every row is where the domain has it, as in new models.
    pub(super) fn learn(&self) -> bool {
        self.order == HeadOrder::identity()
    }

    /// `[total_tokens, hidden]` to the heads' raw outputs, shape `[spans, HeadLogits::WIDTH]`.
    pub(super) fn trace(&self, hidden: &Tensor, spans: &[Span]) -> TensorResult<(Tensor, Trace)> {
        // The feature of a sequence: mean over all its tokens (control tokens too), first token.
        // SOURCE: `pooling` in config.json, of which folder/config.rs knows this one value.
        let features = ops::pool(hidden, spans)?;
        Ok((self.fused.forward(&features)?, Trace { features }))
    }

    /// From the outputs' gradient to that of the hidden states, and to those of the weights.
    pub(super) fn gradient(
        &self,
        trace: &Trace,
        grad: &Tensor,
        spans: &[Span],
    ) -> TensorResult<(Tensor, Gradients)> {
        let (features, fused) = self.fused.gradient(&trace.features, grad)?;
        let (mut gradients, mut start) = (Vec::new(), 0);
        for (name, rows) in [
            ("heads.binary", GuardHead::ALL.len()),
            ("heads.risk", RiskCategory::ALL.len()),
            ("heads.leaves", LeafLayout::WIDTH),
        ] {
            gradients.extend(fused.rows(start, rows)?.named(name));
            start += rows;
        }
        Ok((ops::pool_gradient(spans, &features)?, gradients))
    }

    /// One set of logits for each row of [`Self::trace`].
    pub(super) fn read(outputs: &Tensor) -> Result<Vec<HeadLogits>, EncoderError> {
        let rows: Vec<Vec<f32>> = outputs.to_vec2()?;
        let read = |row: &Vec<f32>| {
            let width = EncoderError::HeadWidth { given: row.len(), expected: HeadLogits::WIDTH };
            HeadLogits::from_row(row).ok_or(width)
        };
        rows.iter().map(read).collect()
    }
}

/// The checkpoint's rows in the domain's order.
fn reorder(tensor: &Tensor, rows: &[u32]) -> TensorResult<Tensor> {
    if rows.iter().zip(0_u32..).all(|(row, place)| *row == place) {
        return Ok(tensor.clone());
    }
    tensor.index_select(&Tensor::new(rows, tensor.device())?, 0)
}
