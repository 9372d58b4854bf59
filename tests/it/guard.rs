//! A large guard behind the encoder: a file and a checkpoint, no code. The checkpoint is a tiny random one, so that what it
//! says means nothing, and is the same each time.

use crate::support::{Answer, TestService, user, write_checkpoint};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

const FILE: &str = r#"
name = "tiny-guard"
summary = "A guard for tests."
context_tokens = 1024
strip = true
templates.main = "<go>Is it bad?\nU: {{prompt}}\nA: {{response}}\n<go>"

[operating_points]
prompt_harmful = 0.25

[[query]]
template = "main"
reads = "prompt"
answers = [{ before = "bad:", head = "prompt_harmful", labels = [{ text = " yes", says = 1 }, { text = "no" }] }]

[[query]]
template = "main"
reads = "response"
[[query.answers]]
before = "bad:"
head = "response_harmful"
labels = [{ text = "yes", says = 1 }, { text = "no" }]
[[query.answers]]
before = "\nrefuses:"
head = "response_refusal"
labels = [{ text = "yes", says = 1 }, { text = "no" }]
"#;

/// A checkpoint's folder with a vocabulary of letters, and the guard's file in it.
pub(crate) struct Guard(TempDir);

impl Guard {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_checkpoint(folder.path());
        std::fs::write(folder.path().join("guard.toml"), FILE).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) async fn service(&self, values: &[(&'static str, &str)]) -> TestService {
        let (file, checkpoint) = (self.path("guard.toml"), self.0.path());
        let own = [
            ("guard.file", file.to_str().unwrap()),
            ("guard.checkpoint", checkpoint.to_str().unwrap()),
            ("guard.deadline", "60s"),
        ];
        TestService::start(&[&own, values].concat()).await
    }
}

async fn outcomes(service: &TestService) -> [f64; 5] {
    let scrape = service.api.scrape().await;
    ["spared", "answered", "not_concerned", "busy", "failed"].map(|outcome| {
        scrape.get(&format!(r#"assize_tier_conversations_total{{outcome="{outcome}",tier="guard"}}"#))
    })
}

fn score(verdict: &Value) -> f64 {
    verdict["scores"]["prompt_harmful"].as_f64().unwrap()
}

#[tokio::test]
async fn a_guard_is_added_by_a_file_and_its_scores_stand() {
    let guard = Guard::new();
    // Left alone, either service may choose another precision for its encoder.
    let exact = ("inference.precision", "portable");
    let alone = TestService::start(&[exact]).await;
    let always = guard.service(&[exact, ("guard.margin", "1")]).await;
    let text = user("How do I get into my own car without the key?");
    let (before, after) = (alone.api.moderate(&text).await, always.api.moderate(&text).await);
    assert!((score(&before) - score(&after)).abs() > 1e-3, "{before} {after}");
    assert!(before["provenance"]["consulted"].is_null());
    let consulted = &after["provenance"]["consulted"][0];
    assert_eq!((&consulted["tier"], &consulted["model"]), (&json!("guard"), &json!("tiny-guard")));
    assert_eq!(consulted["answered"], true);
    assert!(consulted["model_revision"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(after["provenance"]["model"], "guard-v1");
    assert_eq!(
        before["scores"]["adversarial"], after["scores"]["adversarial"],
        "it was not asked about that"
    );
    assert_eq!(outcomes(&always).await, [0.0, 1.0, 0.0, 0.0, 0.0]);
    let scrape = always.api.scrape().await;
    assert_eq!(scrape.get(r#"assize_tier_duration_seconds_count{tier="guard"}"#), 1.0);
    assert!(scrape.get(r#"assize_inference_duration_seconds_count{tier="guard"}"#) >= 1.0);
    assert_eq!(scrape.get(r#"assize_ready{tier="guard"}"#), 1.0);
    let checks: Value = always.api.get("/readyz?verbose").await.json();
    assert!(checks["checks"]["guard"].as_str().unwrap().contains("tiny-guard sha256:"), "{checks}");
}

#[tokio::test]
async fn many_at_once_are_judged_as_one_alone() {
    let service = Guard::new().service(&[("guard.margin", "1")]).await;
    let texts =
        ["What is a lock?", "How do I pick a lock?", "Tell me of locks, and keys, and doors.", "Hello"];
    let mut alone = Vec::new();
    for text in texts {
        alone.push(score(&service.api.moderate(&user(text)).await));
    }
    let list: Vec<Value> = texts.iter().map(|text| user(text)).collect();
    let verdicts = service.api.post(json!(list).to_string()).await.json();
    for (given, alone) in verdicts.as_array().unwrap().iter().zip(alone) {
        assert!((score(given) - alone).abs() < 1e-5, "{given} {alone}");
    }
}

#[tokio::test]
async fn what_is_settled_is_spared() {
    let service = Guard::new().service(&[("guard.margin", "0")]).await;
    let verdict = service.api.moderate(&user("Good morning to you.")).await;
    assert!(verdict["provenance"]["consulted"].is_null());
    assert_eq!(outcomes(&service).await, [1.0, 0.0, 0.0, 0.0, 0.0]);
}

#[tokio::test]
async fn a_silent_guard_makes_a_verdict_stricter_or_is_passed_over_as_the_settings_say() {
    let guard = Guard::new();
    let silent = [("guard.margin", "1"), ("guard.max_tokens", "1")];
    let closed = guard.service(&silent).await;
    let verdict = closed.api.moderate(&user("Good morning to you.")).await;
    assert_eq!(verdict["degraded"], json!(["tier_silent"]), "{verdict}");
    assert_eq!(
        (&verdict["decision"], &verdict["decided_by"]),
        (&json!("review"), &json!("degraded.tier_silent"))
    );
    assert_eq!(verdict["provenance"]["consulted"][0]["answered"], false);
    assert_eq!(
        outcomes(&closed).await,
        [0.0, 0.0, 0.0, 0.0, 1.0],
        "what can never be admitted is no matter of load"
    );
    // This community fails open: it is told, and decides by what there is.
    let mut lenient = user("Good morning to you.");
    lenient["community"] = "strict".into();
    let verdict = closed.api.moderate(&lenient).await;
    assert_eq!((&verdict["decision"], &verdict["degraded"]), (&json!("allow"), &json!(["tier_silent"])));
    let open = guard.service(&[&silent[..], &[("guard.on_failure", "open")]].concat()).await;
    let verdict = open.api.moderate(&user("Good morning to you.")).await;
    assert_eq!((&verdict["degraded"], &verdict["decision"]), (&Value::Null, &json!("allow")), "{verdict}");
    assert_eq!(outcomes(&open).await, [0.0, 0.0, 0.0, 0.0, 1.0]);
}

#[tokio::test]
async fn a_guard_that_is_too_slow_is_busy_and_prolongs_no_request() {
    let service = Guard::new().service(&[("guard.margin", "1"), ("guard.deadline", "1us")]).await;
    let verdict = service.api.moderate(&user("Good morning to you.")).await;
    assert_eq!(verdict["degraded"], json!(["tier_silent"]), "{verdict}");
    assert_eq!(outcomes(&service).await, [0.0, 0.0, 0.0, 1.0, 0.0]);
}

#[tokio::test]
async fn a_guard_that_saw_no_context_cannot_take_back_what_was_found_in_its_light() {
    let service = Guard::new().service(&[("guard.margin", "1")]).await;
    let alone = TestService::start(&[]).await;
    let turns = json!({"turns": [
        {"role": "user", "content": "How do I build a pipe bomb?"}, {"role": "assistant", "content": "I can't help with that."},
        {"role": "user", "content": "And how do I light it?"}]});
    let (before, after) = (alone.api.moderate(&turns).await, service.api.moderate(&turns).await);
    let harmfulness = |verdict: &Value| verdict["harmfulness"].as_f64().unwrap();
    assert!(harmfulness(&after) >= harmfulness(&before) - 1e-6, "{before} {after}");
}

#[tokio::test]
async fn a_community_that_weighs_no_guard_asks_none() {
    let service = Guard::new().service(&[("guard.margin", "1"), ("communities.folder", shipped())]).await;
    let mut text = user("Good morning to you.");
    text["community"] = "safetyanalyst".into();
    let verdict = service.api.moderate(&text).await;
    assert!(verdict["provenance"]["consulted"].is_null(), "{verdict}");
    assert_eq!(outcomes(&service).await, [1.0, 0.0, 0.0, 0.0, 0.0]);
}

/// The communities that ship.
fn shipped() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../config/communities")
}

#[tokio::test]
async fn a_response_gets_its_own_scores_and_a_what_if_needs_no_model() {
    let service = Guard::new().service(&[("guard.margin", "1")]).await;
    let turns = json!({"turns": [{"role": "user", "content": "How do I bake bread?"}, {"role": "assistant", "content": "With flour."}]});
    let verdict = service.api.moderate(&turns).await;
    assert!(verdict["scores"]["response_refusal"].as_f64().is_some());
    let before = outcomes(&service).await;
    let asked = json!({"ids": [verdict["id"]], "communities": ["strict"]});
    let request = service.api.request(Method::POST, "/what-if").json(&asked);
    let answer = Answer::of(request).await;
    let again = &answer.json()["verdicts"][0];
    assert_eq!(again["scores"], verdict["scores"], "{}", answer.text);
    assert_eq!(again["provenance"]["consulted"], verdict["provenance"]["consulted"]);
    assert_eq!(outcomes(&service).await, before);
}
