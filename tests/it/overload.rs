//! More work than there is room for: an honest answer in time, and the old service afterwards.

use crate::support::{Answer, Api, TestService, check_problem, close_to, eventually, user};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What an answer may take beyond its deadline: the tests of this crate share two cores.
const SLACK: Duration = Duration::from_secs(2);
const LINE: &str = "My garden has roses, beans and a small pond with two frogs in it. ";

/// About 130 tokens: a long chat turn.
fn page() -> String {
    LINE.repeat(8)
}

async fn until_idle(api: &Api) {
    eventually("nothing admitted", async || api.scrape().await.get("assize_admitted_requests") == 0.0).await;
    assert_eq!(api.scrape().await.get("assize_admitted_tokens"), 0.0);
}

/// An answer under load: a verdict, or an honest refusal that says when to come back and what to do meanwhile.
fn check_answer(answer: &Answer, took: Duration, deadline: Duration) {
    assert!(took <= deadline + SLACK, "{took:?}: {answer:?}");
    if answer.status == 200 {
        return;
    }
    let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
    assert!(["overloaded", "deadline_exceeded"].contains(&code.as_str()), "{answer:?}");
    check_problem(answer, 503, &code);
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&wait), "{answer:?}");
    assert_eq!(answer.json()["on_failure"], "closed");
}

async fn timed(api: Api, body: String) -> (Answer, Duration) {
    let started = Instant::now();
    (api.post(body).await, started.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_gets_verdicts_or_honest_refusals_and_leaves_no_trace() {
    let deadline = Duration::from_secs(4);
    let service = TestService::start(&[("inference.max_requests", "4"), ("inference.deadline", "4s")]).await;
    let api = &service.api;
    let calm = api.moderate(&user("How do I get into my own car without the key?")).await;
    let before = api.scrape().await;
    let mut storm = JoinSet::new();
    for _ in 0..48 {
        storm.spawn(timed(api.clone(), user(&page()).to_string()));
    }
    let answers = storm.join_all().await;
    answers.iter().for_each(|(answer, took)| check_answer(answer, *took, deadline));
    let verdicts = answers.iter().filter(|(answer, _)| answer.status == 200).count();
    assert!((1..48).contains(&verdicts), "{verdicts} verdicts");
    until_idle(api).await;
    let gained = api.scrape().await.gained(&before);
    let sum = |prefix: &str| {
        gained.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, n)| n).sum::<f64>()
    };
    let refused = 48.0 - f64::from(u32::try_from(verdicts).unwrap());
    assert_eq!((sum("assize_verdicts_total"), sum("assize_failures_total")), (48.0 - refused, refused));
    assert_eq!(sum("assize_errors_total"), refused);
    assert!(sum("assize_overloads_total") > 0.0);
    let after = api.moderate(&user("How do I get into my own car without the key?")).await;
    assert_eq!(after["decision"], calm["decision"]);
    assert!(close_to(&after["harmfulness"], &calm["harmfulness"], 1e-4));
    assert_eq!(api.get("/readyz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_is_kept_when_the_model_is_slow() {
    let slow = [("inference.precision", "portable"), ("inference.max_batch_items", "1")];
    let text = user(&LINE.repeat(800)).to_string();
    let patient = TestService::start(&slow).await;
    let (answer, whole) = timed(patient.api.clone(), text.clone()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let windows = patient.api.scrape().await.get("assize_batch_items_sum");
    assert!(windows >= 8.0, "{windows}");
    drop(patient);

    // Half of what all its windows take, whatever this machine does in that time.
    let deadline = whole / 2;
    let setting = format!("{}ms", deadline.as_millis());
    let service =
        TestService::start(&[&slow[..], &[("inference.deadline", setting.as_str())]].concat()).await;
    let mut dropped = 0.0;
    // On a machine that does something else, the deadline may pass before the text is tokenised: that shows nothing.
    for _ in 0..5 {
        let before = service.api.scrape().await;
        let (answer, took) = timed(service.api.clone(), text.clone()).await;
        check_problem(&answer, 503, "deadline_exceeded");
        check_answer(&answer, took, deadline);
        until_idle(&service.api).await;
        let after = service.api.scrape().await;
        let gained = |name: &str| after.get(name) - before.get(name);
        assert!(gained("assize_batch_items_sum") < windows, "all of its windows were computed for nobody");
        dropped = ["expired", "abandoned"]
            .map(|reason| gained(&format!(r#"assize_jobs_dropped_total{{reason="{reason}"}}"#)))
            .iter()
            .sum::<f64>();
        if dropped > 0.0 {
            break;
        }
    }
    assert!(dropped > 0.0, "it ended before its windows were queued");
}

/// A list whose last conversations take far longer than the deadline.
fn long_list(first: &str) -> serde_json::Value {
    let mut list = vec![user(first)];
    list.extend(vec![user(&LINE.repeat(240)); 7]);
    json!(list)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_in_a_list_is_counted_and_leaves_the_rest() {
    let limits = [
        ("inference.deadline", "2s"),
        ("inference.max_tokens", "100000"),
        ("inference.max_batch_items", "1"),
    ];
    let service = TestService::start(&limits).await;
    let before = service.api.scrape().await;
    let items = service.api.moderate(&long_list("hello")).await;
    let items = items.as_array().unwrap();
    assert_eq!(items[0]["decision"], "allow", "{items:?}");
    let failed: Vec<_> = items.iter().filter(|item| item.get("code").is_some()).collect();
    assert!(!failed.is_empty(), "{items:?}");
    for item in &failed {
        assert_eq!((&item["code"], &item["on_failure"]), (&json!("deadline_exceeded"), &json!("closed")));
    }
    let gained = service.api.scrape().await.gained(&before);
    let failed = f64::from(u32::try_from(failed.len()).unwrap());
    for name in [
        r#"assize_errors_total{code="deadline_exceeded"}"#,
        r#"assize_failures_total{community="default",mode="closed"}"#,
    ] {
        assert_eq!(gained.get(name), Some(&failed), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_without_any_verdict_is_a_503() {
    let limits = [
        ("inference.deadline", "300ms"),
        ("inference.max_tokens", "100000"),
        ("inference.max_batch_items", "1"),
    ];
    let service = TestService::start(&limits).await;
    let before = service.api.scrape().await;
    let (answer, took) = timed(service.api.clone(), long_list(&LINE.repeat(240)).to_string()).await;
    check_problem(&answer, 503, "deadline_exceeded");
    check_answer(&answer, took, Duration::from_millis(300));
    let gained = service.api.scrape().await.gained(&before);
    assert_eq!(gained.get(r#"assize_errors_total{code="deadline_exceeded"}"#), Some(&1.0));
    assert_eq!(gained.get(r#"assize_failures_total{community="default",mode="closed"}"#), Some(&8.0));
}

#[tokio::test]
async fn what_can_never_be_admitted_is_told_so() {
    let service =
        TestService::start(&[("inference.max_requests", "4"), ("inference.max_tokens", "600")]).await;
    let hello = user("hello");
    let answer = service.api.post(json!(vec![hello.clone(); 5]).to_string()).await;
    check_problem(&answer, 422, "invalid_request");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains('5') && detail.contains('4'), "{detail}");
    service.api.moderate(&json!(vec![hello; 4])).await;
    let answer = service.api.post(user(&LINE.repeat(100)).to_string()).await;
    check_problem(&answer, 413, "too_many_tokens");
    assert!(answer.json().get("on_failure").is_none(), "the client is at fault: {answer:?}");
    assert!(answer.headers.get("retry-after").is_none(), "it would never pass: {answer:?}");
}

#[tokio::test]
async fn bodies_beyond_the_budget_are_refused_and_give_their_room_back() {
    let service = TestService::start(&[("server.max_buffered_bytes", "4096")]).await;
    for _ in 0..3 {
        let answer = service.api.post(user(&LINE.repeat(150)).to_string()).await;
        check_problem(&answer, 503, "overloaded");
        assert_eq!(answer.header("retry-after"), "1");
        service.api.moderate(&user("hello")).await;
    }
}
