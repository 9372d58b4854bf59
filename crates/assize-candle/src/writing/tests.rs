//! Texts alone and among others, against transformers' greedy ones; texts under a grammar, by models that know nothing.

mod grammar;
mod port;
mod tokens;
mod writer;

use super::*;
use crate::{
    DeviceChoice,
    decoder::{Decoder, DecoderPrecision},
};
use serde_json::json;
use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// 93 letters, and control tokens of three kinds: a vocabulary for the tiny checkpoints.
fn letters() -> Arc<TokenBytes> {
    let letters = (b'"'..=b'z').map(char::from).chain(" \n{}".chars());
    let mut vocab: serde_json::Map<String, serde_json::Value> =
        letters.enumerate().map(|(id, letter)| (letter.to_string(), json!(id))).collect();
    let first = vocab.len();
    vocab.insert("<unk>".to_owned(), json!(first + 2));
    let added = |id: usize, content: &str, special: bool| json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": special });
    let parsed = json!({ "version": "1.0", "added_tokens": [added(first, "<end>", true), added(first + 1, "<think>", false)],
        "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": { "type": "BPE", "vocab": vocab, "merges": [], "unk_token": "<unk>", "fuse_unk": false } });
    Arc::new(TokenBytes::from_json(&serde_json::to_vec(&parsed).unwrap(), 96).unwrap())
}

/// A tiny checkpoint with random weights, for longer texts than its file says.
fn decoder() -> Arc<Decoder> {
    let (from, to) = (folder().join("tests/decoders/qwen3"), tempfile::tempdir().unwrap());
    let config = std::fs::read_to_string(from.join("config.json")).unwrap();
    let longer = config.replace("\"max_position_embeddings\": 64", "\"max_position_embeddings\": 4096");
    assert_ne!(config, longer);
    std::fs::write(to.path().join("config.json"), longer).unwrap();
    std::fs::copy(from.join("model.safetensors"), to.path().join("model.safetensors")).unwrap();
    Arc::new(Decoder::load(to.path(), DeviceChoice::Cpu, DecoderPrecision::Portable).unwrap())
}

fn writer(cache_tokens: usize) -> Writer {
    Writer::new(decoder(), letters(), cache_tokens).unwrap()
}

fn request(prompt: &[u32], max_new_tokens: usize) -> WriteRequest {
    WriteRequest {
        prompt: prompt.to_vec(),
        max_new_tokens: NonZeroUsize::new(max_new_tokens).unwrap(),
        sampling: Sampling::GREEDY,
        stop: Vec::new(),
        grammar: None,
        progress: Progress::default(),
    }
}

fn sampled(prompt: &[u32], max_new_tokens: usize, seed: u64) -> WriteRequest {
    WriteRequest { sampling: Sampling::new(0.8, 0.9, seed).unwrap(), ..request(prompt, max_new_tokens) }
}

/// Writes all of them, each joining when there is room; in the order given.
fn write_all(writer: &mut Writer, requests: &[WriteRequest]) -> Vec<Written> {
    let (mut tickets, mut ended) = (Vec::new(), Vec::new());
    while ended.len() < requests.len() {
        while let Some(next) = requests.get(tickets.len()) {
            match writer.join(next) {
                Ok(ticket) => tickets.push(ticket),
                Err(JoinError::Full) => break,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(writer.ongoing() > 0);
        ended.extend(writer.step().unwrap());
    }
    let of = |ticket: &Ticket| ended.iter().find(|(other, _)| other == ticket).unwrap().1.clone().unwrap();
    tickets.iter().map(of).collect()
}
