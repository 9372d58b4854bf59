//! A client as a chatbot's backend would have it.

use super::Series;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// One service and a client for it.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    address: SocketAddr,
    client: reqwest::Client,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// Sends a request and reads the whole answer.
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header that must be there, once.
    pub(crate) fn header(&self, name: &str) -> &str {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        assert_eq!(values.len(), 1, "{name}: {self:?}");
        values[0].to_str().unwrap()
    }
}

impl Api {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Posts bytes that say they are JSON, whatever they are.
    pub(crate) async fn post(&self, body: impl Into<Vec<u8>>) -> Answer {
        let request = self.request(Method::POST, "/moderate").header("content-type", "application/json");
        Answer::of(request.body(body.into())).await
    }

    /// The body of an answer that must be 200.
    pub(crate) async fn moderate(&self, body: &Value) -> Value {
        let answer = self.post(body.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    pub(crate) async fn scrape(&self) -> Series {
        let answer = self.get("/metrics").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Series::parse(&answer.text)
    }
}

/// A request with these turns and the default community.
pub(crate) fn conversation(turns: &[(&str, &str)]) -> Value {
    let turns = turns.iter().map(|(role, content)| json!({"role": role, "content": content}));
    json!({"turns": turns.collect::<Vec<_>>()})
}

/// A request with one user turn.
pub(crate) fn user(content: &str) -> Value {
    conversation(&[("user", content)])
}

/// An error must be a problem document with this status and code, and say which request it belongs to.
pub(crate) fn check_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{answer:?}");
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], format!("urn:assize:error:{code}"));
    assert_eq!(problem["request_id"], answer.header("x-request-id"));
    for text in ["title", "detail"] {
        assert!(problem[text].as_str().is_some_and(|text| !text.is_empty()), "{text}: {answer:?}");
    }
}

/// Two numbers that must be the same but for rounding.
pub(crate) fn close_to(given: &Value, expected: &Value, tolerance: f64) -> bool {
    match (given.as_f64(), expected.as_f64()) {
        (Some(given), Some(expected)) => (given - expected).abs() <= tolerance,
        (None, None) => given == expected,
        _ => false,
    }
}
