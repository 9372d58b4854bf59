//! User text stays text.

use super::*;
use proptest::prelude::*;
use std::sync::LazyLock;

/// Rows of guard-v1's word embedding.
const VOCAB_SIZE: usize = 30_522;
/// Every marker that the file knows as special.
const MARKERS: [&str; 5] = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]"];
/// Ids of `[PAD]`, `[CLS]`, `[SEP]` and `[MASK]` in BERT's vocabulary.
const CONTROL_IDS: [u32; 4] = [0, 101, 102, 103];

static GUARD: LazyLock<GuardTokenizer> =
    LazyLock::new(|| GuardTokenizer::from_json(file().as_bytes(), VOCAB_SIZE).unwrap());

fn file() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/guard-v1/tokenizer.json");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn typed_markers_become_ordinary_pieces() {
    let bracket = |word: u32| vec![1031, word, 1033];
    assert_eq!(GUARD.ids("[MASK]").unwrap(), bracket(7308));
    assert_eq!(GUARD.ids("[PAD]").unwrap(), bracket(11687));
    for marker in MARKERS {
        let ids = GUARD.ids(marker).unwrap();
        assert_eq!((ids.first(), ids.last()), (Some(&1031), Some(&1033)), "{marker}");
        assert_eq!(ids, GUARD.ids(&marker.to_lowercase()).unwrap(), "{marker}");
        assert!(!ids.contains(&100), "{marker} has pieces of its own");
    }
    let around = [GUARD.ids("a").unwrap(), GUARD.ids("[ SEP ]").unwrap(), GUARD.ids("b").unwrap()].concat();
    assert_eq!(GUARD.ids("a[SEP]b").unwrap(), around);
}

#[test]
fn long_text_is_neither_cut_nor_padded() {
    // The file itself asks for both, at 128.
    assert_eq!(GUARD.ids(&"word ".repeat(1000)).unwrap().len(), 1000);
    assert_eq!(GUARD.ids("word").unwrap().len(), 1);
    assert!(GUARD.ids("").unwrap().is_empty());
}

fn check_refused(change: impl FnOnce(&mut serde_json::Value), expected: &str) {
    let mut json = serde_json::from_str(&file()).unwrap();
    change(&mut json);
    let error = GuardTokenizer::from_json(json.to_string().as_bytes(), VOCAB_SIZE).unwrap_err().to_string();
    assert_eq!(error, expected);
}

#[test]
fn a_file_that_is_not_safe_for_user_text_is_refused() {
    let sep = "the special token `[SEP]` is absent or not marked as special";
    check_refused(|json| json["added_tokens"][3]["special"] = false.into(), sep);
    // Words are no longer split at brackets nor lowered, so the vocabulary itself knows the typed `[PAD]` as a word.
    let unsplit = |json: &mut serde_json::Value| {
        json["pre_tokenizer"] = serde_json::Value::Null;
        json["normalizer"]["lowercase"] = false.into();
    };
    check_refused(unsplit, "the typed text `[PAD]` would become a control token");
    check_refused(|json| json["model"] = "none".into(), "it is not a tokenizer file");
}

#[test]
fn a_file_with_more_tokens_than_embeddings_is_refused() {
    let error = GuardTokenizer::from_json(file().as_bytes(), VOCAB_SIZE - 1).unwrap_err().to_string();
    assert_eq!(error, "the largest token id is 30521, but `vocab_size` in config.json is 30521");
}

/// Arbitrary text, with markers whole, broken, in other cases and with invisible characters in between.
fn hostile_text() -> impl Strategy<Value = String> {
    let marker = prop::sample::select(&MARKERS[..]);
    let piece = prop_oneof![
        any::<String>(),
        marker.clone().prop_map(str::to_owned),
        marker.clone().prop_map(str::to_lowercase),
        (marker, "[\u{0}\u{200b}\u{ad}\u{301}\u{fe0f} #]{0,2}").prop_map(|(marker, between)| {
            marker.chars().flat_map(|c| std::iter::once(c).chain(between.chars())).collect()
        }),
        "[\\[\\]#A-Z]{0,8}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_becomes_a_control_token(text in hostile_text()) {
        let ids = GUARD.ids(&text).unwrap();
        prop_assert!(!ids.iter().any(|id| CONTROL_IDS.contains(id)), "{text:?}: {ids:?}");
    }
}
