//! Adding a bias to every row, and a residual with it. Called by the encoder after a matrix product.

use super::{by_rows, math::add_to, numbers, on_cpu, reference, rows_and_width, task_rows};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// `x + bias`: `[rows, n]` and `[n]` to `[rows, n]`.
///
/// # Errors
/// When a shape or dtype does not fit.
pub(crate) fn add_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    if !on_cpu(x) {
        return reference::add_bias(x, bias);
    }
    x.contiguous()?.apply_op2_no_bwd(&bias.contiguous()?, &AddBias)
}

/// `x + bias + residual`: `[rows, n]`, `[n]` and `[rows, n]` to `[rows, n]`.
///
/// # Errors
/// When a shape or dtype does not fit.
pub(crate) fn add_bias_residual(x: &Tensor, bias: &Tensor, residual: &Tensor) -> Result<Tensor> {
    if !on_cpu(x) {
        return reference::add_bias_residual(x, bias, residual);
    }
    x.contiguous()?.apply_op3_no_bwd(&bias.contiguous()?, &residual.contiguous()?, &AddBiasResidual)
}

/// `[rows, n]` to `[n]`: the sum of every column, which is the gradient of a bias. On the CPU only.
///
/// # Errors
/// When a shape or dtype does not fit.
pub(crate) fn column_sums(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1_no_bwd(&ColumnSums)
}

/// `x + y`, both `[rows, n]`: two gradients of one tensor. On the CPU only.
///
/// # Errors
/// When a shape or dtype does not fit.
pub(crate) fn add(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2_no_bwd(&y.contiguous()?, &Add)
}

struct AddBias;

impl CustomOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add-bias"
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
            for ((out, x), bias) in out.iter_mut().zip(x).zip(bias) {
                *out = simd.add_f32s(*x, *bias);
            }
            for ((out, x), bias) in out_tail.iter_mut().zip(x_tail).zip(bias_tail) {
                *out = x + bias;
            }
        }
    }
}

struct AddBiasResidual;

impl CustomOp3 for AddBiasResidual {
    fn name(&self) -> &'static str {
        "add-bias-residual"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, width) = rows_and_width(x_layout, &[bias_layout])?;
        same_shape(x_layout, residual_layout)?;
        let (x, bias) = (numbers(x, x_layout)?, numbers(bias, bias_layout)?);
        let residual = numbers(residual, residual_layout)?;
        let mut out = vec![0.0; x.len()];
        let task = width * task_rows(width);
        let tasks = out.par_chunks_mut(task).zip(x.par_chunks(task)).zip(residual.par_chunks(task));
        tasks.for_each(|((out, x), residual)| {
            Arch::new().dispatch(Forward { out, x, bias });
            Arch::new().dispatch(AddTo { sum: out, x: residual });
        });
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }
}

struct Add;

impl CustomOp2 for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        same_shape(x_layout, y_layout)?;
        let (x, y) = (numbers(x, x_layout)?, numbers(y, y_layout)?);
        let mut out = vec![0.0; x.len()];
        let task = task_rows(1);
        let tasks = out.par_chunks_mut(task).zip(x.par_chunks(task)).zip(y.par_chunks(task));
        tasks.for_each(|((out, x), y)| {
            out.copy_from_slice(x);
            Arch::new().dispatch(AddTo { sum: out, x: y });
        });
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }
}

fn same_shape(x: &Layout, y: &Layout) -> Result<()> {
    if x.shape() != y.shape() {
        bail!("{:?} can't be added to {:?}", y.shape(), x.shape());
    }
    Ok(())
}

/// `sum += x`, number by number.
struct AddTo<'a> {
    sum: &'a mut [f32],
    x: &'a [f32],
}

impl WithSimd for AddTo<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        add_to(simd, self.sum, self.x);
    }
}

struct ColumnSums;

impl CustomOp1 for ColumnSums {
    fn name(&self) -> &'static str {
        "column-sums"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, width) = rows_and_width(layout, &[])?;
        let task = width * task_rows(width);
        let partial = |x| {
            let mut sum = vec![0.0; width];
            Arch::new().dispatch(AddRows { sum: &mut sum, x });
            sum
        };
        let partials: Vec<Vec<f32>> = numbers(x, layout)?.par_chunks(task).map(partial).collect();
        Ok((CpuStorage::F32(total(width, &partials)), Shape::from(width)))
    }
}

/// Adds up partial column sums in their order, so that the result does not hang on which thread was first.
pub(super) fn total(width: usize, partials: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    for x in partials {
        Arch::new().dispatch(AddRows { sum: &mut sum, x });
    }
    sum
}

struct AddRows<'a> {
    sum: &'a mut [f32],
    x: &'a [f32],
}

impl WithSimd for AddRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in self.x.chunks_exact(self.sum.len()) {
            add_to(simd, self.sum, row);
        }
    }
}
