//! A GGUF file as a checkpoint: its metadata as the `config.json` that it was made from, its tensors under the names that
//! they had there, dequantised.

use super::config::Family;
use crate::folder::LoadError;
use candle_core::{
    Device, Tensor,
    quantized::gguf_file::{Content, Value},
};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::{Path, PathBuf},
};

/// Factors that the wavelengths of rotary positions are stretched by; stands for the scaling of Llama 3.1.
const ROPE_FACTORS: &str = "rope_freqs.weight";

/// Names in a layer: Hugging Face's, and this format's.
const IN_LAYER: [(&str, &str); 11] = [
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
    ("input_layernorm", "attn_norm"),
    ("post_attention_layernorm", "ffn_norm"),
];

/// Names outside of layers.
const OUTSIDE: [(&str, &str); 3] = [
    ("model.embed_tokens.weight", "token_embd.weight"),
    ("model.norm.weight", "output_norm.weight"),
    ("lm_head.weight", "output.weight"),
];

/// A GGUF file whose tensors are being taken.
#[derive(Debug)]
pub(super) struct Gguf {
    path: PathBuf,
    file: File,
    content: Content,
    left: BTreeSet<String>,
    taken: BTreeMap<String, [u8; 32]>,
    /// Query and key heads, where the file has their rows in the order of the other kind of rotary positions.
    turned: Option<(usize, usize)>,
}

impl Gguf {
    /// Opens the file and reads its table.
    pub(super) fn open(path: &Path) -> Result<Self, LoadError> {
        let unreadable = |source| LoadError::Unreadable { file: path.into(), source };
        let mut file = File::open(path).map_err(unreadable)?;
        let content = Content::read(&mut file).map_err(|source| LoadError::Malformed {
            file: path.into(),
            expected: "a whole GGUF file",
            source: source.into(),
        })?;
        let left = content.tensor_infos.keys().cloned().collect();
        Ok(Self { path: path.into(), file, content, left, taken: BTreeMap::new(), turned: None })
    }

    /// The metadata in the words of a `config.json`.
    pub(super) fn config(&mut self) -> Result<Vec<u8>, LoadError> {
        let architecture = match self.content.metadata.get("general.architecture") {
            Some(Value::String(name)) => name.clone(),
            _ => "absent".to_owned(),
        };
        let family = Family::of(&architecture).filter(|family| family.has_gguf());
        if family.is_none() {
            return Err(LoadError::NotAllowed {
                file: self.path.clone(),
                key: "general.architecture".to_owned(),
                given: architecture,
                allowed: "`llama`, `qwen2`, `qwen3`".to_owned(),
                advice: "take the checkpoint as safetensors",
            });
        }
        let number =
            |key: &str| self.content.metadata.get(&format!("{architecture}.{key}")).and_then(number_of);
        let mut config = Map::new();
        let keys = [
            ("hidden_size", "embedding_length"),
            ("intermediate_size", "feed_forward_length"),
            ("num_hidden_layers", "block_count"),
            ("num_attention_heads", "attention.head_count"),
            ("num_key_value_heads", "attention.head_count_kv"),
            ("head_dim", "attention.key_length"),
            ("max_position_embeddings", "context_length"),
            ("rms_norm_eps", "attention.layer_norm_rms_epsilon"),
            ("rope_theta", "rope.freq_base"),
        ];
        config.extend(keys.into_iter().filter_map(|(to, from)| Some((to.to_owned(), number(from)?))));
        if let (None, Some(width)) = (config.get("head_dim"), number("rope.dimension_count")) {
            config.insert("head_dim".to_owned(), width);
        }
        let scaling = self.rope_scaling(&architecture).unwrap_or("none");
        if !matches!(scaling, "none" | "linear") {
            return Err(LoadError::NotAllowed {
                file: self.path.clone(),
                key: format!("{architecture}.rope.scaling.type"),
                given: scaling.to_owned(),
                allowed: "`none`, `linear`".to_owned(),
                advice: "take the checkpoint as safetensors",
            });
        }
        if let (Some(factor), "linear") = (number("rope.scaling.factor"), scaling) {
            config.insert("rope_scaling".to_owned(), json!({ "rope_type": "linear", "factor": factor }));
        }
        let vocab =
            self.content.tensor_infos.get("token_embd.weight").and_then(|info| info.shape.dims().first());
        config.insert("vocab_size".to_owned(), json!(vocab.copied().unwrap_or_default()));
        config.insert("tie_word_embeddings".to_owned(), json!(!self.left.contains("output.weight")));
        config.insert("hidden_act".to_owned(), json!("silu"));
        config.insert("model_type".to_owned(), json!(architecture));
        let heads =
            |key: &str| config.get(key).and_then(Json::as_u64).and_then(|count| usize::try_from(count).ok());
        if family == Some(Family::Llama) {
            self.turned = heads("num_attention_heads")
                .map(|count| (count, heads("num_key_value_heads").unwrap_or(count)));
        }
        Ok(Json::Object(config).to_string().into_bytes())
    }

    fn rope_scaling(&self, architecture: &str) -> Option<&str> {
        match self.content.metadata.get(&format!("{architecture}.rope.scaling.type")) {
            Some(Value::String(kind)) => Some(kind),
            _ => None,
        }
    }

    /// The factors of rotary positions, where the file has them.
    pub(super) fn rope_factors(&mut self, half: usize) -> Result<Option<Vec<f32>>, LoadError> {
        if !self.left.contains(ROPE_FACTORS) {
            return Ok(None);
        }
        let factors = self.read(ROPE_FACTORS, &[half])?;
        factors.to_vec1().map(Some).map_err(|source| self.not_placed(ROPE_FACTORS, source))
    }

    /// Takes a tensor by the name that it has in a checkpoint of Hugging Face; f32 on the processor.
    pub(super) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let own = own_name(name).unwrap_or_else(|| name.to_owned());
        let tensor = self.read(&own, shape)?;
        let heads = match self.turned {
            Some((heads, _)) if name.ends_with("q_proj.weight") => heads,
            Some((_, heads)) if name.ends_with("k_proj.weight") => heads,
            _ => return Ok(tensor),
        };
        turn_back(&tensor, heads).map_err(|source| self.not_placed(&own, source))
    }

    /// Leaves a tensor out that says nothing new.
    pub(super) fn skip(&mut self, name: &str) {
        self.left.remove(&own_name(name).unwrap_or_default());
    }

    /// Ends the taking; what is left over, and names and digests of all that was taken.
    pub(super) fn finish(self) -> (BTreeSet<String>, BTreeMap<String, [u8; 32]>) {
        (self.left, self.taken)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    fn read(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let (file, tensor) = (self.path.clone(), name.to_owned());
        let Some(info) = self.content.tensor_infos.get(name).filter(|_| self.left.contains(name)) else {
            return Err(LoadError::TensorMissing { file, tensor, expected: format!("{shape:?}") });
        };
        if info.shape.dims() != shape {
            let (given, expected) = (format!("{:?}", info.shape.dims()), format!("{shape:?}"));
            return Err(LoadError::TensorShape { file, tensor, given, expected });
        }
        let mut read = || {
            let stored = self.content.tensor(&mut self.file, name, &Device::Cpu)?;
            let digest = Sha256::digest(&*stored.data()?).into();
            Ok((stored.dequantize(&Device::Cpu)?, digest))
        };
        let (numbers, digest) = read().map_err(|source| self.not_placed(name, source))?;
        self.left.remove(name);
        self.taken.insert(name.to_owned(), digest);
        Ok(numbers)
    }

    fn not_placed(&self, name: &str, source: candle_core::Error) -> LoadError {
        LoadError::TensorNotPlaced { file: self.path.clone(), tensor: name.to_owned(), source: source.into() }
    }
}

/// `[heads * width, inputs]` whose rows stand in pairs, for positions that turn neighbours against each other, to the order
/// in which the first half of a head is turned against the second.
///
/// SOURCE: llama.cpp `convert_hf_to_gguf.py`, `LlamaModel.permute`, of which this is the inverse.
fn turn_back(weight: &Tensor, heads: usize) -> candle_core::Result<Tensor> {
    let (rows, inputs) = weight.dims2()?;
    let half = rows / heads / 2;
    weight.reshape((heads, half, 2, inputs))?.transpose(1, 2)?.contiguous()?.reshape((rows, inputs))
}

/// This format's name for a tensor.
fn own_name(name: &str) -> Option<String> {
    if let Some((_, own)) = OUTSIDE.into_iter().find(|(theirs, _)| *theirs == name) {
        return Some(own.to_owned());
    }
    let (layer, rest) = name.strip_prefix("model.layers.")?.split_once('.')?;
    let (part, kind) = rest.rsplit_once('.')?;
    let (_, own) = IN_LAYER.into_iter().find(|(theirs, _)| *theirs == part)?;
    Some(format!("blk.{layer}.{own}.{kind}"))
}

fn number_of(value: &Value) -> Option<Json> {
    match value {
        Value::F32(number) => Some(json!(number)),
        Value::F64(number) => Some(json!(number)),
        other => {
            other.to_u64().ok().or_else(|| other.to_u32().ok().map(u64::from)).map(|number| json!(number))
        }
    }
}
