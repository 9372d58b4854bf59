//! A BERT encoder with the guard's heads, for packed batches. Called by the model's own thread, once a batch.
//!
//! # Packed batches
//! The sequences of a batch are laid end to end as `[total_tokens, hidden]`, without padding. Linear layers, layer
//! normalisation and GELU work on single tokens, so they take the whole batch at once; attention is computed sequence by
//! sequence. There is therefore no padding to mask and no batch mate that could be seen: what a sequence gets is the
//! same alone and in any batch, up to rounding (matrix products may group their sums by the number of rows).
//! Padded batches of mixed lengths cost 5 to 6 times as much (research/cpu-performance.md, "Padding").
//!
//! SOURCE: BERT (Devlin et al. 2018); tensor names as transformers' `BertModel` saves them.

mod attention;
mod embeddings;
mod guard;
mod heads;
mod layer;
mod learn;
mod packed;
pub(crate) mod packing;
mod parts;
#[cfg(test)]
mod tests;
mod weights;

pub use guard::{ChoiceError, GuardEncoder, GuardRun, PrecisionChoice, Shift, Trial, UnknownPrecision};
pub(crate) use guard::{References, choose};
pub use packed::PackError;
pub(crate) use packed::{PackedEncoder, PackedRun};
pub(crate) use weights::Weights;

use crate::{
    HeadLogits, Sequence,
    folder::{EncoderShape, HeadOrder, LoadError},
};
use candle_core::{Device, Tensor};
use embeddings::Embeddings;
use heads::Heads;
use layer::Layer;
use packing::Packing;
use std::collections::BTreeMap;

/// A batch that could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    /// A token id has no embedding.
    #[error(
        "token id {id} is over the vocabulary of {vocab_size}; use the tokenizer of the same model folder"
    )]
    UnknownToken {
        /// The id given.
        id: u32,
        /// Rows of the word embedding.
        vocab_size: usize,
    },
    /// A sequence has more tokens than there are positions.
    #[error(
        "a sequence of {tokens} tokens is over the encoder's {limit} positions; cut the text into windows first"
    )]
    TooLong {
        /// Tokens given.
        tokens: usize,
        /// Rows of the position embedding.
        limit: usize,
    },
    /// The tensor library failed: out of memory, a lost device, or a fault of this crate.
    #[error("the tensor library failed")]
    Tensor(#[from] candle_core::Error),
    /// The heads' rows are not in the order of new models.
    #[error(
        "only an encoder with the heads' rows in the taxonomy's order learns; make it by `Encoder::over`"
    )]
    HeadsDoNotLearn,
    /// The heads gave a row of an unexpected width: a fault of this crate.
    #[error("the heads gave {given} numbers for a sequence instead of {expected}")]
    HeadWidth {
        /// Numbers given.
        given: usize,
        /// Numbers expected.
        expected: usize,
    },
}

/// The encoder with its weights (f32) on one device.
#[derive(Debug)]
pub struct Encoder {
    shape: EncoderShape,
    device: Device,
    embeddings: Embeddings,
    layers: Vec<Layer>,
    heads: Heads,
}

impl Encoder {
    /// Judges the sequences together; one answer for each, in their order. No sequences, no answers.
    ///
    /// Memory grows with the total number of tokens and with the square of the longest sequence; the caller bounds both.
    ///
    /// # Errors
    /// When a sequence was made for another model, or the device fails. Numbers that are not finite are no error here.
    pub fn infer(&mut self, sequences: &[&Sequence]) -> Result<Vec<HeadLogits>, EncoderError> {
        if sequences.is_empty() {
            return Ok(Vec::new());
        }
        Heads::read(&self.forward(sequences)?)
    }

    /// The heads' raw outputs as a tensor of shape `[sequences, HeadLogits::WIDTH]`. At least one sequence.
    ///
    /// # Errors
    /// As [`Self::infer`].
    pub fn forward(&self, sequences: &[&Sequence]) -> Result<Tensor, EncoderError> {
        check(self.shape, sequences)?;
        let packing = Packing::new(sequences, &self.device)?;
        let (mut hidden, _) = self.embeddings.trace(&packing)?;
        for layer in &self.layers {
            hidden = layer.forward(&hidden, packing.spans())?;
        }
        Ok(self.heads.trace(&hidden, packing.spans())?.0)
    }

    /// An encoder over tensors, named and ordered as in a new checkpoint, f32 on `device`. Some weights are joined
    /// here, so that an encoder is made anew after every change of a tensor; that costs a copy of them.
    ///
    /// # Errors
    /// When a tensor is missing, has another shape, or is left over.
    pub fn over(
        tensors: &BTreeMap<String, Tensor>,
        shape: EncoderShape,
        device: &Device,
    ) -> Result<Self, LoadError> {
        let mut weights = Weights::of(tensors, device);
        let encoder = load_encoder(&mut weights, shape, &HeadOrder::identity())?;
        weights.finish()?;
        Ok(encoder)
    }

    /// Sizes of the encoder.
    pub const fn shape(&self) -> EncoderShape {
        self.shape
    }
}

// A GPU does not check an index into an embedding: it would read past the end.
fn check(shape: EncoderShape, sequences: &[&Sequence]) -> Result<(), EncoderError> {
    let EncoderShape { vocab_size, max_positions: limit, .. } = shape;
    for sequence in sequences {
        let tokens = sequence.tokens();
        if tokens > limit {
            return Err(EncoderError::TooLong { tokens, limit });
        }
        let has_no_row = |id: u32| usize::try_from(id).is_ok_and(|id| id >= vocab_size);
        if let Some(&id) = sequence.ids().iter().find(|id| has_no_row(**id)) {
            return Err(EncoderError::UnknownToken { id, vocab_size });
        }
    }
    Ok(())
}

/// Builds the encoder from its tensors, walking their names exactly as the checkpoint has them.
pub(crate) fn load_encoder(
    weights: &mut Weights<'_>,
    shape: EncoderShape,
    order: &HeadOrder,
) -> Result<Encoder, LoadError> {
    let embeddings = Embeddings::load(weights, shape)?;
    let layers = (0..shape.layers)
        .map(|index| Layer::load(weights, &format!("encoder.layer.{index}"), shape))
        .collect::<Result<_, _>>()?;
    let heads = Heads::load(weights, shape, order)?;
    Ok(Encoder { shape, device: weights.device().clone(), embeddings, layers, heads })
}
