//! What a model folder must be, and what is said of one that is not. Works on a tiny checkpoint made here.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests: a panic is a failed test")]

mod golden;
mod tiny;

use assize_candle::{DeviceChoice, GuardModel, LoadError, Sequence};
use std::{error::Error, path::Path};
use tiny::TinyFolder;

fn load(folder: &Path) -> Result<GuardModel, LoadError> {
    GuardModel::load(folder, DeviceChoice::Cpu)
}

/// The error's text, its causes after it.
fn refusal(folder: &Path) -> String {
    let error = load(folder).expect_err("the folder is broken");
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Every text in `expected` must be in the refusal.
fn check(folder: &TinyFolder, expected: &[&str]) {
    let text = refusal(folder.path());
    for part in expected {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[test]
fn a_sound_folder_loads_and_judges() {
    let folder = TinyFolder::new();
    let mut guard = load(folder.path()).unwrap();
    assert_eq!(&*guard.identity.name, "tiny");
    let sequence = Sequence::pair(guard.framing, &[5, 6], &[7]).unwrap();
    let logits = guard.encoder.infer(&[&sequence]).unwrap();
    assert!(logits[0].binary.iter().all(|logit| logit.is_finite()), "{logits:?}");
    assert!(logits[0].tree.tree().is_some(), "{logits:?}");
}

#[test]
fn each_file_must_be_there() {
    for file in tiny::FILES {
        let folder = TinyFolder::new();
        folder.remove(file);
        check(&folder, &[file, "can't be read", "model.safetensors, tokenizer.json and card.toml"]);
    }
}

#[test]
fn each_file_must_be_of_its_kind() {
    for (file, expected) in [
        ("config.json", "is not the configuration of a guard model (JSON)"),
        ("model.safetensors", "is not a whole safetensors file"),
        ("tokenizer.json", "it is not a tokenizer file"),
        ("card.toml", "is not a model card (TOML)"),
    ] {
        let folder = TinyFolder::new();
        folder.write(file, b"<html>");
        check(&folder, &[file, expected]);
    }
}

#[test]
fn a_setting_of_the_configuration_must_be_known_and_allowed() {
    for (from, to, expected) in [
        (r#""hidden_act":"gelu""#, r#""hidden_act":"relu""#, "`hidden_act` is `relu`; allowed: gelu;"),
        (r#""bert-encoder""#, r#""llama""#, "`architecture` is `llama`; allowed: bert-encoder;"),
        ("mean over tokens", "max over tokens", "`pooling` is `concat(max over tokens, first token)`"),
        (r#""risk":"sigmoid""#, r#""risk":"softmax""#, "`activations.risk` is `softmax`; allowed: sigmoid"),
        (r#""dtype":"f32""#, r#""dtype":"int8""#, "`dtype` is `int8`; allowed: f16, bf16, f32"),
        (r#""hidden_size":8"#, r#""hidden_size":0"#, "`hidden_size` is `0`; allowed: 1 to"),
        (r#""num_attention_heads":2"#, r#""num_attention_heads":3"#, "divisors of `hidden_size`, which is 8"),
        (r#""type_vocab_size":2"#, r#""type_vocab_size":1"#, "`type_vocab_size` is `1`; allowed: 2 to"),
        (r#""layer_norm_eps":1e-12"#, r#""layer_norm_eps":0.0"#, "`layer_norm_eps` is `0`"),
        (r#""pad_token_id":0"#, r#""pad_token_id":10"#, "`pad_token_id` is `10`"),
        (r#""hidden_size":8"#, r#""hidden":8"#, "unknown field `hidden`"),
        (r#""pad_token_id":0,"#, "", "missing field `pad_token_id`"),
    ] {
        let folder = TinyFolder::new();
        folder.replace("config.json", from, to);
        check(&folder, &["config.json", expected]);
    }
}

#[test]
fn heads_must_be_exactly_the_taxonomies() {
    for (from, to, expected) in [
        (r#""adversarial""#, r#""jailbreak""#, "`heads.binary` is `jailbreak`; allowed: prompt_harmful, "),
        (r#""cyberattack""#, r#""Weather""#, "`heads.risk` is `Weather`; allowed: sensitive_information_"),
        (r#","cyberattack""#, "", "`heads.risk` lacks `cyberattack`"),
        // An id and a title of one category.
        (r#""copyright_violations""#, r#""Cyberattack""#, "`heads.risk` has `cyberattack` more than once"),
        (r#","adversarial""#, "", "`heads.binary` lacks `adversarial`"),
        (r#","adversarial""#, r#","prompt_harmful""#, "`heads.binary` has `prompt_harmful` more than once"),
    ] {
        let folder = TinyFolder::new();
        folder.replace("config.json", from, to);
        check(&folder, &["config.json", expected]);
    }
}

#[test]
fn leaves_must_lie_along_the_axes_of_this_service() {
    let wrong = "so export the model again";
    for (from, to, expected) in [
        (r#""Deception""#, r#""deception""#, "`heads.leaves.categories` is `Security Risks, "),
        (
            r#""Child Harm","Self-harm""#,
            r#""Self-harm","Child Harm""#,
            "`heads.leaves.categories` is `Security Risks, ",
        ),
        (
            r#""minor","significant""#,
            r#""significant","minor""#,
            "`heads.leaves.extents` is `significant, minor, ",
        ),
        (r#","high""#, "", "`heads.leaves.likelihoods` is `low, medium`; allowed: low, medium, high;"),
        (
            r#""user","other individuals""#,
            r#""other individuals","user""#,
            "`heads.leaves.stakeholders` is `other",
        ),
        (r#""Death""#, r#""death""#, "`heads.leaves.effects` is `death, "),
    ] {
        let folder = TinyFolder::new();
        folder.replace("config.json", from, to);
        check(&folder, &["config.json", expected, wrong]);
    }
}

#[test]
fn heads_of_masses_are_refused() {
    for (from, to, expected) in [
        (r#""leaves":{"#, r#""harm_mass":["total"],"leaves":{"#, "unknown field `harm_mass`"),
        (r#""leaves":{"#, r#""benefit_mass":["total"],"leaves":{"#, "unknown field `benefit_mass`"),
        (r#""risk":"sigmoid""#, r#""risk":"sigmoid","harm_mass":"softplus""#, "unknown field `harm_mass`"),
    ] {
        let folder = TinyFolder::new();
        folder.replace("config.json", from, to);
        check(&folder, &["config.json", expected]);
    }
    let folder = TinyFolder::new();
    let config = std::fs::read(folder.path().join("config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    config["heads"].as_object_mut().unwrap().remove("leaves");
    folder.write("config.json", config.to_string().as_bytes());
    check(&folder, &["config.json", "missing field `leaves`"]);
    // The lists are right, but the tensors are of the other kind.
    let folder = TinyFolder::new();
    folder.change_tensors(|tensors| {
        tensors.retain(|tensor| !tensor.name.starts_with("heads.leaves"));
        tensors.push(tiny::tensor("heads.harm_mass.weight", &[16, 16]));
    });
    check(&folder, &["model.safetensors", "has no tensor `heads.leaves.weight` of shape [1370, 16]"]);
}

#[test]
fn rows_of_the_heads_follow_their_names_and_not_their_places() {
    let folder = TinyFolder::new();
    let judge = |folder: &TinyFolder| {
        let mut guard = load(folder.path()).unwrap();
        let sequence = Sequence::single(guard.framing, &[5, 6, 7]).unwrap();
        guard.encoder.infer(&[&sequence]).unwrap().remove(0)
    };
    let before = judge(&folder);
    // The file now says that its first row answers `adversarial`, its last `prompt_harmful`.
    folder.replace("config.json", r#""adversarial""#, r#""TMP""#);
    folder.replace("config.json", r#""prompt_harmful""#, r#""adversarial""#);
    folder.replace("config.json", r#""TMP""#, r#""prompt_harmful""#);
    let after = judge(&folder);
    let [a, b, c, d] = before.binary;
    assert_eq!(after.binary, [d, b, c, a]);
    assert_eq!((after.risk, after.tree), (before.risk, before.tree));
    assert_ne!(a, d);
}

#[test]
fn every_tensor_is_accounted_for() {
    const KEY: &str = "encoder.layer.0.attention.self.key.bias";
    let folder = TinyFolder::new();
    folder.change_tensors(|tensors| tensors.retain(|tensor| tensor.name != KEY));
    check(&folder, &["model.safetensors", &format!("has no tensor `{KEY}` of shape [8]")]);

    let folder = TinyFolder::new();
    folder.change_tensors(|tensors| tensors.push(tiny::tensor("pooler.dense.bias", &[8])));
    check(&folder, &["model.safetensors", "has 1 tensors that", "among them `pooler.dense.bias`"]);

    let folder = TinyFolder::new();
    folder.change_tensors(|tensors| *tiny::find(tensors, KEY) = tiny::tensor(KEY, &[9]));
    check(&folder, &["model.safetensors", KEY, "has shape [9], but config.json asks for [8]"]);

    let folder = TinyFolder::new();
    folder.change_tensors(|tensors| tiny::find(tensors, KEY).numbers[3] = f32::NAN);
    check(&folder, &["model.safetensors", KEY, "not finite"]);

    let folder = TinyFolder::new();
    folder.replace("config.json", r#""dtype":"f32""#, r#""dtype":"f16""#);
    check(&folder, &["model.safetensors", "is F32, but `dtype` in config.json is f16"]);
}

#[test]
fn a_card_must_be_complete_and_in_range() {
    for (from, to, expected) in [
        ("name = \"tiny\"", "name = \"Tiny model\"", "`name` is `Tiny model`; allowed: 1 to 64"),
        ("summary = \"for tests\"", "summary = \" \"", "`summary` is ` `; allowed: a text that is not blank"),
        ("window_tokens = 16", "window_tokens = 17", "`input.window_tokens` is `17`; allowed: 8 to 16"),
        ("window_tokens = 16", "window_tokens = 7", "`input.window_tokens` is `7`; allowed: 8 to 16"),
        ("prompt_share = 0.5", "prompt_share = 1.0", "`input.prompt_share` is `1`"),
        ("prompt_share = 0.5", "prompt_share = nan", "`input.prompt_share` is `NaN`"),
        ("max_windows = 4", "max_windows = 0", "`input.max_windows` is `0`; allowed: 1 to 64"),
        ("scale = 1.0", "scale = 0.0", "`calibration.prompt_harmful` is `scale 0, offset 0`"),
        ("offset = 0.0", "offset = inf", "`calibration.prompt_harmful` is `scale 1, offset inf`"),
        ("adversarial = 0.5", "adversarial = 1.0", "`operating_points.adversarial` is `1`; allowed: above 0"),
        ("adversarial = 0.5", "adversarial = nan", "`operating_points.adversarial` is `NaN`"),
        ("adversarial = 0.5", "", "missing field `adversarial`"),
        ("max_windows = 4", "max_windows = 4\nstride = 8", "unknown field `stride`"),
    ] {
        let folder = TinyFolder::new();
        folder.replace("card.toml", from, to);
        check(&folder, &["card.toml", expected]);
    }
}

#[test]
fn the_tokenizer_must_fit_the_embeddings() {
    let folder = TinyFolder::new();
    folder.replace("tokenizer.json", r#""word":7"#, r#""word":10"#);
    check(&folder, &["tokenizer.json", "the largest token id is 10, but `vocab_size` in config.json is 10"]);

    let folder = TinyFolder::new();
    folder.replace("tokenizer.json", r#","d":9"#, "");
    check(&folder, &["tokenizer.json", "it has 9 token ids, but `vocab_size` in config.json is 10"]);
}

#[test]
fn a_gpu_that_is_absent_is_never_replaced_by_the_cpu() {
    // Ordinal 99 is on no machine, with or without the feature `cuda`.
    let error = GuardModel::load(TinyFolder::new().path(), DeviceChoice::Cuda(99)).unwrap_err();
    assert!(error.to_string().starts_with("the device Cuda(99) can't be opened; build with"), "{error}");
}

#[test]
fn a_sequence_of_another_model_is_refused() {
    let mut guard = load(TinyFolder::new().path()).unwrap();
    let mut framing = guard.framing;
    framing.max_tokens = 100;
    let too_long = Sequence::single(framing, &[5; 15]).unwrap();
    let error = guard.encoder.infer(&[&too_long]).unwrap_err().to_string();
    assert!(error.starts_with("a sequence of 17 tokens is over the encoder's 16 positions"), "{error}");
    let unknown = Sequence::single(guard.framing, &[5, 10]).unwrap();
    let error = guard.encoder.infer(&[&unknown]).unwrap_err().to_string();
    assert!(error.starts_with("token id 10 is over the vocabulary of 10"), "{error}");
}

#[test]
fn the_revision_changes_with_every_file_and_with_nothing_else() {
    let folder = TinyFolder::new();
    let revision = |folder: &TinyFolder| load(folder.path()).unwrap().identity.revision;
    let mut seen = vec![revision(&folder)];
    assert_eq!(revision(&TinyFolder::new()), seen[0], "the same files elsewhere");
    folder.write("README.md", b"prose");
    assert_eq!(revision(&folder), seen[0], "a file that can't change a score");

    folder.replace("config.json", "{", "{ ");
    seen.push(revision(&folder));
    folder.replace("card.toml", "max_windows = 4", "max_windows = 5");
    seen.push(revision(&folder));
    folder.replace("tokenizer.json", "{", "{ ");
    seen.push(revision(&folder));
    folder.change_tensors(|tensors| tensors[0].numbers[0] += 1.0);
    seen.push(revision(&folder));
    for (index, one) in seen.iter().enumerate() {
        assert!(!seen[..index].contains(one), "{index}");
    }
}
