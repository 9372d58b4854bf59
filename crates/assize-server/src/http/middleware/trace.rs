//! Who asked, and in which trace: `x-request-id` and W3C `traceparent`, in and out.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// Echoed on every answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// SOURCE: W3C Trace Context, level 1.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The ids that follow one request through logs and answers.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    /// The client's id if it is a decent one, else a new one.
    pub(crate) request_id: String,
    /// 32 hexadecimal digits: the caller's trace, or a new one.
    pub(crate) trace_id: String,
    /// 16 hexadecimal digits: this service's part of the trace.
    span_id: String,
    /// Two hexadecimal digits: the caller's flags (01 is "sampled").
    flags: String,
}

impl RequestContext {
    /// Takes what the client sent, where it is well-formed.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let request_id =
            text(&REQUEST_ID).filter(|id| is_decent(id)).map_or_else(new_request_id, str::to_owned);
        let (trace_id, flags) = text(&TRACEPARENT).and_then(parse_traceparent).unwrap_or_else(new_trace);
        let span_id = Uuid::new_v4().simple().to_string().chars().take(16).collect();
        Self { request_id, trace_id, span_id, flags }
    }

    /// Writes the ids into an answer's headers.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let traceparent = format!("00-{}-{}-{}", self.trace_id, self.span_id, self.flags);
        for (name, value) in [(REQUEST_ID, &self.request_id), (TRACEPARENT, &traceparent)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
    }
}

/// Ids go into logs: only short ones of plain characters are taken over.
fn is_decent(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=128).contains(&id.len()) && id.bytes().all(plain)
}

fn new_request_id() -> String {
    Uuid::now_v7().to_string()
}

fn new_trace() -> (String, String) {
    (Uuid::new_v4().simple().to_string(), "00".to_owned())
}

/// Trace id and flags of a valid header.
fn parse_traceparent(header: &str) -> Option<(String, String)> {
    let hex = |text: &str, length: usize| {
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.len() == length && text.bytes().all(lower)
    };
    let is_zero = |text: &str| text.bytes().all(|byte| byte == b'0');
    let mut parts = header.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let later_version = version != "00" && parts.next().is_some();
    let ends_well = later_version || parts.next().is_none();
    let valid = hex(version, 2) && version != "ff" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    (valid && ends_well && !is_zero(trace) && !is_zero(parent)).then(|| (trace.to_owned(), flags.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_valid_trace_goes_on_and_a_bad_one_starts_anew() {
        for (header, goes_on) in [
            (format!("00-{TRACE}-00f067aa0ba902b7-01"), true),
            (format!("00-{TRACE}-00f067aa0ba902b7-01-x"), false),
            (format!("cc-{TRACE}-00f067aa0ba902b7-01-x"), true),
            (format!("ff-{TRACE}-00f067aa0ba902b7-01"), false),
            (format!("00-{TRACE}-0000000000000000-01"), false),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
            (format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()), false),
            (String::new(), false),
        ] {
            assert_eq!(parse_traceparent(&header).is_some(), goes_on, "{header}");
        }
    }

    #[test]
    fn only_decent_request_ids_are_taken_over() {
        for (id, expected) in
            [("a-b.c_9", true), ("", false), ("a b", false), ("é", false), (&*"x".repeat(129), false)]
        {
            assert_eq!(is_decent(id), expected, "{id}");
        }
    }
}
