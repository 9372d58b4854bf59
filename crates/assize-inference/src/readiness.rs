//! Whether the model answers, as seen by its last real inference.
//!
//! The worker publishes after every batch, the [`crate::Probe`] where no answer comes at all, shutdown at the
//! end.

use crate::ModelError;
use assize_telemetry::InferenceMetrics;
use tokio::{sync::watch, time::Instant};

/// Whether the model answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// There was no inference yet.
    Starting,
    /// The last inference succeeded.
    Ready,
    /// The last inference failed, or none comes back.
    Failed {
        /// What happened.
        why: FailureCause,
    },
    /// The service is shutting down. Final.
    Draining,
}

/// Why a model counts as failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FailureCause {
    /// Every item of a batch failed, together and alone.
    #[error("every item of a batch failed")]
    Model(#[source] ModelError),
    /// A probe got no answer in its time, and nothing else did.
    #[error("the model doesn't answer")]
    NoAnswer,
    /// The worker's thread is gone. Final.
    #[error("the model's thread has ended")]
    WorkerEnded,
}

#[derive(Debug, Clone)]
struct Health {
    readiness: Readiness,
    last_success: Option<Instant>,
}

/// The writing end; clones write to the same place. Keeps the `assize_ready` gauge in step.
#[derive(Debug, Clone)]
pub(crate) struct ReadinessPublisher {
    sender: watch::Sender<Health>,
    metrics: InferenceMetrics,
}

impl ReadinessPublisher {
    pub(crate) fn new(metrics: InferenceMetrics) -> Self {
        metrics.set_ready(false);
        let sender = watch::Sender::new(Health { readiness: Readiness::Starting, last_success: None });
        Self { sender, metrics }
    }

    /// The model answered at `now`.
    pub(crate) fn succeeded(&self, now: Instant) {
        self.publish(Readiness::Ready, Some(now));
    }

    pub(crate) fn failed(&self, why: FailureCause) {
        self.publish(Readiness::Failed { why }, None);
    }

    pub(crate) fn draining(&self) {
        self.publish(Readiness::Draining, None);
    }

    pub(crate) fn watch(&self) -> ReadinessWatch {
        ReadinessWatch(self.sender.subscribe())
    }

    fn publish(&self, next: Readiness, success: Option<Instant>) {
        self.sender.send_if_modified(|health| {
            // Kept without waking anyone: it changes with every batch.
            health.last_success = success.or(health.last_success);
            if health.readiness == next || health.readiness.is_final() {
                return false;
            }
            tracing::info!(from = ?health.readiness, to = ?next, "readiness changes");
            // Under the watch's lock, so that the gauge can't end up with an older state.
            self.metrics.set_ready(next == Readiness::Ready);
            health.readiness = next;
            true
        });
    }
}

impl Readiness {
    /// Whether no other state can follow.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Draining | Self::Failed { why: FailureCause::WorkerEnded })
    }
}

/// The reading end.
#[derive(Debug, Clone)]
pub struct ReadinessWatch(watch::Receiver<Health>);

impl ReadinessWatch {
    /// The state now.
    pub fn current(&self) -> Readiness {
        self.0.borrow().readiness.clone()
    }

    /// Whether requests should be sent here.
    pub fn is_ready(&self) -> bool {
        self.0.borrow().readiness == Readiness::Ready
    }

    /// When the model last answered; `None` before it first did.
    pub fn last_success(&self) -> Option<Instant> {
        self.0.borrow().last_success
    }

    /// The state now; [`Self::changed`] then waits for one that came after it.
    pub(crate) fn seen(&mut self) -> Readiness {
        self.0.borrow_and_update().readiness.clone()
    }

    /// Waits until the state is another than when last waited for, and returns it; `None` once nobody can
    /// change it.
    pub async fn changed(&mut self) -> Option<Readiness> {
        self.0.changed().await.ok()?;
        Some(self.0.borrow_and_update().readiness.clone())
    }

    /// Waits for the end of the warm-up: the first state after [`Readiness::Starting`].
    pub async fn started(&mut self) -> Readiness {
        let settled = self.0.wait_for(|health| health.readiness != Readiness::Starting).await;
        settled
            .map_or(Readiness::Failed { why: FailureCause::WorkerEnded }, |health| health.readiness.clone())
    }
}
