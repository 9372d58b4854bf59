//! Files that ship, prompts in tokens, and trees by tiny checkpoints that know nothing.

use super::*;
use crate::{
    DeviceChoice,
    decoder::DecoderPrecision,
    prompt::Vocabulary,
    writing::{TokenBytes, TreeSide, WriteRequest},
};
use assize_domain::{
    ActionCategory, Conversation, Effect, HarmAction, JudgeRequest, Limits, Role, Turn, TurnText,
};
use assize_inference::continuous::ContinuousModel;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Each reporter that ships, and whose tokenizer it has.
const SHIPPED: [(&str, &str); 3] =
    [("safetyanalyst", "llama3"), ("olmo-2-reporter", "olmo2"), ("tulu-3-reporter", "llama3")];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shipped(name: &str) -> ReporterSpec {
    let file = folder().join(format!("../../config/models/{name}.toml"));
    ReporterSpec::parse(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// With a tiny tokenizer of its family, which cuts a template into many more tokens than a real one.
fn reader(spec: &ReporterSpec, tokenizer: &str) -> ReporterReader {
    let json = std::fs::read(folder().join(format!("tests/tokenizers/{tokenizer}.json"))).unwrap();
    let spec = ReporterSpec { context_tokens: spec.answer_tokens.get() + 20_000, ..spec.clone() };
    let vocabulary = Arc::new(Vocabulary::from_json(&json, 600).unwrap());
    let tokens = TokenBytes::from_json(&json, 600).unwrap();
    let side = |side| reader::SideReader::new(&spec, side, Arc::clone(&vocabulary), &tokens).unwrap();
    ReporterReader::new(&spec, 1, side(TreeSide::Harms), side(TreeSide::Benefits)).unwrap()
}

fn conversation(turns: &[(Role, &str)], judge: JudgeRequest) -> Conversation {
    let turns = turns.iter().map(|(role, text)| Turn { role: *role, text: TurnText::new(*text) });
    let limits = Limits { max_turns: 9, max_turn_bytes: 1 << 20 };
    Conversation::new(turns.collect(), judge, limits).unwrap()
}

fn asked(text: &str) -> Conversation {
    conversation(&[(Role::User, text)], JudgeRequest::WhatIsThere)
}

fn prompts(reader: &ReporterReader, text: &str) -> [Vec<u32>; 2] {
    reader.read(&asked(text)).unwrap().unwrap().texts.map(|text| text.request.prompt)
}

#[test]
fn the_published_templates_ship_letter_for_letter() {
    // SOURCE: jl3676/SafetyAnalyst 21287d2, `src/utils.py`, run with `{PROMPT_TRIMMED}` as the prompt.
    let published = [
        ("7310fd8439fcdfe714a47443185369b87b7594573d2112f045c2ae7b68354d29", "harms"),
        ("57421aac5005fa9b2b52bf9419aa03529b2299917b63673121cb5a389fa18455", "benefits"),
    ];
    let ReporterSpec { templates, answer_tokens, sampling, .. } = shipped("safetyanalyst");
    for ((digest, side), text) in published.into_iter().zip([templates.harms, templates.benefits]) {
        let text = text.replace("{{prompt}}", "{PROMPT_TRIMMED}");
        let hex = Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        assert_eq!(hex, digest, "{side}");
    }
    // SOURCE: `src/models.py` there.
    assert_eq!((answer_tokens.get(), sampling), (19_000, SpecSampling { temperature: 0.6, top_p: 0.9 }));
}

#[test]
fn open_reporters_are_told_every_word_that_they_may_use() {
    for name in ["olmo-2-reporter", "tulu-3-reporter"] {
        let ReporterSpec { templates, grammar, .. } = shipped(name);
        assert_eq!(grammar.unwrap().words, crate::writing::TreeWords::Taxonomy);
        let headings = ActionCategory::ALL.map(|category| format!("\n#{}# ", category.title()));
        let actions = HarmAction::ALL.map(|action| action.title().to_owned());
        let harms = Effect::ALL.map(|effect| format!("\n{}\n", effect.harm_title()));
        for word in headings.iter().chain(&actions).chain(&harms) {
            assert!(templates.harms.contains(word), "{name}: {word}");
        }
        for effect in Effect::ALL {
            assert!(
                templates.benefits.contains(&format!("\n{}\n", effect.benefit_title())),
                "{name}: {effect:?}"
            );
        }
    }
}

#[test]
fn prompts_are_the_filled_template_after_its_beginning() {
    for (name, tokenizer) in SHIPPED {
        let spec = shipped(name);
        let json = std::fs::read(folder().join(format!("tests/tokenizers/{tokenizer}.json"))).unwrap();
        let vocabulary = Vocabulary::from_json(&json, 600).unwrap();
        let begin: Vec<u32> = spec.begin.iter().map(|begin| vocabulary.control(begin).unwrap()).collect();
        let [harms, benefits] = prompts(&reader(&spec, tokenizer), "  How do I pick a lock?\n");
        for (template, prompt) in [(&spec.templates.harms, harms), (&spec.templates.benefits, benefits)] {
            let text = template.replace("{{prompt}}", "How do I pick a lock?");
            let expected = [begin.as_slice(), &vocabulary.ids(&text).unwrap()].concat();
            assert!(prompt == expected, "{name}");
        }
    }
}

#[derive(serde::Deserialize)]
struct Case {
    guard: String,
    subject: String,
    prompt: String,
    system: Option<String>,
    tokens: Vec<u32>,
}

#[test]
fn the_chat_form_of_open_reporters_is_that_of_transformers() {
    #[derive(serde::Deserialize)]
    struct Expected {
        cases: Vec<Case>,
    }
    let file = std::fs::read(folder().join("tests/tokenizers/expected.json")).unwrap();
    let Expected { cases } = serde_json::from_slice(&file).unwrap();
    let forms = [("olmo2-instruct", "olmo-2-reporter", "olmo2"), ("tulu3", "tulu-3-reporter", "llama3")];
    let mut seen = 0;
    for (guard, name, tokenizer) in forms {
        let spec = shipped(name);
        for side in [&spec.templates.harms, &spec.templates.benefits] {
            assert!(side.starts_with("<|user|>\n") && side.ends_with("\n<|assistant|>\n"), "{name}");
        }
        // Theirs strips nothing; ours strips what goes into it, as it is no user's turn by itself.
        let form = "<|user|>\n{{prompt}}\n<|assistant|>\n".to_owned();
        let templates = SpecTemplates { harms: form.clone(), benefits: form };
        let reader =
            reader(&ReporterSpec { templates, strip: false, markers: Vec::new(), ..spec }, tokenizer);
        let of_form = |case: &&Case| case.guard == guard && case.subject == "prompt" && case.system.is_none();
        for case in cases.iter().filter(of_form) {
            let [harms, benefits] = prompts(&reader, &case.prompt);
            assert_eq!((&harms, &benefits), (&case.tokens, &case.tokens), "{name}: {:?}", case.prompt);
            seen += 1;
        }
    }
    assert_eq!(seen, 14);
}

#[test]
fn a_users_markers_and_control_tokens_are_text() {
    for (name, tokenizer) in SHIPPED {
        let spec = shipped(name);
        let reader = reader(&spec, tokenizer);
        let plain = prompts(&reader, "x");
        let json = std::fs::read(folder().join(format!("tests/tokenizers/{tokenizer}.json"))).unwrap();
        let vocabulary = Vocabulary::from_json(&json, 600).unwrap();
        let words: Vec<&String> = spec.markers.iter().chain(&spec.stop).chain(&spec.begin).collect();
        assert!(words.len() >= 4);
        for word in words {
            let hostile = prompts(&reader, &format!("x\n\n{word}\n[]"));
            for (prompt, plain) in hostile.iter().zip(&plain) {
                let count =
                    |tokens: &[u32], control| tokens.iter().filter(|token| **token == control).count();
                if let Some(control) = vocabulary.control(word) {
                    assert_eq!(count(prompt, control), count(plain, control), "{name}: {word}");
                } else {
                    let marker = vocabulary.ids(word).unwrap();
                    let seen =
                        |tokens: &[u32]| tokens.windows(marker.len()).filter(|part| *part == marker).count();
                    assert_eq!(seen(prompt), seen(plain), "{name}: {word}");
                }
            }
        }
    }
}

#[test]
fn what_is_not_about_a_prompt_is_not_asked() {
    let reader = reader(&shipped("safetyanalyst"), "llama3");
    let turns = [(Role::User, "hello"), (Role::Assistant, "hello!")];
    assert!(reader.read(&conversation(&turns, JudgeRequest::WhatIsThere)).unwrap().is_some());
    assert!(reader.read(&conversation(&turns, JudgeRequest::Response)).unwrap().is_none());
}

#[test]
fn a_long_prompt_loses_its_middle_and_that_is_told_or_it_is_refused() {
    let spec = shipped("olmo-2-reporter");
    let long = "A lock and a key. ".repeat(4_000);
    let reading = reader(&spec, "olmo2").read(&asked(&long)).unwrap().unwrap();
    assert!(!reading.coverage.is_whole());
    for text in &reading.texts {
        let whole = text.request.prompt.len();
        assert!((19_900..=20_000).contains(&whole), "{whole}");
    }
    let refusing = ReporterSpec { beyond: crate::guard::Beyond::Refuse, ..spec };
    let error = reader(&refusing, "olmo2").read(&asked(&long)).unwrap_err();
    assert!(matches!(error, UnreadablePrompt::TooLong { .. }), "{error}");
}

const SPEC: &str = r##"
name = "letters"
summary = "A reporter for tests."
context_tokens = 1000
answer_tokens = 800
begin = "<go>"
stop = ["<go>"]
grammar.limits = { stakeholders = 2, actions = 1, effects = 1, name_letters = 5 }
sampling = { temperature = 0.9, top_p = 0.9 }
templates.harms = "Who is harmed by {{prompt}}?"
templates.benefits = "Who gains by {{prompt}}?"
"##;

/// A tiny checkpoint with a vocabulary of letters.
fn checkpoint(decoder: &str, to: &Path) -> PathBuf {
    let (from, to) = (folder().join("tests/decoders").join(decoder), to.join(decoder));
    std::fs::create_dir(&to).unwrap();
    let config = std::fs::read_to_string(from.join("config.json")).unwrap();
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config["max_position_embeddings"] = 4096.into();
    std::fs::write(to.join("config.json"), config.to_string()).unwrap();
    std::fs::copy(from.join("model.safetensors"), to.join("model.safetensors")).unwrap();
    let letters = (b' '..=b'z').map(char::from).chain("\n{}".chars());
    let mut vocab: serde_json::Map<String, Value> =
        letters.enumerate().map(|(id, letter)| (letter.to_string(), json!(id))).collect();
    let first = vocab.len();
    vocab.insert("<unk>".to_owned(), json!(first));
    let added = json!([{ "id": first + 1, "content": "<go>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true }]);
    let tokenizer = json!({ "version": "1.0", "added_tokens": added, "normalizer": null, "pre_tokenizer": null,
        "post_processor": null, "decoder": null,
        "model": { "type": "BPE", "vocab": vocab, "merges": [], "unk_token": "<unk>", "fuse_unk": false } });
    std::fs::write(to.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    to
}

fn file_of(spec: &str, folder: &Path) -> PathBuf {
    let file = folder.join("reporter.toml");
    std::fs::write(&file, spec).unwrap();
    file
}

fn load(
    folder: &Path,
    spec: &str,
    decoders: &[&str],
    cache_tokens: usize,
) -> Result<LargeReporter, LargeReporterError> {
    let file = file_of(spec, folder);
    let mut paths = decoders.iter().map(|decoder| folder.join(decoder));
    let checkpoints = ReporterCheckpoints { harms: paths.next().unwrap_or_default(), benefits: paths.next() };
    let how = (DecoderPrecision::Portable, cache_tokens);
    LargeReporter::load(&file, &checkpoints, &[DeviceChoice::Cpu], how, 7)
}

/// Writes all of them, joining when there is room.
fn write_all(writer: &mut ReporterWriter, texts: &[TreeText]) -> Vec<String> {
    let (mut tickets, mut written) = (Vec::new(), vec![String::new(); texts.len()]);
    let mut open = texts.len();
    while open > 0 {
        while let Some(text) = texts.get(tickets.len()) {
            let Ok(ticket) = writer.join(text) else { break };
            tickets.push(ticket);
        }
        for (ticket, ended) in writer.step().unwrap() {
            let place = tickets.iter().position(|known| *known == ticket).unwrap();
            written[place] = ended.unwrap().text;
            open -= 1;
        }
    }
    written
}

#[test]
fn each_side_is_written_by_its_checkpoint_and_alone_as_among_others() {
    let folder = tempfile::tempdir().unwrap();
    for decoder in ["qwen3", "granite"] {
        checkpoint(decoder, folder.path());
    }
    let one = load(folder.path(), SPEC, &["qwen3"], 4096).unwrap();
    let apart = format!("sides = \"apart\"\n{SPEC}");
    let two = load(folder.path(), &apart, &["qwen3", "granite"], 4096).unwrap();
    assert_ne!(one.identity, two.identity);
    let texts = one.reader.read(&asked("a lock")).unwrap().unwrap().texts;
    let alone = |reporter: LargeReporter| {
        let mut writer = reporter.writers.into_iter().next().unwrap();
        texts.each_ref().map(|text| write_all(&mut writer, std::slice::from_ref(text)).remove(0))
    };
    let together = |reporter: LargeReporter| {
        let mut writer = reporter.writers.into_iter().next().unwrap();
        let other = one_of_harms(&texts);
        let all = [texts[1].clone(), other, texts[0].clone()];
        let mut written = write_all(&mut writer, &all);
        [written.remove(2), written.remove(0)]
    };
    let (by_one, by_two) = (alone(one), alone(two));
    assert_eq!(by_one[0], by_two[0], "the same checkpoint writes the harms");
    assert_ne!(by_one[1], by_two[1], "another one writes the benefits");
    for (text, key) in by_one.iter().chain(&by_two).zip(["harms", "benefits", "harms", "benefits"]) {
        let tree: Value = serde_json::from_str(text).unwrap();
        assert!(tree[0][key].is_array(), "{text}");
    }
    assert_eq!(together(load(folder.path(), SPEC, &["qwen3"], 4096).unwrap()), by_one);
    assert_eq!(together(load(folder.path(), &apart, &["qwen3", "granite"], 4096).unwrap()), by_two);
}

/// The same harms with another seed's draws.
fn one_of_harms(texts: &[TreeText; 2]) -> TreeText {
    let [harms, _] = texts;
    let sampling = crate::writing::Sampling::new(0.5, 1.0, 99).unwrap();
    TreeText { request: WriteRequest { sampling, ..harms.request.clone() }, side: harms.side }
}

#[test]
fn files_that_can_not_be_used_say_what_is_wrong_and_what_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    checkpoint("qwen3", folder.path());
    let check = |from: &str, to: &str, cache_tokens, expected: &str| {
        let spec = SPEC.replace(from, to);
        assert!(from.is_empty() || spec != SPEC, "{from}");
        let error = load(folder.path(), &spec, &["qwen3"], cache_tokens).unwrap_err();
        let mut told = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            write!(told, ": {error}").unwrap();
            cause = error.source();
        }
        assert!(told.contains(expected), "{told}");
    };
    check("name = \"letters\"", "name = \"Letters\"", 4096, "1 to 64 lower-case letters");
    check("800", "1000", 4096, "more than `answer_tokens`");
    check("is harmed by {{prompt}}", "is harmed", 4096, "a text that holds `{{prompt}}`");
    check("gains by", "gains by {{response}} and", 4096, "a reporter reads `{{prompt}}` alone");
    check("stop = [\"<go>\"]", "stop = [\"<stop>\"]", 4096, "`<stop>` is no added token");
    check("0.9, top_p", "-1.0, top_p", 4096, "`temperature` is -1");
    check("effects = 1", "effects = 0", 4096, "numbers from 1");
    check("summary", "sumary", 4096, "unknown field `sumary`");
    check("800", "950", 4096, "nothing is left for a text");
    check("context_tokens = 1000", "context_tokens = 5000", 4096, "over the checkpoint's limit of 4096");
    check("summary", "sides = \"apart\"\nsummary", 4096, "name the one for the benefits too");
    let two = load(folder.path(), SPEC, &["qwen3", "qwen3"], 4096).unwrap_err().to_string();
    assert!(two.contains("leave the one for the benefits out"), "{two}");
    check("", "", 1000, "`cache_tokens` is 1000; the reporter's longest text needs at least");
}
