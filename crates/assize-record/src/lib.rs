//! Trees and assessments outside of the service's memory: what a reporter writes is read into the domain's tree, and an
//! assessment becomes a compact, versioned record without text, in bytes or as JSON, and back, bit for bit.
//!
//! What is absent here: files, clocks, models, values of a community. Readers and writers are given.

mod binary;
mod error;
mod history;
mod json;
mod record;
pub mod reporter;

pub use binary::{decode, encode};
pub use error::RecordError;
pub use history::{Block, Blocks, Format, Gap, GapCause, History, HistoryWriter};
pub use json::{from_json, reported_to_json, to_json};
pub use record::{Decided, Record, RecordId, UnixMillis};

#[cfg(test)]
mod samples;
