//! A folder whose parts fit by shape and name and are yet not one model: only its golden.json tells.

use crate::{load, refusal, tiny::TinyFolder};
use assize_candle::{Sequence, Verification, calibrate};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A copy of guard-v1 that a test may change.
struct GuardFolder(TempDir);

impl GuardFolder {
    fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        for file in ["config.json", "tokenizer.json", "card.toml", "golden.json"] {
            std::fs::copy(guard_v1().join(file), folder.path().join(file)).unwrap();
        }
        // 45 MB that no test changes.
        let (from, to) = (guard_v1().join("model.safetensors"), folder.path().join("model.safetensors"));
        std::fs::hard_link(&from, &to).or_else(|_| std::fs::copy(&from, &to).map(|_| ())).unwrap();
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn edit(&self, file: &str, change: impl FnOnce(&mut Value)) {
        let path = self.path().join(file);
        let mut json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut json);
        std::fs::write(path, json.to_string()).unwrap();
    }
}

fn guard_v1() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/guard-v1")
}

/// Loads guard-v1 with one change; every text in `expected` must be in the refusal, and no prompt.
fn check(file: &str, change: impl FnOnce(&mut Value), expected: &[&str]) {
    let folder = GuardFolder::new();
    folder.edit(file, change);
    let text = refusal(folder.path());
    for part in [&["golden.json"], expected].concat() {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
    for word in ["balcony", "flatmate", "lock", "spät", "robbing", "Say something"] {
        assert!(!text.contains(word), "quotes an input: {text}");
    }
}

const NOT_ONE_MODEL: &str =
    "config.json and tokenizer.json are not of one model, or the device computes otherwise";

#[test]
fn guard_v1_is_verified() {
    let guard = load(&guard_v1()).unwrap();
    let Verification::Replayed { rows, largest_difference } = guard.verification() else {
        panic!("golden.json was not replayed")
    };
    assert_eq!(rows, 4);
    assert!(largest_difference <= 1e-4, "{largest_difference}");
}

#[test]
fn another_number_of_attention_heads_is_refused() {
    check("config.json", |json| json["num_attention_heads"] = 6.into(), &["the logit of `", NOT_ONE_MODEL]);
}

#[test]
fn another_epsilon_is_refused() {
    check("config.json", |json| json["layer_norm_eps"] = 1e-3.into(), &["the logit of `", NOT_ONE_MODEL]);
}

#[test]
fn swapped_names_of_a_head_are_refused() {
    let swap = |head: &'static str, a: usize, b: usize| {
        move |json: &mut Value| json["heads"][head].as_array_mut().unwrap().swap(a, b)
    };
    check("config.json", swap("risk", 9, 10), &["the logit of `risk.", NOT_ONE_MODEL]);
    check("config.json", swap("binary", 1, 2), &["the logit of `binary.", NOT_ONE_MODEL]);
}

#[test]
fn another_mass_of_a_category_is_refused() {
    let change = |json: &mut Value| json[7]["logits"]["harm_mass"][9] = json!(100.0);
    check("golden.json", change, &["row 7: the logit of `harm_mass.deception` differs", NOT_ONE_MODEL]);
}

#[test]
fn a_tokenizer_with_other_rules_is_refused() {
    // Of all rows only the one with accents shows it, and that one is too long to be among the replayed.
    let change = |json: &mut Value| json["normalizer"]["strip_accents"] = false.into();
    check("tokenizer.json", change, &["row 6: the token ids differ", "are not of one model"]);
}

#[test]
fn other_tokens_are_refused_in_every_row() {
    for row in [0, 4, 8, 10, 11] {
        let expected = format!("row {row}: the token ids differ from the file's at place 2 (");
        check("golden.json", |json| json[row]["input_ids"][2] = 7.into(), &[&expected]);
    }
    check(
        "golden.json",
        |json| json[11]["token_type_ids"][15] = 0.into(),
        &["row 11: the type ids differ from the file's at place 15 (16 here, 16 in the file)"],
    );
    check(
        "golden.json",
        |json| json[7]["input_ids"].as_array_mut().unwrap().truncate(2),
        &["row 7: the token ids differ from the file's at place 2 (3 here, 2 in the file)"],
    );
    let too_long = |json: &mut Value| {
        json[7]["prompt"] = "x ".repeat(600).into();
        json[7]["prompt_tokens_kept"] = 600.into();
    };
    check("golden.json", too_long, &["row 7: the input can't be judged", "a sequence of 602 tokens"]);
}

#[test]
fn prompts_and_pairs_are_both_replayed() {
    // The shortest prompt and the shortest pair; seven prompts are shorter than every pair.
    for row in [7, 11] {
        let change = |json: &mut Value| json[row]["logits"]["benefit_mass"] = json!([100.0]);
        check("golden.json", change, &[&format!("row {row}: the logit of `benefit_mass.total` differs")]);
    }
}

#[test]
fn a_file_that_is_no_list_of_inputs_is_refused() {
    let wrong = "is not a list of inputs with their tokens and logits (JSON)";
    check(
        "golden.json",
        |json| json[0]["input_ids"] = "How do I pick a lock?".into(),
        &[wrong, "line 1, column"],
    );
    check("golden.json", |json| json[0]["logits"]["risk"] = json!([0.0]), &[wrong]);
    check("golden.json", |json| *json = json!([]), &["`rows` is `0`; allowed: 1 or more"]);
}

/// Writes what the tiny model says of one prompt as its golden.json.
fn write_golden(folder: &TinyFolder) {
    let mut guard = load(folder.path()).unwrap();
    let sequence = Sequence::single(guard.framing, &[5, 6]).unwrap();
    let logits = guard.encoder.infer(&[&sequence]).unwrap().remove(0);
    let (harm, benefit) = calibrate::expected_tree(&logits).unwrap().unit_masses();
    let row = json!({
        "prompt": "a word word b", "response": null, "prompt_tokens_kept": 2,
        "input_ids": sequence.ids(), "token_type_ids": sequence.type_ids().collect::<Vec<_>>(),
        "logits": {
            "binary": logits.binary, "risk": logits.risk, "harm_mass": harm,
            "benefit_mass": [benefit],
        },
    });
    folder.write("golden.json", json!([row]).to_string().as_bytes());
}

#[test]
fn a_folder_without_references_loads_and_says_so() {
    let folder = TinyFolder::new();
    let without = load(folder.path()).unwrap();
    assert_eq!(without.verification(), Verification::NoReference);
    write_golden(&folder);
    let with = load(folder.path()).unwrap();
    assert!(
        matches!(with.verification(), Verification::Replayed { rows: 1, .. }),
        "{:?}",
        with.verification()
    );
    assert_ne!(with.identity.revision, without.identity.revision);
}

#[test]
fn a_file_that_is_there_and_unreadable_is_not_taken_for_none() {
    let folder = TinyFolder::new();
    std::fs::create_dir(folder.path().join("golden.json")).unwrap();
    assert!(refusal(folder.path()).contains("golden.json` can't be read"));
}

#[test]
fn logits_that_are_not_finite_are_refused() {
    let folder = TinyFolder::new();
    write_golden(&folder);
    // Finite weights whose products are not.
    folder.change_tensors(|tensors| {
        crate::tiny::find(tensors, "heads.binary.weight").numbers.fill(f32::MAX);
    });
    let text = refusal(folder.path());
    assert!(text.contains("row 0: the logit of `binary.") && text.contains("by inf"), "{text}");
}
