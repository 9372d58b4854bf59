//! A tiny checkpoint (hidden 8, 1 layer, 10 words), written into a folder of its own and then broken by the tests.

use assize_domain::{
    ActionCategory, Effect, Extent, GuardHead, HarmAction, Likelihood, RiskCategory, Stakeholder,
};
use safetensors::{Dtype, tensor::TensorView};
use std::path::Path;
use tempfile::TempDir;

pub(crate) const FILES: [&str; 4] = ["config.json", "model.safetensors", "tokenizer.json", "card.toml"];

const CARD: &str = r#"
name = "tiny"
version = "1"
licence = "Apache-2.0"
summary = "for tests"
intended_use = "none"
limitations = []
[input]
window_tokens = 16
prompt_share = 0.5
max_windows = 4
[calibration.prompt_harmful]
scale = 1.0
offset = 0.0
[calibration.response_harmful]
scale = 1.0
offset = 0.0
[calibration.response_refusal]
scale = 1.0
offset = 0.0
[calibration.adversarial]
scale = 1.0
offset = 0.0
[operating_points]
prompt_harmful = 0.5
response_harmful = 0.5
response_refusal = 0.5
adversarial = 0.5
"#;

/// One tensor of the checkpoint, f32.
pub(crate) struct TinyTensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) numbers: Vec<f32>,
}

/// A tensor with numbers between -1 and 1 that depend on its name and on nothing else.
pub(crate) fn tensor(name: &str, shape: &[usize]) -> TinyTensor {
    let seed = name.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let number = |index: u32| {
        let mixed = (seed ^ index.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b) >> 16;
        f32::from(u16::try_from(mixed).unwrap()) / 32768.0 - 1.0
    };
    let count = shape.iter().product();
    TinyTensor { name: name.into(), shape: shape.into(), numbers: (0..).map(number).take(count).collect() }
}

pub(crate) fn find<'a>(tensors: &'a mut [TinyTensor], name: &str) -> &'a mut TinyTensor {
    tensors.iter_mut().find(|tensor| tensor.name == name).unwrap()
}

/// A model folder in a temporary place; removed when dropped.
pub(crate) struct TinyFolder(TempDir);

impl TinyFolder {
    pub(crate) fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder.write("config.json", config().as_bytes());
        folder.write("tokenizer.json", tokenizer().as_bytes());
        folder.write("card.toml", CARD.as_bytes());
        folder.write("model.safetensors", &serialise(&tensors()));
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, file: &str, bytes: &[u8]) {
        std::fs::write(self.path().join(file), bytes).unwrap();
    }

    pub(crate) fn remove(&self, file: &str) {
        std::fs::remove_file(self.path().join(file)).unwrap();
    }

    /// Replaces the first `from` in a text file; it must be there.
    pub(crate) fn replace(&self, file: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path().join(file)).unwrap();
        assert!(text.contains(from), "{from} is not in {file}: {text}");
        self.write(file, text.replacen(from, to, 1).as_bytes());
    }

    /// Writes the checkpoint again, changed.
    pub(crate) fn change_tensors(&self, change: impl FnOnce(&mut Vec<TinyTensor>)) {
        let mut tensors = tensors();
        change(&mut tensors);
        self.write("model.safetensors", &serialise(&tensors));
    }
}

fn serialise(tensors: &[TinyTensor]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| tensor.numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
        (tensor.name.as_str(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

fn tensors() -> Vec<TinyTensor> {
    let mut tensors = vec![
        tensor("embeddings.word_embeddings.weight", &[10, 8]),
        tensor("embeddings.position_embeddings.weight", &[16, 8]),
        tensor("embeddings.token_type_embeddings.weight", &[2, 8]),
    ];
    let mut pair = |name: &str, weight: &[usize], bias: usize| {
        tensors.push(tensor(&format!("{name}.weight"), weight));
        tensors.push(tensor(&format!("{name}.bias"), &[bias]));
    };
    pair("embeddings.LayerNorm", &[8], 8);
    for part in ["self.query", "self.key", "self.value", "output.dense"] {
        pair(&format!("encoder.layer.0.attention.{part}"), &[8, 8], 8);
    }
    pair("encoder.layer.0.attention.output.LayerNorm", &[8], 8);
    pair("encoder.layer.0.intermediate.dense", &[12, 8], 12);
    pair("encoder.layer.0.output.dense", &[8, 12], 8);
    pair("encoder.layer.0.output.LayerNorm", &[8], 8);
    for (head, rows) in [("binary", 4), ("risk", 13), ("leaves", 1370)] {
        pair(&format!("heads.{head}"), &[rows, 16], rows);
    }
    tensors
}

fn config() -> String {
    let quote = |names: Vec<&str>| format!("[\"{}\"]", names.join("\",\""));
    let binary = quote(GuardHead::ALL.map(GuardHead::id).to_vec());
    let risk = quote(RiskCategory::ALL.map(RiskCategory::id).to_vec());
    let categories = quote(ActionCategory::ALL.map(ActionCategory::title).to_vec());
    let [actions, effects, stakeholders, extents, likelihoods] = [
        HarmAction::ALL.map(HarmAction::title).to_vec(),
        Effect::ALL.map(Effect::title).to_vec(),
        Stakeholder::ALL.map(Stakeholder::title).to_vec(),
        Extent::ALL.map(Extent::id).to_vec(),
        Likelihood::ALL.map(Likelihood::id).to_vec(),
    ]
    .map(quote);
    format!(
        r#"{{"architecture":"bert-encoder","hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,
"intermediate_size":12,"hidden_act":"gelu","layer_norm_eps":1e-12,"max_position_embeddings":16,"type_vocab_size":2,
"vocab_size":10,"pad_token_id":0,"pooling":"concat(mean over tokens, first token)","dtype":"f32",
"heads":{{"binary":{binary},"risk":{risk},
"leaves":{{"categories":{categories},"actions":{actions},"effects":{effects},"stakeholders":{stakeholders},
"extents":{extents},"likelihoods":{likelihoods}}}}},
"activations":{{"binary":"sigmoid","risk":"sigmoid"}}}}"#
    )
}

fn tokenizer() -> String {
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].iter().enumerate().map(|(id, content)| {
        format!(
            r#"{{"id":{id},"content":"{content}","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}}"#
        )
    });
    let added = special.collect::<Vec<_>>().join(",");
    format!(
        r###"{{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{added}],
"normalizer":{{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}},
"pre_tokenizer":{{"type":"BertPreTokenizer"}},"post_processor":null,"decoder":null,
"model":{{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
"vocab":{{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"a":5,"b":6,"word":7,"c":8,"d":9}}}}}}"###
    )
}
