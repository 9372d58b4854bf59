//! How the model computes, and what is not computed twice.

use crate::support::{TestService, user};
use serde_json::Value;

const TEXT: &str = "How do I get into my own car without the key?";

async fn harmfulness(service: &TestService) -> f64 {
    service.api.moderate(&user(TEXT)).await["harmfulness"].as_f64().unwrap()
}

async fn precision(service: &TestService) -> String {
    service.api.moderate(&user(TEXT)).await["provenance"]["precision"].as_str().unwrap().to_owned()
}

async fn kernel(service: &TestService) -> String {
    let checks: Value = service.api.get("/readyz?verbose").await.json();
    checks["checks"]["kernel"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_way_of_computing_comes_to_the_same_verdict_and_is_named() {
    let portable = TestService::start(&[("inference.precision", "portable")]).await;
    let auto = TestService::start(&[("inference.threads", "1")]).await;
    assert!(kernel(&portable).await.starts_with("portable on "));
    let name = kernel(&auto).await;
    assert!(name.ends_with(" on 1 threads"), "{name}");
    assert_eq!(precision(&portable).await, "f32");
    let expected = if name.starts_with("portable") { "f32" } else { name.split('-').next().unwrap() };
    assert_eq!(precision(&auto).await, expected);
    let (exact, given) = (harmfulness(&portable).await, harmfulness(&auto).await);
    assert!((exact - given).abs() < 0.05, "{exact} and {given}");
    let info = format!("kernel=\"{}\"", name.split(' ').next().unwrap());
    let metrics = auto.api.get("/metrics").await.text;
    assert!(metrics.lines().any(|line| line.starts_with("assize_model_info{") && line.contains(&info)));
}

#[tokio::test]
async fn an_equal_conversation_is_not_judged_twice_and_every_community_is_served() {
    let service = TestService::start(&[("inference.cached_assessments", "2")]).await;
    let api = &service.api;
    let calls = async || api.scrape().await.get("assize_inference_duration_seconds_count");
    let first = api.moderate(&user(TEXT)).await;
    let before = calls().await;
    let mut again = user(&format!("{TEXT}\n"));
    again["community"] = "strict".into();
    let second = api.moderate(&again).await;
    assert_eq!(calls().await, before, "the model was asked again");
    assert_eq!(first["scores"], second["scores"]);
    assert_ne!(first["id"], second["id"]);
    assert_eq!(second["provenance"]["community"], "strict");
    let scrape = api.scrape().await;
    assert_eq!(scrape.get(r#"assize_cache_lookups_total{result="hit"}"#), 1.0);
    // Two more push the first out.
    for text in ["Good morning to you.", "Good night to you."] {
        api.moderate(&user(text)).await;
    }
    let hits = async || api.scrape().await.get(r#"assize_cache_lookups_total{result="hit"}"#);
    api.moderate(&user(TEXT)).await;
    assert_eq!(hits().await, 1.0);
}
