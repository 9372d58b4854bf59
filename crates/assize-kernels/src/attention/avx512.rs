//! One head by AVX-512 with VNNI: numbers packed two in a word, then eight queries at a time through scores, softmax and
//! the sum of the values.
#![expect(unsafe_code, reason = "vector instructions, and reads that are checked as a whole")]

use super::{BLOCK, COLUMNS, LANES, Room, STEPS, Task};
use std::arch::{
    asm,
    x86_64::{
        __m512, __m512i, __mmask16, _mm256_storeu_si256, _mm512_add_ps, _mm512_and_si512,
        _mm512_castps_si512, _mm512_cvtepi32_epi16, _mm512_cvtepi32_ps, _mm512_cvtps_epi32, _mm512_fmadd_ps,
        _mm512_fmsub_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_blend_epi16, _mm512_mask_blend_ps,
        _mm512_max_epi32, _mm512_max_ps, _mm512_mul_ps, _mm512_reduce_add_ps, _mm512_reduce_max_epi32,
        _mm512_reduce_max_ps, _mm512_roundscale_ps, _mm512_scalef_ps, _mm512_set1_epi32, _mm512_set1_ps,
        _mm512_setzero_ps, _mm512_setzero_si512, _mm512_shuffle_i32x4, _mm512_slli_epi32, _mm512_storeu_ps,
        _mm512_storeu_si512, _mm512_sub_ps, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
        _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
    },
};

type Words = [i32; LANES];
type Numbers = [f32; LANES];

/// Blocks of 16 keys that are multiplied together; with eight queries 24 sums in registers.
const TOGETHER: usize = 3;
/// Below it, a row's largest number counts as 0.
const TINY: f32 = 1e-30;

/// A head of 32 or 64 columns.
pub(super) fn run(width: usize, task: &Task<'_>, room: &mut Room, out: &mut [f32]) {
    // SAFETY: `Attention::new` was given an available kernel that has these instructions.
    unsafe {
        if width == COLUMNS {
            head::<1>(task, room, out);
        } else {
            head::<2>(task, room, out);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn head<const GROUPS: usize>(task: &Task<'_>, room: &mut Room, out: &mut [f32]) {
    let keys = task.sequence.len() / (3 * task.hidden);
    pack_queries::<GROUPS>(task, room);
    pack_keys::<GROUPS>(task, room);
    let largest_value = pack_values::<GROUPS>(task, room);
    for (block, out) in out.chunks_mut(BLOCK * task.hidden).enumerate() {
        scores::<GROUPS>(room, block, keys);
        let worth = softmax(room, block, keys, largest_value);
        contexts::<GROUPS>(task, room, keys, worth, out);
    }
}

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
fn pack_queries<const GROUPS: usize>(task: &Task<'_>, room: &mut Room) {
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
fn pack_keys<const GROUPS: usize>(task: &Task<'_>, room: &mut Room) {
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

/// Gives what the largest of the values' steps is worth.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn pack_values<const GROUPS: usize>(task: &Task<'_>, room: &mut Room) -> f32 {
    let width = GROUPS * COLUMNS;
    let keys = task.sequence.len() / (3 * task.hidden);
    let steps = room.value_steps.of_mut::<f32>().get_mut(..keys.next_multiple_of(LANES)).unwrap_or_default();
    steps.fill(0.0);
    let to = room.values.of_mut::<Words>().chunks_exact_mut(2 * GROUPS).zip(steps.chunks_mut(2));
    let (mut largest, mut poison) = (TINY, 0.0);
    for (rows, (to, steps)) in task.sequence.chunks(2 * 3 * task.hidden).zip(to) {
        let mut pair = [[[_mm512_setzero_si512(); 2]; GROUPS]; 2];
        for ((row, numbers), step) in task.columns(rows, 2, width).zip(&mut pair).zip(steps) {
            (*numbers, *step) = whole::<GROUPS>(row, STEPS);
            largest = step.max(largest);
            poison += *step * 0.0;
        }
        let [first, second] = pair;
        for (to, (first, second)) in to.as_chunks_mut::<2>().0.iter_mut().zip(first.into_iter().zip(second)) {
            for (to, (first, second)) in to.iter_mut().zip(first.into_iter().zip(second)) {
                store(to, words(first, second));
            }
        }
    }
    largest + poison
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

/// A block of queries by all keys, to the room's scores, which want the query's step yet.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn scores<const GROUPS: usize>(room: &mut Room, block: usize, keys: usize) {
    let count = keys.div_ceil(LANES);
    for first in (0..count).step_by(TOGETHER) {
        let place = Place { block, first, keys };
        match count - first {
            1 => score::<GROUPS, 1>(room, place),
            2 => score::<GROUPS, 2>(room, place),
            _ => score::<GROUPS, TOGETHER>(room, place),
        }
    }
    // What is no key must have no share.
    let there = mask(keys + LANES - count * LANES);
    for row in room.scores.of_mut::<Numbers>().chunks_exact_mut(count).take(BLOCK) {
        if let Some(last) = row.last_mut() {
            let nothing = _mm512_set1_ps(f32::NEG_INFINITY);
            store_numbers(last, _mm512_mask_blend_ps(there, nothing, load_numbers(last)));
        }
    }
}

/// Which queries by which keys.
#[derive(Clone, Copy)]
struct Place {
    /// Of queries.
    block: usize,
    /// The first block of keys.
    first: usize,
    /// All there are.
    keys: usize,
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn score<const GROUPS: usize, const MANY: usize>(room: &mut Room, place: Place) {
    let (words, count) = (LANES * GROUPS, place.keys.div_ceil(LANES));
    let queries = room.queries.of::<i32>().get(place.block * BLOCK * words..).unwrap_or_default();
    let keys = room.keys.of::<i32>().get(place.first * LANES * words..).unwrap_or_default();
    let steps = room.key_steps.of::<f32>().get(place.first * LANES..).unwrap_or_default();
    let scores = room.scores.of_mut::<f32>();
    let fits = queries.len() >= BLOCK * words
        && keys.len() >= MANY * LANES * words
        && steps.len() >= MANY * LANES
        && scores.len() >= BLOCK * count * LANES
        && place.first + MANY <= count;
    if !fits {
        return;
    }
    let mut sums = [[_mm512_setzero_si512(); MANY]; BLOCK];
    for word in 0..words {
        let mut columns = [_mm512_setzero_si512(); MANY];
        for (index, column) in columns.iter_mut().enumerate() {
            // SAFETY: MANY blocks of `words` vectors of keys were checked.
            *column = unsafe { _mm512_loadu_si512(keys.as_ptr().add((index * words + word) * LANES).cast()) };
        }
        for (query, sums) in sums.iter_mut().enumerate() {
            // SAFETY: BLOCK rows of `words` words were checked.
            let query = _mm512_set1_epi32(unsafe { *queries.as_ptr().add(query * words + word) });
            for (sum, column) in sums.iter_mut().zip(columns) {
                *sum = products(*sum, query, column);
            }
        }
    }
    for (query, sums) in sums.iter().enumerate() {
        for (index, sum) in sums.iter().enumerate() {
            // SAFETY: MANY blocks of steps, and BLOCK rows of `count` blocks of scores, were checked.
            unsafe {
                let worth = _mm512_loadu_ps(steps.as_ptr().add(index * LANES));
                let score = _mm512_mul_ps(_mm512_cvtepi32_ps(*sum), worth);
                _mm512_storeu_ps(
                    scores.as_mut_ptr().add((query * count + place.first + index) * LANES),
                    score,
                );
            }
        }
    }
}

/// The block's scores to probabilities in steps, each times its value's step; gives what a product of such a step and a
/// value's is worth, by query.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn softmax(room: &mut Room, block: usize, keys: usize, largest_value: f32) -> [f32; BLOCK] {
    let count = keys.div_ceil(LANES);
    let rows = room.scores.of_mut::<Numbers>().chunks_exact_mut(count);
    let rows = rows.zip(room.probabilities.of_mut::<[i32; LANES / 2]>().chunks_exact_mut(count));
    let query_steps = room.query_steps.get(block * BLOCK..).unwrap_or_default();
    let mut worth = [0.0; BLOCK];
    for ((worth, step), (scores, probabilities)) in worth.iter_mut().zip(query_steps).zip(rows) {
        let mut largest = _mm512_set1_ps(f32::NEG_INFINITY);
        for score in scores.iter() {
            largest = _mm512_max_ps(largest, load_numbers(score));
        }
        // Should a NaN hide here, its own power is one all the same.
        let (top, step) = (_mm512_reduce_max_ps(largest) * step, _mm512_set1_ps(*step));
        let mut sum = _mm512_setzero_ps();
        for score in scores.iter_mut() {
            let power = power_of_2(_mm512_fmsub_ps(load_numbers(score), step, _mm512_set1_ps(top)));
            sum = _mm512_add_ps(sum, power);
            store_numbers(score, power);
        }
        let sum = _mm512_reduce_add_ps(sum);
        let steps = _mm512_set1_ps(STEPS / (sum * largest_value));
        let values = room.value_steps.of::<Numbers>();
        for ((score, value), to) in scores.iter().zip(values).zip(probabilities) {
            let share = _mm512_mul_ps(_mm512_mul_ps(load_numbers(score), load_numbers(value)), steps);
            let share = _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(share));
            // SAFETY: room for 256 bits.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), share) };
        }
        *worth = largest_value / STEPS + sum * 0.0;
    }
    worth
}

/// `2^x` for `x` up to 0; below -126 it is `2^-126`, which is 0 beside anything it is added to. NaN stays NaN. Relative
/// error below 3e-6.
///
/// SOURCE: a polynomial fitted to the smallest relative error within half of either side of a whole number.
#[inline]
#[target_feature(enable = "avx512f")]
fn power_of_2(x: __m512) -> __m512 {
    // Where one of the two is NaN the second is taken.
    let x = _mm512_max_ps(_mm512_set1_ps(-126.0), x);
    let whole = _mm512_roundscale_ps::<8>(x);
    let rest = _mm512_sub_ps(x, whole);
    let mut power = _mm512_set1_ps(9.570_102e-3);
    for coefficient in [5.591_786_3e-2, 0.240_247_44, 0.693_121_8, 0.999_999_3] {
        power = _mm512_fmadd_ps(power, rest, _mm512_set1_ps(coefficient));
    }
    _mm512_scalef_ps(power, whole)
}

/// The values' sums by the block's probabilities, to the head's columns of `out`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn contexts<const GROUPS: usize>(
    task: &Task<'_>,
    room: &Room,
    keys: usize,
    worth: [f32; BLOCK],
    out: &mut [f32],
) {
    let (pairs, stride) = (keys.div_ceil(2), keys.div_ceil(LANES) * LANES / 2);
    let (values, probabilities) = (room.values.of::<i32>(), room.probabilities.of::<i32>());
    if values.len() < pairs * 2 * GROUPS * LANES || probabilities.len() < BLOCK * stride {
        return;
    }
    for group in 0..GROUPS {
        let mut sums = [[_mm512_setzero_si512(); 2]; BLOCK];
        for pair in 0..pairs {
            // SAFETY: `pairs` times 2 GROUPS vectors were checked.
            let columns = unsafe {
                let first = values.as_ptr().add((pair * GROUPS + group) * 2 * LANES);
                [_mm512_loadu_si512(first.cast()), _mm512_loadu_si512(first.add(LANES).cast())]
            };
            let mut share = probabilities.as_ptr().wrapping_add(pair);
            for sums in &mut sums {
                // SAFETY: BLOCK rows of `stride` words were checked, and there are no more pairs than those.
                let word = _mm512_set1_epi32(unsafe { *share });
                share = share.wrapping_add(stride);
                for (sum, column) in sums.iter_mut().zip(columns) {
                    *sum = products(*sum, word, column);
                }
            }
        }
        // By reference: moved out of their array, the sums would go by way of memory.
        let rows = out.chunks_exact_mut(task.hidden).zip(worth);
        for (sums, (row, worth)) in sums.iter().zip(rows) {
            let columns = row.get_mut(task.column + group * COLUMNS..).unwrap_or_default();
            for (sum, to) in sums.iter().zip(columns.as_chunks_mut().0) {
                store_numbers(to, _mm512_mul_ps(_mm512_cvtepi32_ps(*sum), _mm512_set1_ps(worth)));
            }
        }
    }
}

/// `sum` and, word by word, the products of both numbers of `left` and `right`.
///
/// By hand, because the compiler takes the instruction apart into two where it thinks that a loop waits for its sum.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn products(sum: __m512i, left: __m512i, right: __m512i) -> __m512i {
    let mut sum = sum;
    // SAFETY: an instruction on registers, which the processor has.
    unsafe {
        asm!(
            "vpdpwssd {sum}, {left}, {right}",
            sum = inout(zmm_reg) sum,
            left = in(zmm_reg) left,
            right = in(zmm_reg) right,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// The first `lanes` lanes.
#[inline]
fn mask(lanes: usize) -> __mmask16 {
    if lanes >= LANES { __mmask16::MAX } else { !(__mmask16::MAX << lanes) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(to: &mut Words, words: __m512i) {
    // SAFETY: 512 bits.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), words) };
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_numbers(from: &Numbers) -> __m512 {
    // SAFETY: 512 bits.
    unsafe { _mm512_loadu_ps(from.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_numbers(to: &mut Numbers, numbers: __m512) {
    // SAFETY: 512 bits.
    unsafe { _mm512_storeu_ps(to.as_mut_ptr(), numbers) };
}
