//! Layer normalisation over a row. Called by the encoder's layers and embeddings.

use super::{by_rows, by_rows_with_sums, count, numbers, on_cpu, reference, rows_and_width};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use pulp::{Arch, Scalar, Simd, WithSimd};

/// `(x - mean) / sqrt(variance + epsilon) * gamma + beta` over every row: `[rows, n]`, `[n]`, `[n]` to `[rows, n]`.
///
/// # Errors
/// When a shape or dtype does not fit.
pub(crate) fn layer_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, epsilon: f32) -> Result<Tensor> {
    if !on_cpu(x) {
        return reference::layer_norm(x, gamma, beta, epsilon);
    }
    x.contiguous()?.apply_op3_no_bwd(&gamma.contiguous()?, &beta.contiguous()?, &LayerNorm { epsilon })
}

/// The gradients of [`layer_norm`]'s arguments.
#[derive(Debug)]
pub(crate) struct LayerNormGradient {
    /// Shape `[rows, n]`.
    pub(crate) x: Tensor,
    /// Shape `[n]`.
    pub(crate) gamma: Tensor,
    /// Shape `[n]`.
    pub(crate) beta: Tensor,
}

/// The gradients of [`layer_norm`] from its output's. On the CPU only.
///
/// # Errors
/// When a shape or dtype does not fit.
pub(crate) fn layer_norm_gradient(
    x: &Tensor,
    gamma: &Tensor,
    epsilon: f32,
    grad: &Tensor,
) -> Result<LayerNormGradient> {
    let (rows, op) = (x.dim(0)?, Gradient { epsilon });
    let all = x.contiguous()?.apply_op3_no_bwd(&gamma.contiguous()?, &grad.contiguous()?, &op)?;
    Ok(LayerNormGradient { x: all.narrow(0, 0, rows)?, gamma: all.get(rows)?, beta: all.get(rows + 1)? })
}

/// Layer normalisation by given weights, in place.
#[derive(Debug)]
pub(crate) struct NormWeights {
    gamma: Vec<f32>,
    beta: Vec<f32>,
    epsilon: f32,
}

impl NormWeights {
    /// Both of shape `[n]`.
    ///
    /// # Errors
    /// When the tensors can't be read.
    pub(crate) fn of(gamma: &Tensor, beta: &Tensor, epsilon: f32) -> Result<Self> {
        Ok(Self { gamma: gamma.to_vec1()?, beta: beta.to_vec1()?, epsilon })
    }

    /// Normalises every row of `[rows, n]`, on this thread.
    pub(crate) fn normalise(&self, rows: &mut [f32]) {
        Arch::new().dispatch(InPlace { rows, weights: self });
    }
}

struct InPlace<'a> {
    rows: &'a mut [f32],
    weights: &'a NormWeights,
}

impl WithSimd for InPlace<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let NormWeights { gamma, beta, epsilon } = self.weights;
        let width = gamma.len().max(1);
        let ((gamma, gamma_tail), (beta, beta_tail)) = (S::as_simd_f32s(gamma), S::as_simd_f32s(beta));
        for row in self.rows.chunks_exact_mut(width) {
            let moments = Moments::of(simd, row, *epsilon);
            let (row, tail) = S::as_mut_simd_f32s(row);
            in_place(simd, moments, row, (gamma, beta));
            in_place(Scalar, moments, tail, (gamma_tail, beta_tail));
        }
    }
}

#[inline(always)]
fn in_place<S: Simd>(
    simd: S,
    moments: Moments,
    row: &mut [S::f32s],
    (gamma, beta): (&[S::f32s], &[S::f32s]),
) {
    for ((x, gamma), beta) in row.iter_mut().zip(gamma).zip(beta) {
        *x = simd.mul_add_e_f32s(moments.standard(simd, *x), *gamma, *beta);
    }
}

struct LayerNorm {
    epsilon: f32,
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm-row"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        beta: &CpuStorage,
        beta_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, width) = rows_and_width(x_layout, &[gamma_layout, beta_layout])?;
        let (x, gamma, beta) =
            (numbers(x, x_layout)?, numbers(gamma, gamma_layout)?, numbers(beta, beta_layout)?);
        let epsilon = self.epsilon;
        let out = by_rows(x, width, |out, x| Arch::new().dispatch(Forward { out, x, gamma, beta, epsilon }));
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }
}

struct Forward<'a> {
    out: &'a mut [f32],
    x: &'a [f32],
    gamma: &'a [f32],
    beta: &'a [f32],
    epsilon: f32,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.gamma.len();
        let (gamma, gamma_tail) = S::as_simd_f32s(self.gamma);
        let (beta, beta_tail) = S::as_simd_f32s(self.beta);
        for (out, x) in self.out.chunks_exact_mut(width).zip(self.x.chunks_exact(width)) {
            let moments = Moments::of(simd, x, self.epsilon);
            let ((out, out_tail), (x, x_tail)) = (S::as_mut_simd_f32s(out), S::as_simd_f32s(x));
            normalise(simd, moments, (out, x), (gamma, beta));
            normalise(Scalar, moments, (out_tail, x_tail), (gamma_tail, beta_tail));
        }
    }
}

#[inline(always)]
fn normalise<S: Simd>(
    simd: S,
    moments: Moments,
    (out, x): (&mut [S::f32s], &[S::f32s]),
    (gamma, beta): (&[S::f32s], &[S::f32s]),
) {
    for (((out, x), gamma), beta) in out.iter_mut().zip(x).zip(gamma).zip(beta) {
        *out = simd.mul_add_e_f32s(moments.standard(simd, *x), *gamma, *beta);
    }
}

/// What a row is shifted and scaled by.
#[derive(Clone, Copy)]
struct Moments {
    mean: f32,
    /// One by the square root of variance plus epsilon.
    scale: f32,
}

impl Moments {
    #[inline(always)]
    fn of<S: Simd>(simd: S, row: &[f32], epsilon: f32) -> Self {
        let size = count(row.len());
        let (head, tail) = S::as_simd_f32s(row);
        let mut sum = simd.splat_f32s(0.0);
        for x in head {
            sum = simd.add_f32s(sum, *x);
        }
        let mean = (simd.reduce_sum_f32s(sum) + tail.iter().sum::<f32>()) / size;
        let (mut squares, shift) = (simd.splat_f32s(0.0), simd.splat_f32s(mean));
        for x in head {
            let x = simd.sub_f32s(*x, shift);
            squares = simd.mul_add_e_f32s(x, x, squares);
        }
        let tail: f32 = tail.iter().map(|x| (x - mean) * (x - mean)).sum();
        let variance = (simd.reduce_sum_f32s(squares) + tail) / size;
        Self { mean, scale: (variance + epsilon).sqrt().recip() }
    }

    /// The row's numbers with mean 0 and variance 1.
    #[inline(always)]
    fn standard<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        simd.mul_f32s(simd.sub_f32s(x, simd.splat_f32s(self.mean)), simd.splat_f32s(self.scale))
    }
}

/// `x`, gamma and the output's gradient to `[rows + 2, n]`: the gradient of `x`, then a row for gamma, a row for beta.
struct Gradient {
    epsilon: f32,
}

impl CustomOp3 for Gradient {
    fn name(&self) -> &'static str {
        "layer-norm-row-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = rows_and_width(x_layout, &[gamma_layout])?;
        let (x, gamma, grad) =
            (numbers(x, x_layout)?, numbers(gamma, gamma_layout)?, numbers(grad, grad_layout)?);
        let epsilon = self.epsilon;
        let out = by_rows_with_sums((x, grad), width, 2 * width, |out, sums, (x, grad)| {
            Arch::new().dispatch(Backward { out, sums, x, gamma, grad, epsilon });
        });
        Ok((CpuStorage::F32(out), Shape::from((rows + 2, width))))
    }
}

struct Backward<'a> {
    out: &'a mut [f32],
    /// Gamma's sums, then beta's.
    sums: &'a mut [f32],
    x: &'a [f32],
    gamma: &'a [f32],
    grad: &'a [f32],
    epsilon: f32,
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.gamma.len();
        let (gamma, gamma_tail) = S::as_simd_f32s(self.gamma);
        let (gamma_sum, beta_sum) = self.sums.split_at_mut_checked(width).unwrap_or_default();
        let (gamma_sum, gamma_sum_tail) = S::as_mut_simd_f32s(gamma_sum);
        let (beta_sum, beta_sum_tail) = S::as_mut_simd_f32s(beta_sum);
        let inputs = self.x.chunks_exact(width).zip(self.grad.chunks_exact(width));
        for (out, (x, grad)) in self.out.chunks_exact_mut(width).zip(inputs) {
            let moments = Moments::of(simd, x, self.epsilon);
            let (out, out_tail) = S::as_mut_simd_f32s(out);
            let ((x, x_tail), (grad, grad_tail)) = (S::as_simd_f32s(x), S::as_simd_f32s(grad));
            let head = Row { x, gamma, grad };
            let tail = Row { x: x_tail, gamma: gamma_tail, grad: grad_tail };
            let (sum, product) = head.sums(simd, moments, gamma_sum, beta_sum);
            let (tail_sum, tail_product) = tail.sums(Scalar, moments, gamma_sum_tail, beta_sum_tail);
            let sum = (simd.reduce_sum_f32s(sum) + tail_sum) / count(width);
            let product = (simd.reduce_sum_f32s(product) + tail_product) / count(width);
            head.gradient(simd, moments, (sum, product), out);
            tail.gradient(Scalar, moments, (sum, product), out_tail);
        }
    }
}

/// One row of [`Backward`], in vectors.
struct Row<'a, V> {
    x: &'a [V],
    gamma: &'a [V],
    grad: &'a [V],
}

impl<V: Copy> Row<'_, V> {
    /// Sums over the row of the scaled gradient, and of it times the standardised row.
    #[inline(always)]
    fn sums<S: Simd<f32s = V>>(
        &self,
        simd: S,
        moments: Moments,
        gamma_sum: &mut [V],
        beta_sum: &mut [V],
    ) -> (V, V) {
        let (mut sum, mut product) = (simd.splat_f32s(0.0), simd.splat_f32s(0.0));
        let inputs = self.x.iter().zip(self.gamma).zip(self.grad);
        for ((gamma_sum, beta_sum), ((x, gamma), grad)) in gamma_sum.iter_mut().zip(beta_sum).zip(inputs) {
            let standard = moments.standard(simd, *x);
            *gamma_sum = simd.mul_add_e_f32s(*grad, standard, *gamma_sum);
            *beta_sum = simd.add_f32s(*beta_sum, *grad);
            let scaled = simd.mul_f32s(*grad, *gamma);
            sum = simd.add_f32s(sum, scaled);
            product = simd.mul_add_e_f32s(scaled, standard, product);
        }
        (sum, product)
    }

    /// Gradient of `x`: the scaled gradient without its mean and without its part along the standardised row.
    #[inline(always)]
    fn gradient<S: Simd<f32s = V>>(
        &self,
        simd: S,
        moments: Moments,
        (mean, along): (f32, f32),
        out: &mut [V],
    ) {
        let (mean, along) = (simd.splat_f32s(mean), simd.splat_f32s(-along));
        let scale = simd.splat_f32s(moments.scale);
        for (out, ((x, gamma), grad)) in out.iter_mut().zip(self.x.iter().zip(self.gamma).zip(self.grad)) {
            let standard = moments.standard(simd, *x);
            let scaled = simd.sub_f32s(simd.mul_f32s(*grad, *gamma), mean);
            *out = simd.mul_f32s(scale, simd.mul_add_e_f32s(standard, along, scaled));
        }
    }
}
