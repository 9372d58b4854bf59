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
            (Method::POST, "/what-if"),
            (Method::GET, "/assessments/0199c1f2a4b87c5e8f0a1b2c3d4e5f60"),
            (Method::GET, "/jobs/0199c1f2a4b87c5e8f0a1b2c3d4e5f60"),
            (Method::GET, "/v1/assessments/0199c1f2a4b87c5e8f0a1b2c3d4e5f60/explanation"),
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

/// A service that lets `bot` have so many conversations a minute.
async fn with_quota(conversations: &str) -> TestService {
    let keys = format!("bot={BOT}");
    TestService::start(&[("auth.keys", &keys), ("quota.conversations_per_minute", conversations)]).await
}

const KEY: Credentials = Header("x-api-key", BOT);

#[tokio::test]
async fn what_is_looked_up_costs_as_much_as_a_conversation() {
    let unknown = "/assessments/0199c1f2a4b87c5e8f0a1b2c3d4e5f60";
    for path in [unknown.to_owned(), format!("{unknown}/explanation")] {
        let service = with_quota("2").await;
        let get = async || ask(&service.api, Method::GET, &path, KEY, &Value::Null).await;
        // Guessing is not free.
        for _ in 0..2 {
            check_problem(&get().await, 404, "unknown_assessment");
        }
        check_problem(&get().await, 429, "quota_exceeded");
    }
    let service = with_quota("3").await;
    let get = async |path: &str| ask(&service.api, Method::GET, path, KEY, &Value::Null).await;
    let given = ask(&service.api, Method::POST, "/moderate", KEY, &user("hello")).await.json();
    let path = format!("/assessments/{}", given["id"].as_str().unwrap());
    assert!(get(&path).await.header("ratelimit").starts_with("\"default\";r=1;t="));
    assert_eq!(get(&format!("{path}/explanation")).await.status, 200);
    check_problem(&get(&path).await, 429, "quota_exceeded");
}

#[tokio::test]
async fn each_hundred_verdicts_cost_as_much_as_a_conversation() {
    let service = with_quota("1").await;
    let what_if = async |body: Value| ask(&service.api, Method::POST, "/what-if", KEY, &body).await;
    let ids = |count: usize| json!({"ids": vec!["0199c1f2"; count], "communities": ["default", "default"]});
    assert_eq!(what_if(ids(100)).await.status, 200);
    check_problem(&what_if(ids(100)).await, 429, "quota_exceeded");
    check_problem(&what_if(json!({"ids": 7})).await, 429, "quota_exceeded");
    let too_much = what_if(ids(101)).await;
    check_problem(&too_much, 422, "invalid_request");
    assert!(too_much.text.contains("a list of 2 can never pass a quota of 1 a minute"), "{too_much:?}");
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
