//! Keys and values of what a decoder has read, in pages: sequences come and go without moving each other, and may share what
//! they begin with.
//!
//! INVARIANT: a page that is shared is never written to: a sequence that goes on from another one gets its own copy of a
//! page that is not full.

use super::shape::DecoderShape;
use candle_core::{DType, Device, Result, Tensor};
use std::sync::{Arc, Mutex, PoisonError};

/// Tokens in a page: large enough that a page table is short, small enough that half a page lost for each sequence is little.
pub(crate) const PAGE: usize = 32;

/// There is no room for more tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key-value cache has no room for {wanted} more tokens; {free} of {capacity} are free")]
pub struct CacheFull {
    /// Tokens asked for.
    pub wanted: usize,
    /// Tokens that there is room for.
    pub free: usize,
    /// Tokens of the whole cache.
    pub capacity: usize,
}

/// The cache of one decoder on one device.
#[derive(Debug)]
pub struct KvCache {
    layers: Vec<LayerCache>,
    free: FreePages,
    pages: usize,
}

/// Keys and values of one layer: `[rows, kv_width]` each, a page being [`PAGE`] rows.
#[derive(Debug)]
pub(super) enum LayerCache {
    /// For our own kernels.
    Cpu { keys: Vec<f32>, values: Vec<f32> },
    /// For the tensor library, on any device.
    Tensors { keys: Tensor, values: Tensor },
}

/// Where caches lie.
#[derive(Debug, Clone)]
pub(super) enum Store {
    Cpu,
    Tensors(Device, DType),
}

type FreePages = Arc<Mutex<Vec<usize>>>;

/// A page in use; free again when the last sequence that has it is gone.
#[derive(Debug)]
struct Page {
    index: usize,
    free: FreePages,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(self.index);
    }
}

/// What was read of one sequence. Its pages are free again when it is dropped.
#[derive(Debug, Default)]
pub struct KvSequence {
    pages: Vec<Arc<Page>>,
    len: usize,
}

impl KvSequence {
    /// Tokens whose keys and values are there.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was read.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The row of the cache for a place in the sequence.
    pub(super) fn row(&self, place: usize) -> Option<usize> {
        self.pages.get(place / PAGE).map(|page| page.index * PAGE + place % PAGE)
    }

    pub(super) const fn advance(&mut self, tokens: usize) {
        self.len += tokens;
    }

    const fn room(&self) -> usize {
        self.pages.len() * PAGE - self.len
    }
}

impl KvCache {
    /// A cache for `tokens` tokens, rounded up to whole pages.
    pub(super) fn new(shape: &DecoderShape, tokens: usize, store: &Store) -> Result<Self> {
        let pages = tokens.div_ceil(PAGE).max(1);
        let (rows, width) = (pages * PAGE, shape.kv_width());
        let layer = |_: &Option<usize>| match store {
            Store::Cpu => {
                Ok(LayerCache::Cpu { keys: vec![0.0; rows * width], values: vec![0.0; rows * width] })
            }
            Store::Tensors(device, dtype) => Ok(LayerCache::Tensors {
                keys: Tensor::zeros((rows, width), *dtype, device)?,
                values: Tensor::zeros((rows, width), *dtype, device)?,
            }),
        };
        let layers = shape.windows.iter().map(layer).collect::<Result<_>>()?;
        // The last one first, because pages are taken from the end.
        let free = Arc::new(Mutex::new((0..pages).rev().collect()));
        Ok(Self { layers, free, pages })
    }

    /// Tokens of all pages.
    pub const fn capacity(&self) -> usize {
        self.pages * PAGE
    }

    /// Tokens that there is room for in pages that nobody has.
    pub fn free(&self) -> usize {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).len() * PAGE
    }

    /// Makes room for `tokens` more tokens of a sequence.
    ///
    /// # Errors
    /// [`CacheFull`]; the sequence is as it was.
    pub fn reserve(&self, sequence: &mut KvSequence, tokens: usize) -> std::result::Result<(), CacheFull> {
        let wanted = tokens.saturating_sub(sequence.room()).div_ceil(PAGE);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < wanted {
            return Err(CacheFull { wanted: tokens, free: free.len() * PAGE, capacity: self.capacity() });
        }
        let first = free.len() - wanted;
        let taken: Vec<usize> = free.drain(first..).rev().collect();
        drop(free);
        let page = |index| Arc::new(Page { index, free: Arc::clone(&self.free) });
        sequence.pages.extend(taken.into_iter().map(page));
        Ok(())
    }

    /// A sequence that begins with the first `tokens` tokens of another one (at most all of it). Whole pages are shared.
    ///
    /// # Errors
    /// [`CacheFull`] where a page that is not full can't be copied.
    pub fn fork(&mut self, from: &KvSequence, tokens: usize) -> std::result::Result<KvSequence, ForkError> {
        let tokens = tokens.min(from.len);
        let (whole, rest) = (tokens / PAGE, tokens % PAGE);
        let pages = from.pages.iter().take(whole).map(Arc::clone).collect();
        let mut sequence = KvSequence { pages, len: whole * PAGE };
        if let (Some(source), true) = (from.pages.get(whole), rest > 0) {
            self.reserve(&mut sequence, rest)?;
            let target = sequence.pages.get(whole).map_or(source.index, |page| page.index);
            for layer in &mut self.layers {
                layer.copy_page((source.index, target), self.pages)?;
            }
            sequence.len = tokens;
        }
        Ok(sequence)
    }

    pub(super) fn layer(&mut self, index: usize) -> Option<&mut LayerCache> {
        self.layers.get_mut(index)
    }
}

/// Why a sequence can't go on from another one.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// No room for the page that is not full.
    #[error(transparent)]
    Full(#[from] CacheFull),
    /// The page can't be copied.
    #[error("a page of the cache can't be copied")]
    Tensor(#[from] candle_core::Error),
}

impl LayerCache {
    fn copy_page(&mut self, (from, to): (usize, usize), pages: usize) -> Result<()> {
        match self {
            Self::Cpu { keys, values } => {
                for numbers in [keys, values] {
                    let page = numbers.len() / pages.max(1);
                    let (source, target) = (from * page..(from + 1) * page, to * page);
                    if source.end <= numbers.len() && target + page <= numbers.len() {
                        numbers.copy_within(source, target);
                    }
                }
                Ok(())
            }
            Self::Tensors { keys, values } => {
                for tensor in [keys, values] {
                    let page = tensor.narrow(0, from * PAGE, PAGE)?.copy()?;
                    tensor.slice_set(&page, 0, to * PAGE)?;
                }
                Ok(())
            }
        }
    }
}
