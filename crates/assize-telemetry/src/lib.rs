//! What the service says about itself: metrics and log lines, never what users said.
//!
//! - [`Metrics`] is built once at start-up; whoever counts something gets its part of it. Every label is an
//!   enum or a value of a list that was given at construction, so that no request can make a new series.
//! - [`init_tracing`] sends log lines to stderr; [`error_chain`] writes an error with its causes on one line.
//!
//! What is absent here, on purpose: HTTP, global registries, text of conversations.

mod description;
mod error_chain;
mod family;
mod labels;
mod metrics;
mod tracing;

pub use self::tracing::{LogConfig, LogFormat, TracingError, init as init_tracing};
pub use description::{MetricDescription, MetricKind, describe};
pub use error_chain::error_chain;
pub use labels::{
    CacheLookup, CandidateState, Change, DropReason, FailureMode, HistoryResult, OverloadReason,
    ReloadResult, StatusClass, TierOutcome, WebhookResult,
};
pub use metrics::{
    HttpMetrics, InFlight, InferenceMetrics, METRICS_CONTENT_TYPE, Metrics, MetricsConfig, MetricsError,
    ModerationMetrics, ServiceMetrics, TierMetrics,
};
