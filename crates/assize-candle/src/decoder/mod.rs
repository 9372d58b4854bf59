//! One decoder for Llama, Mistral, Qwen 2 and 3, Gemma 2, OLMo 2 and Granite: what differs between them is data
//! ([`DecoderShape`]), read from the checkpoint's own `config.json`.
//!
//! A step takes the new tokens of any number of sequences, laid end to end without padding, and gives hidden states of the
//! rows that are asked for. What a sequence gives does not hang on the others in the step: no score between two sequences
//! is computed, and no row is read that belongs to none. Here is no text, no sampling and no queue.

mod attention;
mod cache;
mod config;
mod gguf;
mod layer;
mod load;
mod projection;
mod shape;
mod step;
#[cfg(test)]
mod tests;
mod weights;

pub(crate) use cache::PAGE;
pub use cache::{CacheFull, ForkError, KvCache, KvSequence};
pub use load::DecoderPrecision;
pub use shape::{Activation, Biases, DecoderShape, NormPlacement, QueryKeyNorm, Rope, RopeScaling};
pub use step::Chunk;

use assize_domain::Digest;
use assize_kernels::ShapeError;
use attention::{Attention, Heads};
use cache::Store;
use candle_core::{DType, Tensor};
use layer::{Layer, LayerRules, Norm};
use projection::{Computing, Projection, ProjectionError};
use std::sync::OnceLock;
use step::{Positions, Span};

/// A step that can't be done.
#[derive(Debug, thiserror::Error)]
pub enum DecoderError {
    /// No room for the tokens.
    #[error(transparent)]
    Full(#[from] CacheFull),
    /// A sequence would be longer than the model was made for.
    #[error("a sequence of {tokens} tokens is over the model's limit of {limit}")]
    TooLong {
        /// Tokens that it would have.
        tokens: usize,
        /// The most.
        limit: usize,
    },
    /// No such token.
    #[error("the token {token} is none of the model's {vocab}")]
    UnknownToken {
        /// Its id.
        token: u32,
        /// Tokens of the model.
        vocab: usize,
    },
    /// A chunk without tokens, or that wants more rows than it has.
    #[error("a chunk of {tokens} tokens can't give {wanted} rows")]
    Chunk {
        /// Its tokens.
        tokens: usize,
        /// Rows wanted.
        wanted: usize,
    },
    /// The last layer is none that can be computed with.
    #[error("the last layer can't be packed")]
    LastLayer(#[from] ShapeError),
    /// The tensor library failed.
    #[error("the tensor library failed")]
    Tensor(#[from] candle_core::Error),
}

impl From<ProjectionError> for DecoderError {
    fn from(error: ProjectionError) -> Self {
        match error {
            ProjectionError::Shape(error) => Self::LastLayer(error),
            ProjectionError::Tensor(error) => Self::Tensor(error),
        }
    }
}

impl DecoderError {
    /// Whether the device had no room for it: less at a time may do.
    pub fn is_out_of_memory(&self) -> bool {
        match self {
            // The tensor library has no variant for it; these are the driver's words.
            Self::Tensor(error) => {
                let told = error.to_string().to_ascii_lowercase();
                told.contains("out_of_memory") || told.contains("out of memory")
            }
            Self::Full(_)
            | Self::TooLong { .. }
            | Self::UnknownToken { .. }
            | Self::Chunk { .. }
            | Self::LastLayer(_) => false,
        }
    }
}

/// A checkpoint, ready to compute.
#[derive(Debug)]
pub struct Decoder {
    shape: DecoderShape,
    revision: Digest,
    computing: Computing,
    rules: LayerRules,
    /// `[vocab, hidden]` in the file's number type.
    embedding: Tensor,
    layers: Vec<Layer>,
    norm: Norm,
    /// `[vocab, hidden]` in the file's number type, on the processor; `None` where the embedding is the head as well.
    head: Option<Tensor>,
    /// The same, to compute all logits with: made when they are first asked for, because a guard never asks.
    logits: OnceLock<Projection>,
    /// Radians a token, for each pair of numbers of a head.
    steps: Vec<f32>,
}

/// Rows of the last layer for some tokens: logits of these and no others.
#[derive(Debug, Clone)]
pub struct LabelRows {
    /// `[hidden, tokens]`, f32.
    weight: Tensor,
}

impl Decoder {
    /// What it is made of.
    pub const fn shape(&self) -> &DecoderShape {
        &self.shape
    }

    /// Whether it computes on the processor.
    pub fn is_on_cpu(&self) -> bool {
        self.computing.device().is_cpu()
    }

    /// Digest of its configuration and weights.
    pub const fn revision(&self) -> Digest {
        self.revision
    }

    /// A cache for sequences of this decoder, `tokens` tokens together.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn cache(&self, tokens: usize) -> Result<KvCache, DecoderError> {
        let store = match &self.computing {
            Computing::Packed(_) => Store::Cpu,
            Computing::Tensors(device, dtype) => Store::Tensors(device.clone(), *dtype),
        };
        Ok(KvCache::new(&self.shape, tokens, &store)?)
    }

    /// Reads the chunks' tokens; gives the hidden states that are wanted, `[wanted, hidden]`, chunk after chunk.
    ///
    /// # Errors
    /// Every variant of [`DecoderError`]; the sequences then have what they had before.
    pub fn forward(&self, cache: &mut KvCache, chunks: &mut [Chunk<'_>]) -> Result<Tensor, DecoderError> {
        let spans = self.spans(cache, chunks)?;
        let device = self.computing.device();
        let tokens: Vec<u32> = chunks.iter().flat_map(|chunk| chunk.tokens.iter().copied()).collect();
        let mut x = self.embed(&tokens)?;
        let positions = Positions::new(&spans, &self.steps, &device, self.computing.dtype())?;
        let mut attention = Attention::new(cache, &spans);
        for layer in &self.layers {
            x = layer.forward(&x, &self.rules, &positions, &mut attention)?;
        }
        let mut wanted = Vec::new();
        for (span, chunk) in spans.iter().zip(chunks.iter()) {
            let end = span.first + span.len;
            wanted.extend((end - chunk.wanted..end).filter_map(|row| u32::try_from(row).ok()));
        }
        let hidden = if wanted.is_empty() {
            // A GPU can't select nothing.
            Tensor::zeros((0, self.shape.hidden), self.computing.dtype(), &device)?
        } else {
            let wanted = Tensor::from_vec(wanted.clone(), wanted.len(), &device)?;
            self.norm.forward(&x.index_select(&wanted, 0)?)?
        };
        // Only now: what failed was not read.
        for (span, chunk) in spans.iter().zip(chunks) {
            chunk.sequence.advance(span.len);
        }
        Ok(hidden)
    }

    /// Makes what [`Self::logits`] computes with, as its first call would: for those who will call it and want the time and
    /// the memory spent, or the error, before anyone waits.
    ///
    /// # Errors
    /// When the device has no room, or the last layer can't be packed.
    pub fn prepare_logits(&self) -> Result<(), DecoderError> {
        self.last_layer().map(drop)
    }

    /// Logits of all tokens, `[rows, vocab]` in f32, from hidden states.
    ///
    /// # Errors
    /// When the tensor library fails; the first time also as [`Self::prepare_logits`].
    pub fn logits(&self, hidden: &Tensor) -> Result<Tensor, DecoderError> {
        self.finish(&self.last_layer()?.forward(hidden)?)
    }

    fn last_layer(&self) -> Result<&Projection, DecoderError> {
        if let Some(made) = self.logits.get() {
            return Ok(made);
        }
        let made = Projection::new(self.head(), None, &self.computing)?;
        // Of two threads that come here at once both make it, and the first one's is kept.
        Ok(self.logits.get_or_init(|| made))
    }

    /// The last layer's weights as they were loaded.
    fn head(&self) -> &Tensor {
        self.head.as_ref().unwrap_or(&self.embedding)
    }

    /// The last layer's rows of some tokens.
    ///
    /// # Errors
    /// When a token is none of the model's.
    pub fn label_rows(&self, tokens: &[u32]) -> Result<LabelRows, DecoderError> {
        self.check_tokens(tokens)?;
        let head = self.head();
        let ids = Tensor::from_slice(tokens, tokens.len(), head.device())?;
        let rows = head.index_select(&ids, 0)?.to_dtype(DType::F32)?;
        let weight = rows.t()?.contiguous()?.to_device(&self.computing.device())?;
        Ok(LabelRows { weight })
    }

    /// Logits of the labels' tokens alone, `[rows, labels]` in f32, in the order in which they were asked for.
    ///
    /// # Errors
    /// When the tensor library fails.
    pub fn label_logits(&self, hidden: &Tensor, labels: &LabelRows) -> Result<Tensor, DecoderError> {
        self.finish(&hidden.to_dtype(DType::F32)?.matmul(&labels.weight)?)
    }

    fn finish(&self, logits: &Tensor) -> Result<Tensor, DecoderError> {
        let mut logits = (logits.to_dtype(DType::F32)? / self.shape.logit_divisor)?;
        if let Some(cap) = self.shape.logit_softcap {
            logits = ((logits / cap)?.tanh()? * cap)?;
        }
        Ok(logits)
    }

    fn embed(&self, tokens: &[u32]) -> Result<Tensor, DecoderError> {
        let ids = Tensor::from_slice(tokens, tokens.len(), self.embedding.device())?;
        let rows = self.embedding.index_select(&ids, 0)?.to_dtype(self.computing.dtype())?;
        let is_plain = (self.shape.embedding_scale - 1.0).abs() < f64::EPSILON;
        Ok(if is_plain { rows } else { (rows * self.shape.embedding_scale)? })
    }

    /// Sees that the chunks can be read and makes room for them.
    fn spans(&self, cache: &KvCache, chunks: &mut [Chunk<'_>]) -> Result<Vec<Span>, DecoderError> {
        let mut first = 0;
        let mut spans = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let (start, len) = (chunk.sequence.len(), chunk.tokens.len());
            if len == 0 || chunk.wanted > len {
                return Err(DecoderError::Chunk { tokens: len, wanted: chunk.wanted });
            }
            let limit = self.shape.max_positions;
            if start + len > limit {
                return Err(DecoderError::TooLong { tokens: start + len, limit });
            }
            self.check_tokens(chunk.tokens)?;
            cache.reserve(chunk.sequence, len)?;
            let rows = (0..start + len).filter_map(|place| chunk.sequence.row(place)).collect();
            spans.push(Span { first, len, start, rows });
            first += len;
        }
        Ok(spans)
    }

    fn check_tokens(&self, tokens: &[u32]) -> Result<(), DecoderError> {
        let vocab = self.shape.vocab;
        let is_known = |token: &&u32| usize::try_from(**token).is_ok_and(|token| token < vocab);
        match tokens.iter().find(|token| !is_known(token)) {
            Some(token) => Err(DecoderError::UnknownToken { token: *token, vocab }),
            None => Ok(()),
        }
    }

    fn rules(shape: &DecoderShape) -> LayerRules {
        let heads = Heads {
            heads: shape.heads,
            kv_heads: shape.kv_heads,
            width: shape.head_width,
            scale: shape.attention_scale,
            softcap: shape.attention_softcap,
        };
        LayerRules {
            heads,
            query_key_norm: shape.query_key_norm,
            activation: shape.activation,
            residual_scale: shape.residual_scale,
        }
    }
}
