//! Texts under a grammar by models that know nothing of it.

use super::*;
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stakeholder {
    stakeholder: String,
    benefits: Vec<Action>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    action: String,
    effects: Vec<Effect>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Effect {
    effect: String,
    #[serde(rename = "immediacy")]
    _immediacy: bool,
    #[serde(rename = "extent")]
    _extent: Extent,
    #[serde(rename = "likelihood")]
    _likelihood: Likelihood,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Extent {
    Minor,
    Significant,
    Substantial,
    Major,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Likelihood {
    Low,
    Medium,
    High,
}

const LIMITS: TreeLimits = TreeLimits { stakeholders: 3, actions: 2, effects: 2, name_letters: 9 };
/// More than the longest text under [`LIMITS`] has, a token a letter.
const LONGEST: usize = 2500;

fn check_obeys(text: &str) {
    let tree: Vec<Stakeholder> = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let is_within = |count: usize, least: usize, most: usize| (least..=most).contains(&count);
    let is_name = |name: &str| is_within(name.chars().count(), 1, LIMITS.name_letters);
    assert!(is_within(tree.len(), 1, LIMITS.stakeholders), "{text}");
    for stakeholder in tree {
        assert!(is_name(&stakeholder.stakeholder), "{text}");
        assert!(is_within(stakeholder.benefits.len(), 0, LIMITS.actions), "{text}");
        for action in stakeholder.benefits {
            assert!(is_name(&action.action) && is_within(action.effects.len(), 1, LIMITS.effects), "{text}");
            assert!(action.effects.iter().all(|effect| is_name(&effect.effect)), "{text}");
        }
    }
}

#[test]
fn a_model_that_knows_nothing_writes_trees_of_the_schema() {
    let compiler = GrammarCompiler::new(&letters()).unwrap();
    let grammar = Arc::new(compiler.json(tree_schema(TreeSide::Benefits, LIMITS, TreeWords::Free)).unwrap());
    let mut requests = Vec::new();
    for seed in 0..24 {
        let sampling = Sampling::new(if seed == 0 { 0.0 } else { 1.5 }, 1.0, seed).unwrap();
        let prompt = [u32::try_from(seed).unwrap(), 3];
        requests.push(WriteRequest {
            grammar: Some(Arc::clone(&grammar)),
            sampling,
            ..request(&prompt, LONGEST)
        });
    }
    let written = write_all(&mut writer(LONGEST * 8), &requests);
    for written in &written {
        assert_eq!(written.finish, FinishReason::GrammarEnded, "{}", written.text);
        check_obeys(&written.text);
    }
    let texts: BTreeSet<&str> = written.iter().map(|written| written.text.as_str()).collect();
    assert!(texts.len() > 20, "hardly any is different");
}

#[test]
fn a_text_that_is_cut_off_by_its_budget_says_so() {
    let compiler = GrammarCompiler::new(&letters()).unwrap();
    let grammar =
        Some(Arc::new(compiler.json(tree_schema(TreeSide::Harms, LIMITS, TreeWords::Free)).unwrap()));
    let written = write_all(&mut writer(256), &[WriteRequest { grammar, ..request(&[1], 20) }]).remove(0);
    assert_eq!(written.finish, FinishReason::Budget);
    assert_eq!(&written.text[..17], r#"[{"stakeholder": "#);
}

#[test]
fn a_mask_never_allows_a_control_token() {
    for name in ["gemma", "granite", "llama3", "mistral", "olmo2", "qwen"] {
        let file = std::fs::read(folder().join(format!("tests/tokenizers/{name}.json"))).unwrap();
        let parsed: serde_json::Value = serde_json::from_slice(&file).unwrap();
        let added: Vec<usize> = parsed["added_tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|token| usize::try_from(token["id"].as_u64().unwrap()).unwrap())
            .collect();
        let tokens = TokenBytes::from_json(&file, 700).unwrap();
        let compiler = GrammarCompiler::new(&tokens).unwrap();
        let grammar = compiler.json(json!({ "type": "array", "items": { "type": "string" } })).unwrap();
        let mut follower = crate::writing::grammar::Follower::new(&grammar);
        let byte = |byte: u8| (0..700).find(|id| tokens.text_of(*id) == [byte]).unwrap();
        for letter in [b'[', b'"', b'a', b'"'] {
            let mut scores = vec![0.0; 700];
            follower.forbid(&mut scores).unwrap();
            let allowed: Vec<usize> = (0..700).filter(|id| scores[*id] == 0.0).collect();
            assert!(
                !allowed.is_empty() && added.iter().all(|id| !allowed.contains(id)),
                "{name}: {allowed:?}"
            );
            assert!(!follower.ends_with(byte(letter)).unwrap(), "{name}");
        }
        assert!(follower.ends_with(byte(b']')).unwrap(), "{name}");
    }
}

#[test]
fn what_is_no_schema_is_refused() {
    let compiler = GrammarCompiler::new(&letters()).unwrap();
    let error = compiler.json(json!({ "type": "sting" })).unwrap_err().to_string();
    assert!(error.starts_with("the schema can't be followed") && error.contains("sting"), "{error}");
}

#[test]
fn a_vocabulary_that_can_not_spell_the_grammar_fails_alone() {
    let words = json!({ "version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null, "post_processor": null,
        "decoder": null, "model": { "type": "BPE", "vocab": { "[": 0, "a": 1 }, "merges": [] } });
    let tokens = Arc::new(TokenBytes::from_json(&serde_json::to_vec(&words).unwrap(), 96).unwrap());
    let grammar = GrammarCompiler::new(&tokens)
        .unwrap()
        .json(tree_schema(TreeSide::Harms, LIMITS, TreeWords::Free))
        .unwrap();
    let mut writer = Writer::new(decoder(), tokens, 256).unwrap();
    let bad = writer.join(&WriteRequest { grammar: Some(Arc::new(grammar)), ..request(&[1], 9) }).unwrap();
    let good = writer.join(&request(&[1], 3)).unwrap();
    let ended: Vec<_> = (0..3).flat_map(|_| writer.step().unwrap()).collect();
    assert_eq!(ended[0], (bad, Err(WriteError::Grammar)));
    assert_eq!(ended[1].0, good);
}
