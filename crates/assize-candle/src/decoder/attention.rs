//! Attention of a step's rows to what the cache holds: by our kernels on the processor, by tensors anywhere else.

mod padded;

use super::{
    cache::{KvCache, LayerCache},
    step::Span,
};
use crate::ops::{Cached, CausalPart, CausalShape, causal};
use candle_core::{CpuStorage, Device, Result, Storage, Tensor, bail};
use padded::Padded;

/// The heads, and what scores go through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heads {
    pub(super) heads: usize,
    pub(super) kv_heads: usize,
    pub(super) width: usize,
    pub(super) scale: f64,
    pub(super) softcap: Option<f64>,
}

/// One step's attention, layer after layer.
#[derive(Debug)]
pub(super) struct Attention<'a> {
    cache: &'a mut KvCache,
    spans: &'a [Span],
    /// Made where a layer's cache is tensors.
    padded: Option<Padded>,
    layer: usize,
}

impl<'a> Attention<'a> {
    pub(super) fn new(cache: &'a mut KvCache, spans: &'a [Span]) -> Self {
        Self { cache, spans, padded: None, layer: 0 }
    }

    /// The next layer's output, `[rows, heads * width]`, from its queries, keys and values; keys and values go to the cache.
    pub(super) fn forward(
        &mut self,
        (queries, keys, values): (&Tensor, &Tensor, &Tensor),
        window: Option<usize>,
        heads: Heads,
    ) -> Result<Tensor> {
        let Some(layer) = self.cache.layer(self.layer) else { bail!("a cache of fewer layers") };
        self.layer += 1;
        match layer {
            LayerCache::Cpu { keys: cached_keys, values: cached_values } => {
                let width = heads.kv_heads * heads.width;
                write(self.spans, (keys, cached_keys), width)?;
                write(self.spans, (values, cached_values), width)?;
                let cached = Cached { keys: cached_keys, values: cached_values };
                on_cpu(queries, cached, self.spans, (heads, window))
            }
            LayerCache::Tensors { keys: cached_keys, values: cached_values } => {
                if self.padded.is_none() {
                    self.padded =
                        Some(Padded::new(self.spans, heads.kv_heads * heads.width, queries.device())?);
                }
                let Some(padded) = &mut self.padded else { bail!("no layout") };
                padded.write(keys, cached_keys)?;
                padded.write(values, cached_values)?;
                padded.attend(queries, (cached_keys, cached_values), (heads, window))
            }
        }
    }
}

/// Copies the new rows to their places.
fn write(spans: &[Span], (from, to): (&Tensor, &mut [f32]), width: usize) -> Result<()> {
    with_numbers(from, |from| {
        for span in spans {
            let places = span.rows.iter().skip(span.start);
            let rows = from.chunks_exact(width).skip(span.first).take(span.len);
            for (row, from) in places.zip(rows) {
                if let Some(to) = to.get_mut(row * width..(row + 1) * width) {
                    to.copy_from_slice(from);
                }
            }
        }
    })
}

fn on_cpu(
    queries: &Tensor,
    cached: Cached<'_>,
    spans: &[Span],
    (heads, window): (Heads, Option<usize>),
) -> Result<Tensor> {
    #[expect(clippy::cast_possible_truncation, reason = "used with f32 numbers")]
    let narrow = |number: f64| number as f32;
    let shape = CausalShape {
        heads: heads.heads,
        kv_heads: heads.kv_heads,
        width: heads.width,
        scale: narrow(heads.scale),
        softcap: heads.softcap.map(narrow),
        window,
    };
    let hidden = heads.heads * heads.width;
    let mut out = vec![0.0; queries.elem_count()];
    with_numbers(queries, |queries| {
        let mut rest = out.as_mut_slice();
        let mut parts = Vec::with_capacity(spans.len());
        for span in spans {
            let (out, after) =
                std::mem::take(&mut rest).split_at_mut_checked(span.len * hidden).unwrap_or_default();
            rest = after;
            let queries = queries.get(span.first * hidden..(span.first + span.len) * hidden);
            let queries = queries.unwrap_or_default();
            parts.push(CausalPart { queries, start: span.start, rows: &span.rows, out });
        }
        causal(shape, cached, &mut parts);
    })?;
    Tensor::from_vec(out, queries.dims2()?, &Device::Cpu)
}

fn with_numbers<T>(tensor: &Tensor, work: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(CpuStorage::F32(all)) = &*storage else { bail!("not f32 on the processor") };
    let part = layout.contiguous_offsets().and_then(|(start, end)| all.get(start..end));
    part.map_or_else(|| bail!("rows that are not contiguous"), |part| Ok(work(part)))
}
