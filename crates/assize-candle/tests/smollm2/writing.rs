//! Texts of the real checkpoint: greedy ones against transformers, and trees under a grammar.

use super::{checkpoint, exact, expected, vocabulary};
use assize_candle::{
    DeviceChoice,
    decoder::Decoder,
    writing::{
        FinishReason, GrammarCompiler, Progress, Sampling, TokenBytes, TreeLimits, TreeSide, TreeWords,
        WriteRequest, Writer, Written, tree_schema,
    },
};
use serde_json::Value;
use std::{num::NonZeroUsize, path::Path, sync::Arc};

fn writer(path: &Path) -> (Writer, Arc<TokenBytes>) {
    let precision = exact().pop().unwrap();
    let decoder = Arc::new(Decoder::load(path, DeviceChoice::Cpu, precision).unwrap());
    let tokens = TokenBytes::from_json(include_bytes!("tokenizer.json"), decoder.shape().vocab).unwrap();
    let tokens = Arc::new(tokens);
    (Writer::new(decoder, Arc::clone(&tokens), 4096).unwrap(), tokens)
}

fn request(prompt: Vec<u32>, max_new_tokens: usize, sampling: Sampling) -> WriteRequest {
    let max_new_tokens = NonZeroUsize::new(max_new_tokens).unwrap();
    let (stop, grammar, progress) = (Vec::new(), None, Progress::default());
    WriteRequest { prompt, max_new_tokens, sampling, stop, grammar, progress }
}

fn write_all(writer: &mut Writer, requests: &[WriteRequest]) -> Vec<Written> {
    let tickets: Vec<_> = requests.iter().map(|request| writer.join(request).unwrap()).collect();
    let mut ended = Vec::new();
    while writer.ongoing() > 0 {
        ended.extend(writer.step().unwrap());
    }
    let of = |ticket| ended.iter().find(|(other, _)| other == ticket).unwrap().1.clone().unwrap();
    tickets.iter().map(of).collect()
}

#[test]
fn greedy_texts_in_one_batch_are_those_of_transformers() {
    let Some(path) = checkpoint() else { return };
    let (mut writer, _) = writer(&path);
    let cases = expected().cases;
    let of = |case: &super::Case| request(case.tokens.clone(), case.greedy.len(), Sampling::GREEDY);
    let written = write_all(&mut writer, &cases.iter().map(of).collect::<Vec<_>>());
    for (case, written) in cases.iter().zip(written) {
        assert_eq!(written.tokens, case.greedy, "{}", case.text);
    }
}

const PROMPT: &str = "List who is harmed when somebody asks an assistant how to pick a lock, as JSON:\n";

#[test]
fn trees_under_a_grammar_are_of_the_schema() {
    let Some(path) = checkpoint() else { return };
    let (mut writer, tokens) = writer(&path);
    let limits = TreeLimits { stakeholders: 2, actions: 2, effects: 2, name_letters: 30 };
    let compiler = GrammarCompiler::new(&tokens).unwrap();
    let grammar = Arc::new(compiler.json(tree_schema(TreeSide::Harms, limits, TreeWords::Free)).unwrap());
    let decoder = Decoder::load(&path, DeviceChoice::Cpu, exact().remove(0)).unwrap();
    let prompt = vocabulary(&decoder).ids(PROMPT).unwrap();
    let samplings =
        [Sampling::GREEDY, Sampling::new(0.8, 0.95, 1).unwrap(), Sampling::new(1.5, 1.0, 2).unwrap()];
    let of = |sampling| WriteRequest {
        grammar: Some(Arc::clone(&grammar)),
        ..request(prompt.clone(), 800, sampling)
    };
    for written in write_all(&mut writer, &samplings.map(of)) {
        assert_eq!(written.finish, FinishReason::GrammarEnded, "{}", written.text);
        check_tree(&written.text);
    }
}

#[test]
fn a_tree_as_large_as_published_ones_can_be_followed() {
    let Some(path) = checkpoint() else { return };
    let (mut writer, tokens) = writer(&path);
    let compiler = GrammarCompiler::new(&tokens).unwrap();
    let of = |side| {
        let grammar =
            Some(Arc::new(compiler.json(tree_schema(side, TreeLimits::PUBLISHED, TreeWords::Free)).unwrap()));
        let sampling = Sampling::new(1.2, 1.0, 3).unwrap();
        WriteRequest { grammar, ..request(vec![1, 2, 3], 120, sampling) }
    };
    let written = write_all(&mut writer, &[TreeSide::Harms, TreeSide::Benefits].map(of));
    for (written, key) in written.iter().zip(["harms", "benefits"]) {
        assert!(written.text.starts_with(r#"[{"stakeholder": ""#), "{}", written.text);
        assert!(written.text.contains(&format!("\"{key}\": [")), "{}", written.text);
    }
}

fn check_tree(text: &str) {
    let tree: Value = serde_json::from_str(text).unwrap();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let has_name =
        |value: &Value, key: &str| (1..=30).contains(&value[key].as_str().unwrap().chars().count());
    assert!((1..=2).contains(&list(&tree).len()), "{text}");
    for stakeholder in list(&tree) {
        assert!(has_name(&stakeholder, "stakeholder") && list(&stakeholder["harms"]).len() <= 2, "{text}");
        for action in list(&stakeholder["harms"]) {
            assert!(
                has_name(&action, "action") && (1..=2).contains(&list(&action["effects"]).len()),
                "{text}"
            );
            for effect in list(&action["effects"]) {
                assert!(has_name(&effect, "effect") && effect["immediacy"].is_boolean(), "{text}");
                assert!(
                    ["minor", "significant", "substantial", "major"]
                        .contains(&effect["extent"].as_str().unwrap())
                );
                assert!(
                    ["low", "medium", "high"].contains(&effect["likelihood"].as_str().unwrap()),
                    "{text}"
                );
            }
        }
    }
}
