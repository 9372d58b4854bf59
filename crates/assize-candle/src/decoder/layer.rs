//! One layer: attention, then the gated feed-forward part, each with norms where the family has them.

use super::{
    attention::{Attention, Heads},
    projection::Projection,
    shape::{Activation, QueryKeyNorm},
    step::Positions,
};
use crate::ops::{Gate, gated};
use candle_core::{Result, Tensor};
use candle_nn::ops::rms_norm;

/// Root-mean-square norm with weights.
#[derive(Debug)]
pub(super) struct Norm {
    /// `[width]`, the family's offset added.
    pub(super) weight: Tensor,
    pub(super) epsilon: f32,
}

/// Norms around a part, where the family has them.
#[derive(Debug, Default)]
pub(super) struct NormsAround {
    pub(super) before: Option<Norm>,
    pub(super) after: Option<Norm>,
}

/// Norms of queries and keys.
#[derive(Debug)]
pub(super) struct QueryKeyNorms {
    pub(super) query: Norm,
    pub(super) key: Norm,
}

/// A layer's weights.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) around_attention: NormsAround,
    pub(super) around_feed_forward: NormsAround,
    /// `[query_width + 2 kv_width, hidden]`.
    pub(super) query_key_value: Projection,
    pub(super) query_key_norms: Option<QueryKeyNorms>,
    pub(super) output: Projection,
    /// `[2 feed_forward, hidden]`.
    pub(super) gate_up: Projection,
    pub(super) down: Projection,
    pub(super) window: Option<usize>,
}

/// What all layers share.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerRules {
    pub(super) heads: Heads,
    pub(super) query_key_norm: QueryKeyNorm,
    pub(super) activation: Activation,
    pub(super) residual_scale: f64,
}

impl Norm {
    /// Over the last dimension.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        rms_norm(&x.contiguous()?, &self.weight, self.epsilon)
    }
}

impl NormsAround {
    fn before(&self, x: &Tensor) -> Result<Tensor> {
        self.before.as_ref().map_or_else(|| Ok(x.clone()), |norm| norm.forward(x))
    }

    fn after(&self, x: Tensor) -> Result<Tensor> {
        match &self.after {
            Some(norm) => norm.forward(&x),
            None => Ok(x),
        }
    }
}

impl Layer {
    /// `[rows, hidden]` to the same; keys and values of the rows go to the cache.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        rules: &LayerRules,
        positions: &Positions,
        attention: &mut Attention<'_>,
    ) -> Result<Tensor> {
        let attended = self.attend(&self.around_attention.before(x)?, rules, positions, attention)?;
        let x = add(x, self.around_attention.after(attended)?, rules)?;
        let inner = self.gate_up.forward(&self.around_feed_forward.before(&x)?)?;
        let gate = match rules.activation {
            Activation::Silu => Gate::Silu,
            Activation::GeluTanh => Gate::GeluTanh,
        };
        let fed = self.down.forward(&gated(&inner, gate)?)?;
        add(&x, self.around_feed_forward.after(fed)?, rules)
    }

    fn attend(
        &self,
        x: &Tensor,
        rules: &LayerRules,
        positions: &Positions,
        attention: &mut Attention<'_>,
    ) -> Result<Tensor> {
        let Heads { heads, kv_heads, width, .. } = rules.heads;
        let all = self.query_key_value.forward(x)?;
        let (query, kv) = (heads * width, kv_heads * width);
        let part = |from: usize, len: usize| all.narrow(1, from, len)?.contiguous();
        let (mut queries, mut keys, values) = (part(0, query)?, part(query, kv)?, part(query + kv, kv)?);
        let rows = queries.dim(0)?;
        if let Some(norms) = &self.query_key_norms {
            (queries, keys) = match rules.query_key_norm {
                QueryKeyNorm::PerHead => (
                    norms.query.forward(&queries.reshape((rows * heads, width))?)?,
                    norms.key.forward(&keys.reshape((rows * kv_heads, width))?)?,
                ),
                QueryKeyNorm::Whole | QueryKeyNorm::None => {
                    (norms.query.forward(&queries)?, norms.key.forward(&keys)?)
                }
            };
        }
        let queries = positions.turn(&queries.reshape((1, rows, heads, width))?)?.reshape((rows, query))?;
        let keys = positions.turn(&keys.reshape((1, rows, kv_heads, width))?)?.reshape((rows, kv))?;
        let context = attention.forward((&queries, &keys, &values), self.window, rules.heads)?;
        self.output.forward(&context)
    }
}

/// The residual connection.
fn add(x: &Tensor, part: Tensor, rules: &LayerRules) -> Result<Tensor> {
    let is_plain = (rules.residual_scale - 1.0).abs() < f64::EPSILON;
    let part = if is_plain { part } else { (part * rules.residual_scale)? };
    x + part
}
