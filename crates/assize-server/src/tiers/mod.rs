//! The models that are asked after the embedded encoder, where it leaves a conversation near a community's thresholds.
//!
//! Whether one is asked hangs on the community; what it says does not: its scores stand for the encoder's in the same
//! assessment.

mod engine;
mod guard;
mod remote;

pub(crate) use guard::{GuardTier, StartedGuard};
