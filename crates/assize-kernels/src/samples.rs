//! Numbers for tests.
#![expect(clippy::cast_possible_truncation, reason = "the nearest f32 will do")]

/// Numbers that repeat after a while, in ±`most`.
pub(crate) fn numbers(count: usize, seed: u32, most: f64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) * most
    };
    (0..count).map(|_| next() as f32).collect()
}
