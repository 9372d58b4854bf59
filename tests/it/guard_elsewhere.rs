//! Guards that another server runs. The servers are small ones of this file, with the answers that vLLM and
//! text-embeddings-inference give.

use crate::guard::Guard;
use crate::support::{TestService, user};
use axum::{Json, Router, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// What a server was asked, with the key that it saw.
type Asked = Arc<Mutex<Vec<(Option<String>, Value)>>>;

pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

fn note(asked: &Asked, headers: &HeaderMap, body: &Value) {
    let key = headers.get("authorization").map(|key| key.to_str().unwrap().to_owned());
    asked.lock().unwrap().push((key, body.clone()));
}

/// Always three to one for `yes` (its first letter, or the blank before it).
async fn completions(State(asked): State<Asked>, headers: HeaderMap, Json(body): Json<Value>) -> Json<Value> {
    note(&asked, &headers, &body);
    let (blank, no, yes) = (0, 'n' as u32 - ' ' as u32, 'y' as u32 - ' ' as u32);
    let told = json!({ format!("token_id:{blank}"): 0.75_f32.ln(), format!("token_id:{yes}"): 0.75_f32.ln(),
        format!("token_id:{no}"): 0.25_f32.ln() });
    Json(json!({ "choices": [{ "text": "y", "logprobs": { "top_logprobs": [told] } }] }))
}

#[tokio::test]
async fn vllm_is_asked_for_log_probabilities_in_tokens() {
    let asked = Asked::default();
    let url =
        serve(Router::new().route("/v1/completions", post(completions)).with_state(Arc::clone(&asked))).await;
    let guard = Guard::new();
    let key = guard.path("key");
    std::fs::write(&key, "a-key-for-vllm\n").unwrap();
    let values = [
        ("guard.engine", "vllm"),
        ("guard.url", url.as_str()),
        ("guard.model", "tiny"),
        ("guard.key_file", key.to_str().unwrap()),
        ("guard.margin", "1"),
    ];
    let service = guard.service(&values).await;
    let verdict = service.api.moderate(&user("Is <go> a lock?")).await;
    assert!((verdict["scores"]["prompt_harmful"].as_f64().unwrap() - 0.75).abs() < 1e-4, "{verdict}");
    assert_eq!(verdict["provenance"]["consulted"][0]["answered"], true);
    let seen = asked.lock().unwrap().clone();
    assert_eq!(seen.len(), 1);
    let (key, body) = &seen[0];
    assert_eq!(key.as_deref(), Some("Bearer a-key-for-vllm"));
    assert_eq!((&body["model"], &body["max_tokens"]), (&json!("tiny"), &json!(1)));
    let prompt = body["prompt"].as_array().unwrap();
    let controls = prompt.iter().filter(|token| **token == 95).count();
    assert_eq!(controls, 2, "what the user typed became a control token: {body}");
    let checks: Value = service.api.get("/readyz?verbose").await.json();
    assert!(checks["checks"]["guard"].as_str().unwrap().contains("elsewhere"), "{checks}");
}

const CLASSIFIER: &str = r#"
name = "tiny-classifier"
summary = "A classifier for tests."
context_tokens = 512

[[classify]]
reads = "prompt"
classes = [{ label = "MALICIOUS", head = "adversarial" }, { label = "FRAUD", risk = ["fraud_assisting_illegal_activities"] }]
"#;

async fn predict(State(asked): State<Asked>, headers: HeaderMap, Json(body): Json<Value>) -> Json<Value> {
    note(&asked, &headers, &body);
    let scores = [("BENIGN", 0.1), ("MALICIOUS", 0.875), ("FRAUD", 0.5)];
    Json(scores.iter().map(|(label, score)| json!({ "label": label, "score": score })).collect())
}

#[tokio::test]
async fn a_classifier_speaks_for_what_its_file_says_and_nothing_else() {
    let asked = Asked::default();
    let url = serve(Router::new().route("/predict", post(predict)).with_state(Arc::clone(&asked))).await;
    let guard = Guard::new();
    std::fs::write(guard.path("guard.toml"), CLASSIFIER).unwrap();
    let values = [("guard.engine", "tei"), ("guard.url", url.as_str()), ("guard.margin", "1")];
    let service = guard.service(&values).await;
    let alone = TestService::start(&[]).await;
    let (before, after) = (
        alone.api.moderate(&user("Good morning.")).await,
        service.api.moderate(&user("Good morning.")).await,
    );
    assert_eq!(after["scores"]["adversarial"], 0.875, "{after}");
    assert_eq!(after["risk_categories"]["fraud_assisting_illegal_activities"], 0.5);
    assert_eq!(after["scores"]["prompt_harmful"], before["scores"]["prompt_harmful"]);
    assert_eq!(asked.lock().unwrap()[0].1["inputs"], "Good morning.");
}

#[tokio::test]
async fn a_server_that_fails_or_is_busy_or_talks_nonsense_is_a_silent_guard() {
    for (status, answer, outcome) in [
        (StatusCode::INTERNAL_SERVER_ERROR, json!({}), "failed"),
        (StatusCode::SERVICE_UNAVAILABLE, json!({}), "busy"),
        (StatusCode::OK, json!({ "choices": [] }), "failed"),
        (
            StatusCode::OK,
            json!({ "choices": [{ "logprobs": { "top_logprobs": [{ "token_id:3": -1.0 }] } }] }),
            "failed",
        ),
    ] {
        let router = Router::new().route("/v1/completions", post(async move || (status, Json(answer))));
        let url = serve(router).await;
        let values = [
            ("guard.engine", "vllm"),
            ("guard.url", url.as_str()),
            ("guard.model", "m"),
            ("guard.margin", "1"),
        ];
        let service = Guard::new().service(&values).await;
        let verdict = service.api.moderate(&user("Good morning to you.")).await;
        assert_eq!(verdict["degraded"], json!(["tier_silent"]), "{verdict}");
        let series = format!(r#"assize_tier_conversations_total{{outcome="{outcome}",tier="guard"}}"#);
        assert_eq!(service.api.scrape().await.get(&series), 1.0, "{status}");
    }
}

#[tokio::test]
async fn settings_that_name_no_server_are_refused_with_what_is_allowed() {
    use assize_server::config::{Overrides, load};
    for (values, expected) in [
        (vec![("guard.engine", "vllm"), ("guard.url", "https://x:1"), ("guard.model", "m")], "`guard.url`"),
        (vec![("guard.engine", "vllm"), ("guard.url", "http://x:1")], "`guard.model`"),
        (vec![("guard.engine", "tei")], "`guard.url`"),
        (vec![("guard.engine", "ollama")], "`candle`, `vllm` or `tei`"),
        (vec![("guard.margin", "2")], "0 to 1"),
    ] {
        let own = [("guard.file", "x.toml"), ("guard.checkpoint", "y")];
        let values = own.into_iter().chain(values).map(|(key, value)| (key, value.to_owned())).collect();
        let error = load(&Overrides { file: None, values }).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
