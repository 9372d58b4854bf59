//! From hidden states to logits: pooling, then one linear layer that holds every head's rows.

use super::{EncoderError, Weights, packing::Span};
use crate::{
    HeadLogits,
    folder::{EncoderShape, HeadOrder, LoadError},
};
use candle_core::{Result as TensorResult, Tensor};
use candle_nn::{Linear, Module};

/// The four heads as one matrix of shape `[34, 2 * hidden]`, rows in the domain's order.
#[derive(Debug)]
pub(super) struct Heads {
    fused: Linear,
}

impl Heads {
    pub(super) fn load(
        weights: &mut Weights<'_>,
        shape: EncoderShape,
        order: &HeadOrder,
    ) -> Result<Self, LoadError> {
        let feature = 2 * shape.hidden;
        let parts = [
            ("heads.binary", &order.binary),
            ("heads.risk", &order.risk),
            ("heads.harm_mass", &order.harm_mass),
            ("heads.benefit_mass", &order.benefit_mass),
        ];
        let (mut matrices, mut biases) = (Vec::new(), Vec::new());
        for (name, rows) in parts {
            let matrix = weights.take(&format!("{name}.weight"), &[rows.len(), feature])?;
            let bias = weights.take(&format!("{name}.bias"), &[rows.len()])?;
            matrices.push(reorder(&matrix, rows).map_err(|source| weights.not_placed(name, source))?);
            biases.push(reorder(&bias, rows).map_err(|source| weights.not_placed(name, source))?);
        }
        let fused = Tensor::cat(&matrices, 0).and_then(|matrix| Ok((matrix, Tensor::cat(&biases, 0)?)));
        let (matrix, bias) = fused.map_err(|source| weights.not_placed("heads", source))?;
        Ok(Self { fused: Linear::new(matrix, Some(bias)) })
    }

    /// `[total_tokens, hidden]` to one set of logits for each span.
    pub(super) fn forward(&self, hidden: &Tensor, spans: &[Span]) -> Result<Vec<HeadLogits>, EncoderError> {
        let features: Vec<Tensor> =
            spans.iter().map(|span| pool(hidden, *span)).collect::<TensorResult<_>>()?;
        let rows: Vec<Vec<f32>> = self.fused.forward(&Tensor::cat(&features, 0)?)?.to_vec2()?;
        let read = |row: &Vec<f32>| {
            let width = EncoderError::HeadWidth { given: row.len(), expected: HeadLogits::WIDTH };
            HeadLogits::from_row(row).ok_or(width)
        };
        rows.iter().map(read).collect()
    }
}

/// The feature of one sequence, shape `[1, 2 * hidden]`: mean over all its tokens (control tokens too), first token.
///
/// SOURCE: guard-v0/config.json, `pooling`.
fn pool(hidden: &Tensor, span: Span) -> TensorResult<Tensor> {
    let tokens = hidden.narrow(0, span.start, span.len)?;
    Tensor::cat(&[tokens.mean_keepdim(0)?, tokens.narrow(0, 0, 1)?], 1)
}

/// The checkpoint's rows in the domain's order.
fn reorder(tensor: &Tensor, rows: &[u32]) -> TensorResult<Tensor> {
    tensor.index_select(&Tensor::new(rows, tensor.device())?, 0)
}
