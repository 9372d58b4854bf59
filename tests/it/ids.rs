//! The ids that follow a request: `x-request-id` and `traceparent`.

use crate::support::{Answer, check_problem, shared};
use reqwest::Method;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

async fn ask(path: &str, name: &'static str, value: &[u8]) -> Answer {
    let value = reqwest::header::HeaderValue::from_bytes(value).unwrap();
    Answer::of(shared().request(Method::GET, path).header(name, value)).await
}

async fn check_request_id(given: &[u8], is_echoed: bool) {
    for path in ["/livez", "/nowhere"] {
        let answer = ask(path, "x-request-id", given).await;
        let id = answer.header("x-request-id");
        assert_eq!(id.as_bytes() == given, is_echoed, "{answer:?}");
        assert!((1..=128).contains(&id.len()), "{answer:?}");
    }
}

#[tokio::test]
async fn a_decent_request_id_is_echoed_and_another_one_is_replaced() {
    check_request_id(b"order-17.retry_2", true).await;
    check_request_id(&[b'x'; 128], true).await;
    for odd in [&b""[..], b"two words", b"\xe9", b"a;b", b"{}", &[b'x'; 129]] {
        check_request_id(odd, false).await;
    }
}

#[tokio::test]
async fn each_request_without_an_id_gets_one_of_its_own() {
    let api = shared();
    let (first, second) = (api.get("/livez").await, api.get("/livez").await);
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    assert_ne!(first.header("traceparent"), second.header("traceparent"));
    check_problem(&api.get("/nowhere").await, 404, "not_found");
}

async fn check_trace(given: &str, goes_on: bool) {
    for path in ["/livez", "/nowhere"] {
        let answer = ask(path, "traceparent", given.as_bytes()).await;
        let parts: Vec<&str> = answer.header("traceparent").split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [2, 32, 16, 2], "{answer:?}");
        assert_eq!((parts[0], parts[1] == TRACE), ("00", goes_on), "{given}: {answer:?}");
        assert_ne!(parts[2], PARENT, "the span is this service's own");
        assert_eq!(parts[3], if goes_on { "01" } else { "00" }, "{given}");
    }
}

#[tokio::test]
async fn a_valid_trace_goes_on_and_a_bad_one_starts_anew() {
    check_trace(&format!("00-{TRACE}-{PARENT}-01"), true).await;
    check_trace(&format!("cc-{TRACE}-{PARENT}-01-later"), true).await;
    check_trace(&format!("00-{TRACE}-{PARENT}-01-later"), false).await;
    check_trace(&format!("ff-{TRACE}-{PARENT}-01"), false).await;
    check_trace(&format!("00-{TRACE}-0000000000000000-01"), false).await;
    check_trace("00-what", false).await;
}
