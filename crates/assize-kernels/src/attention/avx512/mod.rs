//! One head by AVX-512 with VNNI: numbers packed two in a word, then eight queries at a time through scores, softmax and
//! the sum of the values.
#![expect(unsafe_code, reason = "vector instructions, and reads that are checked as a whole")]

mod pack;
mod vectors;

use super::{BLOCK, COLUMNS, LANES, Room, STEPS, Task};
use crate::product::mask;
use pack::{pack_keys, pack_queries, pack_values};
use std::arch::{
    asm,
    x86_64::{
        __m512, __m512i, _mm256_storeu_si256, _mm512_add_ps, _mm512_cvtepi32_epi16, _mm512_cvtepi32_ps,
        _mm512_cvtps_epi32, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_blend_ps,
        _mm512_max_ps, _mm512_mul_ps, _mm512_reduce_add_ps, _mm512_reduce_max_ps, _mm512_roundscale_ps,
        _mm512_scalef_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512,
        _mm512_storeu_ps, _mm512_sub_ps,
    },
};
use vectors::{Numbers, load_numbers, store_numbers};

/// Blocks of 16 keys that are multiplied together; with eight queries 24 sums in registers.
const TOGETHER: usize = 3;

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
    pack_values::<GROUPS>(task, room);
    for (block, out) in out.chunks_mut(BLOCK * task.hidden).enumerate() {
        scores::<GROUPS>(room, block, keys);
        let worth = softmax(room, block, keys);
        contexts::<GROUPS>(task, room, keys, worth, out);
    }
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
    debug_assert!(fits, "a room that does not fit its sequence");
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
/// value's is worth, by query. The steps of a query's are [`STEPS`] together: whatever a value is that has no share, it takes
/// none of them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn softmax(room: &mut Room, block: usize, keys: usize) -> [f32; BLOCK] {
    let count = keys.div_ceil(LANES);
    let query_steps = room.query_steps.get(block * BLOCK..).unwrap_or_default();
    let (scores, values) = (room.scores.of_mut::<Numbers>(), room.value_steps.of::<Numbers>());
    // Query after query in each loop, so that none waits for what comes of another: the lanes' maximum and sum take as long
    // as ten vectors.
    let mut tops = [0.0; BLOCK];
    for ((top, step), row) in tops.iter_mut().zip(query_steps).zip(scores.chunks_exact(count)) {
        let mut largest = _mm512_set1_ps(f32::NEG_INFINITY);
        for score in row {
            largest = _mm512_max_ps(largest, load_numbers(score));
        }
        // Should a NaN hide here, its own power is one all the same.
        *top = _mm512_reduce_max_ps(largest) * step;
    }
    // Of the powers, and of the powers times their values' steps.
    let mut sums = [(0.0, 0.0); BLOCK];
    for (((sum, top), step), row) in
        sums.iter_mut().zip(tops).zip(query_steps).zip(scores.chunks_exact_mut(count))
    {
        let (top, step) = (_mm512_set1_ps(top), _mm512_set1_ps(*step));
        let (mut powers, mut weighted) = (_mm512_setzero_ps(), _mm512_setzero_ps());
        for (score, value) in row.iter_mut().zip(values) {
            // Rounded before the difference, as the top was: the largest must come to 0.
            let exponent = _mm512_sub_ps(_mm512_mul_ps(load_numbers(score), step), top);
            let power = power_of_2(exponent);
            powers = _mm512_add_ps(powers, power);
            weighted = _mm512_fmadd_ps(power, load_numbers(value), weighted);
            store_numbers(score, power);
        }
        *sum = (_mm512_reduce_add_ps(powers), _mm512_reduce_add_ps(weighted));
    }
    let shares = room.probabilities.of_mut::<[i32; LANES / 2]>().chunks_exact_mut(count);
    for (((_, weighted), row), shares) in sums.iter().zip(scores.chunks_exact(count)).zip(shares) {
        let steps = _mm512_set1_ps(STEPS / weighted);
        for ((power, value), to) in row.iter().zip(values).zip(shares) {
            let share = _mm512_mul_ps(_mm512_mul_ps(load_numbers(power), load_numbers(value)), steps);
            let share = _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(share));
            // SAFETY: room for 256 bits.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), share) };
        }
    }
    sums.map(|(sum, weighted)| weighted / sum / STEPS)
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
    let fits = values.len() >= pairs * 2 * GROUPS * LANES && probabilities.len() >= BLOCK * stride;
    debug_assert!(fits, "a room that does not fit its sequence");
    if !fits {
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
