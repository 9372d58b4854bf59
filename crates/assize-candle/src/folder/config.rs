//! `config.json`: the encoder's shape and the order of the heads' rows.
//!
//! Strict on purpose: a key that is not known here could change what the weights mean.

use super::{HeadOrder, LoadError, files::ModelFile, heads::HeadLists};
use candle_core::DType;
use serde::Deserialize;
use std::fmt::Display;

/// Sizes of a BERT encoder; all at least 1, `hidden` a multiple of `attention_heads`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncoderShape {
    /// Width of a hidden state.
    pub hidden: usize,
    /// Number of layers.
    pub layers: usize,
    /// Attention heads of a layer.
    pub attention_heads: usize,
    /// Width inside the feed-forward block.
    pub intermediate: usize,
    /// Rows of the word embedding.
    pub vocab_size: usize,
    /// Rows of the position embedding: the most tokens of a sequence.
    pub max_positions: usize,
    /// Rows of the segment embedding; at least 2.
    pub segment_types: usize,
    /// Added to the variance in every layer normalisation.
    pub layer_norm_epsilon: f64,
}

impl EncoderShape {
    /// Width of one attention head.
    pub const fn head_width(&self) -> usize {
        self.hidden / self.attention_heads
    }
}

/// `config.json`, checked.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) shape: EncoderShape,
    /// Number type of every tensor in the checkpoint.
    pub(crate) dtype: DType,
    pub(crate) heads: HeadOrder,
}

/// The file as written; key names are those of transformers' BERT where it has one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    architecture: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_act: String,
    layer_norm_eps: f64,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    vocab_size: usize,
    /// Checked only: a packed batch has no padding.
    pad_token_id: usize,
    pooling: String,
    dtype: String,
    heads: HeadLists,
    activations: Activations,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Activations {
    binary: String,
    risk: String,
}

pub(crate) fn parse(file: &ModelFile) -> Result<Config, LoadError> {
    let raw: RawConfig = serde_json::from_slice(&file.bytes).map_err(|source| LoadError::Malformed {
        file: file.path.clone(),
        expected: "the configuration of a guard model (JSON)",
        source: source.into(),
    })?;
    check_names(file, &raw)?;
    check_sizes(file, &raw)?;
    let dtype = match raw.dtype.as_str() {
        "f16" => DType::F16,
        "bf16" => DType::BF16,
        "f32" => DType::F32,
        other => return Err(not_allowed(file, "dtype", &other, "f16, bf16, f32")),
    };
    let heads = HeadOrder::read(file, &raw.heads)?;
    let shape = EncoderShape {
        hidden: raw.hidden_size,
        layers: raw.num_hidden_layers,
        attention_heads: raw.num_attention_heads,
        intermediate: raw.intermediate_size,
        vocab_size: raw.vocab_size,
        max_positions: raw.max_position_embeddings,
        segment_types: raw.type_vocab_size,
        layer_norm_epsilon: raw.layer_norm_eps,
    };
    Ok(Config { shape, dtype, heads })
}

/// Settings of which this encoder knows exactly one value.
fn check_names(file: &ModelFile, raw: &RawConfig) -> Result<(), LoadError> {
    let settings = [
        ("architecture", &raw.architecture, "bert-encoder"),
        // Exact (erf) GELU; transformers calls the approximations `gelu_new` and `gelu_pytorch_tanh`.
        ("hidden_act", &raw.hidden_act, "gelu"),
        ("pooling", &raw.pooling, "concat(mean over tokens, first token)"),
        ("activations.binary", &raw.activations.binary, "sigmoid"),
        ("activations.risk", &raw.activations.risk, "sigmoid"),
    ];
    match settings.into_iter().find(|(_, given, allowed)| *given != allowed) {
        Some((key, given, allowed)) => Err(not_allowed(file, key, given, allowed)),
        None => Ok(()),
    }
}

/// Largest size of any dimension: far above every encoder of this kind, far below an overflow in a product of two.
const MAX_SIZE: usize = 1 << 20;

fn check_sizes(file: &ModelFile, raw: &RawConfig) -> Result<(), LoadError> {
    let sizes = [
        ("hidden_size", raw.hidden_size, 1),
        ("num_hidden_layers", raw.num_hidden_layers, 1),
        ("num_attention_heads", raw.num_attention_heads, 1),
        ("intermediate_size", raw.intermediate_size, 1),
        ("max_position_embeddings", raw.max_position_embeddings, 8),
        // Two: a prompt and a response.
        ("type_vocab_size", raw.type_vocab_size, 2),
        ("vocab_size", raw.vocab_size, 1),
    ];
    if let Some((key, given, least)) =
        sizes.into_iter().find(|(_, size, least)| size < least || *size > MAX_SIZE)
    {
        return Err(not_allowed(file, key, &given, &format!("{least} to {MAX_SIZE}")));
    }
    if !raw.hidden_size.is_multiple_of(raw.num_attention_heads) {
        let allowed = format!("divisors of `hidden_size`, which is {}", raw.hidden_size);
        return Err(not_allowed(file, "num_attention_heads", &raw.num_attention_heads, &allowed));
    }
    if raw.pad_token_id >= raw.vocab_size {
        let allowed = format!("below `vocab_size`, which is {}", raw.vocab_size);
        return Err(not_allowed(file, "pad_token_id", &raw.pad_token_id, &allowed));
    }
    // 1e-3 is a thousand times the largest in use; the comparison also refuses NaN.
    if !(raw.layer_norm_eps > 0.0 && raw.layer_norm_eps <= 1e-3) {
        return Err(not_allowed(file, "layer_norm_eps", &raw.layer_norm_eps, "above 0, up to 0.001"));
    }
    Ok(())
}

fn not_allowed(file: &ModelFile, key: &str, given: &dyn Display, allowed: &str) -> LoadError {
    let advice = "this service reads only such checkpoints, so export it again or choose another";
    file.not_allowed(key, given, allowed, advice)
}
