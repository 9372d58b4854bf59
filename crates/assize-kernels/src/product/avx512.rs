//! Blocks of six rows by 64 outputs: 24 sums in registers, four vectors of weights and one number of the rows beside
//! them. The panel stays in the first-level cache while the rows go by.

use super::Task;
use crate::linear::{Into, PANEL};
use crate::quantise::Scale;
use std::arch::x86_64::{
    __m512, __m512bh, __m512i, __mmask16, _MM_HINT_T0, _mm_prefetch, _mm512_add_ps, _mm512_cvtepi32_ps,
    _mm512_dpbf16_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_setzero_si512,
};

/// Numbers in a vector.
const LANES: usize = 16;
/// Vectors in a panel.
const VECTORS: usize = PANEL / LANES;
/// Rows of a block.
const BLOCK: usize = 6;

/// What one block of `M` rows reads and writes.
#[derive(Clone, Copy)]
struct Block<'a> {
    task: &'a Task<'a>,
    /// `M * words` words.
    rows: *const u32,
    /// `M` scales.
    scales: *const Scale,
    /// `M` rows of `task.width` numbers, at the panel's column.
    out: *mut f32,
}

/// Adds the bias and writes the block, the last panel's missing outputs left out. A macro, because a function would get
/// the sums by way of memory.
///
/// The block must have as many rows as there are sums.
macro_rules! store {
    ($block:expr, $sums:expr) => {{
        let (block, task): (Block<'_>, &Task<'_>) = ($block, $block.task);
        // SAFETY: the bias has PANEL numbers.
        let bias = unsafe { load(task.bias.as_ptr()) };
        let left = (task.width - task.column).min(PANEL);
        for (row, sums) in $sums.into_iter().enumerate() {
            for (index, (sum, bias)) in sums.into_iter().zip(bias).enumerate() {
                let mask = mask(left.saturating_sub(index * LANES).min(LANES));
                // SAFETY: row and column lie within the result as far as the mask reaches; no lane outside is touched.
                unsafe {
                    let out = block.out.add(row * task.width + index * LANES);
                    let sum = _mm512_add_ps(sum, bias);
                    let sum = match task.into {
                        Into::Replace => sum,
                        Into::Add => _mm512_add_ps(_mm512_maskz_loadu_ps(mask, out), sum),
                    };
                    _mm512_mask_storeu_ps(out, mask, sum);
                }
            }
        }
    }};
}

/// Walks over the rows in blocks; the last one is smaller.
macro_rules! by_blocks {
    ($name:ident, $kernel:ident, $features:literal, $doc:literal) => {
        #[doc = $doc]
        ///
        /// # Safety
        /// The processor has the instructions, and `super::run` has checked the lengths.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $name(task: &Task<'_>, out: &mut [f32]) {
            let (count, words) = (task.rows.count(), task.rows.words());
            let mut start = 0;
            while start < count {
                let rows = (count - start).min(BLOCK);
                // SAFETY: `start < count`: within the rows, their scales and the result, whose lengths were checked.
                let block = unsafe {
                    Block {
                        task,
                        rows: task.rows.numbers().as_ptr().add(start * words),
                        scales: task.rows.scales().as_ptr().add(start),
                        out: out.as_mut_ptr().add(start * task.width + task.column),
                    }
                };
                // SAFETY: the block has as many rows as the kernel is told.
                unsafe {
                    match rows {
                        1 => $kernel::<1>(block),
                        2 => $kernel::<2>(block),
                        3 => $kernel::<3>(block),
                        4 => $kernel::<4>(block),
                        5 => $kernel::<5>(block),
                        _ => $kernel::<BLOCK>(block),
                    }
                }
                start += rows;
            }
        }
    };
}

by_blocks!(f32, f32_block, "avx512f,avx512bw,avx512vl,avx512dq", "Products in f32.");
by_blocks!(
    bf16,
    bf16_block,
    "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16",
    "Products of bf16, sums in f32."
);
by_blocks!(
    int8,
    int8_block,
    "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni",
    "Products of bytes, sums in 32 bits."
);

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
unsafe fn f32_block<const M: usize>(block: Block<'_>) {
    let words = block.task.rows.words();
    let mut panel = block.task.panel.as_ptr().cast::<f32>();
    let rows = block.rows.cast::<f32>();
    let mut sums = [[_mm512_setzero_ps(); VECTORS]; M];
    for word in 0..words {
        // SAFETY: the panel has PANEL words for each word of a row.
        let weights = unsafe { load(panel) };
        // SAFETY: as above; at the end it points just behind the panel.
        panel = unsafe { panel.add(PANEL) };
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: `row < M` and `word < words`, and the block has M rows of so many words.
            let x = _mm512_set1_ps(unsafe { *rows.add(row * words + word) });
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = _mm512_fmadd_ps(x, weight, *sum);
            }
        }
    }
    store!(block, sums);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn bf16_block<const M: usize>(block: Block<'_>) {
    let words = block.task.rows.words();
    let mut panel = block.task.panel.as_ptr();
    let rows = block.rows.cast::<i32>();
    let mut sums = [[_mm512_setzero_ps(); VECTORS]; M];
    for word in 0..words {
        // SAFETY: the panel has PANEL words for each word of a row.
        let weights = unsafe { load_words(panel) };
        // SAFETY: as above.
        panel = unsafe { panel.add(PANEL) };
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: `row < M` and `word < words`.
            let x = halves(_mm512_set1_epi32(unsafe { *rows.add(row * words + word) }));
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = _mm512_dpbf16_ps(*sum, x, halves(weight));
            }
        }
    }
    store!(block, sums);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
unsafe fn int8_block<const M: usize>(block: Block<'_>) {
    let words = block.task.rows.words();
    let mut panel = block.task.panel.as_ptr();
    let rows = block.rows.cast::<i32>();
    let mut sums = [[_mm512_setzero_si512(); VECTORS]; M];
    for word in 0..words {
        // SAFETY: the panel has PANEL words for each word of a row.
        let weights = unsafe { load_words(panel) };
        ahead(panel);
        // SAFETY: as above.
        panel = unsafe { panel.add(PANEL) };
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: `row < M` and `word < words`.
            let x = _mm512_set1_epi32(unsafe { *rows.add(row * words + word) });
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = _mm512_dpbusd_epi32(*sum, x, weight);
            }
        }
    }
    // SAFETY: PANEL scales and offsets were checked.
    let (scales, offsets) = unsafe { (load(block.task.scales.as_ptr()), load(block.task.offsets.as_ptr())) };
    let mut results = [[_mm512_setzero_ps(); VECTORS]; M];
    for (row, (results, sums)) in results.iter_mut().zip(sums).enumerate() {
        // SAFETY: `row < M`, and the block has M scales.
        let scale = unsafe { *block.scales.add(row) };
        let (step, lowest) = (_mm512_set1_ps(scale.step), _mm512_set1_ps(scale.lowest));
        for (index, (result, sum)) in results.iter_mut().zip(sums).enumerate() {
            let (Some(weight), Some(offset)) = (scales.get(index), offsets.get(index)) else { continue };
            let steps = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), *weight);
            *result = _mm512_fmadd_ps(steps, step, _mm512_mul_ps(lowest, *offset));
        }
    }
    store!(block, results);
}

/// The first `lanes` lanes.
#[inline]
pub(crate) fn mask(lanes: usize) -> __mmask16 {
    if lanes >= LANES { __mmask16::MAX } else { !(__mmask16::MAX << lanes) }
}

/// PANEL numbers.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load(from: *const f32) -> [__m512; VECTORS] {
    // SAFETY: the caller has PANEL numbers there.
    unsafe {
        [
            _mm512_loadu_ps(from),
            _mm512_loadu_ps(from.add(LANES)),
            _mm512_loadu_ps(from.add(2 * LANES)),
            _mm512_loadu_ps(from.add(3 * LANES)),
        ]
    }
}

/// PANEL words.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load_words(from: *const u32) -> [__m512i; VECTORS] {
    // SAFETY: the caller has PANEL words there.
    unsafe {
        [
            _mm512_loadu_si512(from.cast()),
            _mm512_loadu_si512(from.add(LANES).cast()),
            _mm512_loadu_si512(from.add(2 * LANES).cast()),
            _mm512_loadu_si512(from.add(3 * LANES).cast()),
        ]
    }
}

/// Fetches the weights of eight words on: a layer's come from the third-level cache each time, and what the rows need
/// meanwhile is not enough to hide that.
#[inline]
#[target_feature(enable = "avx512f")]
fn ahead(panel: *const u32) {
    for line in 0..VECTORS {
        let address = panel.wrapping_add(8 * PANEL + line * LANES);
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
}

/// The same bits as pairs of bf16.
#[inline]
#[target_feature(enable = "avx512f")]
fn halves(words: __m512i) -> __m512bh {
    // SAFETY: both are 512 bits, and every pattern of them is a vector of bf16.
    unsafe { std::mem::transmute(words) }
}
