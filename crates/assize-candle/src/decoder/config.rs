//! `config.json` of a Hugging Face checkpoint to a [`DecoderShape`]: both the spelling of transformers 5 and the older one.
//!
//! What is not supported is refused with its name: a checkpoint that computes almost right is worse than none.

use super::shape::{Activation, Biases, DecoderShape, NormPlacement, QueryKeyNorm, Rope, RopeScaling};
use crate::folder::LoadError;
use serde::Deserialize;
use std::path::Path;

/// The families whose checkpoints can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Llama,
    Mistral,
    Qwen2,
    Qwen3,
    Gemma2,
    Olmo2,
    Granite,
}

impl Family {
    const ALL: [(&'static str, Self); 7] = [
        ("llama", Self::Llama),
        ("mistral", Self::Mistral),
        ("qwen2", Self::Qwen2),
        ("qwen3", Self::Qwen3),
        ("gemma2", Self::Gemma2),
        ("olmo2", Self::Olmo2),
        ("granite", Self::Granite),
    ];

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, family)| family)
    }

    pub(super) fn allowed() -> String {
        Self::ALL.map(|(name, _)| format!("`{name}`")).join(", ")
    }

    /// Whether its GGUF files can be read.
    pub(super) const fn has_gguf(self) -> bool {
        matches!(self, Self::Llama | Self::Qwen2 | Self::Qwen3)
    }

    const fn placement(self) -> NormPlacement {
        match self {
            Self::Olmo2 => NormPlacement::After,
            Self::Gemma2 => NormPlacement::Around,
            Self::Llama | Self::Mistral | Self::Qwen2 | Self::Qwen3 | Self::Granite => NormPlacement::Before,
        }
    }

    const fn query_key_norm(self) -> QueryKeyNorm {
        match self {
            Self::Qwen3 => QueryKeyNorm::PerHead,
            Self::Olmo2 => QueryKeyNorm::Whole,
            Self::Llama | Self::Mistral | Self::Qwen2 | Self::Gemma2 | Self::Granite => QueryKeyNorm::None,
        }
    }

    /// Width of a head where the file does not say.
    const fn head_width(self, hidden: usize, heads: usize) -> usize {
        match self {
            Self::Qwen3 => 128,
            Self::Gemma2 => 256,
            Self::Llama | Self::Mistral | Self::Qwen2 | Self::Olmo2 | Self::Granite => hidden / heads,
        }
    }
}

/// The keys that are read; a checkpoint has many more, for training and generation.
#[derive(Debug, Deserialize)]
struct Raw {
    model_type: String,
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    max_position_embeddings: usize,
    rms_norm_eps: f64,
    hidden_act: Option<String>,
    hidden_activation: Option<String>,
    tie_word_embeddings: Option<bool>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    /// Absent and `null` are two things: a Mistral without the key has one of 4096.
    #[serde(default, deserialize_with = "given")]
    sliding_window: Option<Option<usize>>,
    use_sliding_window: Option<bool>,
    max_window_layers: Option<usize>,
    layer_types: Option<Vec<String>>,
    rope_theta: Option<f64>,
    rope_scaling: Option<RawRope>,
    rope_parameters: Option<RawRope>,
    partial_rotary_factor: Option<f64>,
    query_pre_attn_scalar: Option<f64>,
    attn_logit_softcapping: Option<f64>,
    final_logit_softcapping: Option<f64>,
    embedding_multiplier: Option<f64>,
    residual_multiplier: Option<f64>,
    attention_multiplier: Option<f64>,
    logits_scaling: Option<f64>,
    quantization_config: Option<serde_json::Value>,
}

/// What is there is given, `null` too.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<usize>>, D::Error> {
    Option::deserialize(from).map(Some)
}

#[derive(Debug, Deserialize)]
struct RawRope {
    rope_theta: Option<f64>,
    rope_type: Option<String>,
    /// The oldest spelling.
    #[serde(rename = "type")]
    kind: Option<String>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
    partial_rotary_factor: Option<f64>,
}

/// Parses a checkpoint's `config.json`.
pub(super) fn parse(file: &Path, bytes: &[u8]) -> Result<DecoderShape, LoadError> {
    let raw: Raw = serde_json::from_slice(bytes).map_err(|source| LoadError::Malformed {
        file: file.into(),
        expected: "the config.json of a decoder",
        source: source.into(),
    })?;
    let reader = Reader { file, raw: &raw };
    let Some(family) = Family::of(&raw.model_type) else {
        return Err(reader.refuse("model_type", &raw.model_type, &Family::allowed()));
    };
    reader.shape(family)
}

struct Reader<'a> {
    file: &'a Path,
    raw: &'a Raw,
}

impl Reader<'_> {
    fn shape(&self, family: Family) -> Result<DecoderShape, LoadError> {
        let raw = self.raw;
        self.check_supported()?;
        let heads = self.at_least_one("num_attention_heads", raw.num_attention_heads)?;
        let kv_heads = self.at_least_one("num_key_value_heads", raw.num_key_value_heads.unwrap_or(heads))?;
        if !heads.is_multiple_of(kv_heads) {
            return Err(self.refuse("num_key_value_heads", &kv_heads.to_string(), "a divisor of the heads"));
        }
        let hidden = self.at_least_one("hidden_size", raw.hidden_size)?;
        let head_width = raw.head_dim.unwrap_or(family.head_width(hidden, heads));
        if head_width == 0 || !head_width.is_multiple_of(2) {
            return Err(self.refuse("head_dim", &head_width.to_string(), "even numbers from 2"));
        }
        let biased = raw.attention_bias.unwrap_or(false);
        Ok(DecoderShape {
            vocab: self.at_least_one("vocab_size", raw.vocab_size)?,
            hidden,
            heads,
            kv_heads,
            head_width,
            feed_forward: self.at_least_one("intermediate_size", raw.intermediate_size)?,
            max_positions: self.at_least_one("max_position_embeddings", raw.max_position_embeddings)?,
            windows: self.windows(family)?,
            placement: family.placement(),
            norm_epsilon: self.positive("rms_norm_eps", raw.rms_norm_eps)?,
            norm_offset: if family == Family::Gemma2 { 1.0 } else { 0.0 },
            query_key_norm: family.query_key_norm(),
            rope: self.rope()?,
            attention_scale: self.attention_scale(family, head_width)?,
            attention_softcap: raw.attn_logit_softcapping.filter(|_| family == Family::Gemma2),
            logit_softcap: raw.final_logit_softcapping.filter(|_| family == Family::Gemma2),
            embedding_scale: self.embedding_scale(family),
            residual_scale: raw.residual_multiplier.filter(|_| family == Family::Granite).unwrap_or(1.0),
            logit_divisor: match raw.logits_scaling.filter(|_| family == Family::Granite) {
                Some(divisor) => self.positive("logits_scaling", divisor)?,
                None => 1.0,
            },
            activation: self.activation()?,
            biases: Biases {
                query_key_value: biased || family == Family::Qwen2,
                output: biased && family != Family::Qwen2,
                feed_forward: raw.mlp_bias.unwrap_or(false),
            },
            is_tied: raw.tie_word_embeddings.unwrap_or(family == Family::Gemma2),
        })
    }

    fn attention_scale(&self, family: Family, head_width: usize) -> Result<f64, LoadError> {
        match family {
            Family::Gemma2 => {
                let scalar = self.raw.query_pre_attn_scalar.unwrap_or(256.0);
                Ok(self.positive("query_pre_attn_scalar", scalar)?.sqrt().recip())
            }
            Family::Granite => Ok(self.raw.attention_multiplier.unwrap_or(1.0)),
            Family::Llama | Family::Mistral | Family::Qwen2 | Family::Qwen3 | Family::Olmo2 => {
                Ok(number(head_width).sqrt().recip())
            }
        }
    }

    fn embedding_scale(&self, family: Family) -> f64 {
        match family {
            Family::Gemma2 => number(self.raw.hidden_size).sqrt(),
            Family::Granite => self.raw.embedding_multiplier.unwrap_or(1.0),
            Family::Llama | Family::Mistral | Family::Qwen2 | Family::Qwen3 | Family::Olmo2 => 1.0,
        }
    }

    fn check_supported(&self) -> Result<(), LoadError> {
        let raw = self.raw;
        if raw.quantization_config.is_some() {
            let allowed = "no such key: checkpoints in f32, f16 or bf16, or a GGUF file";
            return Err(self.refuse("quantization_config", "present", allowed));
        }
        let ropes = [&raw.rope_parameters, &raw.rope_scaling].into_iter().flatten();
        let mut partial =
            ropes.filter_map(|rope| rope.partial_rotary_factor).chain(raw.partial_rotary_factor);
        match partial.find(|factor| *factor < 1.0) {
            Some(factor) => Err(self.refuse("partial_rotary_factor", &factor.to_string(), "1")),
            None => Ok(()),
        }
    }

    /// Which layers see a part only. An explicit list goes before the rules of the families, which are older.
    fn windows(&self, family: Family) -> Result<Vec<Option<usize>>, LoadError> {
        let raw = self.raw;
        let layers = self.at_least_one("num_hidden_layers", raw.num_hidden_layers)?;
        let switched = match family {
            Family::Qwen2 | Family::Qwen3 => raw.use_sliding_window.unwrap_or(false),
            Family::Mistral | Family::Gemma2 => true,
            Family::Llama | Family::Olmo2 | Family::Granite => false,
        };
        let default = (family == Family::Mistral).then_some(4096);
        let window = raw.sliding_window.unwrap_or(default).filter(|_| switched);
        let Some(window) = window else { return Ok(vec![None; layers]) };
        let window = self.at_least_one("sliding_window", window)?;
        if let (Some(types), true) = (&raw.layer_types, family != Family::Mistral) {
            let of = |kind: &String| match kind.as_str() {
                "full_attention" => Ok(None),
                "sliding_attention" => Ok(Some(window)),
                other => Err(self.refuse("layer_types", other, "`full_attention`, `sliding_attention`")),
            };
            let windows: Vec<_> = types.iter().map(of).collect::<Result<_, _>>()?;
            let fits = windows.len() == layers;
            let given = windows.len().to_string();
            return if fits {
                Ok(windows)
            } else {
                Err(self.refuse("layer_types", &given, "one for each layer"))
            };
        }
        let full_below = raw.max_window_layers.unwrap_or(layers);
        let slides = |layer: usize| match family {
            Family::Gemma2 => layer.is_multiple_of(2),
            Family::Qwen2 | Family::Qwen3 => layer >= full_below,
            Family::Llama | Family::Mistral | Family::Olmo2 | Family::Granite => true,
        };
        Ok((0..layers).map(|layer| slides(layer).then_some(window)).collect())
    }

    fn rope(&self) -> Result<Rope, LoadError> {
        let raw = self.raw;
        let nested = raw.rope_parameters.as_ref().or(raw.rope_scaling.as_ref());
        let base = nested.and_then(|rope| rope.rope_theta).or(raw.rope_theta).unwrap_or(10_000.0);
        let base = self.positive("rope_theta", base)?;
        let Some(rope) = nested else { return Ok(Rope { base, scaling: RopeScaling::None }) };
        let kind = rope.rope_type.as_deref().or(rope.kind.as_deref()).unwrap_or("default");
        let needed = |key: &str, value: Option<f64>| {
            let value = value.ok_or_else(|| self.refuse(key, "absent", "a number above 0"))?;
            self.positive(key, value)
        };
        let scaling = match kind {
            "default" => RopeScaling::None,
            "linear" => RopeScaling::Linear { factor: needed("factor", rope.factor)? },
            "llama3" => RopeScaling::Llama3 {
                factor: needed("factor", rope.factor)?,
                low: needed("low_freq_factor", rope.low_freq_factor)?,
                high: needed("high_freq_factor", rope.high_freq_factor)?,
                trained: needed(
                    "original_max_position_embeddings",
                    rope.original_max_position_embeddings.or(Some(number(raw.max_position_embeddings))),
                )?,
            },
            other => return Err(self.refuse("rope_type", other, "`default`, `linear`, `llama3`")),
        };
        Ok(Rope { base, scaling })
    }

    fn activation(&self) -> Result<Activation, LoadError> {
        let name = self.raw.hidden_activation.as_deref().or(self.raw.hidden_act.as_deref());
        match name {
            Some("silu") => Ok(Activation::Silu),
            Some("gelu_pytorch_tanh") => Ok(Activation::GeluTanh),
            other => {
                let given = other.unwrap_or("absent");
                Err(self.refuse("hidden_act", given, "`silu`, `gelu_pytorch_tanh`"))
            }
        }
    }

    fn at_least_one(&self, key: &str, value: usize) -> Result<usize, LoadError> {
        if value > 0 { Ok(value) } else { Err(self.refuse(key, "0", "numbers from 1")) }
    }

    fn positive(&self, key: &str, value: f64) -> Result<f64, LoadError> {
        let is_allowed = value.is_finite() && value > 0.0;
        if is_allowed { Ok(value) } else { Err(self.refuse(key, &value.to_string(), "numbers above 0")) }
    }

    fn refuse(&self, key: &str, given: &str, allowed: &str) -> LoadError {
        LoadError::NotAllowed {
            file: self.file.into(),
            key: key.to_owned(),
            given: given.to_owned(),
            allowed: allowed.to_owned(),
            advice: "take another checkpoint, or one in another format",
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "widths are far below 2^52")]
fn number(size: usize) -> f64 {
    size as f64
}
