//! A decoder's checkpoint: tiny and random, so that what it says means nothing, and is the same each time.

use serde_json::{Value, json};
use std::path::Path;

/// Writes it into a folder: weights for a vocabulary of letters, and its tokenizer, whose one control token is `<go>`.
pub(crate) fn write_checkpoint(folder: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/assize-candle/tests/decoders/qwen3");
    let config = std::fs::read_to_string(from.join("config.json")).unwrap();
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config["max_position_embeddings"] = 4096.into();
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let weights = "model.safetensors";
    std::fs::copy(from.join(weights), folder.join(weights)).unwrap();
    std::fs::write(folder.join("tokenizer.json"), letters().to_string()).unwrap();
}

/// 94 letters and two more tokens.
fn letters() -> Value {
    let letters = (b' '..=b'z').map(char::from).chain("\n{}".chars());
    let mut vocab: serde_json::Map<String, Value> =
        letters.enumerate().map(|(id, letter)| (letter.to_string(), json!(id))).collect();
    let first = vocab.len();
    vocab.insert("<unk>".to_owned(), json!(first));
    let added = json!([{ "id": first + 1, "content": "<go>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true }]);
    json!({ "version": "1.0", "added_tokens": added, "normalizer": null, "pre_tokenizer": null,
        "post_processor": null, "decoder": null,
        "model": { "type": "BPE", "vocab": vocab, "merges": [], "unk_token": "<unk>", "fuse_unk": false } })
}
