//! Trains the guard: reads labelled text, teaches the encoder that the service runs, calibrates it and writes a model
//! folder. Never needed by the service.
//!
//! ```text
//! train.toml -> Corpus -> examples of an epoch -> lessons (sequences) -> packed batches -> loss -> AdamW
//!                  |                                                                          |
//!                  +-- development and validation rows -> figures, calibration --> model folder
//! ```
//!
//! Texts stay inside: no log line, no error and no report quotes one.

pub mod batches;
pub mod calibrate;
pub mod checkpoint;
pub mod config;
pub mod data;
pub mod export;
pub mod golden;
pub mod lessons;
pub mod loss;
pub mod measure;
pub mod optimizer;
pub mod plot;
pub mod run;
pub mod shards;
pub mod start;
pub mod variables;
pub mod watch;
