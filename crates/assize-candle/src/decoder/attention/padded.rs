//! Attention by the tensor library: every sequence is filled up to the longest, what is filled up is hidden, and the results
//! are taken back to rows laid end to end. The same on every device.

use super::{super::step::Span, Heads};
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::ops::softmax_last_dim;
use std::collections::BTreeMap;

/// Where a step's rows and their sequences' cached rows stand in filled-up tensors.
#[derive(Debug)]
pub(super) struct Padded {
    sequences: usize,
    /// New rows of the longest chunk, and cached rows of the longest sequence.
    rows: usize,
    places: usize,
    /// The cache's row of every new row, `[rows of the step, kv_width]`: the same number in every column.
    targets: Tensor,
    /// The step's row for every cell of `[sequences, rows]`; a row of its own sequence where there is none.
    queries: Tensor,
    /// The cache's row for every cell of `[sequences, places]`; likewise.
    cached: Tensor,
    /// The cell of `[sequences, rows]` for every row of the step.
    back: Tensor,
    /// First place and length of every chunk, for the masks.
    chunks: Vec<(usize, usize)>,
    /// By window.
    masks: BTreeMap<Option<usize>, Tensor>,
}

impl Padded {
    pub(super) fn new(spans: &[Span], kv_width: usize, device: &Device) -> Result<Self> {
        let rows = spans.iter().map(|span| span.len).max().unwrap_or(1);
        let places = spans.iter().map(|span| span.start + span.len).max().unwrap_or(1);
        let (mut queries, mut cached, mut back, mut targets) = (vec![], vec![], vec![], vec![]);
        for (index, span) in spans.iter().enumerate() {
            queries.extend((0..rows).map(|row| id(span.first + row.min(span.len.saturating_sub(1)))));
            let at = |place: usize| span.rows.get(place).or(span.rows.first()).copied().unwrap_or_default();
            cached.extend((0..places).map(|place| id(at(place))));
            back.extend((0..span.len).map(|row| id(index * rows + row)));
            targets.extend((span.start..span.start + span.len).map(|place| id(at(place))));
        }
        let vector = |numbers: Vec<u32>| Tensor::from_vec(numbers.clone(), numbers.len(), device);
        let count = targets.len();
        let targets = vector(targets)?.unsqueeze(1)?.broadcast_as((count, kv_width))?.contiguous()?;
        Ok(Self {
            sequences: spans.len(),
            rows,
            places,
            targets,
            queries: vector(queries)?,
            cached: vector(cached)?,
            back: vector(back)?,
            chunks: spans.iter().map(|span| (span.start, span.len)).collect(),
            masks: BTreeMap::new(),
        })
    }

    /// Puts the step's rows into the cache.
    pub(super) fn write(&self, rows: &Tensor, cache: &Tensor) -> Result<()> {
        cache.scatter_set(&self.targets, &rows.contiguous()?, 0)
    }

    pub(super) fn attend(
        &mut self,
        queries: &Tensor,
        (keys, values): (&Tensor, &Tensor),
        (heads, window): (Heads, Option<usize>),
    ) -> Result<Tensor> {
        let Heads { heads: count, kv_heads, width, scale, softcap } = heads;
        let shared = count / kv_heads;
        let (sequences, rows, places) = (self.sequences, self.rows, self.places);
        let queries = queries.index_select(&self.queries, 0)?;
        // `[sequences, kv_heads, rows * shared, width]`: query heads of one key head are rows of it.
        let queries = queries.reshape((sequences, rows, kv_heads, shared, width))?.transpose(1, 2)?;
        let queries = queries.contiguous()?.reshape((sequences, kv_heads, rows * shared, width))?;
        let of = |cache: &Tensor| {
            let taken = cache.index_select(&self.cached, 0)?;
            taken.reshape((sequences, places, kv_heads, width))?.transpose(1, 2)?.contiguous()
        };
        let (keys, values) = (of(keys)?, of(values)?);
        let mut scores = (queries.matmul(&keys.transpose(2, 3)?.contiguous()?)? * scale)?;
        if let Some(cap) = softcap {
            scores = ((scores / cap)?.tanh()? * cap)?;
        }
        // Sums of probabilities in f32, as in every library that these checkpoints were trained with.
        let mask = self.mask(window, (shared, scores.device()))?;
        let weights = softmax_last_dim(&scores.to_dtype(DType::F32)?.broadcast_add(&mask)?)?;
        let context = weights.to_dtype(values.dtype())?.matmul(&values)?;
        let context = context.reshape((sequences, kv_heads, rows, shared, width))?.transpose(1, 2)?;
        let context = context.contiguous()?.reshape((sequences * rows, count * width))?;
        context.index_select(&self.back, 0)
    }

    /// `[sequences, 1, rows * shared, places]`: 0 where a key is seen.
    fn mask(&mut self, window: Option<usize>, (shared, device): (usize, &Device)) -> Result<Tensor> {
        if let Some(mask) = self.masks.get(&window) {
            return Ok(mask.clone());
        }
        let mut numbers = Vec::with_capacity(self.sequences * self.rows * shared * self.places);
        for (start, len) in &self.chunks {
            for row in 0..self.rows {
                let place = start + row.min(len.saturating_sub(1));
                let first = window.map_or(0, |window| (place + 1).saturating_sub(window));
                let line = (0..self.places)
                    .map(|key| if (first..=place).contains(&key) { 0.0 } else { f32::NEG_INFINITY });
                let line: Vec<f32> = line.collect();
                (0..shared).for_each(|_| numbers.extend_from_slice(&line));
            }
        }
        let shape = (self.sequences, 1, self.rows * shared, self.places);
        let mask = Tensor::from_vec(numbers, shape, device)?;
        self.masks.insert(window, mask.clone());
        Ok(mask)
    }
}

/// A row as the tensor library counts them; caches are far below 2^32 rows.
fn id(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}
