//! What every part of the encoder is made of: linear layers and layer normalisation, each with its gradient.

use crate::ops::{self, LayerNormGradient, NormWeights};
use candle_core::{Result, Tensor};

/// Gradients by the names of their weights; the names are relative to the part they belong to.
pub(super) type Gradients = Vec<(String, Tensor)>;

/// A weight and a bias, or their gradients.
#[derive(Debug)]
pub(super) struct Linear {
    /// Shape `[output, input]`.
    pub(super) weight: Tensor,
    /// Shape `[output]`.
    pub(super) bias: Tensor,
}

impl Linear {
    /// `x W^T`: `[rows, input]` to `[rows, output]`.
    pub(super) fn product(&self, x: &Tensor) -> Result<Tensor> {
        x.matmul(&self.weight.t()?)
    }

    /// `x W^T + b`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::add_bias(&self.product(x)?, &self.bias)
    }

    /// `x W^T + b + residual`.
    pub(super) fn forward_onto(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        ops::add_bias_residual(&self.product(x)?, &self.bias, residual)
    }

    /// The gradients of [`Self::product`]'s `x` and weight from its output's.
    pub(super) fn product_gradient(&self, x: &Tensor, grad: &Tensor) -> Result<(Tensor, Tensor)> {
        Ok((grad.matmul(&self.weight)?, grad.t()?.matmul(x)?))
    }

    /// The gradients of [`Self::forward`]'s `x` and weights from its output's.
    pub(super) fn gradient(&self, x: &Tensor, grad: &Tensor) -> Result<(Tensor, Self)> {
        let (x, weight) = self.product_gradient(x, grad)?;
        Ok((x, Self { weight, bias: ops::column_sums(grad)? }))
    }

    /// `{name}.weight` and `{name}.bias`.
    pub(super) fn named(self, name: &str) -> [(String, Tensor); 2] {
        [(format!("{name}.weight"), self.weight), (format!("{name}.bias"), self.bias)]
    }

    /// Some rows of both.
    pub(super) fn rows(&self, start: usize, count: usize) -> Result<Self> {
        Ok(Self { weight: self.weight.narrow(0, start, count)?, bias: self.bias.narrow(0, start, count)? })
    }

    /// All rows of all parts, end to end.
    pub(super) fn fuse(parts: &[Self]) -> Result<Self> {
        let weights: Vec<&Tensor> = parts.iter().map(|part| &part.weight).collect();
        let biases: Vec<&Tensor> = parts.iter().map(|part| &part.bias).collect();
        Ok(Self { weight: Tensor::cat(&weights, 0)?, bias: Tensor::cat(&biases, 0)? })
    }
}

/// Layer normalisation over a row.
#[derive(Debug)]
pub(super) struct LayerNorm {
    /// Shape `[width]`.
    pub(super) gamma: Tensor,
    /// Shape `[width]`.
    pub(super) beta: Tensor,
    pub(super) epsilon: f32,
}

impl LayerNorm {
    /// For rows of numbers instead of tensors.
    pub(super) fn weights(&self) -> Result<NormWeights> {
        NormWeights::of(&self.gamma, &self.beta, self.epsilon)
    }

    /// `[rows, width]` to the same shape.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::layer_norm(x, &self.gamma, &self.beta, self.epsilon)
    }

    /// The gradient of [`Self::forward`]'s `x` from its output's, and those of `{name}.weight` and `{name}.bias`.
    pub(super) fn gradient(&self, x: &Tensor, grad: &Tensor, name: &str) -> Result<(Tensor, Gradients)> {
        let LayerNormGradient { x, gamma, beta } =
            ops::layer_norm_gradient(x, &self.gamma, self.epsilon, grad)?;
        Ok((x, vec![(format!("{name}.weight"), gamma), (format!("{name}.bias"), beta)]))
    }
}
