//! From a checkpoint's folder to a [`Decoder`].

use super::{
    Decoder, config,
    gguf::Gguf,
    layer::{Layer, Norm, NormsAround, QueryKeyNorms},
    projection::{Computing, Projection, ProjectionError},
    shape::{DecoderShape, NormPlacement, QueryKeyNorm},
    weights::Shards,
};
use crate::{DeviceChoice, folder::LoadError, ops::CausalShape};
use assize_domain::Digest;
use assize_kernels::{Kernel, Precision};
use candle_core::{DType, Device, Tensor};
use sha2::{Digest as _, Sha256};
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// How a decoder computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecoderPrecision {
    /// bf16 on a GPU; on the processor f32, with its vector instructions where it has them.
    Auto,
    /// Over the tensor library's tensors: f32 on the processor, bf16 on a GPU.
    Portable,
    /// With this processor's vector instructions.
    Packed(Precision),
}

impl Decoder {
    /// Reads a checkpoint: a folder with `config.json` and `model.safetensors` (or its shards) as Hugging Face writes it, or
    /// a GGUF file.
    ///
    /// Blocks: it reads the whole checkpoint.
    ///
    /// # Errors
    /// When a file is absent, says something that is not supported, or does not fit the others, or the device or the
    /// instructions are absent. Each text names the file and what is allowed.
    pub fn load(path: &Path, device: DeviceChoice, precision: DecoderPrecision) -> Result<Self, LoadError> {
        let is_gguf = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"));
        let (file, config, source) = if is_gguf { open_gguf(path)? } else { open_folder(path)? };
        let shape = config::parse(&file, &config)?;
        let opened = device.open().map_err(|source| LoadError::NoDevice { device, source: source.into() })?;
        let computing = computing(&file, &opened, precision, &shape)?;
        let mut builder = Builder { source, shape: &shape, computing: &computing };
        let embedding = builder.take("model.embed_tokens.weight", &[shape.vocab, shape.hidden])?;
        let layers = (0..shape.windows.len()).map(|index| builder.layer(index)).collect::<Result<_, _>>()?;
        let norm = builder.norm("model.norm.weight", shape.hidden)?;
        let head = if shape.is_tied {
            // Some exporters write it all the same.
            builder.source.skip("lm_head.weight");
            None
        } else {
            Some(builder.take("lm_head.weight", &[shape.vocab, shape.hidden])?)
        };
        let embedding = embedding.to_device(&opened);
        let embedding =
            embedding.map_err(|source| builder.not_placed("model.embed_tokens.weight", source.into()))?;
        let mut steps = shape.rope.steps(shape.head_width);
        if let Some(factors) = builder.source.rope_factors(steps.len())? {
            steps.iter_mut().zip(factors).for_each(|(step, factor)| *step /= factor);
        }
        let revision = builder.source.finish(&config)?;
        let rules = Self::rules(&shape);
        let logits = OnceLock::new();
        Ok(Self { shape, revision, computing, rules, embedding, layers, norm, head, logits, steps })
    }
}

/// Where tensors come from.
enum Source {
    Shards(Shards),
    Gguf(Box<Gguf>),
}

type Opened = (PathBuf, Vec<u8>, Source);

fn open_folder(folder: &Path) -> Result<Opened, LoadError> {
    let file = folder.join("config.json");
    let config =
        std::fs::read(&file).map_err(|source| LoadError::Unreadable { file: file.clone(), source })?;
    Ok((file, config, Source::Shards(Shards::open(folder)?)))
}

fn open_gguf(path: &Path) -> Result<Opened, LoadError> {
    let mut gguf = Gguf::open(path)?;
    let config = gguf.config()?;
    Ok((path.into(), config, Source::Gguf(Box::new(gguf))))
}

impl Source {
    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        match self {
            Self::Shards(shards) => shards.take(name, shape),
            Self::Gguf(gguf) => gguf.take(name, shape),
        }
    }

    fn skip(&mut self, name: &str) {
        match self {
            Self::Shards(shards) => shards.skip(name),
            Self::Gguf(gguf) => gguf.skip(name),
        }
    }

    fn rope_factors(&mut self, half: usize) -> Result<Option<Vec<f32>>, LoadError> {
        match self {
            Self::Shards(_) => Ok(None),
            Self::Gguf(gguf) => gguf.rope_factors(half),
        }
    }

    fn file(&self) -> PathBuf {
        match self {
            Self::Shards(shards) => shards.any_file(),
            Self::Gguf(gguf) => gguf.path(),
        }
    }

    /// Ends the taking. The digest is over the configuration, and over name, zero and digest of each tensor in the order of
    /// names.
    fn finish(self, config: &[u8]) -> Result<Digest, LoadError> {
        let file = self.file();
        let (left, taken) = match self {
            Self::Shards(shards) => shards.finish(),
            Self::Gguf(gguf) => gguf.finish(),
        };
        if let Some(example) = left.first() {
            return Err(LoadError::TensorsLeftOver { file, count: left.len(), example: example.clone() });
        }
        let mut whole = Sha256::new();
        whole.update(config);
        for (name, digest) in &taken {
            whole.update(name.as_bytes());
            whole.update([0]);
            whole.update(digest);
        }
        Ok(Digest::new(whole.finalize().into()))
    }
}

fn computing(
    file: &Path,
    device: &Device,
    precision: DecoderPrecision,
    shape: &DecoderShape,
) -> Result<Computing, LoadError> {
    let refuse = |given: String, allowed: &str| LoadError::NotAllowed {
        file: file.into(),
        key: "precision".to_owned(),
        given,
        allowed: allowed.to_owned(),
        advice: "choose another precision in the settings",
    };
    match precision {
        DecoderPrecision::Auto if device.is_cpu() => {
            let kernel =
                Kernel::fastest(Precision::F32).filter(|_| shape.head_width <= CausalShape::MOST_WIDTH);
            Ok(kernel.map_or_else(|| Computing::Tensors(device.clone(), DType::F32), Computing::Packed))
        }
        DecoderPrecision::Portable if device.is_cpu() => Ok(Computing::Tensors(device.clone(), DType::F32)),
        DecoderPrecision::Packed(Precision::Bf16) if !device.is_cpu() => {
            Ok(Computing::Tensors(device.clone(), DType::BF16))
        }
        DecoderPrecision::Auto | DecoderPrecision::Portable => {
            Ok(Computing::Tensors(device.clone(), DType::BF16))
        }
        DecoderPrecision::Packed(precision) => {
            let kernel = Kernel::fastest(precision).filter(|_| device.is_cpu());
            let fits = shape.head_width <= CausalShape::MOST_WIDTH;
            let kernel = kernel.filter(|_| fits);
            let allowed = if device.is_cpu() {
                "`auto`, `portable`, or what this processor has vector instructions for"
            } else {
                "`auto`, `portable` or `bf16` on a GPU"
            };
            kernel.map(Computing::Packed).ok_or_else(|| refuse(precision.to_string(), allowed))
        }
    }
}

struct Builder<'a> {
    source: Source,
    shape: &'a DecoderShape,
    computing: &'a Computing,
}

impl Builder<'_> {
    fn layer(&mut self, index: usize) -> Result<Layer, LoadError> {
        let shape = self.shape;
        let (hidden, inner) = (shape.hidden, shape.feed_forward);
        let (query, kv) = (shape.query_width(), shape.kv_width());
        let prefix = format!("model.layers.{index}");
        let biases = shape.biases;
        let attention = |part: &str| format!("{prefix}.self_attn.{part}_proj");
        let mlp = |part: &str| format!("{prefix}.mlp.{part}_proj");
        let heads = [(attention("q"), query), (attention("k"), kv), (attention("v"), kv)];
        let gates = [(mlp("gate"), inner), (mlp("up"), inner)];
        Ok(Layer {
            around_attention: self.norms(&prefix, ["input_layernorm", "post_attention_layernorm"])?,
            around_feed_forward: self.norms_of_feed_forward(&prefix)?,
            query_key_value: self.joined(&heads, hidden, biases.query_key_value)?,
            query_key_norms: self.query_key_norms(&prefix)?,
            output: self.joined(&[(attention("o"), hidden)], query, biases.output)?,
            gate_up: self.joined(&gates, hidden, biases.feed_forward)?,
            down: self.joined(&[(mlp("down"), hidden)], inner, biases.feed_forward)?,
            window: shape.windows.get(index).copied().flatten(),
        })
    }

    /// The first name is of a norm before a part, the second of one after it.
    fn norms(&mut self, prefix: &str, [before, after]: [&str; 2]) -> Result<NormsAround, LoadError> {
        let (hidden, placement) = (self.shape.hidden, self.shape.placement);
        let mut take = |name: &str| self.norm(&format!("{prefix}.{name}.weight"), hidden).map(Some);
        match placement {
            NormPlacement::Before => Ok(NormsAround { before: take(before)?, after: None }),
            NormPlacement::After => Ok(NormsAround { before: None, after: take(after)? }),
            NormPlacement::Around => Ok(NormsAround { before: take(before)?, after: take(after)? }),
        }
    }

    /// Llama calls the norm before this part by the attention that it comes after.
    fn norms_of_feed_forward(&mut self, prefix: &str) -> Result<NormsAround, LoadError> {
        let before = match self.shape.placement {
            NormPlacement::Before => "post_attention_layernorm",
            NormPlacement::After | NormPlacement::Around => "pre_feedforward_layernorm",
        };
        self.norms(prefix, [before, "post_feedforward_layernorm"])
    }

    fn query_key_norms(&mut self, prefix: &str) -> Result<Option<QueryKeyNorms>, LoadError> {
        let shape = self.shape;
        let (query, key) = match shape.query_key_norm {
            QueryKeyNorm::None => return Ok(None),
            QueryKeyNorm::PerHead => (shape.head_width, shape.head_width),
            QueryKeyNorm::Whole => (shape.query_width(), shape.kv_width()),
        };
        let query = self.norm(&format!("{prefix}.self_attn.q_norm.weight"), query)?;
        let key = self.norm(&format!("{prefix}.self_attn.k_norm.weight"), key)?;
        Ok(Some(QueryKeyNorms { query, key }))
    }

    fn norm(&mut self, name: &str, width: usize) -> Result<Norm, LoadError> {
        let weight = self.take(name, &[width])?;
        let placed = || {
            let weight = (weight.to_dtype(DType::F32)? + self.shape.norm_offset)?;
            weight.to_dtype(self.computing.dtype())?.to_device(&self.computing.device())
        };
        let weight = placed().map_err(|source| self.not_placed(name, source.into()))?;
        #[expect(clippy::cast_possible_truncation, reason = "epsilon is used with f32 numbers")]
        let epsilon = self.shape.norm_epsilon as f32;
        Ok(Norm { weight, epsilon })
    }

    /// Layers that read the same input, as one: one above the other.
    fn joined(
        &mut self,
        parts: &[(String, usize)],
        inputs: usize,
        has_bias: bool,
    ) -> Result<Projection, LoadError> {
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for (name, outputs) in parts {
            weights.push(self.take(&format!("{name}.weight"), &[*outputs, inputs])?);
            if has_bias {
                biases.push(self.take(&format!("{name}.bias"), &[*outputs])?);
            }
        }
        let name = parts.first().map_or("", |(name, _)| name.as_str()).to_owned();
        let stack = |tensors: &[Tensor]| Tensor::cat(tensors, 0);
        let weight = stack(&weights).map_err(|source| self.not_placed(&name, source.into()))?;
        let bias = if has_bias { Some(stack(&biases)) } else { None };
        let bias = bias.transpose().map_err(|source| self.not_placed(&name, source.into()))?;
        self.projection(&name, &weight, bias.as_ref())
    }

    fn projection(
        &self,
        name: &str,
        weight: &Tensor,
        bias: Option<&Tensor>,
    ) -> Result<Projection, LoadError> {
        let made = Projection::new(weight, bias, self.computing);
        made.map_err(|source: ProjectionError| self.not_placed(name, source.into()))
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        self.source.take(name, shape)
    }

    fn not_placed(&self, name: &str, source: Box<dyn std::error::Error + Send + Sync>) -> LoadError {
        LoadError::TensorNotPlaced { file: self.source.file(), tensor: name.to_owned(), source }
    }
}
