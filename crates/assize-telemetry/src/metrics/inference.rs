//! Admission, queue, batches and model, counted by `assize-inference`.

use crate::{
    CacheLookup, DropReason, MetricsError, OverloadReason, description as d,
    family::{CounterBy, Registrar},
};
use prometheus::{Histogram, IntCounter, IntGauge};
use std::time::Duration;

/// From an idle worker (well under 1 ms) to the longest deadline that makes sense for a chat (10 s).
const WAIT_SECONDS: [f64; 14] =
    [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// From one short item on a GPU (1 ms) to a full batch on two CPU cores (10 s).
const INFERENCE_SECONDS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// From one short turn (10 µs) to a conversation at the size limit (100 ms).
const TOKENISATION_SECONDS: [f64; 13] =
    [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 1e-1];
/// Powers of two, as batch limits usually are.
const ITEMS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
/// Powers of two, as batch limits usually are.
const TOKENS: [f64; 10] = [16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0];

/// Admission, queue, batches and model.
#[derive(Debug, Clone)]
pub struct InferenceMetrics {
    queue_items: IntGauge,
    queue_tokens: IntGauge,
    admitted_tokens: IntGauge,
    admitted_requests: IntGauge,
    queue_wait: Histogram,
    batch_items: Histogram,
    batch_tokens: Histogram,
    durations: Histogram,
    failures: IntCounter,
    splits: IntCounter,
    tokenisation: Histogram,
    overloads: CounterBy<OverloadReason>,
    dropped: CounterBy<DropReason>,
    cache: CounterBy<CacheLookup>,
    ready: IntGauge,
}

impl InferenceMetrics {
    pub(crate) fn new(registrar: &Registrar<'_>) -> Result<Self, MetricsError> {
        Ok(Self {
            queue_items: registrar.gauge(&d::QUEUE_ITEMS)?,
            queue_tokens: registrar.gauge(&d::QUEUE_TOKENS)?,
            admitted_tokens: registrar.gauge(&d::ADMITTED_TOKENS)?,
            admitted_requests: registrar.gauge(&d::ADMITTED_REQUESTS)?,
            queue_wait: registrar.histogram(&d::QUEUE_WAIT, &WAIT_SECONDS)?,
            batch_items: registrar.histogram(&d::BATCH_ITEMS, &ITEMS)?,
            batch_tokens: registrar.histogram(&d::BATCH_TOKENS, &TOKENS)?,
            durations: registrar.histogram(&d::INFERENCE_DURATION, &INFERENCE_SECONDS)?,
            failures: registrar.counter(&d::INFERENCE_FAILURES)?,
            splits: registrar.counter(&d::BATCH_SPLITS)?,
            tokenisation: registrar.histogram(&d::TOKENISATION_DURATION, &TOKENISATION_SECONDS)?,
            overloads: registrar.counter_by(&d::OVERLOADS)?,
            dropped: registrar.counter_by(&d::JOBS_DROPPED)?,
            cache: registrar.counter_by(&d::CACHE_LOOKUPS)?,
            ready: registrar.gauge(&d::READY)?,
        })
    }

    /// Says what waits for the model now.
    pub fn set_queue(&self, items: usize, tokens: usize) {
        self.queue_items.set(gauge_value(items));
        self.queue_tokens.set(gauge_value(tokens));
    }

    /// Says what is admitted now.
    pub fn set_admitted(&self, requests: usize, tokens: usize) {
        self.admitted_requests.set(gauge_value(requests));
        self.admitted_tokens.set(gauge_value(tokens));
    }

    /// Records how long one item waited for its batch.
    pub fn waited(&self, wait: Duration) {
        self.queue_wait.observe(wait.as_secs_f64());
    }

    /// Records the size of a batch when it is taken.
    pub fn batch_taken(&self, items: usize, tokens: usize) {
        self.batch_items.observe(observed(items));
        self.batch_tokens.observe(observed(tokens));
    }

    /// Records one call of the model, failed or not.
    pub fn inferred(&self, duration: Duration) {
        self.durations.observe(duration.as_secs_f64());
    }

    /// Counts a call of the model that failed.
    pub fn inference_failed(&self) {
        self.failures.inc();
    }

    /// Counts batches that were parted for want of room.
    pub fn split(&self, times: usize) {
        self.splits.inc_by(u64::try_from(times).unwrap_or(u64::MAX));
    }

    /// Records how long it took to turn one conversation into tokens.
    pub fn tokenised(&self, duration: Duration) {
        self.tokenisation.observe(duration.as_secs_f64());
    }

    /// Counts a refused admission.
    pub fn overloaded(&self, reason: OverloadReason) {
        self.overloads.increment(reason);
    }

    /// Counts an item that left the queue without an inference.
    pub fn dropped(&self, reason: DropReason) {
        self.dropped.increment(reason);
    }

    /// Counts a look-up in the cache of assessments.
    pub fn cache_lookup(&self, result: CacheLookup) {
        self.cache.increment(result);
    }

    /// Says whether the model answers.
    pub fn set_ready(&self, is_ready: bool) {
        self.ready.set(i64::from(is_ready));
    }
}

/// Saturates far above any bound of ours.
fn gauge_value(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Saturates far above the largest bucket.
fn observed(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}
