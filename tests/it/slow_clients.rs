//! Clients that send too slowly: each is told or cut off in time, and the others don't notice.

use crate::support::{TestService, user, wire};
use std::time::Duration;

const LIMIT: Duration = Duration::from_millis(400);
/// Far above what a busy machine adds, far below the 10 s that would be the default.
const SLACK: Duration = Duration::from_secs(4);

/// Sends `bytes`, then nothing more; the service must end it after the limit and say what is expected.
async fn check(bytes: &[u8], expected: &[&str]) {
    let limits = [("server.header_read_timeout", "400ms"), ("server.body_read_timeout", "400ms")];
    let service = TestService::start(&limits).await;
    let mut stream = wire::open(service.api.address(), bytes).await;
    assert_eq!(service.api.moderate(&user("hello")).await["decision"], "allow");
    let (answer, took) = wire::read_to_end(&mut stream).await;
    assert!(took < LIMIT + SLACK, "{took:?}: {answer}");
    for expected in expected {
        assert!(answer.contains(expected), "{answer}");
    }
    if expected.is_empty() {
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    check(b"POST /moderate HTTP/1.1\r\nhost: te", &[]).await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_cut_off() {
    check(b"", &[]).await;
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_a_408() {
    let head =
        "POST /moderate HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 99";
    let expected = ["HTTP/1.1 408 ", "application/problem+json", "\"code\":\"request_timeout\"", "400 ms"];
    check(format!("{head}\r\n\r\n{{\"turns\"").as_bytes(), &expected).await;
}

#[tokio::test]
async fn bytes_that_are_no_http_are_refused() {
    let service = TestService::start(&[]).await;
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
    {
        let mut stream = wire::open(service.api.address(), bytes).await;
        let (answer, _) = wire::read_to_end(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    assert_eq!(service.api.get("/livez").await.status, 200);
}
