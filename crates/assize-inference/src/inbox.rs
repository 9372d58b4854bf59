//! The queue as requests and the workers share it.
//!
//! Why a mutex with a condition variable and not a channel: the batch must be chosen at the moment the model
//! is free, from all that waits then, without what was abandoned meanwhile. A channel would be a second queue
//! in front of the real one, with items in it that nobody can weigh, reorder or drop. A worker is no async
//! task, so it needs something to sleep on that isn't one either. A pusher holds the lock for its own items,
//! a worker for one pass over the queue per inference; neither holds it across an await or an inference.
//!
//! One that waits is woken for what is pushed, and wakes the next where it leaves something behind.

use crate::{BatchModel, BatchPolicy, InferError, PendingQueue, Taken, job::BatchJob, lock::lock};
use assize_telemetry::InferenceMetrics;
use std::{
    mem,
    sync::{Condvar, Mutex, PoisonError},
};
use tokio::time::Instant;

/// Owned by the handles and the workers together. Closed by [`crate::WorkerThreads`], or by a worker when it
/// ends.
pub(crate) struct Inbox<M: BatchModel> {
    state: Mutex<State<M>>,
    /// Waited on by workers only; signalled when one of them may have something to do.
    wake: Condvar,
    metrics: InferenceMetrics,
}

struct State<M: BatchModel> {
    queue: PendingQueue<BatchJob<M>>,
    phase: Phase,
}

/// Whether a queue takes jobs and gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Takes jobs.
    Open,
    /// Takes no jobs; what waits is worked off until then.
    Draining { until: Instant },
    /// Takes no jobs and holds none.
    Closed,
}

impl Phase {
    /// Whether no batch may begin any more.
    pub(crate) fn is_over(self, now: Instant) -> bool {
        match self {
            Self::Open => false,
            Self::Draining { until } => until <= now,
            Self::Closed => true,
        }
    }
}

/// What a worker gets.
pub(crate) struct Next<M: BatchModel> {
    /// What left the queue.
    pub(crate) taken: Taken<BatchJob<M>>,
    /// Whether live jobs still wait.
    pub(crate) has_backlog: bool,
}

impl<M: BatchModel> Inbox<M> {
    pub(crate) fn new(metrics: InferenceMetrics) -> Self {
        let state = State { queue: PendingQueue::new(), phase: Phase::Open };
        Self { state: Mutex::new(state), wake: Condvar::new(), metrics }
    }

    /// Queues the jobs of one request, one after the other with none of another's between them.
    ///
    /// # Errors
    /// [`InferError::ShuttingDown`]; the jobs are dropped.
    pub(crate) fn push(&self, jobs: Vec<BatchJob<M>>) -> Result<(), InferError> {
        let mut state = lock(&self.state);
        if state.phase != Phase::Open {
            return Err(InferError::ShuttingDown);
        }
        jobs.into_iter().for_each(|job| state.queue.push(job));
        self.show(&state);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// What a worker should do next; `None`: end.
    pub(crate) fn take(&self, policy: &BatchPolicy, now: Instant) -> Option<Next<M>> {
        let mut state = lock(&self.state);
        let is_worked_off = state.phase != Phase::Open && state.queue.is_empty();
        if is_worked_off || state.phase.is_over(now) {
            drop(state);
            self.close();
            return None;
        }
        let taken = state.queue.take_batch(policy, now);
        Some(self.next(&state, taken))
    }

    /// The short jobs that may run between two steps of a long batch; none where nothing short waits.
    pub(crate) fn take_short(&self, policy: &BatchPolicy, now: Instant) -> Option<Next<M>> {
        let mut state = lock(&self.state);
        if state.phase.is_over(now) || state.queue.is_empty() {
            return None;
        }
        let taken = state.queue.take_short(policy, now);
        Some(self.next(&state, taken))
    }

    fn next(&self, state: &State<M>, taken: Taken<BatchJob<M>>) -> Next<M> {
        self.show(state);
        let has_backlog = !state.queue.is_empty();
        if has_backlog {
            self.wake.notify_one();
        }
        Next { taken, has_backlog }
    }

    /// Blocks a worker's thread until there is something to do.
    pub(crate) fn wait(&self) {
        let is_idle = |state: &mut State<M>| state.queue.is_empty() && state.phase == Phase::Open;
        let woken = self.wake.wait_while(lock(&self.state), is_idle);
        drop(woken.unwrap_or_else(PoisonError::into_inner));
    }

    /// Takes no more jobs; the workers work off what waits, but take no batch after `until`.
    pub(crate) fn drain(&self, until: Instant) {
        let mut state = lock(&self.state);
        if state.phase != Phase::Closed {
            state.phase = Phase::Draining { until };
        }
        drop(state);
        self.wake.notify_all();
    }

    /// Takes no more jobs and drops those that wait; their requests end with [`InferError::ShuttingDown`].
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.phase = Phase::Closed;
        let unserved = mem::take(&mut state.queue);
        self.show(&state);
        drop(state);
        self.wake.notify_all();
        // Outside the lock: each job that goes wakes a task and may release a permit.
        if !unserved.is_empty() {
            tracing::warn!(queue.items = unserved.items(), "jobs dropped unserved at shutdown");
        }
    }

    fn show(&self, state: &State<M>) {
        self.metrics.set_queue(state.queue.items(), state.queue.tokens());
    }
}
