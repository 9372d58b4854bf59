//! The gateway and the command line: settings, start-up, the pipeline, HTTP. Wires and translates; holds no rule of
//! its own about what is harmful (the models) or what a community wants (the preferences).
//!
//! Read [`pipeline`](self) first: `pipeline.rs` is the whole service on one screen.

mod assessor;
pub mod cli;
mod communities;
pub mod config;
mod eval;
mod explanation;
pub mod generated;
mod history;
pub mod http;
mod jobs;
mod pipeline;
mod remembered;
mod run;
mod startup;
mod state;
mod tiers;

pub use run::{StopSignals, run};
pub use startup::{Service, StartError, start};
pub use state::AppState;
