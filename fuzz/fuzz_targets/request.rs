//! Any bytes as a request's body: reading them never panics, and no error repeats what was sent.
#![no_main]

use assize_api::{Body, ModerateRequest, convert, parse_body};
use assize_domain::Limits;
use libfuzzer_sys::fuzz_target;
use std::fmt::Debug;
use std::sync::LazyLock;

/// Small, so that the fuzzer reaches both sides of each limit.
const LIMITS: Limits = Limits { max_turns: 4, max_turn_bytes: 64 };
const MAX_ITEMS: usize = 3;
/// Bytes in a row that are no coincidence. Shorter ones occur in our own sentences ("a string", "expected").
const LONG_RUN: usize = 16;

/// One body for each kind of error: their texts are our own words, which an input may happen to hold too.
const BODIES: [&str; 12] = [
    "{",
    "{}",
    "[]",
    "7",
    r#"{"turns":7}"#,
    r#"{"turns":[7]}"#,
    r#"{"turns":[{}]}"#,
    r#"{"turns":[],"turns":[]}"#,
    r#"{"turns":[],"x":7}"#,
    r#"{"turns":[],"judge":["x"]}"#,
    r#"{"turns":[],"explain":"x"}"#,
    r#"{"turns":[{"role":"x"}]}"#,
];
static OWN_WORDS: LazyLock<String> = LazyLock::new(|| {
    let errors = BODIES.iter().filter_map(|body| parse_body(body.as_bytes(), MAX_ITEMS).err());
    errors.map(|error| error.detail).collect::<Vec<_>>().join("\n")
});

fuzz_target!(|bytes: &[u8]| {
    match parse_body(bytes, MAX_ITEMS) {
        Ok(Body::One(request)) => judge(*request, bytes),
        Ok(Body::Many(requests)) => requests.into_iter().for_each(|request| judge(request, bytes)),
        Err(error) => {
            let field = error.field.as_ref().map_or("", |field| field.pointer.as_str());
            refuse_echo(&error, &[&error.detail, field], bytes);
        }
    }
});

fn judge(request: ModerateRequest, bytes: &[u8]) {
    match convert::conversation(request, LIMITS) {
        Ok(conversation) => drop(format!("{conversation:?}")),
        Err(error) => refuse_echo(&error, &[&error.detail, &error.pointer], bytes),
    }
}

/// `plain` holds the error's texts as they are; its debug text has them escaped.
fn refuse_echo(error: &dyn Debug, plain: &[&str], bytes: &[u8]) {
    let shown = format!("{error:?}\n{}", plain.join("\n"));
    for run in bytes.windows(LONG_RUN).filter_map(|run| std::str::from_utf8(run).ok()) {
        assert!(!shown.contains(run) || OWN_WORDS.contains(run), "an error repeats its input: {shown}");
    }
}
