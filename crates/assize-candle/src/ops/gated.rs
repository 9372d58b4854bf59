//! The gate of a decoder's feed-forward part: `activation(gate) * up` in one pass.

use super::{by_rows_into, math::exp, numbers, on_cpu};
use candle_core::{CpuStorage, CustomOp1, D, Layout, Result, Shape, Tensor};
use candle_nn::ops::silu;
use pulp::{Arch, Simd, WithSimd};

/// The gate's function. Both are `x * sigmoid(g(x))`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// `g(x) = x`.
    Silu,
    /// `g(x) = 2 sqrt(2 / pi) (x + 0.044715 x^3)`: GELU by tanh, because `(1 + tanh(y)) / 2 = sigmoid(2 y)`.
    GeluTanh,
}

/// Rows of gate and up, `[rows, 2 width]`, to `[rows, width]`.
///
/// # Errors
/// When the shape or the number type does not fit.
pub(crate) fn gated(x: &Tensor, gate: Gate) -> Result<Tensor> {
    if on_cpu(x) && x.dtype() == candle_core::DType::F32 {
        return x.contiguous()?.apply_op1_no_bwd(&Gated(gate));
    }
    composed(x, gate)
}

/// The same from the tensor library's operations; on any device, and the yardstick.
pub(crate) fn composed(x: &Tensor, gate: Gate) -> Result<Tensor> {
    let width = x.dim(D::Minus1)? / 2;
    let (first, up) = (x.narrow(D::Minus1, 0, width)?, x.narrow(D::Minus1, width, width)?);
    let first = match gate {
        Gate::Silu => silu(&first.contiguous()?)?,
        Gate::GeluTanh => first.contiguous()?.gelu()?,
    };
    first * up.contiguous()?
}

struct Gated(Gate);

impl CustomOp1 for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, columns) = layout.shape().dims2()?;
        let (x, width) = (numbers(x, layout)?, columns / 2);
        let out = by_rows_into(x, (columns, width), |out, x| {
            Arch::new().dispatch(Rows { out, x, width, gate: self.0 });
        });
        Ok((CpuStorage::F32(out), Shape::from((rows, width))))
    }
}

struct Rows<'a> {
    out: &'a mut [f32],
    x: &'a [f32],
    width: usize,
    gate: Gate,
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { out, x, width, gate } = self;
        for (out, x) in out.chunks_exact_mut(width).zip(x.chunks_exact(2 * width)) {
            let (first, up) = x.split_at_checked(width).unwrap_or_default();
            let (out, out_rest) = S::as_mut_simd_f32s(out);
            let ((first, first_rest), (up, up_rest)) = (S::as_simd_f32s(first), S::as_simd_f32s(up));
            for ((out, first), up) in out.iter_mut().zip(first).zip(up) {
                *out = simd.mul_f32s(activated(simd, *first, gate), *up);
            }
            let first = activated(simd, simd.partial_load_f32s(first_rest), gate);
            simd.partial_store_f32s(out_rest, simd.mul_f32s(first, simd.partial_load_f32s(up_rest)));
        }
    }
}

#[inline(always)]
fn activated<S: Simd>(simd: S, x: S::f32s, gate: Gate) -> S::f32s {
    let inner = match gate {
        Gate::Silu => x,
        Gate::GeluTanh => {
            let cube = simd.mul_f32s(simd.mul_f32s(x, x), simd.mul_f32s(x, simd.splat_f32s(0.044_715)));
            simd.mul_f32s(simd.add_f32s(x, cube), simd.splat_f32s(1.595_769))
        }
    };
    // `exp` takes numbers up to 88; NaN goes through a comparison, as it would not through a minimum.
    let negative = simd.sub_f32s(simd.splat_f32s(0.0), inner);
    let most = simd.splat_f32s(87.0);
    let negative = simd.select_f32s(simd.greater_than_f32s(negative, most), most, negative);
    let one = simd.splat_f32s(1.0);
    simd.div_f32s(x, simd.add_f32s(one, exp(simd, negative)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn one_pass_gives_what_the_composed_form_gives() {
        let x = Tensor::randn(0.0_f32, 4.0, (5, 2 * 37), &Device::Cpu).unwrap();
        for gate in [Gate::Silu, Gate::GeluTanh] {
            let (fast, slow) = (gated(&x, gate).unwrap(), composed(&x, gate).unwrap());
            let worst = (fast - slow).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(worst < 3e-5, "{gate:?}: {worst}");
        }
    }

    #[test]
    fn large_and_missing_numbers_stay_what_they_are() {
        let x = Tensor::new(&[[-1e6_f32, 1e6, f32::NAN, 1.0, 1.0, 1.0]], &Device::Cpu).unwrap();
        let out = gated(&x, Gate::Silu).unwrap().to_vec2::<f32>().unwrap();
        assert!(out[0][0].abs() < 1e-20 && (out[0][1] - 1e6).abs() < 0.1, "{:?}", out[0]);
        assert!(out[0][2].is_nan());
    }
}
