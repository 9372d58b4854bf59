//! From token ids to the first hidden states: word + position + segment, then layer normalisation.

use super::{Weights, packing::Packing};
use crate::folder::{EncoderShape, LoadError};
use candle_core::{Result as TensorResult, Tensor};
use candle_nn::{LayerNorm, Module};

#[derive(Debug)]
pub(super) struct Embeddings {
    /// Shape `[vocab_size, hidden]`.
    words: Tensor,
    /// Shape `[max_positions, hidden]`.
    positions: Tensor,
    /// Shape `[segment_types, hidden]`.
    types: Tensor,
    norm: LayerNorm,
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
    pub(super) fn forward(&self, packing: &Packing) -> TensorResult<Tensor> {
        let words = self.words.index_select(&packing.ids, 0)?;
        let types = self.types.index_select(&packing.types, 0)?;
        let positions = self.positions.index_select(&packing.positions, 0)?;
        self.norm.forward(&((words + types)? + positions)?)
    }
}
