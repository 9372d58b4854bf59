//! Tokens to the first hidden states.

use super::vector;
use crate::{
    Sequence,
    encoder::{embeddings::Embeddings, packing::Span},
    ops::NormWeights,
};

#[derive(Debug)]
pub(super) struct Embedder {
    hidden: usize,
    /// `[vocab_size, hidden]`.
    words: Vec<f32>,
    /// `[max_positions, hidden]`.
    positions: Vec<f32>,
    /// `[segment_types, hidden]`.
    types: Vec<f32>,
    norm: NormWeights,
}

impl Embedder {
    pub(super) fn of(embeddings: &Embeddings) -> candle_core::Result<Self> {
        Ok(Self {
            hidden: embeddings.words.dim(1)?,
            words: vector(&embeddings.words)?,
            positions: vector(&embeddings.positions)?,
            types: vector(&embeddings.types)?,
            norm: embeddings.norm.weights()?,
        })
    }

    /// Word + position + segment, normalised, for every token; `[total, hidden]`. The ids have been checked.
    pub(super) fn embed(&self, sequences: &[&Sequence], spans: &[Span], out: &mut [f32]) {
        let width = self.hidden;
        for (sequence, span) in sequences.iter().zip(spans) {
            let rows = out.get_mut(span.start * width..(span.start + span.len) * width).unwrap_or_default();
            let tokens =
                sequence.ids().iter().zip(sequence.type_ids()).zip(self.positions.chunks_exact(width));
            for (out, ((id, kind), place)) in rows.chunks_exact_mut(width).zip(tokens) {
                let sum = self.row(&self.words, *id).iter().zip(self.row(&self.types, kind)).zip(place);
                for (out, ((word, kind), place)) in out.iter_mut().zip(sum) {
                    *out = (word + kind) + place;
                }
            }
        }
        self.norm.normalise(out);
    }

    /// A row of one of the tables.
    fn row<'a>(&self, table: &'a [f32], index: u32) -> &'a [f32] {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        table.chunks_exact(self.hidden).nth(index).unwrap_or_default()
    }
}
