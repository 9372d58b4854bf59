//! The same operations from candle's own: for devices other than the CPU, and what the fused ones are tested against.

use crate::encoder::packing::Span;
use candle_core::{D, Result, Tensor};
use candle_nn::ops::softmax;

pub(crate) fn add_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.broadcast_add(bias)
}

pub(crate) fn add_bias_residual(x: &Tensor, bias: &Tensor, residual: &Tensor) -> Result<Tensor> {
    x.broadcast_add(bias)? + residual
}

pub(crate) fn bias_gelu(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.broadcast_add(bias)?.gelu_erf()
}

pub(crate) fn layer_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, epsilon: f32) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let standard = centred.broadcast_div(&(variance + f64::from(epsilon))?.sqrt()?)?;
    standard.broadcast_mul(gamma)?.broadcast_add(beta)
}

pub(crate) fn attention(query_key_value: &Tensor, spans: &[Span], heads: usize) -> Result<Tensor> {
    let (total, columns) = query_key_value.dims2()?;
    let (hidden, width) = (columns / 3, columns / 3 / heads);
    // [total, 3, heads, width] -> [3, heads, total, width]: one copy, after which every sequence's part has rows that
    // matrix products accept as they are.
    let parts = query_key_value.reshape((total, 3, heads, width))?.permute((1, 2, 0, 3))?.contiguous()?;
    let (query, key, value) = (parts.get(0)?, parts.get(1)?, parts.get(2)?);
    let query = (query * f64::from(super::count(width)).sqrt().recip())?;
    let attend = |span: &Span| {
        let part = |packed: &Tensor| packed.narrow(1, span.start, span.len)?.contiguous();
        let scores = part(&query)?.matmul(&part(&key)?.transpose(D::Minus1, D::Minus2)?)?;
        softmax(&scores, D::Minus1)?.matmul(&part(&value)?)?.transpose(0, 1)
    };
    let contexts: Vec<Tensor> = spans.iter().map(attend).collect::<Result<_>>()?;
    Tensor::cat(&contexts, 0)?.reshape((total, hidden))
}

pub(crate) fn pool(hidden: &Tensor, spans: &[Span]) -> Result<Tensor> {
    let feature = |span: &Span| {
        let rows = hidden.narrow(0, span.start, span.len)?;
        Tensor::cat(&[rows.mean_keepdim(0)?, rows.narrow(0, 0, 1)?], 1)
    };
    let features: Vec<Tensor> = spans.iter().map(feature).collect::<Result<_>>()?;
    Tensor::cat(&features, 0)
}
