//! Blocks of six rows by 16 outputs: 12 sums in registers. A panel of 64 outputs is gone through in four strips.

use super::Task;
use crate::linear::{Into, PANEL};
use crate::quantise::Scale;
use std::arch::x86_64::{
    __m256, __m256i, _mm256_add_ps, _mm256_cvtepi32_ps, _mm256_dpbusd_avx_epi32, _mm256_fmadd_ps,
    _mm256_loadu_ps, _mm256_loadu_si256, _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_setzero_si256, _mm256_storeu_ps,
};

/// Numbers in a vector.
const LANES: usize = 8;
/// Outputs of a strip.
const STRIP: usize = 2 * LANES;
/// Rows of a block.
const BLOCK: usize = 6;

/// What one block of `M` rows and one strip of outputs reads and writes.
#[derive(Clone, Copy)]
struct Block<'a> {
    task: &'a Task<'a>,
    /// `M * words` words.
    rows: *const u32,
    /// `M` scales.
    scales: *const Scale,
    /// The first output's first word; the next is PANEL words on.
    panel: *const u32,
    /// The strip's first output within the panel.
    strip: usize,
}

/// A block's result: two vectors for each row.
type Sums<const M: usize> = [[__m256; 2]; M];

/// Walks over strips, and over the rows in blocks; the last one is smaller.
macro_rules! by_blocks {
    ($name:ident, $kernel:ident, $features:literal, $doc:literal) => {
        #[doc = $doc]
        ///
        /// # Safety
        /// The processor has the instructions, and `super::run` has checked the lengths.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $name(task: &Task<'_>, out: &mut [f32]) {
            let words = task.rows.words();
            let outputs = (task.width - task.column).min(PANEL);
            for strip in (0..outputs).step_by(STRIP) {
                for (index, out) in out.chunks_mut(BLOCK * task.width).enumerate() {
                    // SAFETY: as many rows as `out` has, and a strip within the panel: the lengths were checked.
                    let block = unsafe {
                        Block {
                            task,
                            rows: task.rows.numbers().as_ptr().add(index * BLOCK * words),
                            scales: task.rows.scales().as_ptr().add(index * BLOCK),
                            panel: task.panel.as_ptr().add(strip),
                            strip,
                        }
                    };
                    // SAFETY: the block has as many rows as the kernel is told.
                    unsafe {
                        match out.len() / task.width {
                            1 => store(block, $kernel::<1>(block), out),
                            2 => store(block, $kernel::<2>(block), out),
                            3 => store(block, $kernel::<3>(block), out),
                            4 => store(block, $kernel::<4>(block), out),
                            5 => store(block, $kernel::<5>(block), out),
                            _ => store(block, $kernel::<BLOCK>(block), out),
                        }
                    }
                }
            }
        }
    };
}

by_blocks!(f32, f32_block, "avx2,fma", "Products in f32.");
by_blocks!(int8, int8_block, "avx2,fma,avxvnni", "Products of bytes, sums in 32 bits.");

#[target_feature(enable = "avx2,fma")]
unsafe fn f32_block<const M: usize>(block: Block<'_>) -> Sums<M> {
    let words = block.task.rows.words();
    let mut panel = block.panel.cast::<f32>();
    let rows = block.rows.cast::<f32>();
    let mut sums = [[_mm256_setzero_ps(); 2]; M];
    for word in 0..words {
        // SAFETY: the panel has PANEL words for each word of a row, STRIP of them from here on.
        let weights = unsafe { [_mm256_loadu_ps(panel), _mm256_loadu_ps(panel.add(LANES))] };
        // Behind the last word it may point past the panel: it is not read there.
        panel = panel.wrapping_add(PANEL);
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: `row < M` and `word < words`, and the block has M rows of so many words.
            let x = _mm256_set1_ps(unsafe { *rows.add(row * words + word) });
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = _mm256_fmadd_ps(x, weight, *sum);
            }
        }
    }
    sums
}

#[target_feature(enable = "avx2,fma,avxvnni")]
unsafe fn int8_block<const M: usize>(block: Block<'_>) -> Sums<M> {
    let words = block.task.rows.words();
    let mut panel = block.panel;
    let rows = block.rows.cast::<i32>();
    let mut sums = [[_mm256_setzero_si256(); 2]; M];
    for word in 0..words {
        // SAFETY: the panel has PANEL words for each word of a row, STRIP of them from here on.
        let weights: [__m256i; 2] =
            unsafe { [_mm256_loadu_si256(panel.cast()), _mm256_loadu_si256(panel.add(LANES).cast())] };
        panel = panel.wrapping_add(PANEL);
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: `row < M` and `word < words`.
            let x = _mm256_set1_epi32(unsafe { *rows.add(row * words + word) });
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = _mm256_dpbusd_avx_epi32(*sum, x, weight);
            }
        }
    }
    // SAFETY: PANEL scales and offsets were checked, STRIP of them from the strip's first on.
    let (scales, offsets) = unsafe {
        (
            load(block.task.scales.as_ptr().add(block.strip)),
            load(block.task.offsets.as_ptr().add(block.strip)),
        )
    };
    let mut results = [[_mm256_setzero_ps(); 2]; M];
    for (row, (results, sums)) in results.iter_mut().zip(sums).enumerate() {
        // SAFETY: `row < M`, and the block has M scales.
        let scale = unsafe { *block.scales.add(row) };
        let (step, lowest) = (_mm256_set1_ps(scale.step), _mm256_set1_ps(scale.lowest));
        for ((result, sum), (weight, offset)) in
            results.iter_mut().zip(sums).zip(scales.into_iter().zip(offsets))
        {
            let steps = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), weight);
            *result = _mm256_fmadd_ps(steps, step, _mm256_mul_ps(lowest, offset));
        }
    }
    results
}

/// Adds the bias and writes the strip, outputs that the layer does not have left out.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn store<const M: usize>(block: Block<'_>, sums: Sums<M>, out: &mut [f32]) {
    let task = block.task;
    // SAFETY: the bias has PANEL numbers, STRIP of them from the strip's first on.
    let bias = unsafe { load(task.bias.as_ptr().add(block.strip)) };
    let column = task.column + block.strip;
    for (sums, out) in sums.into_iter().zip(out.chunks_exact_mut(task.width)) {
        let mut numbers = [0.0_f32; STRIP];
        for ((to, sum), bias) in numbers.chunks_exact_mut(LANES).zip(sums).zip(bias) {
            // SAFETY: room for LANES numbers.
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), _mm256_add_ps(sum, bias)) };
        }
        for (out, number) in out.iter_mut().skip(column).zip(numbers) {
            match task.into {
                Into::Replace => *out = number,
                Into::Add => *out += number,
            }
        }
    }
}

/// STRIP numbers.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load(from: *const f32) -> [__m256; 2] {
    // SAFETY: the caller has STRIP numbers there.
    unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(LANES))] }
}
