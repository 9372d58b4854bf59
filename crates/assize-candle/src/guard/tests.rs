//! Templates against transformers (`tests/tokenizers/make.py`), and choices against whole forward passes.

use super::*;
use crate::{
    DeviceChoice,
    decoder::{Chunk, Decoder, DecoderPrecision, KvSequence},
};
use assize_domain::{Conversation, GuardHead, JudgeRequest, Limits, RiskCategory, Role, Turn, TurnText};
use assize_inference::{BatchModel, Weigh};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

#[derive(Deserialize)]
struct Expected {
    cases: Vec<Case>,
    hostile: Vec<Hostile>,
}

#[derive(Deserialize)]
struct Case {
    guard: String,
    subject: String,
    tokenizer: String,
    prompt: String,
    response: Option<String>,
    tokens: Vec<u32>,
}

#[derive(Deserialize)]
struct Hostile {
    guard: String,
    prompt: String,
}

const TOKENIZERS: [(&str, &str); 5] = [
    ("wildguard", "mistral"),
    ("llama-guard-3", "llama3"),
    ("qwen3guard-gen", "qwen"),
    ("shieldgemma", "gemma"),
    ("granite-guardian", "granite"),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn expected() -> Expected {
    let file = folder().join("tests/tokenizers/expected.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn tokenizer(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("tests/tokenizers/{name}.json"))).unwrap()
}

/// A guard that ships, with a tiny tokenizer of its family.
fn shipped(guard: &str) -> GuardReader {
    let file = folder().join(format!("../../config/models/{guard}.toml"));
    let spec = GuardSpec::parse(&std::fs::read_to_string(file).unwrap()).unwrap();
    let (_, name) = TOKENIZERS.into_iter().find(|(known, _)| *known == guard).unwrap();
    // A tiny tokenizer cuts the template into many more tokens than a real one.
    let spec = GuardSpec { context_tokens: 32_768, ..spec };
    GuardReader::new(spec, Vocabulary::from_json(&tokenizer(name), 100_000).unwrap()).unwrap()
}

fn conversation(prompt: &str, response: Option<&str>, judge: JudgeRequest) -> Conversation {
    let turn = |role, text: &str| Turn { role, text: TurnText::new(text) };
    let turns =
        [turn(Role::User, prompt)].into_iter().chain(response.map(|text| turn(Role::Assistant, text)));
    let limits = Limits { max_turns: 9, max_turn_bytes: 1 << 20 };
    Conversation::new(turns.collect(), judge, limits).unwrap()
}

#[test]
fn shipped_templates_give_the_tokens_that_transformers_gives() {
    let mut seen = BTreeSet::new();
    for case in expected().cases {
        if !TOKENIZERS.contains(&(&case.guard, &case.tokenizer)) {
            continue;
        }
        let reader = shipped(&case.guard);
        let judge = if case.subject == "prompt" { JudgeRequest::Prompt } else { JudgeRequest::Response };
        let mut reading = reader.read(&conversation(&case.prompt, case.response.as_deref(), judge)).unwrap();
        let plans = reader.plans();
        let found = reading.take_questions().into_iter().any(|question| {
            let lead = plans[question.plan].lead.len();
            question.tokens[..question.tokens.len() - lead] == case.tokens
        });
        assert!(found, "{} ({}): {:?}", case.guard, case.subject, case.prompt);
        seen.insert((case.guard, case.subject));
    }
    assert_eq!(seen.len(), 2 * TOKENIZERS.len(), "{seen:?}");
}

#[test]
fn what_a_user_types_never_becomes_a_control_token() {
    let mut cases = 0;
    for hostile in expected().hostile {
        let Some((_, name)) = TOKENIZERS.into_iter().find(|(guard, _)| *guard == hostile.guard) else {
            continue;
        };
        let reader = shipped(&hostile.guard);
        let parsed: serde_json::Value = serde_json::from_slice(&tokenizer(name)).unwrap();
        let added = parsed["added_tokens"].as_array().unwrap();
        let controls: BTreeSet<u64> = added.iter().map(|token| token["id"].as_u64().unwrap()).collect();
        let count = |text: &str| {
            let mut reading = reader.read(&conversation(text, None, JudgeRequest::Prompt)).unwrap();
            let questions = reading.take_questions();
            let of = |question: &Question| {
                question.tokens.iter().filter(|token| controls.contains(&u64::from(**token))).count()
            };
            questions.iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(count(&hostile.prompt), count("hello"), "{}: {:?}", hostile.guard, hostile.prompt);
        cases += 1;
    }
    assert!(cases >= 20, "{cases}");
}

#[test]
fn a_tokenizer_that_looks_up_whole_words_spells_control_tokens() {
    let mut parsed: serde_json::Value = serde_json::from_slice(&tokenizer("llama3")).unwrap();
    let next = u32::try_from(parsed["model"]["vocab"].as_object().unwrap().len()).unwrap() + 20;
    // A control token that the vocabulary lists among its words, as one that a splitter leaves whole.
    parsed["model"]["vocab"]["stop"] = json!(next);
    parsed["added_tokens"].as_array_mut().unwrap().push(json!({
        "id": next, "content": "stop", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true
    }));
    let vocabulary = Vocabulary::from_json(&serde_json::to_vec(&parsed).unwrap(), 100_000).unwrap();
    assert_eq!(vocabulary.control("stop"), Some(next));
    let ids = vocabulary.text("stop", true).unwrap();
    assert!(!ids.contains(&next) && ids.len() == 4, "{ids:?}");
}

#[test]
fn line_breaks_that_a_vocabulary_lists_as_added_tokens_stay_text() {
    let mut parsed: serde_json::Value = serde_json::from_slice(&tokenizer("gemma")).unwrap();
    let next = parsed["model"]["vocab"].as_object().unwrap().len()
        + parsed["added_tokens"].as_array().unwrap().len();
    let special = parsed["added_tokens"].as_array().unwrap().len();
    for (offset, content) in ["\n\n", "<table>"].into_iter().enumerate() {
        parsed["model"]["vocab"][content] = json!(next + offset);
        parsed["added_tokens"].as_array_mut().unwrap().push(json!({
            "id": next + offset, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": false
        }));
    }
    let bytes = serde_json::to_vec(&parsed).unwrap();
    let vocabulary = Vocabulary::from_json(&bytes, 100_000).unwrap();
    let whole = tokenizers::Tokenizer::from_bytes(&bytes).unwrap();
    let text = "How do I\n\nbake bread";
    let expected = whole.encode_fast(text, false).unwrap().get_ids().to_vec();
    assert_eq!(vocabulary.ids(text).unwrap(), expected);
    assert!(expected.contains(&whole.token_to_id("\n\n").unwrap()) && special > 0);
    let spelled = vocabulary.ids("a <table> b").unwrap();
    assert!(!spelled.contains(&whole.token_to_id("<table>").unwrap()));
    assert!(spelled.len() > vocabulary.ids("a  b").unwrap().len() + 3, "what was typed is gone");
}

/// 94 letters, and two control tokens: a vocabulary for the tiny checkpoints.
fn letters() -> Vocabulary {
    let letters = (b' '..=b'z').map(char::from).chain("\n|}".chars());
    let mut vocab: serde_json::Map<String, serde_json::Value> =
        letters.enumerate().map(|(id, letter)| (letter.to_string(), json!(id))).collect();
    let first = vocab.len();
    vocab.insert("<unk>".to_owned(), json!(first));
    let added = json!([{ "id": first + 1, "content": "<go>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true }]);
    let parsed = json!({ "version": "1.0", "added_tokens": added, "normalizer": null, "pre_tokenizer": null,
        "post_processor": null, "decoder": null,
        "model": { "type": "BPE", "vocab": vocab, "merges": [], "unk_token": "<unk>", "fuse_unk": false } });
    Vocabulary::from_json(&serde_json::to_vec(&parsed).unwrap(), 96).unwrap()
}

const SPEC: &str = r#"
name = "letters"
summary = "A guard for tests."
context_tokens = 160
strip = true
templates.main = "<go>Is it bad?\nU: {{prompt}}\nA: {{response}}\n<go>"

[[query]]
template = "main"
reads = "prompt"
answers = [{ before = "bad:", head = "prompt_harmful", labels = [{ text = " yes", says = 1 }, { text = "no" }] }]

[[query]]
template = "main"
reads = "response"
[[query.answers]]
before = "bad:"
head = "prompt_harmful"
labels = [{ text = "yes", says = 1 }, { text = "no" }]
[[query.answers]]
before = "\nreply:"
head = "response_harmful"
labels = [{ text = "yes", says = 1 }, { text = "no" }, { text = "void" }]
[[query.answers]]
before = "\nkind:"
given_harmful = true
labels = [{ text = "fraud", risk = ["fraud_assisting_illegal_activities"] }, { text = "porn", risk = ["sexual_content"] }, { text = "x" }]
"#;

fn reader() -> GuardReader {
    GuardReader::new(GuardSpec::parse(SPEC).unwrap(), letters()).unwrap()
}

fn decoder() -> Arc<Decoder> {
    let (from, to) = (folder().join("tests/decoders/qwen3"), tempfile::tempdir().unwrap());
    let config = std::fs::read_to_string(from.join("config.json")).unwrap();
    let longer = config.replace("\"max_position_embeddings\": 64", "\"max_position_embeddings\": 256");
    assert_ne!(config, longer);
    std::fs::write(to.path().join("config.json"), longer).unwrap();
    std::fs::copy(from.join("model.safetensors"), to.path().join("model.safetensors")).unwrap();
    Arc::new(Decoder::load(to.path(), DeviceChoice::Cpu, DecoderPrecision::Portable).unwrap())
}

/// The same by reading everything anew for each answer, without a cache that outlives it.
fn by_whole_passes(decoder: &Decoder, plan: &Plan, question: &Question) -> Vec<Vec<f32>> {
    let mut tokens = question.tokens.clone();
    let mut all = Vec::new();
    for answer in &plan.answers {
        let mut cache = decoder.cache(512).unwrap();
        let mut sequence = KvSequence::default();
        let chunk = Chunk { tokens: &tokens, sequence: &mut sequence, wanted: 1 };
        let hidden = decoder.forward(&mut cache, &mut [chunk]).unwrap();
        let logits: Vec<f32> = decoder.logits(&hidden).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let powers: Vec<f32> =
            answer.labels.iter().map(|label| logits[usize::try_from(label.token).unwrap()].exp()).collect();
        let sum: f32 = powers.iter().sum();
        let chances: Vec<f32> = powers.iter().map(|power| power / sum).collect();
        let best = (0..chances.len()).max_by(|one, other| chances[*one].total_cmp(&chances[*other])).unwrap();
        tokens.extend(&answer.labels[answer.then.unwrap_or(best)].after);
        all.push(chances);
    }
    all
}

fn questions(reader: &GuardReader) -> Vec<Question> {
    let texts = [
        ("How do I bake bread?", None),
        ("x", Some("no")),
        ("a rather longer question about nothing in particular, twice over", Some("An answer, with words.")),
        ("How do I bake bread?", Some("With flour.")),
    ];
    let read = |(prompt, response): (&str, Option<&str>)| {
        reader.read(&conversation(prompt, response, JudgeRequest::WhatIsThere)).unwrap().take_questions()
    };
    texts.into_iter().flat_map(read).collect()
}

#[test]
fn choices_are_those_of_whole_passes_alone_and_in_a_batch() {
    let (reader, decoder) = (reader(), decoder());
    let plans = reader.plans();
    let mut judge = GuardJudge::new(Arc::clone(&decoder), Arc::clone(&plans), 2048).unwrap();
    let questions = questions(&reader);
    assert!(questions.iter().any(|question| question.shared > 0), "nothing is shared");
    let batch = judge.judge(&questions.iter().collect::<Vec<_>>()).unwrap();
    for (question, batched) in questions.iter().zip(batch) {
        let alone = judge.judge(&[question]).unwrap().remove(0);
        let whole = by_whole_passes(&decoder, &plans[question.plan], question);
        for ((alone, batched), whole) in alone.0.iter().zip(&batched.0).zip(&whole) {
            for ((alone, batched), whole) in alone.iter().zip(batched).zip(whole) {
                assert!(
                    (alone - whole).abs() < 1e-4 && (batched - whole).abs() < 1e-4,
                    "{alone} {batched} {whole}"
                );
            }
        }
    }
}

#[test]
fn a_cache_with_room_for_one_takes_one_after_the_other() {
    let (reader, decoder) = (reader(), decoder());
    let questions = questions(&reader);
    let inputs: Vec<&Question> = questions.iter().collect();
    let mut wide = GuardJudge::new(Arc::clone(&decoder), reader.plans(), 4096).unwrap();
    let mut narrow = GuardJudge::new(decoder, reader.plans(), 460).unwrap();
    let (wide, narrow) = (wide.judge(&inputs).unwrap(), narrow.judge(&inputs).unwrap());
    for (wide, narrow) in wide.iter().zip(&narrow).flat_map(|(one, other)| one.0.iter().zip(&other.0)) {
        assert!(wide.iter().zip(narrow).all(|(one, other)| (one - other).abs() < 1e-5));
    }
}

#[test]
fn a_device_without_room_for_a_step_is_given_less_at_a_time() {
    let (reader, decoder) = (reader(), decoder());
    let questions = questions(&reader);
    let inputs: Vec<&Question> = questions.iter().collect();
    let mut judge = GuardJudge::new(decoder, reader.plans(), 4096).unwrap();
    let expected = judge.judge(&inputs).unwrap();
    judge.room_for = Some(130);
    let given = judge.judge(&inputs).unwrap();
    for (one, other) in expected.iter().zip(&given).flat_map(|(one, other)| one.0.iter().zip(&other.0)) {
        assert!(one.iter().zip(other).all(|(one, other)| (one - other).abs() < 1e-5));
    }
    assert_eq!((judge.take_splits(), judge.take_splits()), (2, 0));
    judge.room_for = Some(10);
    let error = judge.judge(&inputs).unwrap_err().to_string();
    assert!(error.contains("OUT_OF_MEMORY"), "{error}");
}

#[test]
fn a_run_between_the_steps_of_another_changes_nothing() {
    let (reader, decoder) = (reader(), decoder());
    let questions = questions(&reader);
    let mut judge = GuardJudge::new(decoder, reader.plans(), 4096).unwrap();
    let expected = judge.judge(&questions.iter().collect::<Vec<_>>()).unwrap();
    let mut outer = judge.begin(&questions.iter().collect::<Vec<_>>()).unwrap();
    assert!(judge.advance(&mut outer).unwrap().is_none());
    assert_eq!(judge.judge(&[&questions[0]]).unwrap()[0].0.len(), 1);
    let given = loop {
        if let Some(choices) = judge.advance(&mut outer).unwrap() {
            break choices;
        }
    };
    assert_eq!(given, expected);
}

#[test]
fn choices_become_scores_of_heads_and_categories() {
    let reader = reader();
    let reading = reader.read(&conversation("hm", Some("ok"), JudgeRequest::WhatIsThere)).unwrap();
    let choices = Choices(vec![vec![0.9, 0.1], vec![0.25, 0.5, 0.25], vec![0.5, 0.2, 0.3]]);
    let opinion = reader.opinion(&reading, &[choices]).unwrap();
    let head = |head| opinion.head(head).map(|score| score.get());
    assert_eq!(head(GuardHead::PromptHarmful), Some(0.9));
    assert_eq!(head(GuardHead::ResponseHarmful), Some(0.25));
    assert_eq!(head(GuardHead::ResponseRefusal), None);
    assert_eq!(opinion.risk[&RiskCategory::SexualContent].get(), 0.2 * 0.25);
    let broken = Choices(vec![vec![f32::NAN, 0.1], vec![0.25, 0.5, 0.25], vec![0.5, 0.2, 0.3]]);
    assert!(matches!(reader.opinion(&reading, &[broken]), Err(OpinionError::NotFinite)));
}

#[test]
fn a_text_beyond_the_limit_loses_its_middle_and_says_so() {
    let reader = reader();
    let long: String = ('a'..='z').cycle().take(500).collect();
    let mut reading = reader.read(&conversation(&long, None, JudgeRequest::Prompt)).unwrap();
    let coverage = reading.prompt_coverage();
    assert!(!coverage.unwrap().is_whole() && coverage.unwrap().judged > 60, "{coverage:?}");
    let questions = reading.take_questions();
    assert!(questions[0].tokens.len() <= 160, "{}", questions[0].tokens.len());
    assert!(questions[0].tokens() < questions[0].tokens.len());
    let refusing = GuardSpec { beyond: Beyond::Refuse, ..GuardSpec::parse(SPEC).unwrap() };
    let refusing = GuardReader::new(refusing, letters()).unwrap();
    let error = refusing.read(&conversation(&long, None, JudgeRequest::Prompt)).unwrap_err();
    assert!(error.to_string().contains("500 tokens"), "{error}");
}

fn check_refused(from: &str, to: &str, expected: &str) {
    let changed = SPEC.replacen(from, to, 1);
    assert_ne!(changed, SPEC, "{from} is not there");
    let error = match GuardSpec::parse(&changed) {
        Err(error) => format!(
            "{error}: {}",
            std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default()
        ),
        Ok(spec) => {
            let error = GuardReader::new(spec, letters()).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            format!("{error}: {source}")
        }
    };
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_file_that_does_not_fit_is_refused_with_what_is_allowed() {
    check_refused("name = \"letters\"", "name = \"Letters\"", "lower-case letters");
    check_refused("U: {{prompt}}", "U: {{prompt}} {{promt}}", "`{{promt}}` is no slot");
    check_refused("U: {{prompt}}", "U: {{prompt}} {{", "is not closed");
    check_refused("strip = true", "strip = true\nstirp = true", "unknown field");
    check_refused("prompt_harmful", "prompt_harm", "`response_refusal`");
    check_refused("sexual_content", "sex", "`sexual_content`");
    check_refused("text = \"no\"", "text = \" nah\"", "begin with the same token");
    check_refused("template = \"main\"", "template = \"other\"", "allowed: `main`");
    check_refused("strip = true", "begin = \"<start>\"", "no added token");
    check_refused("context_tokens = 160", "context_tokens = 60", "nothing is left");
    check_refused("says = 1", "says = 2", "0 to 1");
    check_refused("A: {{response}}", "A: {{response}} {{criterion}}", "the slot and `criteria` together");
    check_refused("U: {{prompt}}", "U:", "a template that holds `{{prompt}}`");
    check_refused(
        "before = \"bad:\"\nhead",
        "before = \"bad:\"\ngiven_harmful = true\nhead",
        "behind an answer whose head",
    );
}
