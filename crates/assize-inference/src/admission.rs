//! The only door to the model, and the only bound: what is not admitted here costs nothing behind it.
//!
//! Owner: start-up makes one [`Admission`] a model. A [`Permit`] belongs to one request;
//! [`crate::ModelHandle`] shares it among the request's jobs, and the last of them to end releases it.

use crate::{
    lock::lock,
    speed::{MeasuredBatch, Speed},
};
use assize_telemetry::{InferenceMetrics, OverloadReason};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;

/// The shortest wait that a refused client is told: less would only come back into the same overload.
const SHORTEST_RETRY: Duration = Duration::from_secs(1);
/// The longest: an estimate beyond that is no better than a guess, and the client should look again.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// How much may be admitted and not yet done, at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Most conversations.
    pub max_requests: usize,
    /// Most tokens, over all conversations.
    pub max_tokens: usize,
}

/// What one request asks for, all of it or nothing: a list asks for all its conversations at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Conversations.
    pub requests: usize,
    /// Tokens, over all its conversations.
    pub tokens: usize,
}

/// Why a request is not admitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It weighs more than may ever be admitted: sending it again won't help.
    #[error("{tokens} tokens are over the limit of {limit}; send less")]
    TooLarge {
        /// Tokens asked for.
        tokens: usize,
        /// Tokens that an idle service would admit.
        limit: usize,
    },
    /// It holds more conversations than may ever be admitted: sending it again won't help.
    #[error("{requests} conversations are over the limit of {limit}; send fewer at once")]
    TooMany {
        /// Conversations asked for.
        requests: usize,
        /// Conversations that an idle service would admit.
        limit: usize,
    },
    /// Too much is admitted already.
    #[error("overloaded; try again in {} s", retry_after.as_secs())]
    Overloaded {
        /// Which bound is reached.
        reason: OverloadReason,
        /// When there should be room again: the estimated time to drain, in whole seconds, 1 to 30.
        retry_after: Duration,
    },
}

/// Admits requests while there is room for them. Clones share the same room.
#[derive(Debug, Clone)]
pub struct Admission(Arc<Gate>);

#[derive(Debug)]
struct Gate {
    limits: AdmissionLimits,
    metrics: InferenceMetrics,
    /// Held for a few comparisons; never across an await or an inference.
    admitted: Mutex<Admitted>,
}

#[derive(Debug, Default)]
struct Admitted {
    requests: usize,
    tokens: usize,
    speed: Speed,
}

/// Proof of admission; gives back what it stands for when it is dropped.
#[derive(Debug)]
#[must_use = "dropping it gives up the admission"]
pub struct Permit {
    gate: Arc<Gate>,
    demand: Demand,
}

impl Admission {
    /// An empty room of this size.
    pub fn new(limits: AdmissionLimits, metrics: InferenceMetrics) -> Self {
        Self(Arc::new(Gate { limits, metrics, admitted: Mutex::default() }))
    }

    /// Admits all of `demand` or nothing. `deadline` is when the client stops waiting.
    ///
    /// # Errors
    /// Every variant of [`Refused`]; reason `Deadline` where what is admitted already is known to take longer
    /// than the deadline allows, which is kinder said now than found out by waiting.
    pub fn try_admit(&self, demand: Demand, deadline: Instant) -> Result<Permit, Refused> {
        let AdmissionLimits { max_requests, max_tokens } = self.0.limits;
        if demand.tokens > max_tokens {
            return Err(Refused::TooLarge { tokens: demand.tokens, limit: max_tokens });
        }
        if demand.requests > max_requests {
            return Err(Refused::TooMany { requests: demand.requests, limit: max_requests });
        }
        let mut admitted = lock(&self.0.admitted);
        self.0.check_room(&admitted, demand, deadline)?;
        admitted.requests = admitted.requests.saturating_add(demand.requests);
        admitted.tokens = admitted.tokens.saturating_add(demand.tokens);
        self.0.metrics.set_admitted(admitted.requests, admitted.tokens);
        Ok(Permit { gate: Arc::clone(&self.0), demand })
    }

    /// Whether even the smallest request would be refused now. Cheap: ask before the work of tokenising. A
    /// yes is no promise; [`Self::try_admit`] decides.
    ///
    /// # Errors
    /// [`Refused::Overloaded`].
    pub fn check_saturated(&self, deadline: Instant) -> Result<(), Refused> {
        let smallest = Demand { requests: 1, tokens: 1 };
        self.0.check_room(&lock(&self.0.admitted), smallest, deadline)
    }

    /// Takes the measure of a batch that the model answered; told by the worker.
    pub(crate) fn observe(&self, batch: MeasuredBatch) {
        lock(&self.0.admitted).speed.observe(batch);
    }
}

impl Gate {
    fn check_room(&self, admitted: &Admitted, demand: Demand, deadline: Instant) -> Result<(), Refused> {
        let Some(reason) = self.reached(admitted, demand, deadline) else { return Ok(()) };
        self.metrics.overloaded(reason);
        let drain = admitted.speed.time_for(admitted.tokens).unwrap_or_default();
        let retry_after = whole_seconds(drain.clamp(SHORTEST_RETRY, LONGEST_RETRY));
        Err(Refused::Overloaded { reason, retry_after })
    }

    fn reached(&self, admitted: &Admitted, demand: Demand, deadline: Instant) -> Option<OverloadReason> {
        let left = deadline.saturating_duration_since(Instant::now());
        if admitted.requests.saturating_add(demand.requests) > self.limits.max_requests {
            Some(OverloadReason::Requests)
        } else if admitted.tokens.saturating_add(demand.tokens) > self.limits.max_tokens {
            Some(OverloadReason::Tokens)
        } else if left.is_zero() || admitted.speed.time_for(admitted.tokens).is_some_and(|drain| drain > left)
        {
            // Without the request's own tokens: an idle service always tries, so a wrong estimate corrects
            // itself.
            Some(OverloadReason::Deadline)
        } else {
            None
        }
    }
}

/// Rounded up: HTTP's `Retry-After` knows nothing smaller.
fn whole_seconds(duration: Duration) -> Duration {
    let is_broken = duration.subsec_nanos() > 0;
    Duration::from_secs(duration.as_secs().saturating_add(is_broken.into()))
}

impl Permit {
    /// What it stands for.
    pub const fn demand(&self) -> Demand {
        self.demand
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut admitted = lock(&self.gate.admitted);
        admitted.requests = admitted.requests.saturating_sub(self.demand.requests);
        admitted.tokens = admitted.tokens.saturating_sub(self.demand.tokens);
        self.gate.metrics.set_admitted(admitted.requests, admitted.tokens);
    }
}
