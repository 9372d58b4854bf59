//! From token ids to the first hidden states: word + position + segment, then layer normalisation.

use super::{
    Weights,
    packing::Packing,
    parts::{Gradients, LayerNorm},
};
use crate::{
    folder::{EncoderShape, LoadError},
    ops,
};
use candle_core::{Result as TensorResult, Tensor};

#[derive(Debug)]
pub(super) struct Embeddings {
    /// Shape `[vocab_size, hidden]`.
    pub(super) words: Tensor,
    /// Shape `[max_positions, hidden]`.
    pub(super) positions: Tensor,
    /// Shape `[segment_types, hidden]`.
    pub(super) types: Tensor,
    pub(super) norm: LayerNorm,
}

/// What the gradient needs.
#[derive(Debug)]
pub(super) struct Trace {
    /// Word + position + segment.
    sum: Tensor,
}

impl Embeddings {
    pub(super) fn load(weights: &mut Weights<'_>, shape: EncoderShape) -> Result<Self, LoadError> {
        let hidden = shape.hidden;
        Ok(Self {
            words: weights.take("embeddings.word_embeddings.weight", &[shape.vocab_size, hidden])?,
            positions: weights
                .take("embeddings.position_embeddings.weight", &[shape.max_positions, hidden])?,
            types: weights.take("embeddings.token_type_embeddings.weight", &[shape.segment_types, hidden])?,
            norm: weights.take_layer_norm("embeddings.LayerNorm", hidden, shape.layer_norm_epsilon)?,
        })
    }

    /// Hidden states of shape `[total_tokens, hidden]`, f32.
    pub(super) fn trace(&self, packing: &Packing) -> TensorResult<(Tensor, Trace)> {
        let words = self.words.index_select(&packing.ids, 0)?;
        let types = self.types.index_select(&packing.types, 0)?;
        let positions = self.positions.index_select(&packing.positions, 0)?;
        let sum = ((words + types)? + positions)?;
        Ok((self.norm.forward(&sum)?, Trace { sum }))
    }

    /// From the output's gradient to those of the weights.
    pub(super) fn gradient(
        &self,
        trace: &Trace,
        grad: &Tensor,
        packing: &Packing,
    ) -> TensorResult<Gradients> {
        let (sum, mut gradients) = self.norm.gradient(&trace.sum, grad, "embeddings.LayerNorm")?;
        for (name, table, indices) in [
            ("embeddings.word_embeddings.weight", &self.words, &packing.ids),
            ("embeddings.position_embeddings.weight", &self.positions, &packing.positions),
            ("embeddings.token_type_embeddings.weight", &self.types, &packing.types),
        ] {
            gradients.push((name.to_owned(), ops::scatter_rows(&sum, indices, table.dim(0)?)?));
        }
        Ok(gradients)
    }
}
