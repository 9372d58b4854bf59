//! Attention of new tokens to all that came before them, for decoders: keys and values lie in pages of a cache, several
//! query heads share one key head, and a window may hide what is far back.
//!
//! The lanes of a block are query rows of one key head: row after row, and in each row all query heads that share it.

use super::tile::{BLOCK, Columns, Lanes, Place, product_of_rows, scores_of_rows, softmax};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Blocks of queries that gather keys and values together.
const TASK_BLOCKS: usize = 8;
/// A hidden key's score: its probability is 0 beside any other.
const HIDDEN: f32 = -1e30;

/// The heads of a decoder and what their scores go through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CausalShape {
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    /// Numbers of a head, at most 256.
    pub(crate) width: usize,
    pub(crate) scale: f32,
    /// `cap * tanh(score / cap)`.
    pub(crate) softcap: Option<f32>,
    /// Tokens that a token sees, itself included.
    pub(crate) window: Option<usize>,
}

/// Keys and values of a layer: `[rows, kv_heads * width]` each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cached<'a> {
    pub(crate) keys: &'a [f32],
    pub(crate) values: &'a [f32],
}

/// The new tokens of one sequence.
#[derive(Debug)]
pub(crate) struct CausalPart<'a> {
    /// `[len, heads * width]`, positions told, not scaled.
    pub(crate) queries: &'a [f32],
    /// The first new token's place in the sequence.
    pub(crate) start: usize,
    /// The cache's row for every place, the new ones included.
    pub(crate) rows: &'a [usize],
    /// `[len, heads * width]`.
    pub(crate) out: &'a mut [f32],
}

impl CausalShape {
    /// The widest head.
    pub(crate) const MOST_WIDTH: usize = 256;

    const fn shared_by(self) -> usize {
        self.heads / self.kv_heads
    }
}

/// Fills every part's output. The keys and values of the new tokens are in the cache already.
pub(crate) fn causal(shape: CausalShape, cached: Cached<'_>, parts: &mut [CausalPart<'_>]) {
    let hidden = shape.heads * shape.width;
    let mut tasks = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let lanes = part.queries.len() / hidden * shape.shared_by();
        for head in 0..shape.kv_heads {
            let starts = (0..lanes).step_by(TASK_BLOCKS * BLOCK);
            tasks.extend(starts.map(|lane| (index, head, lane, (lane + TASK_BLOCKS * BLOCK).min(lanes))));
        }
    }
    let compute = |(index, head, first, end): &(usize, usize, usize, usize)| {
        parts.get(*index).map(|part| {
            let task = Task { shape, cached, part, head: *head, lanes: (*first, *end) };
            Arch::new().dispatch(task)
        })
    };
    // A step of one token is less work than waking threads for it.
    let results: Vec<_> = if tasks.len() > 1 {
        tasks.par_iter().map(compute).collect()
    } else {
        tasks.iter().map(compute).collect()
    };
    for ((index, head, first, _), rows) in tasks.iter().zip(results) {
        let Some(part) = parts.get_mut(*index) else { continue };
        for (lane, from) in rows.unwrap_or_default().chunks_exact(shape.width).enumerate() {
            let to = place(shape, *head, first + lane) * shape.width;
            if let Some(to) = part.out.get_mut(to..to + shape.width) {
                to.copy_from_slice(from);
            }
        }
    }
}

/// Which head of which row a lane is, as one number.
const fn place(shape: CausalShape, head: usize, lane: usize) -> usize {
    let shared = shape.shared_by();
    lane / shared * shape.heads + head * shared + lane % shared
}

struct Task<'a> {
    shape: CausalShape,
    cached: Cached<'a>,
    part: &'a CausalPart<'a>,
    head: usize,
    lanes: (usize, usize),
}

impl WithSimd for Task<'_> {
    /// `[lanes, width]`.
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        match self.shape.width {
            0..=32 => self.of_width::<S, 32>(simd),
            33..=64 => self.of_width::<S, 64>(simd),
            65..=128 => self.of_width::<S, 128>(simd),
            _ => self.of_width::<S, { CausalShape::MOST_WIDTH }>(simd),
        }
    }
}

impl Task<'_> {
    /// Heads narrower than `WIDTH` are filled up with zeros.
    #[inline(always)]
    fn of_width<S: Simd, const WIDTH: usize>(self, simd: S) -> Vec<f32> {
        let Self { shape, part, lanes: (first, end), .. } = self;
        let shared = shape.shared_by();
        let place_of = |lane: usize| part.start + lane / shared;
        let (earliest, latest) = (place_of(first), place_of(end.saturating_sub(1)));
        let seen = shape.window.map_or(0, |window| (earliest + 1).saturating_sub(window));
        let keys = self.gather::<WIDTH>(self.cached.keys, seen, latest);
        let values = self.gather::<WIDTH>(self.cached.values, seen, latest);
        let count = (latest + 1).saturating_sub(seen);
        let mut scores: Vec<Lanes> = vec![[0.0; BLOCK]; keys.len()];
        let mut queries = Vec::new();
        let mut rows = vec![0.0; BLOCK * WIDTH];
        let mut out = Vec::with_capacity((end - first) * shape.width);
        for lane in (first..end).step_by(BLOCK) {
            let block = BLOCK.min(end - lane);
            self.queries::<WIDTH>(lane, block, &mut rows);
            let columns = Columns { matrix: &rows, stride: WIDTH, offset: 0, width: WIDTH };
            columns.transpose(S::F32_LANES, shape.scale, &mut queries);
            scores_of_rows(simd, &keys, &queries, &mut scores);
            let scores = scores.get_mut(..count).unwrap_or_default();
            cap(scores, shape.softcap);
            hide(scores, seen, shape.window, |index| place_of((lane + index).min(end - 1)));
            let inverse = softmax(simd, scores);
            let place = Place { offset: 0, width: WIDTH };
            for panel in 0..WIDTH / S::F32_LANES {
                let contexts = product_of_rows(simd, scores, &values, panel).into_iter().zip(inverse);
                for (row, (context, inverse)) in rows.chunks_exact_mut(WIDTH).zip(contexts) {
                    place.store(simd, row, panel, simd.mul_f32s(context, simd.splat_f32s(inverse)));
                }
            }
            let done = rows.chunks_exact(WIDTH).take(block);
            out.extend(done.flat_map(|row| row.iter().take(shape.width)));
        }
        out
    }

    /// One head's rows of the places `from..=to`, and zeros up to a whole block.
    fn gather<const WIDTH: usize>(&self, matrix: &[f32], from: usize, to: usize) -> Vec<[f32; WIDTH]> {
        let (width, stride) = (self.shape.width, self.shape.kv_heads * self.shape.width);
        let count = (to + 1).saturating_sub(from);
        let mut out = vec![[0.0; WIDTH]; count.next_multiple_of(BLOCK)];
        let rows = self.part.rows.get(from..=to).unwrap_or_default();
        for (out, row) in out.iter_mut().zip(rows) {
            let start = row * stride + self.head * width;
            for (to, from) in out.iter_mut().zip(matrix.get(start..start + width).unwrap_or_default()) {
                *to = *from;
            }
        }
        out
    }

    /// The queries of some lanes, in rows.
    fn queries<const WIDTH: usize>(&self, first: usize, count: usize, out: &mut [f32]) {
        out.fill(0.0);
        let width = self.shape.width;
        for (lane, out) in (first..first + count).zip(out.chunks_exact_mut(WIDTH)) {
            let start = place(self.shape, self.head, lane) * width;
            let query = self.part.queries.get(start..start + width).unwrap_or_default();
            for (to, from) in out.iter_mut().zip(query) {
                *to = *from;
            }
        }
    }
}

fn cap(scores: &mut [Lanes], softcap: Option<f32>) {
    if let Some(cap) = softcap {
        for score in scores.iter_mut().flatten() {
            *score = cap * (*score / cap).tanh();
        }
    }
}

/// Hides from every lane the keys behind its own place, and those before its window. The first key is at the place `seen`.
fn hide(scores: &mut [Lanes], seen: usize, window: Option<usize>, place_of: impl Fn(usize) -> usize) {
    for lane in 0..BLOCK {
        let place = place_of(lane);
        let before = window.map_or(0, |window| (place + 1).saturating_sub(window).saturating_sub(seen));
        let after = (place + 1).saturating_sub(seen);
        let (early, rest) = scores.split_at_mut(before.min(scores.len()));
        let late = rest.iter_mut().skip(after.saturating_sub(before));
        for score in early.iter_mut().chain(late).filter_map(|row| row.get_mut(lane)) {
            *score = HIDDEN;
        }
    }
}
