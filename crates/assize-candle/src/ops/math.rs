//! Functions of a vector of numbers, for whatever vectors the processor has. Called by the other operations' loops.
//!
//! Every function is inlined into its caller, which alone is compiled for the processor's instructions.
//! A NaN stays one everywhere: what is not a number must be seen in the encoder's answer.

use pulp::Simd;

/// `e^x`, for `x <= 88`; below -87 it is `e^-87`, which is 0 beside anything it is added to.
///
/// SOURCE: Cephes `expf` (Moshier): range reduction by `ln 2` in two parts, then a polynomial; relative error below 2e-7.
#[inline(always)]
pub(super) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // 1.5 * 2^23: a small number added to it is rounded to a whole one, which then stands in the lowest bits.
    let magic = simd.splat_f32s(12_582_912.0);
    let lowest = simd.splat_f32s(-87.0);
    // A comparison with NaN is false, so that NaN goes on; a maximum might swallow it.
    let x = simd.select_f32s(simd.less_than_f32s(x, lowest), lowest, x);
    let rounded = simd.mul_add_e_f32s(x, simd.splat_f32s(std::f32::consts::LOG2_E), magic);
    let whole = simd.sub_f32s(rounded, magic);
    let rest = simd.mul_add_e_f32s(whole, simd.splat_f32s(-0.693_359_4), x);
    let rest = simd.mul_add_e_f32s(whole, simd.splat_f32s(2.121_944_4e-4), rest);
    let coefficients = [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5, 1.0, 1.0];
    let power = polynomial(simd, rest, 1.987_569_1e-4, &coefficients);
    let exponent = simd.add_u32s(simd.transmute_u32s_f32s(rounded), simd.splat_u32s(127));
    let scale = simd.wrapping_dyn_shl_u32s(exponent, simd.splat_u32s(23));
    simd.mul_f32s(power, simd.transmute_f32s_u32s(scale))
}

/// Density of the normal distribution at `x`, and the probability of a value below `x`. Absolute error below 2e-7.
///
/// SOURCE: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17 (the same as 7.1.26, for erf).
#[inline(always)]
pub(super) fn normal<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let one = simd.splat_f32s(1.0);
    let size = simd.abs_f32s(x);
    let half_square = simd.mul_f32s(simd.mul_f32s(x, x), simd.splat_f32s(-0.5));
    let density = simd.mul_f32s(exp(simd, half_square), simd.splat_f32s(0.398_942_3));
    let t = simd.div_f32s(one, simd.mul_add_e_f32s(size, simd.splat_f32s(0.231_641_9), one));
    let coefficients = [-1.821_256, 1.781_477_9, -0.356_563_78, 0.319_381_54, 0.0];
    let above = simd.mul_f32s(density, polynomial(simd, t, 1.330_274_4, &coefficients));
    let negative = simd.less_than_f32s(x, simd.splat_f32s(0.0));
    (density, simd.select_f32s(negative, above, simd.sub_f32s(one, above)))
}

/// GELU: `x` times the probability of a value below `x` under the normal distribution, without [`normal`]'s density and
/// division, in a third of its time. Absolute error below 2e-6 for `x` up to 8, relative error below 2e-7 above; 0 below -5.3.
///
/// SOURCE: 1/2 plus `x` times a polynomial in `x^2`, by Chebyshev's polynomials over `|x| <= 5.3`, fitted to the smallest
/// error of the product. Beyond it the probability is 0 or stays what it is.
#[inline(always)]
pub(super) fn gelu<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let (lowest, highest) = (simd.splat_f32s(-5.3), simd.splat_f32s(5.3));
    let within = simd.min_f32s(simd.max_f32s(x, lowest), highest);
    let square = simd.mul_f32s(within, within);
    // From 0 to 5.3^2 to -1 to 1.
    let place = simd.mul_add_e_f32s(square, simd.splat_f32s(0.071_199_715), simd.splat_f32s(-1.0));
    let coefficients = [
        -3.172_826e-3,
        3.346_921_9e-3,
        -3.719_197_1e-3,
        8.247_035e-3,
        -1.421_093_6e-2,
        1.925_827_4e-2,
        -2.506_509e-2,
        3.200_659e-2,
        -3.961_083_3e-2,
        4.926_956_4e-2,
        -6.651_795e-2,
        0.133_392_5,
    ];
    let half = polynomial(simd, place, 1.115_582_9e-3, &coefficients);
    let product = simd.mul_f32s(x, simd.mul_add_e_f32s(within, half, simd.splat_f32s(0.5)));
    // A comparison with NaN is false, so that NaN stays; and minus infinity becomes one.
    simd.select_f32s(simd.less_than_f32s(x, lowest), simd.mul_f32s(x, simd.splat_f32s(0.0)), product)
}

/// Horner's rule: the coefficient of the highest power, then the others in falling order.
#[inline(always)]
fn polynomial<S: Simd>(simd: S, x: S::f32s, highest: f32, coefficients: &[f32]) -> S::f32s {
    let mut value = simd.splat_f32s(highest);
    for coefficient in coefficients {
        value = simd.mul_add_e_f32s(value, x, simd.splat_f32s(*coefficient));
    }
    value
}

/// `sum += row`, number by number.
#[inline(always)]
pub(super) fn add_to<S: Simd>(simd: S, sum: &mut [f32], row: &[f32]) {
    let ((sum, sum_tail), (row, row_tail)) = (S::as_mut_simd_f32s(sum), S::as_simd_f32s(row));
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum = simd.add_f32s(*sum, *value);
    }
    for (sum, value) in sum_tail.iter_mut().zip(row_tail) {
        *sum += value;
    }
}
