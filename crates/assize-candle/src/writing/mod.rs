//! Writing: a decoder that writes many texts at a time, for reporters that list harms and benefits.
//!
//! ```text
//! tokenizer.json --TokenBytes::from_json-->  what each token spells
//!     TokenBytes + JSON schema --GrammarCompiler-->  Grammar       which tokens may follow
//! WriteRequest --Writer::join--> Ticket                            the one thread that owns the model
//!                Writer::step --> (Ticket, Written) of those that ended
//! ```
//!
//! Requests join and leave between steps, and none changes what another one writes. Here is no queue, no clock and no
//! template; what a text means is read elsewhere.

mod grammar;
mod ongoing;
mod port;
mod request;
mod sampling;
#[cfg(test)]
mod tests;
mod token_bytes;
mod tree;
mod writer;

pub use grammar::{Grammar, GrammarCompiler, GrammarError};
pub use request::{FinishReason, JoinError, Outcome, Progress, Ticket, WriteError, WriteRequest, Written};
pub use sampling::{InvalidSampling, Sampling};
pub use token_bytes::TokenBytes;
pub use tree::{TreeLimits, TreeSide, TreeWords, tree_schema};
pub use writer::Writer;
