//! A real inference from time to time: the warm-up at the start, proof of life while idle, the way back after
//! a failure.
//!
//! A probe takes the same way as a request, through admission and queue, so that it finds what a request
//! would find. The worker publishes what comes of it; the probe itself speaks up only where nothing comes of
//! it.

use crate::{Admission, Demand, FailureCause, Handle, InferError, Readiness, ReadinessWatch, Refused, Weigh};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// When to probe. `idle_after` and `timeout` together must be longer than the longest batch takes, or a busy
/// model counts as silent until that batch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbePolicy {
    /// A model that answered nobody for this long is probed. Under load nothing is ever probed.
    pub idle_after: Duration,
    /// How long a probe may take, queue included; then the model counts as not answering, unless it answered
    /// others.
    pub timeout: Duration,
    /// Between probes that fail.
    pub retry_after: Duration,
}

/// Probes one model for as long as it serves.
#[derive(Debug)]
pub struct Probe<I, O, F> {
    handle: Handle<I, O>,
    admission: Admission,
    policy: ProbePolicy,
    /// Makes the input of a probe: short, fixed, nobody's text.
    input: F,
}

impl<I: Weigh, O, F: Fn() -> I> Probe<I, O, F> {
    /// `input` makes the same short input each time.
    pub const fn new(handle: Handle<I, O>, admission: Admission, policy: ProbePolicy, input: F) -> Self {
        Self { handle, admission, policy, input }
    }

    /// Warms the model up, then probes it whenever due. Ends with the service; can be dropped at any time.
    pub async fn run(self) {
        let mut readiness = self.handle.readiness();
        let mut not_before = Instant::now();
        loop {
            // Marked as seen here, so that a change during the probe below is noticed after it.
            let state = readiness.seen();
            if state.is_final() {
                return;
            }
            let due = self.due(&state, &readiness).max(not_before);
            if due > Instant::now() {
                tokio::select! {
                    () = sleep_until(due) => {}
                    _changed = readiness.changed() => {}
                }
                // Others may have been answered while we slept: look again before probing.
                continue;
            }
            if !self.probe(&readiness).await {
                not_before = Instant::now() + self.policy.retry_after;
            }
        }
    }

    fn due(&self, state: &Readiness, readiness: &ReadinessWatch) -> Instant {
        match (state, readiness.last_success()) {
            (Readiness::Ready, Some(last)) => last + self.policy.idle_after,
            _ => Instant::now(),
        }
    }

    /// Probes once; whether an answer came.
    async fn probe(&self, readiness: &ReadinessWatch) -> bool {
        let started = Instant::now();
        let outcome = self.infer(started + self.policy.timeout).await;
        let silent_for =
            |limit: Duration| readiness.last_success().is_none_or(|last| last + limit <= started);
        match outcome {
            Outcome::Answered => return true,
            // The worker has published it.
            Outcome::Failed => {}
            Outcome::NoAnswer => {
                if readiness.last_success().is_none_or(|last| last < started) {
                    self.handle.publisher().failed(FailureCause::NoAnswer);
                }
            }
            // Full and silent: not busy but stuck. A single batch may take its time, hence the limits.
            Outcome::NoRoom => {
                if silent_for(self.policy.idle_after + self.policy.timeout) {
                    self.handle.publisher().failed(FailureCause::NoAnswer);
                }
            }
        }
        tracing::warn!(?outcome, "probe got no answer");
        false
    }

    async fn infer(&self, deadline: Instant) -> Outcome {
        let input = (self.input)();
        let permit = match self.admission.try_admit(Demand { requests: 1, tokens: input.tokens() }, deadline)
        {
            Ok(permit) => permit,
            Err(Refused::Overloaded { .. }) => return Outcome::NoRoom,
            Err(refused @ (Refused::TooLarge { .. } | Refused::TooMany { .. })) => {
                tracing::error!(error = %refused, "the probe can never be admitted: raise the limits");
                return Outcome::NoRoom;
            }
        };
        match self.handle.infer_all(vec![input], permit, deadline).await {
            Ok(_output) => Outcome::Answered,
            Err(InferError::DeadlineExceeded) => Outcome::NoAnswer,
            Err(InferError::ModelFailed { .. } | InferError::ShuttingDown) => Outcome::Failed,
        }
    }
}

/// What came of one probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered,
    Failed,
    NoAnswer,
    NoRoom,
}
