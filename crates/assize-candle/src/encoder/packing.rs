//! A ragged batch laid end to end, and where each sequence lies in it.

use crate::Sequence;
use candle_core::{Device, Result, Tensor};

/// Rows of one sequence in a packed tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The sequence's first row.
    pub(crate) start: usize,
    /// How many rows it has; never 0.
    pub(crate) len: usize,
}

/// The packed indices of a batch.
#[derive(Debug)]
pub(super) struct Packing {
    spans: Vec<Span>,
    /// Token ids; shape `[total_tokens]`, u32.
    pub(super) ids: Tensor,
    /// Positions, from 0 in every sequence; shape `[total_tokens]`, u32.
    pub(super) positions: Tensor,
    /// Segments, 0 or 1; shape `[total_tokens]`, u32.
    pub(super) types: Tensor,
}

impl Packing {
    pub(super) fn new(sequences: &[&Sequence], device: &Device) -> Result<Self> {
        let total = sequences.iter().map(|sequence| sequence.tokens()).sum();
        let [mut ids, mut positions, mut types] = std::array::from_fn(|_| Vec::with_capacity(total));
        let mut spans = Vec::with_capacity(sequences.len());
        for sequence in sequences {
            spans.push(Span { start: ids.len(), len: sequence.tokens() });
            ids.extend_from_slice(sequence.ids());
            positions.extend((0_u32..).take(sequence.tokens()));
            types.extend(sequence.type_ids());
        }
        let place = |indices| Tensor::from_vec(indices, total, device);
        Ok(Self { spans, ids: place(ids)?, positions: place(positions)?, types: place(types)? })
    }

    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }
}
