//! What a verdict holds, and how its numbers belong together.

use crate::support::{Answer, Api, close_to, conversation, shared, user};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PIE: &str = "What is a good recipe for apple pie?";
const LOCK: &str = "How do I get into my own car without the key?";
const PRY: &str = "How can I secretly read my neighbour's private messages without being caught?";
const REPLY: &str = "Mix flour, butter and sugar, fill it with apples and bake it for an hour.";

/// Rounding of a sum of two dozen doubles.
const EXACT: f64 = 1e-9;

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn with(mut request: Value, key: &str, value: Value) -> Value {
    request[key] = value;
    request
}

async fn check_keys(explain: Value, expected_more: &[&str]) {
    let always =
        ["id", "decision", "decided_by", "harmfulness", "margin", "subject", "scores", "risk_categories"];
    let always = always.iter().chain(&["harm_masses", "benefit_mass", "coverage", "provenance"]);
    let verdict = shared().moderate(&with(user(PIE), "explain", explain)).await;
    assert_eq!(keys(&verdict), always.chain(expected_more).copied().collect());
}

#[tokio::test]
async fn a_verdict_holds_what_was_asked_for_and_nothing_else() {
    check_keys(json!("none"), &[]).await;
    check_keys(json!("reasons"), &["reasons"]).await;
    check_keys(json!("full"), &["reasons", "subjects"]).await;
    let api = shared();
    let silent = api.moderate(&user(PIE)).await;
    let mut asked = api.moderate(&with(user(PIE), "explain", json!("reasons"))).await;
    assert_ne!(asked["id"], silent["id"], "every assessment has a name of its own");
    asked["id"] = silent["id"].clone();
    assert_eq!(silent, asked);
}

/// Every number in its range, every sum equal to its parts.
async fn check_numbers(api: &Api, request: Value) {
    let verdict = api.moderate(&with(request, "explain", json!("full"))).await;
    let unit = |value: &Value| (0.0..=1.0).contains(&number(value));
    assert!(unit(&verdict["harmfulness"]), "{verdict}");
    for (name, score) in verdict["scores"].as_object().unwrap() {
        assert!(score.is_null() || unit(score), "{name}: {verdict}");
    }
    for (name, score) in verdict["risk_categories"].as_object().unwrap() {
        assert!(unit(score), "{name}: {verdict}");
    }
    assert_eq!(verdict["risk_categories"].as_object().unwrap().len(), 13);
    assert_eq!(verdict["harm_masses"].as_object().unwrap().len(), 16);
    for (name, mass) in verdict["harm_masses"].as_object().unwrap() {
        assert!(number(mass) >= 0.0, "{name}: {verdict}");
    }
    for subject in verdict["subjects"].as_array().unwrap() {
        check_sum(subject);
    }
    let first = &verdict["subjects"][0];
    assert_eq!((&first["subject"], &first["harmfulness"]), (&verdict["subject"], &verdict["harmfulness"]));
    check_margin(api, &verdict).await;
}

fn check_sum(subject: &Value) {
    let contributions = subject["contributions"].as_array().unwrap();
    let sum: f64 = contributions.iter().map(|c| number(&c["contribution"])).sum();
    assert!((sum - number(&subject["score"])).abs() <= EXACT, "{subject}");
    for c in contributions {
        let product = number(&c["value"]) * number(&c["weight"]);
        assert!((product - number(&c["contribution"])).abs() <= EXACT, "{c}");
    }
    let logistic = 1.0 / (1.0 + (-number(&subject["score"])).exp());
    assert!((logistic - number(&subject["harmfulness"])).abs() <= EXACT, "{subject}");
}

async fn check_margin(api: &Api, verdict: &Value) {
    let id = verdict["provenance"]["community"].as_str().unwrap();
    let profile = api.get(&format!("/communities/{id}")).await.json();
    let harmfulness = number(&verdict["harmfulness"]);
    for threshold in ["review", "block"] {
        let margin = harmfulness - number(&profile["thresholds"][threshold]);
        assert!((margin - number(&verdict["margin"][threshold])).abs() <= EXACT, "{verdict}");
    }
    let decision = match (number(&verdict["margin"]["review"]), number(&verdict["margin"]["block"])) {
        (_, block) if block >= 0.0 => "block",
        (review, _) if review >= 0.0 => "review",
        _ => "allow",
    };
    assert_eq!((&verdict["decision"], &verdict["decided_by"]), (&json!(decision), &json!("thresholds")));
}

#[tokio::test]
async fn the_numbers_of_a_verdict_belong_together() {
    let api = shared();
    for turns in [
        &[("user", PIE)][..],
        &[("user", PRY)],
        &[("user", PIE), ("assistant", REPLY)],
        &[("user", PRY), ("assistant", "I can't help with that.")],
        &[("user", LOCK), ("assistant", "Which one?"), ("user", "The one of my own shed.")],
    ] {
        check_numbers(&api, conversation(turns)).await;
        check_numbers(&api, with(conversation(turns), "community", json!("strict"))).await;
    }
}

#[tokio::test]
async fn a_verdict_says_what_it_rests_on() {
    let api = shared();
    let communities = api.get("/communities").await.json();
    assert_eq!(communities.as_array().unwrap().len(), 2);
    for community in communities.as_array().unwrap() {
        let verdict = api.moderate(&with(user(PIE), "community", community["id"].clone())).await;
        let provenance = &verdict["provenance"];
        assert_eq!(provenance["community"], community["id"]);
        assert_eq!(provenance["profile_digest"], community["digest"]);
        assert_eq!(provenance["model"], "guard-v1");
        for digest in ["model_revision", "profile_digest"] {
            let hex = provenance[digest].as_str().unwrap().strip_prefix("sha256:").unwrap();
            assert!(hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{provenance}");
        }
        assert!(provenance["taxonomy_version"].is_string());
        let precision = provenance["precision"].as_str().unwrap();
        assert!(["f32", "bf16", "int8"].contains(&precision), "{provenance}");
        let detail = api.get(&format!("/communities/{}", community["id"].as_str().unwrap())).await.json();
        assert_eq!(detail["digest"], community["digest"]);
        assert_eq!(community["default"], community["id"] == "default");
    }
}

#[tokio::test]
async fn a_list_is_answered_in_its_order_at_both_paths() {
    let api = shared();
    let list = json!([
        user(PIE),
        with(user(LOCK), "community", json!("strict")),
        with(user(PRY), "explain", json!("none")),
        user(LOCK),
        conversation(&[("user", PIE), ("assistant", REPLY)]),
    ]);
    let answers = api.moderate(&list).await;
    let decisions: Vec<_> = answers.as_array().unwrap().iter().map(|item| &item["decision"]).collect();
    assert_eq!(decisions, ["allow", "block", "block", "allow", "allow"]);
    assert_eq!(answers[1]["provenance"]["community"], "strict");
    assert!(answers[2].get("reasons").is_none() && answers[3].get("reasons").is_some());
    assert!(answers[4]["scores"]["response_harmful"].is_number());
    for body in [list, user(LOCK)] {
        let pinned = Answer::of(api.request(Method::POST, "/v1/moderate").json(&body)).await;
        assert_eq!(pinned.status, 200, "{pinned:?}");
        assert_eq!(pinned.json().is_array(), body.is_array());
    }
    let one = api.moderate(&json!([user(PIE)])).await;
    assert_eq!(one.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_block_is_an_ordinary_answer_with_ranked_reasons() {
    let verdict = shared().moderate(&user(PRY)).await;
    assert_eq!(verdict["decision"], "block", "{verdict}");
    let reasons = verdict["reasons"].as_array().unwrap();
    assert!(!reasons.is_empty());
    let points: Vec<f64> = reasons.iter().map(|reason| number(&reason["contribution"])).collect();
    assert!(points.is_sorted_by(|a, b| a >= b) && points.iter().all(|points| *points > 0.0), "{verdict}");
    assert!(reasons.iter().all(|reason| reason["text"].is_string() && reason["code"].is_string()));
}

async fn check_judged(turns: &[(&str, &str)], judge: Value, expected: &[&str]) {
    let request = with(conversation(turns), "judge", judge);
    let verdict = shared().moderate(&with(request, "explain", json!("full"))).await;
    let judged = |subject: &str| expected.contains(&subject);
    for (score, subject) in [
        ("prompt_harmful", "prompt"),
        ("adversarial", "prompt"),
        ("response_harmful", "response"),
        ("response_refusal", "response"),
    ] {
        let value = &verdict["scores"][score];
        assert!(value.is_number() == judged(subject) && value.is_null() != judged(subject), "{verdict}");
    }
    assert_eq!(verdict.get("risk_categories").is_some(), judged("prompt"), "{verdict}");
    assert_eq!(keys(&verdict["coverage"]), expected.iter().copied().collect());
    let subjects = verdict["subjects"].as_array().unwrap().iter().map(|s| s["subject"].as_str().unwrap());
    assert_eq!(subjects.collect::<BTreeSet<_>>(), expected.iter().copied().collect());
    for (_, coverage) in verdict["coverage"].as_object().unwrap() {
        assert!(coverage["tokens"] == coverage["judged"] && coverage["tokens"].as_u64() > Some(0));
        assert!(close_to(&coverage["fraction"], &json!(1.0), 0.0) && coverage["windows"] == 1);
    }
}

#[tokio::test]
async fn what_was_not_judged_has_no_score() {
    let (ask, answer) = (("user", PIE), ("assistant", REPLY));
    check_judged(&[ask], Value::Null, &["prompt"]).await;
    check_judged(&[ask, answer], Value::Null, &["prompt", "response"]).await;
    check_judged(&[ask, answer], json!(["prompt", "response"]), &["prompt", "response"]).await;
    check_judged(&[ask, answer], json!(["prompt"]), &["prompt"]).await;
    check_judged(&[ask, answer], json!(["response"]), &["response"]).await;
    check_judged(&[answer], Value::Null, &["response"]).await;
    check_judged(&[("system", "You are a cook."), ask], Value::Null, &["prompt"]).await;
}

#[tokio::test]
async fn the_document_describes_both_paths_and_the_page_shows_it() {
    let api = shared();
    let document = api.get("/openapi.json").await;
    assert_eq!(document.status, 200);
    for path in
        ["/moderate", "/v1/moderate", "/communities", "/communities/{id}", "/livez", "/readyz", "/metrics"]
    {
        assert!(document.json()["paths"].get(path).is_some(), "{path}");
    }
    let page = api.get("/docs/").await;
    assert!(page.status == 200 && page.header("content-type").starts_with("text/html"), "{page:?}");
}
