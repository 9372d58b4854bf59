//! What an epoch holds and what it never holds. Every sentence here is ours.

use super::augment::{compose, wrapped};
use super::corpus::{normalised, place};
use super::noise::{decorate, evade};
use super::tactics::{Family, Shape, TACTICS};
use super::*;
use assize_domain::{Extent, GuardHead, RiskCategory};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use tempfile::TempDir;

mod overlay;

const LEAF: &str =
    r#""effect":"Social","stakeholder":"user","extent":"major","likelihood":"low","immediate":true"#;

fn write(root: &Path, path: &str, lines: &[String]) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, lines.join("\n")).unwrap();
}

fn row(id: &str, prompt: &str, rest: &str) -> String {
    format!(r#"{{"id":"{id}","prompt":"{prompt}"{rest}}}"#)
}

fn config(text: &str) -> Result<DataConfig, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

/// A folder with plain questions, replies to few of them, and annotated trees with a held-out file.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let plain = |index: usize| {
        row(
            &format!("plain-{index}"),
            &format!("How do I fold paper crane {index}?"),
            r#","prompt_harmful":false"#,
        )
    };
    write(root, "train/plain.jsonl", &(0..300).map(plain).collect::<Vec<_>>());
    let reply = |index: usize| {
        let rest = format!(
            r#","response":"Fold it {index} times.","response_harmful":false,"prompt_harmful":{}"#,
            index.is_multiple_of(2_usize)
        );
        row(&format!("reply-{index}"), &format!("Which  Knot holds boat {}?", index % 20), &rest)
    };
    write(root, "train/replies.jsonl", &(0..400).map(reply).collect::<Vec<_>>());
    let tree = format!(
        r#","prompt_harmful":true,"adversarial":false,"ambiguous":true,"risk_categories":["cyberattack"],
        "harms":[{{"category":"Privacy","action":"Integrity",{LEAF}}}],"benefits":[{{{LEAF}}}]"#
    )
    .replace('\n', "");
    let trees = |from: usize, to: usize| {
        (from..to)
            .map(|index| row(&format!("tree-{index}"), &format!("Where is gate {index}?"), &tree))
            .collect::<Vec<_>>()
    };
    write(root, "trees/train.jsonl", &trees(0, 60));
    let mut held = trees(50, 70);
    held.push(row("other", " how do I FOLD paper   crane 7? ", r#","prompt_harmful":false"#));
    held.push(row("plain-8", "Is this another text?", r#","prompt_harmful":false"#));
    write(root, "trees/validation.jsonl", &held);
    folder
}

fn recipe(root: &Path, augment: &str) -> DataConfig {
    config(&recipe_text(root, augment)).unwrap()
}

fn recipe_text(root: &Path, augment: &str) -> String {
    format!(
        r#"root = "{}"
        hold_out = ["trees/validation.jsonl"]
        development_share = 0.2
        {augment}
        [[sets]]
        path = "train/plain.jsonl"
        repeat = 2.5
        assume = {{ adversarial = false }}
        [[sets]]
        path = "train/replies.jsonl"
        rows_per_question = 4
        weight = 0.5
        [[sets]]
        path = "trees/train.jsonl"
        heads = ["prompt_harmful", "tree"]"#,
        root.display()
    )
}

fn read(augment: &str) -> Corpus {
    let folder = folder();
    Corpus::read(&recipe(folder.path(), augment), Path::new("")).unwrap()
}

const VARIED: &str = "augment = { compose = 0.4, decorate = 0.2, evade = 0.2, converse = 0.2 }";

fn texts(examples: &[Example]) -> Vec<String> {
    examples
        .iter()
        .map(|example| format!("{}|{:?}|{:?}", example.prompt, example.response, example.labels))
        .collect()
}

#[test]
fn an_epoch_is_the_same_for_the_same_seed_and_another_for_another() {
    let corpus = read(VARIED);
    assert_eq!(texts(&corpus.epoch(3, 7)), texts(&read(VARIED).epoch(3, 7)));
    assert_ne!(texts(&corpus.epoch(3, 7)), texts(&corpus.epoch(4, 7)));
    assert_ne!(texts(&corpus.epoch(3, 7)), texts(&corpus.epoch(3, 8)));
}

#[test]
fn no_held_out_question_is_learnt_or_kept_for_development() {
    let corpus = read("");
    let held = corpus.validation.iter().map(|example| normalised(&example.prompt)).collect::<HashSet<_>>();
    assert_eq!(held.len(), 22);
    for example in (0..4).flat_map(|epoch| corpus.epoch(epoch, 1)).chain(corpus.development.clone()) {
        assert!(!held.contains(&normalised(&example.prompt)));
        assert_ne!(&*example.prompt, "How do I fold paper crane 8?", "held out by its id");
    }
    let held = corpus.sets.iter().map(|set| (set.rows, set.held_out)).collect::<Vec<_>>();
    assert_eq!(held, [(300, 2), (400, 0), (60, 10), (22, 0)]);
    assert!(corpus.validation.iter().all(|example| example.set == 3));
}

#[test]
fn the_split_is_by_question() {
    let corpus = read("");
    for example in corpus.epoch(0, 0) {
        assert!(place(&example.prompt) >= 0.2);
    }
    assert!(!corpus.development.is_empty());
    for example in &corpus.development {
        assert!(place(&example.prompt) < 0.2);
    }
    assert_eq!(place("  Some QUESTION\n"), place("some question"));
}

#[test]
fn caps_and_repeats_are_kept() {
    let corpus = read("");
    let plain = |epoch| corpus.epoch(epoch, 5).into_iter().filter(|example| example.set == 0).count();
    let questions = corpus.epoch(0, 5).into_iter().filter(|example| example.set == 0);
    let questions = questions.map(|example| example.prompt).collect::<HashSet<_>>().len();
    assert!((questions * 2..=questions * 3).contains(&plain(1)));
    assert_ne!(plain(1), questions * 2);
    let mut drawn = HashSet::new();
    for epoch in 0..3 {
        let mut counts: HashMap<(String, bool), usize> = HashMap::new();
        for example in corpus.epoch(epoch, 5).into_iter().filter(|example| example.set == 1) {
            drawn.extend(example.response.clone());
            *counts.entry((normalised(&example.prompt), example.response.is_some())).or_default() += 1;
        }
        for ((_, pair), count) in counts {
            assert_eq!(count, if pair { 4 } else { 1 }, "equal prompts are one example");
        }
    }
    assert!(drawn.len() > 4 * 20, "rows are drawn anew");
}

#[test]
fn a_row_gives_the_prompt_and_the_pair_with_their_own_labels() {
    let corpus = read("");
    for example in corpus.epoch(0, 0) {
        let binary = example.labels.binary;
        match (example.set, &example.response) {
            (0, None) => assert_eq!(binary, [Some(0.0), None, None, Some(0.0)]),
            (1, None) => {
                assert!(binary == [Some(0.0), None, None, None] || binary == [Some(1.0), None, None, None])
            }
            (1, Some(_)) => assert_eq!((binary, example.weight), ([None, Some(0.0), None, None], 0.5)),
            (2, None) => {
                assert_eq!(binary, [Some(1.0), None, None, None]);
                assert_eq!((example.labels.risk, example.weight), (None, 0.5));
                let tree = example.labels.tree.unwrap();
                assert_eq!((tree.harms.len(), tree.benefits.len()), (1, 1));
                assert_eq!(
                    (tree.harms[0].category, tree.harms[0].action, tree.harms[0].severity.extent),
                    (14, 1, Extent::Major)
                );
            }
            other => panic!("{other:?}"),
        }
    }
    let risk = corpus.validation[0].labels.risk.unwrap();
    assert_eq!(RiskCategory::ALL.map(|category| category == RiskCategory::Cyberattack), risk);
}

#[test]
fn only_user_turns_are_context() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [
        r#","prompt_harmful":true,"context":["Human: One.","Assistant: Two.","User: Three.","Human:","Four."]"#,
        r#","prompt_harmful":true,"context":[{"role":"user","content":"One."},{"role":"assistant","content":"Two."},{"role":"human","content":"Three."}]"#,
    ];
    let rows =
        rows.iter().enumerate().map(|(index, rest)| row(&index.to_string(), &format!("And {index}?"), rest));
    write(folder.path(), "train/a.jsonl", &rows.collect::<Vec<_>>());
    let text = format!(
        "root = \"{}\"\ndevelopment_share = 0\nsets = [{{ path = \"train/a.jsonl\" }}]",
        folder.path().display()
    );
    let corpus = Corpus::read(&config(&text).unwrap(), Path::new("")).unwrap();
    for example in corpus.epoch(0, 0) {
        assert_eq!(example.context.iter().map(|turn| &**turn).collect::<Vec<_>>(), ["One.", "Three."]);
    }
}

#[test]
fn a_broken_row_is_named_and_not_quoted() {
    let check = |rest: &str, expected: &str| {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            "train/a.jsonl",
            &[row("1", "Fine?", r#","prompt_harmful":true"#), row("2", "Secret words", rest)],
        );
        let text = format!(
            "root = \"{}\"\ndevelopment_share = 0\nsets = [{{ path = \"train/a.jsonl\" }}]",
            folder.path().display()
        );
        let error = Corpus::read(&config(&text).unwrap(), Path::new("")).unwrap_err().to_string();
        assert!(error.contains("train/a.jsonl` line 2: "), "{error}");
        assert!(error.contains(expected) && !error.to_lowercase().contains("secret"), "{error}");
    };
    check(r#","prompt_harmful":"secret""#, "`prompt_harmful` is missing or has the wrong type");
    check(
        r#","risk_categories":["secret"]"#,
        "`risk_categories[0]` is an unknown name; allowed: sensitive_information",
    );
    check(r#","harms":[]"#, "`harms` and no `benefits`");
    check(r#","harms":[{"category":"Secret","action":"Integrity",LEAF}],"benefits":[]"#.replace("LEAF", LEAF).as_str(), "`harms[0].category` is an unknown name; allowed: Security Risks");
    check(
        r#","harms":[],"benefits":[{LEAF}]"#.replace("LEAF", &LEAF.replace("Social", "Secret")).as_str(),
        "`benefits[0].effect`",
    );
    check(r#","secret"#, "not valid JSON");
}

#[test]
fn a_set_without_labels_is_refused() {
    let folder = folder();
    let text = format!(
        "root = \"{}\"\ndevelopment_share = 0\nsets = [{{ path = \"train/plain.jsonl\", heads = [\"tree\"] }}]",
        folder.path().display()
    );
    let error = Corpus::read(&config(&text).unwrap(), Path::new("")).unwrap_err();
    assert!(matches!(error, DataError::NoLabels { .. }), "{error}");
}

#[test]
fn a_wrong_setting_is_told_what_is_allowed() {
    let check = |sets: &str, expected: &str| {
        let error = config(&format!("root = \".\"\ndevelopment_share = 0.1\n{sets}")).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    let set = |rest: &str| format!("[[sets]]\npath = \"train/a.jsonl\"\n{rest}");
    check("sets = []", "`data.sets` is empty");
    check(
        "[[sets]]\npath = \"bench/a.jsonl\"",
        "only `train/*.jsonl`, `trees/train.jsonl` and `replies/train.jsonl`",
    );
    check("[[sets]]\npath = \"train/../bench/a.jsonl\"", "may be learnt from");
    check("[[sets]]\npath = \"trees/validation.jsonl\"", "may be learnt from");
    check("[[sets]]\npath = \"trees/train.jsonl\"", "needs `trees/validation.jsonl` in `data.hold_out`");
    check(&format!("hold_out = [\"bench/a.jsonl\"]\n{}", set("")), "`data.hold_out[0]` is `bench/a.jsonl`");
    check(&format!("{}\n{}", set(""), set("")), "`data.sets[1].path` names `train/a.jsonl` a second time");
    check(&set("repeat = 0"), "`data.sets[0].repeat` is `0`; allowed: 0.01 to 20");
    check(&set("weight = -1"), "`data.sets[0].weight` is `-1`; allowed: 0.001 to 10");
    check(&set("weight = nan"), "`data.sets[0].weight` is `NaN`");
    check(&set("rows_per_question = 0"), "give 1 or more");
    check(&set("heads = []"), "`data.sets[0].heads` is empty");
    check(&set("heads = [\"weather\"]"), "expected one of `prompt_harmful`, `response_harmful`");
    check(
        &set("heads = [\"risk\"]\nassume = { adversarial = false }"),
        "`data.sets[0].assume.adversarial` is not among",
    );
    check(&set("colour = 1"), "unknown field `colour`, expected one of `path`");
    check(
        &format!("augment = {{ compose = 1.5 }}\n{}", set("")),
        "`data.augment.compose` is `1.5`; allowed: 0 to 1",
    );
}

#[test]
fn every_tactic_is_whole() {
    let mut lengths = Vec::new();
    for tactic in TACTICS {
        assert_eq!(
            tactic.text.matches("{request}").count(),
            usize::from(tactic.shape == Shape::Frame),
            "{}",
            tactic.text
        );
        for seed in 0..40 {
            let filled = slots::fill(tactic.text, &mut ChaCha8Rng::seed_from_u64(seed));
            let open = filled.replace("{request}", "").replace("{ \"user\"", "").replace("\"\" }", "");
            assert!(!open.contains(['{', '}']), "{filled}");
            lengths.push(filled.split_whitespace().count());
        }
    }
    for family in Family::ALL {
        assert!(TACTICS.iter().filter(|tactic| tactic.family == family).count() >= 2, "{family:?}");
    }
    assert!(TACTICS.len() >= 45 && lengths.iter().all(|length| (6..=75).contains(length)));
}

proptest! {
    #[test]
    fn composed_text_holds_the_request(seed in any::<u64>(), request in "[a-zA-Z{}é]{1,9}( [a-z{}?]{1,9}){0,58}") {
        let (text, families) = compose(&request, &mut ChaCha8Rng::seed_from_u64(seed));
        prop_assert!(text.contains(&request));
        prop_assert!((1..=3).contains(&families.len()));
        prop_assert_eq!(families.iter().collect::<HashSet<_>>().len(), families.len());
        prop_assert!(text.len() > request.len());
    }

    #[test]
    fn noise_always_leaves_a_text(seed in any::<u64>(), text in "\\PC{1,80}") {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        prop_assert!(!evade(&text, &mut random).is_empty());
        prop_assert!(!decorate(&text, &mut random).is_empty());
    }
}

#[test]
fn a_wrapper_keeps_the_harm_and_says_what_is_an_attack() {
    let labels = |harmful: f32, adversarial: Option<f32>| Labels {
        binary: [Some(harmful), None, None, adversarial],
        risk: Some([false; RiskCategory::ALL.len()]),
        tree: Some(std::sync::Arc::default()),
    };
    for family in Family::ALL {
        let check = |given: Labels, attack: Option<f32>| {
            let wrapped = wrapped(&given, &[Family::Fiction, family]);
            let harm = given.get(GuardHead::PromptHarmful);
            let expected = Labels { binary: [harm, None, None, attack], risk: None, tree: None };
            assert_eq!(wrapped, expected, "{family:?}");
        };
        check(labels(1.0, None), Some(1.0));
        check(labels(1.0, Some(0.0)), Some(1.0));
        check(labels(0.0, Some(1.0)), Some(1.0));
        check(labels(0.0, Some(0.0)), family.works_against_rules().then_some(1.0));
    }
}

#[test]
fn noise_leaves_labels_and_pairs_are_never_wrapped() {
    let plain = read("").epoch(2, 2);
    let noisy = read("augment = { decorate = 1.0, evade = 1.0 }").epoch(2, 2);
    let labels = |examples: &[Example]| {
        let mut labels = examples.iter().map(|example| format!("{:?}", example.labels)).collect::<Vec<_>>();
        labels.sort();
        labels
    };
    assert_eq!(labels(&plain), labels(&noisy));
    let composed = read("augment = { compose = 1.0 }").epoch(2, 2);
    let pairs = |examples: &[Example]| {
        examples.iter().filter(|example| example.response.is_some()).cloned().collect::<Vec<_>>()
    };
    assert_eq!(texts(&pairs(&plain)), texts(&pairs(&composed)));
    for example in composed.iter().filter(|example| example.response.is_none()) {
        assert!(["crane", "boat", "gate"].iter().any(|word| example.prompt.contains(word)));
        assert_eq!(example.labels.tree, None);
    }
}

#[test]
fn a_turn_after_others_keeps_its_own_labels() {
    let plain = read("augment = {}").epoch(0, 1);
    let after = read("augment = { converse = 1.0 }").epoch(0, 1);
    let has_turns = |example: &&Example| example.response.is_none() && !example.context.is_empty();
    assert!(after.iter().filter(has_turns).count() > plain.iter().filter(has_turns).count());
    assert_eq!(plain.len(), after.len());
    for (plain, after) in plain.iter().zip(&after) {
        assert_eq!((&plain.prompt, &plain.labels), (&after.prompt, &after.labels));
        assert!(after.context.len() <= 2 || after.context == plain.context);
    }
}
