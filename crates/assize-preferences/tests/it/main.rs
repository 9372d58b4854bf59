//! What the crate promises, seen from outside: the formula, the floors, the digest and the errors of profile files.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests: a panic is a failed test"
)]

mod arbitrary;
mod compare;
mod digest;
mod explain;
mod files;
mod fit;
mod floors;
mod golden;
mod inheritance;
mod lint;
mod mistakes;
mod noise;
mod properties;
mod safetyanalyst;
mod trees;
