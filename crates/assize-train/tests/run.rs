//! A whole run on a tiny encoder and sentences of our own: it learns, goes on after a cut as if there had been none,
//! and what it writes is a model folder that the service loads and verifies.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use assize_candle::{DeviceChoice, GuardModel, Reader, Sequence, Verification};
use assize_domain::{Conversation, JudgeRequest, Limits, Role, Turn, TurnText};
use assize_train::config::TrainConfig;
use assize_train::export::{self, Trained};
use assize_train::run::Run;
use assize_train::variables;
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use tempfile::TempDir;

const WORDS: [&str; 20] = [
    "how", "to", "make", "a", "bomb", "bread", "cake", "poison", "tea", "gun", "song", "kill", "love", "my",
    "cat", "boss", "no", "yes", "sorry", "now",
];
const HIDDEN: usize = 16;
const POSITIONS: usize = 64;

fn base(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].iter().chain(&WORDS).enumerate();
    let vocabulary: Vec<String> = vocabulary.map(|(id, word)| format!("\"{word}\":{id}")).collect();
    let size = vocabulary.len();
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].iter().enumerate().map(|(id, content)| {
        format!(
            r#"{{"id":{id},"content":"{content}","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}}"#
        )
    });
    let tokenizer = format!(
        r###"{{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{}],
"normalizer":{{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}},
"pre_tokenizer":{{"type":"BertPreTokenizer"}},"post_processor":null,"decoder":null,
"model":{{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
"vocab":{{{}}}}}}}"###,
        special.collect::<Vec<_>>().join(","),
        vocabulary.join(",")
    );
    std::fs::write(folder.join("tokenizer.json"), tokenizer).unwrap();
    let config = format!(
        r#"{{"hidden_size":{HIDDEN},"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":24,"hidden_act":"gelu",
"layer_norm_eps":1e-12,"max_position_embeddings":{POSITIONS},"type_vocab_size":2,"vocab_size":{size},"model_type":"bert"}}"#
    );
    std::fs::write(folder.join("config.json"), config).unwrap();
    variables::save(&tensors(size), &folder.join("model.safetensors")).unwrap();
}

/// Small numbers that depend on the place only; normalisations begin at the identity.
fn tensors(vocabulary: usize) -> BTreeMap<String, Tensor> {
    let mut tensors = BTreeMap::new();
    let mut add = |name: &str, shape: &[usize]| {
        let number = |index: u32| f32::from(u16::try_from(index.wrapping_mul(0x9e37_79b9) >> 16).unwrap());
        let count = shape.iter().product();
        let numbers: Vec<f32> = if name.ends_with("LayerNorm.weight") {
            vec![1.0; count]
        } else {
            (0..).map(number).take(count).map(|number| (number / 32768.0 - 1.0) * 0.2).collect()
        };
        tensors.insert(name.to_owned(), Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap());
    };
    add("embeddings.word_embeddings.weight", &[vocabulary, HIDDEN]);
    add("embeddings.position_embeddings.weight", &[POSITIONS, HIDDEN]);
    add("embeddings.token_type_embeddings.weight", &[2, HIDDEN]);
    add("pooler.dense.weight", &[HIDDEN, HIDDEN]);
    let linears = [
        ("attention.self.query", HIDDEN, HIDDEN),
        ("attention.self.key", HIDDEN, HIDDEN),
        ("attention.self.value", HIDDEN, HIDDEN),
        ("attention.output.dense", HIDDEN, HIDDEN),
        ("intermediate.dense", 24, HIDDEN),
        ("output.dense", HIDDEN, 24),
    ];
    for (name, output, input) in linears {
        add(&format!("encoder.layer.0.{name}.weight"), &[output, input]);
        add(&format!("encoder.layer.0.{name}.bias"), &[output]);
    }
    for name in ["embeddings.", "encoder.layer.0.attention.output.", "encoder.layer.0.output."] {
        add(&format!("{name}LayerNorm.weight"), &[HIDDEN]);
        add(&format!("{name}LayerNorm.bias"), &[HIDDEN]);
    }
    tensors
}

/// Harmful where one of four words is named, with a tree; a reply that says sorry is a refusal.
fn data(folder: &Path) {
    for part in ["train", "trees", "replies"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    let bad = ["bomb", "poison", "gun", "kill"];
    let (mut prompts, mut trees, mut held) = (String::new(), String::new(), String::new());
    for (index, (verb, noun)) in
        ["make", "love", "kill"].iter().flat_map(|verb| WORDS.map(|noun| (*verb, noun))).enumerate()
    {
        let prompt = format!("how to {verb} a {noun} now");
        let harmful = bad.contains(&verb) || bad.contains(&noun);
        let reply = if harmful { "sorry no" } else { "yes make a cake" };
        writeln!(
            prompts,
            r#"{{"id":"p-{index}","prompt":"{prompt}","response":"{reply}","prompt_harmful":{harmful},"response_harmful":false,"response_refusal":{harmful},"adversarial":null}}"#
        )
        .unwrap();
        let harms = if harmful {
            r#"[{"stakeholder":"public","category":"Violence & Extremism","action":"Violent Acts","effect":"Death","extent":"major","likelihood":"high","immediate":true}]"#
        } else {
            "[]"
        };
        let row = format!(
            r#"{{"id":"t-{index}","prompt":"my {prompt}","prompt_harmful":{harmful},"adversarial":false,"risk_categories":[],"harms":{harms},"benefits":[]}}"#
        );
        writeln!(if index % 4 == 0 { &mut held } else { &mut trees }, "{row}").unwrap();
    }
    std::fs::write(folder.join("train/prompts.jsonl"), prompts).unwrap();
    std::fs::write(folder.join("trees/train.jsonl"), trees).unwrap();
    std::fs::write(folder.join("trees/validation.jsonl"), held).unwrap();
}

fn recipe(folder: &Path, output: &str, tokens: u64) -> TrainConfig {
    let text = format!(
        r#"
seeds = [3, 4]
base = "base"
output = "{output}"
[schedule]
tokens = {tokens}
batch_tokens = 256
sequence_tokens = [16, 24]
warm_up = 0.1
measure_every = 8000
[optimizer]
rate = 3e-3
head_rate = 1e-2
weight_decay = 0.0
clip = 1.0
average = 0.9
[calibration]
sets = ["trees/validation.jsonl"]
[card]
name = "tiny"
version = "1"
licence = "Apache-2.0"
summary = "for tests"
intended_use = "none"
limitations = []
window_tokens = 64
prompt_share = 0.5
max_windows = 2
[card.operating_points]
adversarial = 0.5
prompt_harmful = 0.4
response_harmful = 0.5
response_refusal = 0.8
[data]
root = "data"
hold_out = ["trees/validation.jsonl"]
development_share = 0.1
[data.augment]
[[data.sets]]
path = "train/prompts.jsonl"
[[data.sets]]
path = "trees/train.jsonl"
"#
    );
    let file = folder.join(format!("{output}.toml"));
    std::fs::write(&file, text).unwrap();
    TrainConfig::read(&file).unwrap()
}

fn workplace() -> TempDir {
    let folder = TempDir::new().unwrap();
    base(&folder.path().join("base"));
    data(&folder.path().join("data"));
    folder
}

#[test]
fn a_run_learns_and_writes_a_folder_that_the_service_verifies() {
    let place = workplace();
    let config = recipe(place.path(), "out", 60_000);
    let folder = config.output.join("model");
    let mut trained = Vec::new();
    let mut last = None;
    for config in config.runs() {
        let mut run = Run::open(config, false).unwrap();
        run.train().unwrap();
        trained.push(Trained::of(&run).unwrap());
        last = Some(run);
    }
    export::export(&last.unwrap(), &trained, &folder).unwrap();
    let model = GuardModel::load(&folder, DeviceChoice::Cpu).unwrap();
    assert!(matches!(model.verification(), Verification::Replayed { .. }), "{:?}", model.verification());
    check_context(model);
    let record = std::fs::read_to_string(folder.join("training.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    for (figure, least) in [("auroc.prompt_harmful", 0.95), ("r.harm_mass", 0.9)] {
        let found = record["validation"][figure].as_f64().unwrap();
        assert!(found > least, "{figure} is {found}");
    }
    assert_eq!(record["sets"][0]["digest"].as_str().unwrap().len(), 64);
    assert_eq!((&record["runs"][0]["seed"], &record["runs"][1]["seed"]), (&3.into(), &4.into()));
    let svg = std::fs::read_to_string(folder.join("learning-curve.svg")).unwrap();
    assert!(svg.contains("r.harm_mass") && svg.contains("polyline"), "{svg}");
}

/// The service reads a turn after earlier ones as the trainer taught it: apart, and without the context by itself.
fn check_context(model: GuardModel) {
    let (reader, mut encoder) = Reader::split(model);
    let turn = |role, text: &str| Turn { role, text: TurnText::new(text) };
    let turns = vec![
        turn(Role::User, "make tea"),
        turn(Role::Assistant, "yes"),
        turn(Role::User, "how to kill my cat"),
    ];
    let limits = Limits { max_turns: 8, max_turn_bytes: 1000 };
    let conversation = Conversation::new(turns, JudgeRequest::Prompt, limits).unwrap();
    let mut reading = reader.read(&conversation).unwrap();
    let sequences = reading.take_sequences();
    let [alone, in_context]: [Sequence; 2] = sequences.try_into().unwrap();
    assert_eq!(in_context.tokens(), alone.tokens() + 3, "two words and what closes them");
    assert!(in_context.type_ids().all(|kind| kind == 0));
    let outputs = encoder.infer(&[&alone, &in_context]).unwrap();
    let assessment = reading.assess(&outputs).unwrap();
    assert!(assessment.guard.prompt.unwrap().harmful.get() > 0.5);
}

#[test]
fn a_run_that_was_cut_off_goes_on_as_if_it_had_not_been() {
    let place = workplace();
    let weights = |run: &Run| -> Vec<f32> {
        let tensors = run.averages().unwrap();
        tensors["heads.binary.weight"].flatten_all().unwrap().to_vec1().unwrap()
    };
    let mut whole = Run::open(recipe(place.path(), "whole", 24_000), false).unwrap();
    whole.train().unwrap();
    // The same schedule, stopped at the first checkpoint after two thirds of it.
    let mut first = Run::open(recipe(place.path(), "parts", 24_000), false).unwrap();
    first.train_until(16_000).unwrap();
    drop(first);
    let mut second = Run::open(recipe(place.path(), "parts", 24_000), true).unwrap();
    let tokens = second.progress().tokens;
    assert!((8_000..24_000).contains(&tokens), "resumed at {tokens}");
    second.train().unwrap();
    let (expected, given) = (weights(&whole), weights(&second));
    let farthest = expected.iter().zip(&given).map(|(a, b)| (a - b).abs()).fold(0.0_f32, f32::max);
    assert!(farthest < 1e-6, "weights differ by {farthest}");
}

#[test]
fn lessons_for_other_encoders_are_those_of_the_run() {
    let place = workplace();
    let run = Run::open(recipe(place.path(), "lessons", 8000), false).unwrap();
    run.write_lessons(2).unwrap();
    let read =
        |file: &str| candle_core::safetensors::load(run.config.output.join(file), &Device::Cpu).unwrap();
    let (two, held) = (read("lessons.safetensors"), read("validation.safetensors"));
    for file in [&two, &held] {
        let starts = file["starts"].to_vec1::<i64>().unwrap();
        let (ids, rows) = (file["ids"].to_vec1::<u32>().unwrap(), file["weight"].dims1().unwrap());
        assert_eq!(starts.len(), rows + 1);
        assert_eq!(starts.last().copied(), i64::try_from(ids.len()).ok());
        assert!(
            starts.iter().take(rows).all(|start| ids[usize::try_from(*start).unwrap()] == 2),
            "[CLS] first"
        );
        assert_eq!(file["types"].dims1().unwrap(), ids.len());
        assert_eq!(file["binary"].dims2().unwrap(), (rows, 4));
        assert_eq!(file["tree"].dims2().unwrap(), (file["tree_rows"].dims1().unwrap(), 1370));
    }
    assert_eq!(held["weight"].dims1().unwrap(), 15);
    let unknown = two["binary"].flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!(unknown.iter().any(|label| label.is_nan()) && unknown.contains(&1.0));
}

#[test]
fn mistakes_are_told_before_the_work() {
    let place = workplace();
    let file = place.path().join("wrong.toml");
    recipe(place.path(), "right", 1000);
    let right = std::fs::read_to_string(place.path().join("right.toml")).unwrap();
    for (from, to, expected) in [
        ("rate = 3e-3", "rate = 3.0", "`optimizer.rate` is 3; allowed: above 0, below 0.1"),
        (
            "sequence_tokens = [16, 24]",
            "sequence_tokens = [24, 16]",
            "`schedule.sequence_tokens` is [24, 16]",
        ),
        ("prompt_share = 0.5", "prompt_share = 1.5", "`card.prompt_share` is 1.5; allowed: between 0 and 1"),
        ("base = \"base\"", "base = \"nowhere\"", "config.json"),
        (
            "sets = [\"trees/validation.jsonl\"]",
            "sets = [\"train/x.jsonl\"]",
            "`calibration.sets` names `train/x.jsonl`",
        ),
        ("path = \"train/prompts.jsonl\"", "path = \"bench/xstest.jsonl\"", "bench/xstest.jsonl"),
    ] {
        assert!(right.contains(from), "{from}");
        std::fs::write(&file, right.replacen(from, to, 1)).unwrap();
        let error =
            TrainConfig::read(&file).and_then(|config| Run::open(config, false).map(|_| ())).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains(expected), "{to}: {text}");
    }
}
