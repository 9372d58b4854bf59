//! Who may call, and how often.

use crate::support::{Answer, Api, TestService, check_problem, user};
use reqwest::Method;
use serde_json::{Value, json};

const BOT: &str = "0123456789abcdef";
const APP: &str = "fedcba9876543210";

/// No credentials, a bearer token, or the other header.
#[derive(Debug, Clone, Copy)]
enum Credentials {
    None,
    Header(&'static str, &'static str),
}

use Credentials::{Header, None as Nothing};

async fn ask(api: &Api, method: Method, path: &str, credentials: Credentials, body: &Value) -> Answer {
    let request = api.request(method.clone(), path);
    let request = if method == Method::POST { request.json(body) } else { request };
    Answer::of(match credentials {
        Nothing => request,
        Header(name, value) => request.header(name, value),
    })
    .await
}

async fn keyed_service() -> TestService {
    let keys = format!("bot={BOT},app={APP}");
    TestService::start(&[("auth.keys", &keys), ("quota.conversations_per_minute", "5")]).await
}

#[tokio::test]
async fn the_guarded_paths_want_a_known_key() {
    let service = keyed_service().await;
    let hello = user("hello");
    for wrong in [
        Nothing,
        Header("authorization", "Bearer 0123456789abcdeX"),
        Header("authorization", "Bearer "),
        Header("authorization", "0123456789abcdef"),
        Header("authorization", "Basic 0123456789abcdef"),
        Header("x-api-key", "0123456789abcdef0"),
        Header("x-api-key", "bot"),
    ] {
        for (method, path) in [
            (Method::POST, "/moderate"),
            (Method::POST, "/v1/moderate"),
            (Method::GET, "/communities"),
            (Method::GET, "/v1/communities/default"),
        ] {
            let answer = ask(&service.api, method, path, wrong, &hello).await;
            assert_eq!(answer.status, 401, "{path} {wrong:?}: {answer:?}");
            check_problem(&answer, 401, "unauthorized");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    for right in [
        Header("authorization", "Bearer 0123456789abcdef"),
        Header("authorization", "bearer 0123456789abcdef"),
        Header("x-api-key", "fedcba9876543210"),
    ] {
        let answer = ask(&service.api, Method::POST, "/moderate", right, &hello).await;
        assert_eq!(answer.status, 200, "{right:?}: {answer:?}");
    }
    for path in ["/livez", "/readyz", "/readyz?verbose", "/metrics", "/openapi.json", "/docs", "/docs/"] {
        let answer = ask(&service.api, Method::GET, path, Nothing, &hello).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
}

/// One step of a client's minute: conversations sent, status, what is left where that is said.
async fn check_quota(api: &Api, key: &'static str, conversations: usize, status: u16, left: Option<&str>) {
    let body = if conversations == 1 { user("hello") } else { json!(vec![user("hello"); conversations]) };
    let answer = ask(api, Method::POST, "/moderate", Header("x-api-key", key), &body).await;
    assert_eq!(answer.status, status, "{answer:?}");
    if let Some(left) = left {
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=5;w=60");
        assert!(answer.header("ratelimit").starts_with(&format!("\"default\";r={left};t=")), "{answer:?}");
    }
    if status == 429 {
        check_problem(&answer, 429, "quota_exceeded");
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        // Five a minute: one comes back every 12 s, and four are the most that a list here lacks.
        assert!((1..=48).contains(&wait), "{answer:?}");
    }
}

#[tokio::test]
async fn each_key_has_its_quota_and_a_list_costs_as_many_as_it_holds() {
    let service = keyed_service().await;
    let api = &service.api;
    check_quota(api, BOT, 3, 200, Some("2")).await;
    check_quota(api, BOT, 3, 429, None).await;
    check_quota(api, BOT, 1, 200, Some("1")).await;
    check_quota(api, APP, 1, 200, Some("4")).await;
    check_quota(api, BOT, 1, 200, Some("0")).await;
    check_quota(api, BOT, 1, 429, Some("0")).await;
    check_quota(api, APP, 6, 422, None).await;
    check_quota(api, APP, 4, 200, Some("0")).await;
    check_quota(api, APP, 1, 429, Some("0")).await;
    let scrape = service.api.scrape().await;
    assert!(scrape.get(r#"assize_errors_total{code="quota_exceeded"}"#) >= 3.0);
}

#[tokio::test]
async fn without_keys_the_quota_is_the_addresss_and_garbage_is_not_free() {
    let service = TestService::start(&[("quota.conversations_per_minute", "2")]).await;
    check_problem(&service.api.post("{").await, 400, "malformed_json");
    let answer = service.api.post(user("hello").to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    check_problem(&service.api.post("{").await, 429, "quota_exceeded");
    assert_eq!(service.api.get("/communities").await.status, 200, "only verdicts cost");
}
