//! What one pass through the layers works on: the new tokens of some sequences, laid end to end, and where they stand.

use super::cache::KvSequence;
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::rotary_emb::rope_thd;

/// New tokens of one sequence.
#[derive(Debug)]
pub struct Chunk<'a> {
    /// At least one; they follow what the sequence has.
    pub tokens: &'a [u32],
    /// What was read before; there must be room for the tokens.
    pub sequence: &'a mut KvSequence,
    /// The last tokens of these whose hidden states are wanted.
    pub wanted: usize,
}

/// Where the rows of one chunk stand.
#[derive(Debug)]
pub(super) struct Span {
    /// The chunk's first row of the step.
    pub(super) first: usize,
    /// How many it has.
    pub(super) len: usize,
    /// The first row's place in the sequence.
    pub(super) start: usize,
    /// The cache's row for every place of the sequence, the new ones included.
    pub(super) rows: Vec<usize>,
}

/// The positions of a step's rows.
#[derive(Debug)]
pub(super) struct Positions {
    /// `[rows, head_width / 2]`.
    cos: Tensor,
    sin: Tensor,
}

impl Positions {
    /// `steps` are radians a token, for each pair of numbers of a head.
    pub(super) fn new(spans: &[Span], steps: &[f32], device: &Device, dtype: DType) -> Result<Self> {
        let places = spans.iter().flat_map(|span| span.start..span.start + span.len);
        #[expect(clippy::cast_precision_loss, reason = "places are far below 2^24")]
        let angles: Vec<f32> =
            places.flat_map(|place| steps.iter().map(move |step| place as f32 * step)).collect();
        let shape = (angles.len() / steps.len().max(1), steps.len());
        let table = |turn: fn(f32) -> f32| {
            let numbers = angles.iter().copied().map(turn).collect();
            Tensor::from_vec(numbers, shape, &Device::Cpu)?.to_dtype(dtype)?.to_device(device)
        };
        Ok(Self { cos: table(f32::cos)?, sin: table(f32::sin)? })
    }

    /// Tells `[1, rows, heads, width]` their positions.
    pub(super) fn turn(&self, x: &Tensor) -> Result<Tensor> {
        rope_thd(&x.contiguous()?, &self.cos, &self.sin)
    }
}
