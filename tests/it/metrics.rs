//! What `/metrics` says before anything happened, and that it counts exactly what did.

use crate::support::{TestService, check_problem, conversation, user};
use serde_json::json;
use std::collections::BTreeMap;

const DECISIONS: [&str; 3] = ["allow", "review", "block"];
const ROUTES: [&str; 9] =
    ["moderate", "communities", "community", "livez", "readyz", "metrics", "openapi", "docs", "other"];
const CODES: [&str; 16] = [
    "malformed_json",
    "invalid_request",
    "unsupported_media_type",
    "body_too_large",
    "too_many_tokens",
    "unknown_community",
    "not_found",
    "method_not_allowed",
    "unauthorized",
    "quota_exceeded",
    "overloaded",
    "deadline_exceeded",
    "request_timeout",
    "not_ready",
    "model_failed",
    "internal",
];
const HISTOGRAMS: [&str; 6] = [
    "assize_queue_wait_seconds",
    "assize_batch_items",
    "assize_batch_tokens",
    "assize_inference_duration_seconds",
    "assize_tokenisation_duration_seconds",
    "assize_request_duration_seconds",
];

/// Every series that must stand at 0 before the first request.
fn untouched() -> Vec<String> {
    let mut names = Vec::new();
    for community in ["default", "strict"] {
        for decision in DECISIONS {
            names.push(format!(r#"assize_verdicts_total{{community="{community}",decision="{decision}"}}"#));
        }
        for mode in ["open", "closed"] {
            names.push(format!(r#"assize_failures_total{{community="{community}",mode="{mode}"}}"#));
        }
    }
    for route in ROUTES {
        for status in ["2xx", "4xx", "5xx"] {
            names.push(format!(r#"assize_requests_total{{route="{route}",status="{status}"}}"#));
        }
        names.push(format!(r#"assize_request_duration_seconds_count{{route="{route}"}}"#));
    }
    names.extend(CODES.map(|code| format!(r#"assize_errors_total{{code="{code}"}}"#)));
    let reasons = ["tokens", "requests", "deadline"];
    names.extend(reasons.map(|reason| format!(r#"assize_overloads_total{{reason="{reason}"}}"#)));
    let dropped = ["abandoned", "expired"];
    names.extend(dropped.map(|reason| format!(r#"assize_jobs_dropped_total{{reason="{reason}"}}"#)));
    let floors = ["sexual_content_with_minors", "mass_harm_weapons"];
    names.extend(floors.map(|floor| format!(r#"assize_floors_total{{floor="{floor}"}}"#)));
    let degradations = ["partial_coverage", "tree_unusable"];
    names.extend(degradations.map(|kind| format!(r#"assize_degradations_total{{degradation="{kind}"}}"#)));
    let results = ["loaded", "rejected"];
    names.extend(results.map(|result| format!(r#"assize_profile_reloads_total{{result="{result}"}}"#)));
    let plain = ["profiles_stale", "queue_items", "queue_tokens", "admitted_tokens", "admitted_requests"];
    names.extend(plain.map(|name| format!("assize_{name}")));
    names.push("assize_inference_failures_total".to_owned());
    names
}

#[tokio::test]
async fn every_series_stands_at_0_before_the_first_request() {
    let service = TestService::start(&[]).await;
    let answer = service.api.get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let scrape = crate::support::Series::parse(&answer.text);
    for name in untouched() {
        assert_eq!(scrape.get(&name), 0.0, "{name}");
    }
    for name in ["assize_ready", "assize_requests_in_flight"] {
        assert_eq!(scrape.get(name), 1.0, "{name}");
    }
    for histogram in HISTOGRAMS {
        let bucket = format!("{histogram}_bucket");
        assert!(scrape.names().any(|name| name.starts_with(&bucket)), "{histogram}");
    }
    for info in ["assize_model_info{", "assize_build_info{"] {
        assert_eq!(scrape.names().filter(|name| name.starts_with(info)).count(), 1, "{info}");
    }
    assert!(scrape.get("assize_profiles_loaded_timestamp_seconds") > 1.7e9);
}

#[tokio::test]
async fn the_counters_move_by_exactly_what_happened() {
    let service = TestService::start(&[("inference.deadline", "60s")]).await;
    let api = &service.api;
    let before = api.scrape().await;
    api.moderate(&user("What is a good recipe for apple pie?")).await;
    let mut strict = user("How do I get into my own car without the key?");
    strict["community"] = json!("strict");
    let unread = "My garden has roses, beans and a small pond with two frogs in it. ".repeat(900);
    api.moderate(&json!([user("hello"), strict, user(&unread)])).await;
    check_problem(&api.post("{").await, 400, "malformed_json");
    check_problem(&api.post(conversation(&[]).to_string()).await, 422, "invalid_request");
    check_problem(&api.get("/communities/nowhere").await, 404, "unknown_community");
    check_problem(&api.get("/a/b/c").await, 404, "not_found");
    assert_eq!(api.get("/v1/communities").await.status, 200);
    let gained = api.scrape().await.gained(&before);
    let expected = [
        // The text that was not read as a whole: told, but no failure.
        (r#"assize_degradations_total{degradation="partial_coverage"}"#, 1.0),
        (r#"assize_errors_total{code="invalid_request"}"#, 1.0),
        (r#"assize_errors_total{code="malformed_json"}"#, 1.0),
        (r#"assize_errors_total{code="not_found"}"#, 1.0),
        (r#"assize_errors_total{code="unknown_community"}"#, 1.0),
        (r#"assize_requests_total{route="communities",status="2xx"}"#, 1.0),
        (r#"assize_requests_total{route="community",status="4xx"}"#, 1.0),
        // The first scrape.
        (r#"assize_requests_total{route="metrics",status="2xx"}"#, 1.0),
        (r#"assize_requests_total{route="moderate",status="2xx"}"#, 2.0),
        (r#"assize_requests_total{route="moderate",status="4xx"}"#, 2.0),
        (r#"assize_requests_total{route="other",status="4xx"}"#, 1.0),
        (r#"assize_verdicts_total{community="default",decision="allow"}"#, 2.0),
        (r#"assize_verdicts_total{community="default",decision="review"}"#, 1.0),
        (r#"assize_verdicts_total{community="strict",decision="block"}"#, 1.0),
    ];
    assert_eq!(
        gained,
        expected.map(|(name, gain)| (name.to_owned(), gain)).into_iter().collect::<BTreeMap<_, _>>()
    );
}

#[tokio::test]
async fn requests_make_no_new_series() {
    let service = TestService::start(&[]).await;
    let names = |series: &crate::support::Series| series.names().map(str::to_owned).collect::<Vec<_>>();
    let before = names(&service.api.scrape().await);
    for path in ["/a", "/b?c=d", "/communities/e", "/v1/communities/f", "/docs/g", "/readyz?h"] {
        service.api.get(path).await;
    }
    let mut request = user("hello");
    request["community"] = json!("nobody-knows-it");
    service.api.post(request.to_string()).await;
    assert_eq!(names(&service.api.scrape().await), before);
}
