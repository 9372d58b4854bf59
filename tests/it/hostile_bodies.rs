//! Bodies that are no request, and requests that are none of ours: each gets a clear problem, and says where.

use crate::support::{Answer, check_problem, conversation, shared, user, wire};
use reqwest::Method;
use serde_json::{Value, json};

async fn check(body: impl Into<Vec<u8>>, status: u16, code: &str, pointer: Option<&str>) {
    let body = body.into();
    let shown = String::from_utf8_lossy(&body[..body.len().min(120)]).into_owned();
    let answer = shared().post(body).await;
    assert_eq!(answer.status, status, "{shown}: {answer:?}");
    check_problem(&answer, status, code);
    let problem = answer.json();
    assert_eq!(problem["errors"][0]["pointer"].as_str(), pointer, "{shown}: {problem}");
}

async fn check_malformed(body: impl Into<Vec<u8>>) {
    check(body, 400, "malformed_json", None).await;
}

async fn check_shape(body: impl Into<Vec<u8>>, pointer: &str) {
    check(body, 422, "invalid_request", Some(pointer)).await;
}

#[tokio::test]
async fn what_is_no_json_is_malformed() {
    for body in ["", " \r\n\t ", "{", "[", "nul", "\u{feff}{}", r#"{"turns":[]} and more"#, "{'turns':[]}"] {
        check_malformed(body).await;
    }
    check_malformed(&b"{\"turns\":[{\"role\":\"user\",\"content\":\"caf\xe9\"}]}"[..]).await;
    check_malformed(&b"\xff\xfe{\0}\0"[..]).await;
    check_malformed(r#"{"turns":[{"role":"user","content":"\ud800"}]}"#).await;
    check_malformed(r#"{"turns":[{"role":"user","content":"\udc00\ud800"}]}"#).await;
    check_malformed("{\"turns\":[{\"role\":\"user\",\"content\":\"a raw line\nbreak\"}]}").await;
    check_malformed("{\"turns\":[{\"role\":\"user\",\"content\":\"a raw \0\"}]}").await;
}

#[tokio::test]
async fn deep_nesting_is_refused_wherever_it_stands() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(500), close.repeat(500));
    let arrays = deep("[", "]");
    for body in [
        arrays.clone(),
        deep(r#"{"turns":"#, "}"),
        format!(r#"{{"turns":{arrays}}}"#),
        format!(r#"{{"turns":[{{"role":"user","content":{arrays}}}]}}"#),
        format!(r#"{{"turns":[],"extra":{arrays}}}"#),
        "[".repeat(100_000),
    ] {
        let answer = shared().post(body).await;
        match answer.status {
            400 => check_problem(&answer, 400, "malformed_json"),
            _ => check_problem(&answer, 422, "invalid_request"),
        }
    }
}

#[tokio::test]
async fn an_error_of_shape_says_where_it_is() {
    for (body, pointer) in [
        ("7", "#"),
        ("null", "#"),
        (r#""turns""#, "#"),
        ("{}", "#"),
        (r#"{"turns":null}"#, "#/turns"),
        (r#"{"turns":[]}"#, "#/turns"),
        (r#"{"turns":[7]}"#, "#/turns/0"),
        (r#"{"turns":[{"role":"user"}]}"#, "#/turns/0"),
        (r#"{"turns":[{"role":"user","content":7}]}"#, "#/turns/0/content"),
        (r#"{"turns":[{"role":"user","content":null}]}"#, "#/turns/0/content"),
        (r#"{"turns":[{"role":"wizard","content":"hi"}]}"#, "#/turns/0/role"),
        (r#"{"turns":[{"role":"User","content":"hi"}]}"#, "#/turns/0/role"),
        (r#"{"turns":[{"role":"user","content":"hi"}],"explain":"all"}"#, "#/explain"),
        (r#"{"turns":[{"role":"user","content":"hi"}],"judge":"prompt"}"#, "#/judge"),
        (r#"{"turns":[{"role":"user","content":"hi"}],"judge":["poem"]}"#, "#/judge/0"),
        (r#"{"turns":[{"role":"user","content":"hi"}],"judge":[]}"#, "#/judge"),
        (r#"{"turns":[{"role":"user","content":"hi"}],"judge":["response"]}"#, "#/turns"),
        (r#"{"turns":[{"role":"system","content":"hi"}]}"#, "#/turns"),
        (r#"{"turns":[{"role":"user","content":"hi"}],"community":7}"#, "#/community"),
        ("[]", "#"),
        ("[7]", "#/0"),
    ] {
        check_shape(body, pointer).await;
    }
}

#[tokio::test]
async fn a_word_that_is_none_is_of_the_wrong_shape() {
    for (body, pointer) in [
        (r#"{"turns":[{"role":"user","content":"hi"},{"role":7,"content":"hi"}]}"#, "#/turns/1/role"),
        (r#"{"turns":[{"role":null,"content":"hi"}]}"#, "#/turns/0/role"),
        (r#"{"turns":[{"role":["user"],"content":"hi"}]}"#, "#/turns/0/role"),
        (r#"{"turns":[{"role":{"user":null},"content":"hi"}]}"#, "#/turns/0/role"),
        (r#"{"turns":[{"role":"user","content":"hi"}],"explain":true}"#, "#/explain"),
        (r#"{"turns":[{"role":"user","content":"hi"}],"judge":[7]}"#, "#/judge/0"),
    ] {
        check_shape(body, pointer).await;
    }
}

#[tokio::test]
async fn keys_are_known_and_given_once() {
    check_shape(r#"{"turns":[],"turns":[{"role":"user","content":"hi"}]}"#, "#").await;
    check_shape(r#"{"turns":[{"role":"user","role":"system","content":"hi"}]}"#, "#/turns/0").await;
    check_shape(r#"{"turns":[{"role":"user","content":"a","content":"b"}]}"#, "#/turns/0").await;
    check_shape(r#"{"turns":[{"role":"user","content":"hi"}],"model":"gpt"}"#, "#/?").await;
    check_shape(r#"{"turns":[{"role":"user","content":"hi","name":"Ann"}]}"#, "#/turns/0/?").await;
}

#[tokio::test]
async fn an_array_is_no_object() {
    check_shape(r#"{"turns":[["user","hello"]]}"#, "#/turns/0").await;
    check_shape(r#"[[[{"role":"user","content":"hello"}],null,null,"none"]]"#, "#/0").await;
}

#[tokio::test]
async fn an_error_in_a_list_names_the_conversation() {
    let good = user("hello");
    for (second, pointer) in [
        (json!({"turns": [{"role": "wizard", "content": "hi"}]}), "#/1/turns/0/role"),
        (json!({"turns": [{"role": "user", "content": "\u{200b}\u{feff}"}]}), "#/1/turns/0/content"),
        (json!({"turns": []}), "#/1/turns"),
        (json!({"turns": [{"role": "user", "content": "hi"}], "judge": []}), "#/1/judge"),
        (json!({"turns": [{"role": "user", "content": "hi"}], "mood": 1}), "#/1/?"),
    ] {
        check_shape(json!([good, second]).to_string(), pointer).await;
    }
    let mut elsewhere = user("hello");
    elsewhere["community"] = json!("nowhere");
    check(elsewhere.to_string(), 404, "unknown_community", Some("#/community")).await;
    check(json!([good, elsewhere]).to_string(), 404, "unknown_community", Some("#/1/community")).await;
    elsewhere["community"] = json!("../Default");
    check(elsewhere.to_string(), 404, "unknown_community", Some("#/community")).await;
}

#[tokio::test]
async fn what_is_over_a_limit_is_refused() {
    let many_turns: Vec<(&str, &str)> = vec![("user", "hello"); 300];
    check_shape(conversation(&many_turns).to_string(), "#/turns").await;
    let long_turn = "a ".repeat(40_000);
    check_shape(conversation(&[("user", "hi"), ("user", &long_turn)]).to_string(), "#/turns/1/content").await;
    check_shape(Value::from(vec![user("hello"); 65]).to_string(), "#").await;
    let large = user(&"a".repeat(300_000));
    check(large.to_string(), 413, "body_too_large", None).await;
}

#[tokio::test]
async fn a_body_of_a_megabyte_is_answered_and_the_connection_goes_on() {
    let address = shared().address();
    let mut stream = wire::open(address, &wire::post(&user(&"a".repeat(1 << 20)))).await;
    let answer = wire::read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body_too_large"), "{answer}");
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET /livez HTTP/1.1\r\nhost: test\r\n\r\n")
        .await
        .unwrap();
    assert!(wire::read_answer(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

async fn check_media_type(content_type: Option<&str>, status: u16) {
    let body = user("hello").to_string();
    let request = shared().request(Method::POST, "/moderate").body(body);
    let answer = Answer::of(match content_type {
        Some(content_type) => request.header("content-type", content_type),
        None => request,
    })
    .await;
    match status {
        200 => assert_eq!(answer.status, 200, "{content_type:?}: {answer:?}"),
        _ => check_problem(&answer, status, "unsupported_media_type"),
    }
}

#[tokio::test]
async fn only_json_is_taken() {
    for wrong in [None, Some("text/plain"), Some("application/xml"), Some("application/jsonp"), Some("")] {
        check_media_type(wrong, 415).await;
    }
    for right in ["application/json", "Application/JSON", "application/json; charset=utf-8"] {
        check_media_type(Some(right), 200).await;
    }
}

async fn check_path(method: Method, path: &str, status: u16, code: &str) -> Answer {
    let answer = Answer::of(shared().request(method, path)).await;
    assert_eq!(answer.status, status, "{path}: {answer:?}");
    check_problem(&answer, status, code);
    answer
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    for path in
        ["/", "/nowhere", "/v1/nowhere", "/moderate/", "/v2/moderate", "/../etc/passwd", "/moderate%00"]
    {
        check_path(Method::GET, path, 404, "not_found").await;
    }
    let long = format!("/communities/{}", "a".repeat(5_000));
    for path in ["/communities/nowhere", "/v1/communities/nowhere", "/communities/%00", &long] {
        check_path(Method::GET, path, 404, "unknown_community").await;
    }
}

#[tokio::test]
async fn a_path_that_is_no_text_is_a_problem_too() {
    check_path(Method::GET, "/communities/%FF", 404, "unknown_community").await;
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    for (method, path, allowed) in [
        (Method::GET, "/moderate", "POST"),
        (Method::PUT, "/v1/moderate", "POST"),
        (Method::POST, "/communities", "GET,HEAD"),
        (Method::DELETE, "/metrics", "GET,HEAD"),
    ] {
        let answer = check_path(method, path, 405, "method_not_allowed").await;
        assert_eq!(answer.header("allow"), allowed, "{path}");
    }
}
