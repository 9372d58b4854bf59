//! One head's numbers, two in a word: queries and keys as they are multiplied, values by pairs of keys.

use super::super::{COLUMNS, LANES, Room, STEPS, Task};
use super::vectors::{Numbers, Words, load_numbers, store};
use std::arch::x86_64::{
    __m512i, _mm512_and_si512, _mm512_castps_si512, _mm512_cvtps_epi32, _mm512_mask_blend_epi16,
    _mm512_max_epi32, _mm512_mul_ps, _mm512_reduce_max_epi32, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_setzero_si512, _mm512_shuffle_i32x4, _mm512_slli_epi32, _mm512_unpackhi_epi32,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

/// Below it, a row's largest number counts as 0.
const TINY: f32 = 1e-20;

impl<'a> Task<'a> {
    /// The head's columns of query (0), key (1) or value (2) in each row.
    fn columns(
        &self,
        rows: &'a [f32],
        part: usize,
        width: usize,
    ) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        let start = part * self.hidden + self.column;
        rows.chunks_exact(3 * self.hidden).filter_map(move |row| row.get(start..start + width))
    }
}

/// Most steps from 0 of a query's and a key's numbers, whose products are summed over the columns in 32 bits.
fn most_steps(groups: usize) -> f32 {
    // 2^31 products of one step by another, or fewer: 8191 for 32 columns, 5792 for 64.
    if groups == 1 { 8_191.0 } else { 5_792.0 }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(super) fn pack_queries<const GROUPS: usize>(task: &Task<'_>, room: &mut Room) {
    let width = GROUPS * COLUMNS;
    let (most, columns) = (most_steps(GROUPS), if GROUPS == 1 { 32.0_f32 } else { 64.0 });
    // The softmax takes powers of 2.
    let scale = columns.sqrt().recip() * std::f32::consts::LOG2_E;
    let rows = task.columns(task.queries, 0, width);
    let to = room.queries.of_mut::<Words>().chunks_exact_mut(GROUPS).zip(&mut room.query_steps);
    for (row, (to, step)) in rows.zip(to) {
        let (numbers, worth) = whole::<GROUPS>(row, most);
        for (to, [low, high]) in to.iter_mut().zip(numbers) {
            store(to, words(low, high));
        }
        *step = worth * scale;
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(super) fn pack_keys<const GROUPS: usize>(task: &Task<'_>, room: &mut Room) {
    let (width, most) = (GROUPS * COLUMNS, most_steps(GROUPS));
    let to = room.keys.of_mut::<Words>().chunks_exact_mut(LANES * GROUPS).zip(room.key_steps.of_mut());
    for (rows, (to, steps)) in task.sequence.chunks(LANES * 3 * task.hidden).zip(to) {
        let (mut tiles, mut worth): (_, Numbers) = ([[_mm512_setzero_si512(); LANES]; GROUPS], [0.0; LANES]);
        for (key, (row, worth)) in task.columns(rows, 1, width).zip(&mut worth).enumerate() {
            let (numbers, step) = whole::<GROUPS>(row, most);
            for (tile, [low, high]) in tiles.iter_mut().zip(numbers) {
                let Some(to) = tile.get_mut(key) else { continue };
                *to = words(low, high);
            }
            *worth = step;
        }
        for (tile, to) in tiles.into_iter().zip(to.chunks_exact_mut(LANES)) {
            for (to, word) in to.iter_mut().zip(transpose(tile)) {
                store(to, word);
            }
        }
        *steps = worth;
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(super) fn pack_values<const GROUPS: usize>(task: &Task<'_>, room: &mut Room) {
    let width = GROUPS * COLUMNS;
    let keys = task.sequence.len() / (3 * task.hidden);
    let steps = room.value_steps.of_mut::<f32>().get_mut(..keys.next_multiple_of(LANES)).unwrap_or_default();
    steps.fill(0.0);
    let to = room.values.of_mut::<Words>().chunks_exact_mut(2 * GROUPS).zip(steps.chunks_mut(2));
    for (rows, (to, steps)) in task.sequence.chunks(2 * 3 * task.hidden).zip(to) {
        let mut pair = [[[_mm512_setzero_si512(); 2]; GROUPS]; 2];
        for ((row, numbers), step) in task.columns(rows, 2, width).zip(&mut pair).zip(steps) {
            (*numbers, *step) = whole::<GROUPS>(row, STEPS);
        }
        let [first, second] = pair;
        for (to, (first, second)) in to.as_chunks_mut::<2>().0.iter_mut().zip(first.into_iter().zip(second)) {
            for (to, (first, second)) in to.iter_mut().zip(first.into_iter().zip(second)) {
                store(to, words(first, second));
            }
        }
    }
}

/// A row's columns in steps of at most `most` to either side of 0, and what a step is worth: NaN where a number is not
/// finite.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn whole<const GROUPS: usize>(row: &[f32], most: f32) -> ([[__m512i; 2]; GROUPS], f32) {
    let mut numbers = [[_mm512_setzero_ps(); 2]; GROUPS];
    let mut sizes = _mm512_setzero_si512();
    for (numbers, row) in numbers.iter_mut().zip(row.as_chunks::<COLUMNS>().0) {
        for (number, half) in numbers.iter_mut().zip(row.as_chunks().0) {
            *number = load_numbers(half);
            // Without the sign the bits are in the numbers' order, NaN above all.
            let size = _mm512_and_si512(_mm512_castps_si512(*number), _mm512_set1_epi32(i32::MAX));
            sizes = _mm512_max_epi32(sizes, size);
        }
    }
    let largest = f32::from_bits(_mm512_reduce_max_epi32(sizes).cast_unsigned());
    let steps = _mm512_set1_ps(most / largest.max(TINY));
    // Loops and no closures: these would be functions of their own, which take and give vectors by way of memory.
    let mut whole = [[_mm512_setzero_si512(); 2]; GROUPS];
    for (whole, numbers) in whole.iter_mut().zip(numbers) {
        for (whole, number) in whole.iter_mut().zip(numbers) {
            *whole = _mm512_cvtps_epi32(_mm512_mul_ps(number, steps));
        }
    }
    (whole, largest.max(TINY) / most + largest * 0.0)
}

/// Two numbers of 16 bits in a word.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn words(low: __m512i, high: __m512i) -> __m512i {
    _mm512_mask_blend_epi16(0xaaaa_aaaa, low, _mm512_slli_epi32::<16>(high))
}

/// 16 rows of 16 words to columns.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: [__m512i; LANES]) -> [__m512i; LANES] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = rows;
    let mut columns = [_mm512_setzero_si512(); LANES];
    let (first, second) = (four([a, b, c, d]), four([e, f, g, h]));
    let (third, fourth) = (four([i, j, k, l]), four([m, n, o, p]));
    for (index, (((a, b), c), d)) in first.into_iter().zip(second).zip(third).zip(fourth).enumerate() {
        // Column `index + 4 lane`, lane by lane: rows 0 to 3 in `a`, 4 to 7 in `b`, and so on.
        let (ab, ab_high) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xdd>(a, b));
        let (cd, cd_high) = (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xdd>(c, d));
        let found = [
            _mm512_shuffle_i32x4::<0x88>(ab, cd),
            _mm512_shuffle_i32x4::<0x88>(ab_high, cd_high),
            _mm512_shuffle_i32x4::<0xdd>(ab, cd),
            _mm512_shuffle_i32x4::<0xdd>(ab_high, cd_high),
        ];
        for (to, column) in columns.iter_mut().skip(index).step_by(4).zip(found) {
            *to = column;
        }
    }
    columns
}

/// Four rows to columns within each quarter.
#[inline]
#[target_feature(enable = "avx512f")]
fn four([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
    let (ab_high, cd_high) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
    [
        _mm512_unpacklo_epi64(ab, cd),
        _mm512_unpackhi_epi64(ab, cd),
        _mm512_unpacklo_epi64(ab_high, cd_high),
        _mm512_unpackhi_epi64(ab_high, cd_high),
    ]
}
