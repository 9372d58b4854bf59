//! Reading and writing vectors.
#![expect(unsafe_code, reason = "reads and writes of whole vectors, whose lengths the types have")]

use super::super::LANES;
use std::arch::x86_64::{__m512, __m512i, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_storeu_si512};

pub(super) type Words = [i32; LANES];
pub(super) type Numbers = [f32; LANES];

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store(to: &mut Words, words: __m512i) {
    // SAFETY: 512 bits.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), words) };
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load_numbers(from: &Numbers) -> __m512 {
    // SAFETY: 512 bits.
    unsafe { _mm512_loadu_ps(from.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store_numbers(to: &mut Numbers, numbers: __m512) {
    // SAFETY: 512 bits.
    unsafe { _mm512_storeu_ps(to.as_mut_ptr(), numbers) };
}
