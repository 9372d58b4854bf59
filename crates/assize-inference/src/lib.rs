//! From many requests to a few devices: admission, queue, worker threads, readiness.
//!
//! ```text
//!  request ─► Admission ─► Permit ─► ModelHandle::infer_all ─► PendingQueue ─► Workers (a thread and a model each)
//!               │ Refused              │ InferError               (pure)          │
//!               ▼                      ▼                                          ├─► answers, one a job
//!             503 now               500/503/504                                   └─► Readiness ◄─ Probe
//! ```
//!
//! Invariants
//! - Nothing is queued without a [`Permit`]: [`Admission`] is the only bound, so the queue itself has none.
//!   What a permit stands for stays counted until the last job of its request is done or dropped, whether or
//!   not the client is still there.
//! - One thread owns a model by value; it takes a batch only when its model is free. An idle service adds
//!   no timer, and a busy one forms its batch at the last moment. Several models, each with its thread, share the queue:
//!   the processor's cores, or several devices.
//! - A job leaves the queue exactly once: into a batch, as expired, or as abandoned. Only the first reaches
//!   the model.
//! - Readiness comes from real inferences, never from the process being alive.
//! - No text passes through here: an input is something that weighs some tokens.
//!
//! Wiring: [`pair`] makes a [`ModelHandle`] for the requests and [`Worker`]s; [`WorkerThreads::spawn`] starts
//! these, and its owner ends them; [`Probe::run`] is a task of its own. A model that works on jobs that come and go, instead
//! of on batches, has [`continuous::pair`]; inbox, handle, threads and probe are the same for both.

mod admission;
pub mod continuous;
mod error;
mod handle;
mod inbox;
mod job;
mod lock;
mod model;
mod place;
mod probe;
mod queue;
mod readiness;
mod speed;
#[cfg(test)]
mod tests;
mod thread;
mod worker;

pub use admission::{Admission, AdmissionLimits, Demand, Permit, Refused};
pub use error::{InferError, WorkerError};
pub use handle::{Handle, ModelHandle};
pub use model::{BatchModel, ModelError, Weigh};
pub use probe::{Probe, ProbePolicy};
pub use queue::BatchPolicy;
pub use readiness::{FailureCause, Readiness, ReadinessWatch};
pub use thread::WorkerThreads;
pub use worker::{Step, Worker, pair};
