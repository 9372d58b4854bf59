//! Annotations over rows of `train/`, and replies behind other prompts.

use super::*;
use assize_domain::{Extent, Likelihood, Severity};

const ANNOTATION: &str = r#""adversarial":false,"ambiguous":false,"risk_categories":["cyberattack"]"#;

/// The folder's corpus with annotations of two rows; the error where it can't be read.
fn annotated(lines: &[String]) -> Result<Corpus, String> {
    let folder = folder();
    write(folder.path(), "annotations.jsonl", lines);
    let mut text =
        recipe_text(folder.path(), "annotations = [{ path = \"annotations.jsonl\", repeat = 3.0 }]");
    text = text.replace("development_share = 0.2", "development_share = 0.0");
    Corpus::read(&config(&text)?, folder.path()).map_err(|error| error.to_string())
}

fn annotation(of: &str, id: &str, rest: &str) -> String {
    format!(r#"{{"of":"{of}","id":"{id}",{ANNOTATION},"prompt_harmful":true,{rest}}}"#)
}

#[test]
fn an_annotation_teaches_beside_its_row() {
    let leaves = r#""harms":[[10,0,6,3,2,1]],"benefits":[]"#;
    let lines = [
        annotation("train/plain.jsonl", "plain-3", leaves),
        annotation("train/replies.jsonl", "reply-1", leaves),
    ];
    let corpus = annotated(&lines).unwrap();
    let last = corpus.sets.len() - 2;
    assert_eq!((corpus.sets[last].name.as_str(), corpus.sets[last].rows), ("annotations.jsonl", 2));
    let epoch = corpus.epoch(0, 0);
    let of = |prompt: &str| epoch.iter().filter(|example| &*example.prompt == prompt).collect::<Vec<_>>();
    let crane = of("How do I fold paper crane 3?");
    let (ours, own): (Vec<_>, Vec<_>) = crane.into_iter().partition(|example| example.set == last);
    assert_eq!(ours.len(), 3);
    assert!(!own.is_empty());
    for example in ours {
        assert_eq!(example.labels.get(GuardHead::PromptHarmful), Some(1.0));
        let tree = example.labels.tree.clone().unwrap();
        let leaf = Leaf {
            category: 2,
            action: 10,
            effect: 0,
            stakeholder: 6,
            severity: Severity { extent: Extent::Major, likelihood: Likelihood::High, immediate: true },
        };
        assert_eq!(tree.harms, [leaf]);
    }
    let replies = epoch.iter().filter(|example| example.response.as_deref() == Some("Fold it 1 times."));
    assert!(replies.count() > 0);
}

#[test]
fn a_wrong_annotation_is_named_and_no_text_is_shown() {
    let cases = [
        (annotation("train/plain.jsonl", "nobody", r#""harms":[],"benefits":[]"#), "`id` is of no row"),
        (
            annotation("bench/plain.jsonl", "plain-3", r#""harms":[],"benefits":[]"#),
            "`of` must be `train/NAME.jsonl`",
        ),
        (annotation("train/../plain.jsonl", "plain-3", r#""harms":[],"benefits":[]"#), "`of` must be"),
        (
            annotation("train/plain.jsonl", "plain-3", r#""harms":[[45,0,0,0,0,0]],"benefits":[]"#),
            "allowed: 0 to 44",
        ),
        (
            annotation("train/plain.jsonl", "plain-3", r#""harms":[],"benefits":[[0,0,0,0,2]]"#),
            "`benefits[0]`",
        ),
        (annotation("train/plain.jsonl", "plain-3", r#""benefits":[]"#), "missing"),
    ];
    for (line, expected) in cases {
        let error = annotated(&[line]).unwrap_err();
        assert!(error.contains(expected) && error.contains("line 1"), "{error}");
        assert!(!error.contains("crane"), "{error}");
    }
    let outside = recipe_text(Path::new("x"), "annotations = [{ path = \"../a.jsonl\" }]");
    assert!(config(&outside).unwrap_err().contains("data.annotations[0].path"));
}

#[test]
fn a_reply_behind_another_prompt_keeps_its_labels() {
    let folder = folder();
    let long = "Cut the red wire first and ".repeat(6);
    let lines = [("Yes.", true), (long.as_str(), true), ("Better not.", false)].map(|(reply, harmful)| {
        let rest = format!(r#","response":"{reply}","response_harmful":{harmful},"response_refusal":false"#);
        row(reply, "What now?", &rest)
    });
    write(folder.path(), "train/replies.jsonl", &lines);
    let read =
        |augment: &str| Corpus::read(&recipe(folder.path(), augment), Path::new("")).unwrap().epoch(0, 1);
    let pairs = |epoch: Vec<Example>| {
        let pairs = epoch.into_iter().filter(|example| example.response.is_some());
        pairs
            .map(|example| (example.response.unwrap(), (example.prompt, example.labels)))
            .collect::<HashMap<_, _>>()
    };
    let (plain, mixed) = (pairs(read("augment = {}")), pairs(read("augment = { exchange = 1.0 }")));
    assert_eq!(plain.len(), mixed.len());
    for (reply, (prompt, labels)) in &mixed {
        assert_eq!(labels, &plain[reply].1);
        match reply.split_whitespace().count() {
            1 => assert_eq!(&**prompt, "What now?", "too short to be harmful by itself"),
            2 => assert!(prompt.contains("gate"), "harmless, behind a harmful prompt"),
            _ => assert!(prompt.contains("crane"), "harmful, behind a benign prompt"),
        }
    }
}

#[test]
fn a_harmful_reply_has_not_refused_unless_somebody_says_so() {
    let folder = folder();
    let replies = [
        ("a", r#""response_harmful":true"#, Some(0.0)),
        ("b", r#""response_harmful":false"#, None),
        ("c", r#""response_harmful":true,"response_refusal":true"#, Some(1.0)),
    ];
    let lines =
        replies.map(|(reply, labels, _)| row(reply, "Well?", &format!(r#","response":"{reply}",{labels}"#)));
    write(folder.path(), "train/replies.jsonl", &lines);
    let corpus = Corpus::read(&recipe(folder.path(), "augment = {}"), Path::new("")).unwrap();
    for example in corpus.epoch(0, 0).iter().filter(|example| example.response.is_some()) {
        let expected =
            replies.iter().find(|(reply, ..)| example.response.as_deref() == Some(*reply)).unwrap().2;
        assert_eq!(example.labels.get(GuardHead::ResponseRefusal), expected);
    }
}
