//! Attention by the tensor library: sequences with about as many new rows are filled up to the longest of them, what is filled
//! up is hidden, and the results are taken back to rows laid end to end. The same on every device.
//!
//! A step may hold prompts beside sequences that go on by a token or two. Filled up together, each of these would cost as
//! much as a prompt; so they are computed apart.

use super::{super::step::Span, Heads};
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::ops::softmax_last_dim;
use std::collections::BTreeMap;

/// Where a step's rows and their sequences' cached rows stand in filled-up tensors.
#[derive(Debug)]
pub(super) struct Padded {
    /// The cache's row of every new row, `[rows of the step, kv_width]`: the same number in every column.
    targets: Tensor,
    groups: Vec<Group>,
    /// For every row of the step its cell among those of all groups, one group after the other.
    back: Tensor,
}

/// Sequences that are filled up together.
#[derive(Debug)]
struct Group {
    sequences: usize,
    /// New rows of the longest chunk, and cached rows of the longest sequence.
    rows: usize,
    places: usize,
    /// The step's row for every cell of `[sequences, rows]`; a row of its own sequence where there is none.
    queries: Tensor,
    /// The cache's row for every cell of `[sequences, places]`; likewise.
    cached: Tensor,
    /// For every cell of `[sequences, rows]` its place in its sequence, which is the last one that it sees.
    lasts: Vec<u32>,
    /// By window.
    masks: BTreeMap<Option<usize>, Tensor>,
}

impl Padded {
    pub(super) fn new(spans: &[Span], kv_width: usize, device: &Device) -> Result<Self> {
        let targets: Vec<u32> = (spans.iter())
            .flat_map(|span| (span.start..span.start + span.len).map(|place| cached_row(span, place)))
            .collect();
        let count = targets.len();
        let targets = vector(targets, device)?.unsqueeze(1)?.broadcast_as((count, kv_width))?.contiguous()?;
        let (mut groups, mut cells, mut back) = (Vec::new(), 0, vec![0; count]);
        for alike in alike(spans) {
            let group = Group::new(&alike, device)?;
            for span in alike {
                let rows = back.iter_mut().skip(span.first).take(span.len);
                rows.zip(cells..).for_each(|(cell, own)| *cell = id(own));
                cells += group.rows;
            }
            groups.push(group);
        }
        Ok(Self { targets, groups, back: vector(back, device)? })
    }

    /// Puts the step's rows into the cache.
    pub(super) fn write(&self, rows: &Tensor, cache: &Tensor) -> Result<()> {
        cache.scatter_set(&self.targets, &rows.contiguous()?, 0)
    }

    pub(super) fn attend(
        &mut self,
        queries: &Tensor,
        cache: (&Tensor, &Tensor),
        rules: (Heads, Option<usize>),
    ) -> Result<Tensor> {
        let contexts = self.groups.iter_mut().map(|group| group.attend(queries, cache, rules));
        Tensor::cat(&contexts.collect::<Result<Vec<_>>>()?, 0)?.index_select(&self.back, 0)
    }
}

impl Group {
    fn new(spans: &[&Span], device: &Device) -> Result<Self> {
        let rows = spans.iter().map(|span| span.len).max().unwrap_or(1);
        let places = spans.iter().map(|span| span.start + span.len).max().unwrap_or(1);
        let (mut queries, mut cached, mut lasts) = (vec![], vec![], vec![]);
        for span in spans {
            let of_chunk = |row: usize| row.min(span.len.saturating_sub(1));
            queries.extend((0..rows).map(|row| id(span.first + of_chunk(row))));
            lasts.extend((0..rows).map(|row| id(span.start + of_chunk(row))));
            cached.extend((0..places).map(|place| cached_row(span, place)));
        }
        let (queries, cached) = (vector(queries, device)?, vector(cached, device)?);
        Ok(Self { sequences: spans.len(), rows, places, queries, cached, lasts, masks: BTreeMap::new() })
    }

    /// `[sequences * rows, heads * width]`.
    fn attend(
        &mut self,
        queries: &Tensor,
        (keys, values): (&Tensor, &Tensor),
        (heads, window): (Heads, Option<usize>),
    ) -> Result<Tensor> {
        let Heads { heads: count, kv_heads, width, scale, softcap } = heads;
        let (sequences, rows, places) = (self.sequences, self.rows, self.places);
        // Query heads of one key head are rows of it, head after head, so that a mask serves them all by a broadcast.
        let queries = queries.index_select(&self.queries, 0)?.reshape((sequences, rows, count, width))?;
        let queries = queries.transpose(1, 2)?.contiguous()?;
        let queries = queries.reshape((sequences, kv_heads, count / kv_heads * rows, width))?;
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
        let scores = scores.to_dtype(DType::F32)?.reshape((sequences, count, rows, places))?;
        let mask = self.mask(window, scores.device())?;
        let weights = softmax_last_dim(&scores.broadcast_add(&mask)?)?.to_dtype(values.dtype())?;
        let weights = weights.reshape((sequences, kv_heads, count / kv_heads * rows, places))?;
        let context = weights.matmul(&values)?.reshape((sequences, count, rows, width))?;
        let context = context.transpose(1, 2)?.contiguous()?;
        context.reshape((sequences * rows, count * width))
    }

    /// `[sequences, 1, rows, places]`: 0 where a key is seen. Made on the device: on the way to one it would be the largest thing
    /// of a step.
    fn mask(&mut self, window: Option<usize>, device: &Device) -> Result<Tensor> {
        if let Some(mask) = self.masks.get(&window) {
            return Ok(mask.clone());
        }
        let bounds = |bounds: Vec<u32>| Tensor::from_vec(bounds, (self.sequences, 1, self.rows, 1), device);
        let keys = Tensor::arange(0, id(self.places), device)?.reshape((1, 1, 1, self.places))?;
        let mut seen = keys.broadcast_le(&bounds(self.lasts.clone())?)?;
        if let Some(window) = window {
            let first = |last: &u32| last.saturating_add(1).saturating_sub(id(window));
            let firsts = bounds(self.lasts.iter().map(first).collect())?;
            seen = seen.mul(&keys.broadcast_ge(&firsts)?)?;
        }
        let filled = |number: f32| Tensor::new(number, device)?.broadcast_as(seen.shape());
        let mask = seen.where_cond(&filled(0.0)?, &filled(f32::NEG_INFINITY)?)?;
        self.masks.insert(window, mask.clone());
        Ok(mask)
    }
}

/// The sequences in groups whose longest chunk is at most twice as long as the shortest: less is lost by filling up than by one
/// more pass.
fn alike(spans: &[Span]) -> Vec<Vec<&Span>> {
    let mut sorted: Vec<&Span> = spans.iter().collect();
    sorted.sort_by_key(|span| span.len);
    let mut groups: Vec<Vec<&Span>> = Vec::new();
    for span in sorted {
        let fits = |group: &&mut Vec<&Span>| group.first().is_some_and(|first| span.len <= 2 * first.len);
        match groups.last_mut().filter(fits) {
            Some(group) => group.push(span),
            None => groups.push(vec![span]),
        }
    }
    groups
}

/// The cache's row for a place of a sequence, or its first one beyond its end.
fn cached_row(span: &Span, place: usize) -> u32 {
    id(span.rows.get(place).or(span.rows.first()).copied().unwrap_or_default())
}

fn vector(numbers: Vec<u32>, device: &Device) -> Result<Tensor> {
    let count = numbers.len();
    Tensor::from_vec(numbers, count, device)
}

/// A row as the tensor library counts them; caches are far below 2^32 rows.
fn id(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}
