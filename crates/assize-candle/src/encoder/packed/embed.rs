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
        let row = |table: &'_ [f32], index: usize| -> std::ops::Range<usize> {
            let start = index.saturating_mul(width);
            start..(start + width).min(table.len())
        };
        for (sequence, span) in sequences.iter().zip(spans) {
            let rows = out.get_mut(span.start * width..(span.start + span.len) * width).unwrap_or_default();
            let tokens = sequence.ids().iter().zip(sequence.type_ids()).enumerate();
            for (out, (position, (id, kind))) in rows.chunks_exact_mut(width).zip(tokens) {
                let of =
                    |table: &'_ [f32], index: u32| row(table, usize::try_from(index).unwrap_or(usize::MAX));
                let word = self.words.get(of(&self.words, *id)).unwrap_or_default();
                let kind = self.types.get(of(&self.types, kind)).unwrap_or_default();
                let place = self.positions.get(row(&self.positions, position)).unwrap_or_default();
                for (((out, word), kind), place) in out.iter_mut().zip(word).zip(kind).zip(place) {
                    *out = (word + kind) + place;
                }
            }
        }
        self.norm.normalise(out);
    }
}
