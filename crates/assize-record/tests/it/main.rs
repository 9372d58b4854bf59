//! What the crate promises, seen from outside.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is a failed test")]

mod reporter;
