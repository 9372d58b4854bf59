//! The feed-forward part's activation, together with the bias before it. Called by the encoder's layers.

use super::{
    by_rows, by_rows_with_sums,
    math::{self, normal},
    numbers, on_cpu, reference, rows_and_width,
};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use pulp::{Arch, Scalar, Simd, WithSimd};

/// GELU (the exact one, by erf) of `x + bias`: `[rows, n]` and `[n]` to `[rows, n]`.
///
/// # Errors
/// When a shape or dtype does not fit.
pub(crate) fn bias_gelu(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    if !on_cpu(x) {
        return reference::bias_gelu(x, bias);
    }
    x.contiguous()?.apply_op2_no_bwd(&bias.contiguous()?, &BiasGelu)
}

/// The gradients of [`bias_gelu`]'s `x` and `bias` from its output's. On the CPU only.
///
/// # Errors
/// When a shape or dtype does not fit.
pub(crate) fn bias_gelu_gradient(x: &Tensor, bias: &Tensor, grad: &Tensor) -> Result<(Tensor, Tensor)> {
    let rows = x.dim(0)?;
    let both = x.contiguous()?.apply_op3_no_bwd(&bias.contiguous()?, &grad.contiguous()?, &Gradient)?;
    Ok((both.narrow(0, 0, rows)?, both.get(rows)?))
}

/// GELU of every number of rows of `width`, in place, on this thread. Row by row, so that a number's rounding does not
/// depend on how many rows there are.
pub(crate) fn gelu(x: &mut [f32], width: usize) {
    Arch::new().dispatch(InPlace { x, width: width.max(1) });
}

struct InPlace<'a> {
    x: &'a mut [f32],
    width: usize,
}

impl WithSimd for InPlace<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in self.x.chunks_exact_mut(self.width) {
            let (row, tail) = S::as_mut_simd_f32s(row);
            in_place(simd, row);
            in_place(Scalar, tail);
        }
    }
}

#[inline(always)]
fn in_place<S: Simd>(simd: S, x: &mut [S::f32s]) {
    for x in x {
        *x = math::gelu(simd, *x);
    }
}

struct BiasGelu;

impl CustomOp2 for BiasGelu {
    fn name(&self) -> &'static str {
        "bias-gelu"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, width) = rows_and_width(x_layout, &[bias_layout])?;
        let (x, bias) = (numbers(x, x_layout)?, numbers(bias, bias_layout)?);
        let out = by_rows(x, width, |out, x| Arch::new().dispatch(Forward { out, x, bias }));
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }
}

struct Forward<'a> {
    out: &'a mut [f32],
    x: &'a [f32],
    bias: &'a [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.bias.len();
        let (bias, bias_tail) = S::as_simd_f32s(self.bias);
        for (out, x) in self.out.chunks_exact_mut(width).zip(self.x.chunks_exact(width)) {
            let ((out, out_tail), (x, x_tail)) = (S::as_mut_simd_f32s(out), S::as_simd_f32s(x));
            forward(simd, out, x, bias);
            forward(Scalar, out_tail, x_tail, bias_tail);
        }
    }
}

#[inline(always)]
fn forward<S: Simd>(simd: S, out: &mut [S::f32s], x: &[S::f32s], bias: &[S::f32s]) {
    for ((out, x), bias) in out.iter_mut().zip(x).zip(bias) {
        let x = simd.add_f32s(*x, *bias);
        let (_, below) = normal(simd, x);
        *out = simd.mul_f32s(x, below);
    }
}

/// `x`, `bias` and the output's gradient to `[rows + 1, n]`: the gradient of `x`, then in one row that of the bias.
struct Gradient;

impl CustomOp3 for Gradient {
    fn name(&self) -> &'static str {
        "bias-gelu-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = rows_and_width(x_layout, &[bias_layout])?;
        let (x, bias, grad) =
            (numbers(x, x_layout)?, numbers(bias, bias_layout)?, numbers(grad, grad_layout)?);
        let out = by_rows_with_sums((x, grad), width, width, |out, sums, (x, grad)| {
            Arch::new().dispatch(Backward { out, sums, x, bias, grad });
        });
        Ok((CpuStorage::F32(out), Shape::from((rows + 1, width))))
    }
}

struct Backward<'a> {
    out: &'a mut [f32],
    sums: &'a mut [f32],
    x: &'a [f32],
    bias: &'a [f32],
    grad: &'a [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.bias.len();
        let (bias, bias_tail) = S::as_simd_f32s(self.bias);
        let (sums, sums_tail) = S::as_mut_simd_f32s(self.sums);
        let inputs = self.x.chunks_exact(width).zip(self.grad.chunks_exact(width));
        for (out, (x, grad)) in self.out.chunks_exact_mut(width).zip(inputs) {
            let (out, out_tail) = S::as_mut_simd_f32s(out);
            let ((x, x_tail), (grad, grad_tail)) = (S::as_simd_f32s(x), S::as_simd_f32s(grad));
            backward(simd, Row { out, sums, x, bias, grad });
            let (out, sums, x) = (out_tail, &mut *sums_tail, x_tail);
            backward(Scalar, Row { out, sums, x, bias: bias_tail, grad: grad_tail });
        }
    }
}

/// One row of [`Backward`], in vectors.
struct Row<'a, V> {
    out: &'a mut [V],
    sums: &'a mut [V],
    x: &'a [V],
    bias: &'a [V],
    grad: &'a [V],
}

#[inline(always)]
fn backward<S: Simd>(simd: S, row: Row<'_, S::f32s>) {
    let inputs = row.x.iter().zip(row.bias).zip(row.grad);
    for ((out, sum), ((x, bias), grad)) in row.out.iter_mut().zip(row.sums).zip(inputs) {
        let x = simd.add_f32s(*x, *bias);
        let (density, below) = normal(simd, x);
        // d (x P(x)) / dx = P(x) + x p(x)
        *out = simd.mul_f32s(*grad, simd.mul_add_e_f32s(x, density, below));
        *sum = simd.add_f32s(*sum, *out);
    }
}
