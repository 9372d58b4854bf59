//! The pieces that attention and its gradient are made of: packing, one kind of product, and the softmax.
//!
//! Two packed forms exist. *Transposed*: `[block of rows][column][row in block]`. *Panels*: `[group of S::F32_LANES
//! columns][row][column in group]`. Missing rows and columns are zeros.

use crate::ops::math::exp;
use pulp::Simd;

/// Queries (or keys) in a block: one 512-bit vector of numbers.
pub(super) const BLOCK: usize = 16;

/// For one key, a number for every query of a block.
pub(super) type Lanes = [f32; BLOCK];

/// Some columns of a matrix.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) matrix: &'a [f32],
    /// Columns of the whole matrix.
    pub(super) stride: usize,
    /// The first column.
    pub(super) offset: usize,
    pub(super) width: usize,
}

impl<'a> Columns<'a> {
    #[inline(always)]
    fn of(self, row: &'a [f32]) -> &'a [f32] {
        row.get(self.offset..self.offset + self.width).unwrap_or_default()
    }

    /// Copies the rows end to end. Read where they lie, a stride of many cache lines
    /// apart, they would push each other out of the first-level cache.
    #[inline(always)]
    pub(super) fn rows<const WIDTH: usize>(self, out: &mut [[f32; WIDTH]]) {
        for (out, row) in out.iter_mut().zip(self.matrix.chunks_exact(self.stride)) {
            if let Some(row) = self.of(row).first_chunk() {
                *out = *row;
            }
        }
    }

    /// Packs the rows, each number times `scale`, transposed in blocks of `block` rows.
    #[inline(always)]
    pub(super) fn transpose(self, block: usize, scale: f32, out: &mut Vec<f32>) {
        let rows = (self.matrix.len() / self.stride).next_multiple_of(BLOCK);
        out.clear();
        out.resize(rows * self.width, 0.0);
        let blocks = self.matrix.chunks(block * self.stride).zip(out.chunks_exact_mut(block * self.width));
        for (rows, out) in blocks {
            let mut sources: [&[f32]; BLOCK] = [&[]; BLOCK];
            for (source, row) in sources.iter_mut().zip(rows.chunks_exact(self.stride)) {
                *source = self.of(row);
            }
            // Column by column: row by row the compiler makes scattered stores of it, which are five times as slow.
            for (column, group) in out.chunks_exact_mut(block).enumerate() {
                for (cell, source) in group.iter_mut().zip(&sources) {
                    *cell = source.get(column).map_or(0.0, |value| value * scale);
                }
            }
        }
    }

    /// Packs the rows, each number times `scale`, in panels of `rows` rows.
    #[inline(always)]
    pub(super) fn panels<S: Simd>(self, simd: S, scale: f32, rows: usize, out: &mut Vec<f32>) {
        let scale = simd.splat_f32s(scale);
        out.clear();
        out.resize(self.width.div_ceil(S::F32_LANES) * rows * S::F32_LANES, 0.0);
        for (index, panel) in S::as_mut_simd_f32s(out).0.chunks_exact_mut(rows).enumerate() {
            for (cell, row) in panel.iter_mut().zip(self.matrix.chunks_exact(self.stride)) {
                let (whole, rest) = S::as_simd_f32s(self.of(row));
                let value = whole.get(index).copied().unwrap_or_else(|| simd.partial_load_f32s(rest));
                *cell = simd.mul_f32s(value, scale);
            }
        }
    }
}

/// Where a head's results go: columns of a row.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) offset: usize,
    pub(super) width: usize,
}

impl Place {
    /// Writes the columns of the panel `index` to a row.
    #[inline(always)]
    pub(super) fn store<S: Simd>(self, simd: S, row: &mut [f32], index: usize, value: S::f32s) {
        let start = index * S::F32_LANES;
        let end = self.width.min(start + S::F32_LANES);
        let cells = row.get_mut(self.offset + start..self.offset + end).unwrap_or_default();
        match S::as_mut_simd_f32s(cells) {
            ([cell], _) => *cell = value,
            (_, rest) => simd.partial_store_f32s(rest, value),
        }
    }

    /// Writes panels, one row of theirs to each row of the matrix.
    #[inline(always)]
    pub(super) fn store_panels<S: Simd>(
        self,
        simd: S,
        panels: &[f32],
        (matrix, stride): (&mut [f32], usize),
    ) {
        let rows = matrix.len() / stride;
        for (index, panel) in S::as_simd_f32s(panels).0.chunks_exact(rows).enumerate() {
            for (row, value) in matrix.chunks_exact_mut(stride).zip(panel) {
                self.store(simd, row, index, *value);
            }
        }
    }
}

/// `A^T B`: `[depth][16]` and one vector for each depth, to 16 vectors. All of them stay in registers.
#[inline(always)]
pub(super) fn product<S: Simd>(simd: S, left: &[Lanes], right: &[S::f32s]) -> [S::f32s; BLOCK] {
    let mut sums = [simd.splat_f32s(0.0); BLOCK];
    for (left, right) in left.iter().zip(right) {
        for (sum, left) in sums.iter_mut().zip(left) {
            *sum = simd.mul_add_e_f32s(simd.splat_f32s(*left), *right, *sum);
        }
    }
    sums
}

/// `out[key][query] = left[key] . right[query]`, both sides packed transposed: `left` in blocks of 16 rows, `right` (one
/// block of queries) in blocks of `S::F32_LANES`.
#[inline(always)]
pub(super) fn scores<S: Simd>(simd: S, left: &[f32], right: &[f32], width: usize, out: &mut [Lanes]) {
    let (left, right) = (left.as_chunks::<BLOCK>().0, S::as_simd_f32s(right).0);
    for (left, out) in left.chunks_exact(width).zip(out.chunks_exact_mut(BLOCK)) {
        for (part, right) in right.chunks_exact(width).enumerate() {
            for (row, value) in out.iter_mut().zip(product(simd, left, right)) {
                if let Some(cell) = S::as_mut_simd_f32s(row).0.get_mut(part) {
                    *cell = value;
                }
            }
        }
    }
}

/// As [`scores`], with `left` in rows; whole blocks of them.
#[inline(always)]
pub(super) fn scores_of_rows<S: Simd, const WIDTH: usize>(
    simd: S,
    left: &[[f32; WIDTH]],
    right: &[f32],
    out: &mut [Lanes],
) {
    let right = S::as_simd_f32s(right).0;
    for (rows, out) in left.as_chunks::<BLOCK>().0.iter().zip(out.chunks_exact_mut(BLOCK)) {
        for (part, right) in right.as_chunks::<WIDTH>().0.iter().enumerate() {
            let mut sums = [simd.splat_f32s(0.0); BLOCK];
            for (column, right) in right.iter().enumerate() {
                for (sum, row) in sums.iter_mut().zip(rows) {
                    let Some(left) = row.get(column) else { continue };
                    *sum = simd.mul_add_e_f32s(simd.splat_f32s(*left), *right, *sum);
                }
            }
            for (row, value) in out.iter_mut().zip(sums) {
                if let Some(cell) = S::as_mut_simd_f32s(row).0.get_mut(part) {
                    *cell = value;
                }
            }
        }
    }
}

/// As [`product`], with `right` in rows, of which the panel `index` is taken.
#[inline(always)]
pub(super) fn product_of_rows<S: Simd, const WIDTH: usize>(
    simd: S,
    left: &[Lanes],
    right: &[[f32; WIDTH]],
    index: usize,
) -> [S::f32s; BLOCK] {
    let mut sums = [simd.splat_f32s(0.0); BLOCK];
    for (left, right) in left.iter().zip(right) {
        let Some(right) = S::as_simd_f32s(right.as_slice()).0.get(index) else { continue };
        for (sum, left) in sums.iter_mut().zip(left) {
            *sum = simd.mul_add_e_f32s(simd.splat_f32s(*left), *right, *sum);
        }
    }
    sums
}

/// `into[key] += sum over the block's queries of left[key][query] * right[query]`, `right` and `into` in panels.
#[inline(always)]
pub(super) fn accumulate<S: Simd>(simd: S, left: &[Lanes], right: &[f32], into: &mut [f32]) {
    let panels = S::as_mut_simd_f32s(into).0.chunks_exact_mut(left.len());
    for (right, into) in S::as_simd_f32s(right).0.chunks_exact(BLOCK).zip(panels) {
        let right = right.as_chunks::<4>().0;
        for (left, into) in left.iter().zip(into) {
            // Four sums: one alone would wait for its own last product.
            let mut sums = [simd.splat_f32s(0.0); 4];
            for (left, right) in left.as_chunks::<4>().0.iter().zip(right) {
                for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
                    *sum = simd.mul_add_e_f32s(simd.splat_f32s(*left), *right, *sum);
                }
            }
            let [first, second, third, fourth] = sums;
            let sum = simd.add_f32s(simd.add_f32s(first, second), simd.add_f32s(third, fourth));
            *into = simd.add_f32s(*into, sum);
        }
    }
}

/// Turns scores into probabilities that are not yet divided by their sum over the keys; gives one by that sum.
#[inline(always)]
pub(super) fn softmax<S: Simd>(simd: S, scores: &mut [Lanes]) -> Lanes {
    let mut inverse = [0.0; BLOCK];
    for (part, inverse) in S::as_mut_simd_f32s(&mut inverse).0.iter_mut().enumerate() {
        let mut largest = [simd.splat_f32s(f32::NEG_INFINITY); 4];
        for rows in scores.chunks(4) {
            for (largest, row) in largest.iter_mut().zip(rows) {
                if let Some(score) = S::as_simd_f32s(row).0.get(part) {
                    *largest = simd.max_f32s(*largest, *score);
                }
            }
        }
        let [first, second, third, fourth] = largest;
        let largest = simd.max_f32s(simd.max_f32s(first, second), simd.max_f32s(third, fourth));
        let mut sum = simd.splat_f32s(0.0);
        for row in scores.iter_mut() {
            if let Some(score) = S::as_mut_simd_f32s(row).0.get_mut(part) {
                *score = exp(simd, simd.sub_f32s(*score, largest));
                sum = simd.add_f32s(sum, *score);
            }
        }
        *inverse = simd.div_f32s(simd.splat_f32s(1.0), sum);
    }
    inverse
}
