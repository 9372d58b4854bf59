//! Reads a body without ever repeating it: parser messages quote what they choke on, so they are rebuilt here from
//! their static parts.

use crate::error::{ErrorCode, FieldError};
use crate::request::{ModerateRequest, WhatIfRequest};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// One conversation or a list of them.
#[derive(Debug, Clone)]
pub enum Body {
    /// A JSON object: the answer is one verdict.
    One(Box<ModerateRequest>),
    /// A JSON array: the answer is a list of verdicts in the same order.
    Many(Vec<ModerateRequest>),
}

/// Why a body can't be read. Holds no text of the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Malformed or of the wrong shape.
    pub code: ErrorCode,
    /// What is wrong and what is allowed.
    pub detail: String,
    /// Where, as a JSON pointer, for errors of shape.
    pub field: Option<FieldError>,
}

/// Every key that a body may hold: only these are repeated in a pointer.
const KEYS: [&str; 10] = [
    "turns",
    "role",
    "content",
    "community",
    "judge",
    "explain",
    "ids",
    "assessments",
    "communities",
    "candidates",
];

/// Parses one object or an array of them, of at most `max_items`.
///
/// # Errors
/// When the bytes are no JSON, or JSON of another shape.
pub fn parse_body(bytes: &[u8], max_items: usize) -> Result<Body, ParseError> {
    let is_list = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    if !is_list {
        return parse(bytes).map(|request| Body::One(Box::new(request)));
    }
    let requests: Vec<ModerateRequest> = parse(bytes)?;
    if requests.is_empty() || requests.len() > max_items {
        let detail = format!("the list holds {} conversations; allowed: 1 to {max_items}", requests.len());
        return Err(shape("#".to_owned(), detail));
    }
    Ok(Body::Many(requests))
}

/// Parses a request to weigh assessments again.
///
/// # Errors
/// When the bytes are no JSON, or JSON of another shape.
pub fn parse_what_if(bytes: &[u8]) -> Result<WhatIfRequest, ParseError> {
    parse(bytes)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ParseError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| explain(&pointer(error.path()), error.inner()))?;
    deserializer.end().map_err(|error| explain("#", &error))?;
    Ok(value)
}

fn explain(pointer: &str, error: &serde_json::Error) -> ParseError {
    match error.classify() {
        serde_json::error::Category::Data => shape(pointer.to_owned(), static_part(&error.to_string())),
        serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof
        | serde_json::error::Category::Io => {
            let place = format!("line {}, column {}", error.line(), error.column());
            let detail =
                format!("the body is not valid UTF-8 JSON at {place} (or nested over 128 levels deep)");
            ParseError { code: ErrorCode::MalformedJson, detail, field: None }
        }
    }
}

fn shape(pointer: String, detail: String) -> ParseError {
    let field = FieldError { pointer, detail: detail.clone() };
    ParseError { code: ErrorCode::InvalidRequest, detail, field: Some(field) }
}

/// Keeps what the parser's message says of our own types and drops what it quotes.
fn static_part(message: &str) -> String {
    let own = |prefix: &str| {
        let name = message.strip_prefix(prefix)?.strip_prefix('`')?.split('`').next()?;
        KEYS.contains(&name).then(|| name.to_owned())
    };
    if let Some(name) = own("missing field ") {
        return format!("`{name}` is missing");
    }
    if let Some(name) = own("duplicate field ") {
        return format!("`{name}` is given twice");
    }
    // serde writes its expectation last, so the last one is its own even where the quoted text holds the same words.
    let expected = message.rsplit_once(", expected ").map(|(_, rest)| rest);
    let expected = expected.and_then(|rest| rest.split(" at line ").next());
    let what = if message.starts_with("unknown field") {
        "a key is not known here"
    } else if message.starts_with("unknown variant") {
        "the value is not one of those allowed"
    } else {
        "the value has the wrong type"
    };
    expected.map_or_else(|| what.to_owned(), |expected| format!("{what}; expected {}", friendly(expected)))
}

/// Rust's names for types mean nothing to a client.
fn friendly(expected: &str) -> &str {
    match expected {
        "a sequence" => "an array",
        "string or map" => "a string",
        other => other,
    }
}

/// The path as a JSON pointer; a key that is not ours is shown as `?`.
fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = "#".to_owned();
    for segment in path {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } if KEYS.contains(&key.as_str()) => pointer.push_str(key),
            Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => pointer.push('?'),
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(body: &str, code: ErrorCode, pointer: Option<&str>, detail: &str) {
        let error = parse_body(body.as_bytes(), 2).expect_err(body);
        assert_eq!(error.code, code, "{body}: {error:?}");
        assert_eq!(error.field.as_ref().map(|f| f.pointer.as_str()), pointer, "{body}: {error:?}");
        assert!(error.detail.contains(detail), "{body}: {error:?}");
    }

    #[test]
    fn errors_of_shape_say_where_and_what_is_allowed() {
        use ErrorCode::InvalidRequest as Shape;
        check("{}", Shape, Some("#"), "`turns` is missing");
        check(r#"{"turns":[{"role":"user"}]}"#, Shape, Some("#/turns/0"), "`content` is missing");
        let role = "expected one of `system`, `user`, `assistant`";
        check(r#"{"turns":[{"role":"wizard","content":"x"}]}"#, Shape, Some("#/turns/0/role"), role);
        check(
            r#"{"turns":[{"role":"user","content":7}]}"#,
            Shape,
            Some("#/turns/0/content"),
            "expected a string",
        );
        check(r#"{"turns":"x"}"#, Shape, Some("#/turns"), "expected an array");
        check(r#"{"turns":[],"turns":[]}"#, Shape, Some("#"), "`turns` is given twice");
        check(r#"{"turns":[],"canary":1}"#, Shape, Some("#/?"), "expected one of `turns`");
        check("[]", Shape, Some("#"), "allowed: 1 to 2");
        check(r#"[{"turns":[]},{"turns":5}]"#, Shape, Some("#/1/turns"), "expected an array");
        check("7", Shape, Some("#"), "expected a conversation object");
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        use ErrorCode::MalformedJson as Bad;
        for body in
            ["", "  ", "{", "nul", r#"{"turns":[]} x"#, r#"{"turns":[{"role":"user","content":"\ud800"}]}"#]
        {
            check(body, Bad, None, "not valid UTF-8 JSON");
        }
        assert_eq!(
            parse_body(b"{\"turns\":[{\"role\":\"user\",\"content\":\"\xff\"}]}", 2).unwrap_err().code,
            Bad
        );
    }

    #[test]
    fn deep_nesting_ends_where_it_leaves_the_shape() {
        let deep = format!("{}{}", r#"{"turns":"#, "[".repeat(500));
        check(&deep, ErrorCode::InvalidRequest, Some("#/turns/0"), "expected a turn object");
    }

    proptest! {
        #[test]
        fn no_body_panics_or_is_repeated_in_its_error(text in ".{0,40}", noise in any::<Vec<u8>>()) {
            let _ = parse_body(&noise, 3);
            let text = format!("canary{text}");
            let quoted = serde_json::to_string(&text).unwrap();
            for body in [
                text.clone(),
                quoted.clone(),
                format!("{{{quoted}:1}}"),
                format!(r#"{{"turns":{quoted}}}"#),
                format!(r#"{{"turns":[{{"role":{quoted},"content":"x"}}]}}"#),
                format!(r#"{{"turns":[{{{quoted}:"user","content":"x"}}]}}"#),
                format!(r#"{{"turns":[{quoted}]}}"#),
                format!(r#"{{"turns":[],"explain":{quoted}}}"#),
                format!(r#"{{"turns":[],"judge":{quoted}}}"#),
            ] {
                if let Err(error) = parse_body(body.as_bytes(), 3) {
                    prop_assert!(!format!("{error:?}").contains("canary"), "{error:?}");
                }
            }
        }

        #[test]
        fn words_like_the_parsers_own_are_not_repeated(text in "(, expected |`|canary| at line ){0,8}") {
            let quoted = serde_json::to_string(&format!("canary{text}")).unwrap();
            let body = format!(r#"{{"turns":[{{"role":{quoted},"content":"x"}}]}}"#);
            let error = parse_body(body.as_bytes(), 3).unwrap_err();
            prop_assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}
