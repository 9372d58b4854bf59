//! The queue as requests and the workers share it, whatever the queue.
//!
//! Why a mutex with a condition variable and not a channel: what a worker takes must be chosen at the moment its model
//! is free, from all that waits then, without what was abandoned meanwhile. A channel would be a second queue
//! in front of the real one, with items in it that nobody can weigh, reorder or drop. A worker is no async
//! task, so it needs something to sleep on that isn't one either. A pusher holds the lock for its own items,
//! a worker for one pass over the queue; neither holds it across an await or a call of the model.
//!
//! INVARIANT: a worker sleeps on an empty queue only, and whoever leaves something in the queue wakes one of the sleepers.

mod batches;
mod line;

pub(crate) use batches::Next;

use crate::{InferError, lock::lock};
use assize_telemetry::InferenceMetrics;
use std::{
    mem,
    sync::{Condvar, Mutex, PoisonError},
};
use tokio::time::Instant;

/// What can wait in an inbox, in an order of its own.
pub(crate) trait Queue: Default + Send {
    /// What waits.
    type Job;

    /// Puts a job at the end.
    fn push(&mut self, job: Self::Job);

    /// Jobs waiting, those included that nobody waits for any more.
    fn items(&self) -> usize;

    /// Their tokens.
    fn tokens(&self) -> usize;

    /// Whether nothing waits.
    fn is_empty(&self) -> bool {
        self.items() == 0
    }
}

/// Owned by the handles, the workers and their threads' owner together. Closed by that owner, or by a worker when it ends.
pub(crate) struct Inbox<Q> {
    state: Mutex<State<Q>>,
    /// Waited on by workers only; signalled when one of them may have something to do.
    wake: Condvar,
    metrics: InferenceMetrics,
}

struct State<Q> {
    queue: Q,
    phase: Phase,
}

/// Whether a queue takes jobs and gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Takes jobs.
    Open,
    /// Takes no jobs; what waits is worked off until then.
    Draining { until: Instant },
    /// Takes no jobs and holds none.
    Closed,
}

/// What a handle sees of an inbox for such jobs.
pub(crate) trait Entrance<J>: Send + Sync {
    /// Queues the jobs of one request, one after the other with none of another's between them.
    ///
    /// # Errors
    /// [`InferError::ShuttingDown`]; the jobs are dropped.
    fn push(&self, jobs: Vec<J>) -> Result<(), InferError>;
}

/// What a thread and its owner see of an inbox.
pub(crate) trait AnyInbox: Send + Sync {
    /// Blocks a worker's thread until there may be something to do.
    fn wait(&self);

    /// Takes no more jobs; the workers work off what there is, but begin nothing after `until`.
    fn drain(&self, until: Instant);

    /// Takes no more jobs and drops those that wait; their requests end with [`InferError::ShuttingDown`].
    fn close(&self);
}

impl<Q: Queue> Inbox<Q> {
    pub(crate) fn new(metrics: InferenceMetrics) -> Self {
        let state = State { queue: Q::default(), phase: Phase::Open };
        Self { state: Mutex::new(state), wake: Condvar::new(), metrics }
    }

    /// Whether nothing may begin any more.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        lock(&self.state).phase.is_over(now)
    }

    /// Whether nothing waits and nothing can come.
    pub(crate) fn is_worked_off(&self) -> bool {
        lock(&self.state).is_worked_off()
    }

    /// Whenever the queue has changed: shows what waits, and where anything does, wakes one that sleeps.
    fn changed(&self, state: &State<Q>) {
        self.metrics.set_queue(state.queue.items(), state.queue.tokens());
        if !state.queue.is_empty() {
            self.wake.notify_one();
        }
    }
}

impl<Q: Queue> Entrance<Q::Job> for Inbox<Q> {
    fn push(&self, jobs: Vec<Q::Job>) -> Result<(), InferError> {
        let mut state = lock(&self.state);
        if state.phase != Phase::Open {
            return Err(InferError::ShuttingDown);
        }
        jobs.into_iter().for_each(|job| state.queue.push(job));
        self.changed(&state);
        Ok(())
    }
}

impl<Q: Queue> AnyInbox for Inbox<Q> {
    fn wait(&self) {
        let is_idle = |state: &mut State<Q>| state.queue.is_empty() && state.phase == Phase::Open;
        let woken = self.wake.wait_while(lock(&self.state), is_idle);
        drop(woken.unwrap_or_else(PoisonError::into_inner));
    }

    fn drain(&self, until: Instant) {
        let mut state = lock(&self.state);
        if state.phase != Phase::Closed {
            state.phase = Phase::Draining { until };
        }
        drop(state);
        self.wake.notify_all();
    }

    fn close(&self) {
        let mut state = lock(&self.state);
        state.phase = Phase::Closed;
        let unserved = mem::take(&mut state.queue);
        self.changed(&state);
        drop(state);
        self.wake.notify_all();
        // Outside the lock: each job that goes wakes a task and may release a permit.
        if !unserved.is_empty() {
            tracing::warn!(queue.items = unserved.items(), "jobs dropped unserved at shutdown");
        }
    }
}

impl<Q: Queue> State<Q> {
    fn is_worked_off(&self) -> bool {
        self.phase != Phase::Open && self.queue.is_empty()
    }
}

impl Phase {
    fn is_over(self, now: Instant) -> bool {
        match self {
            Self::Open => false,
            Self::Draining { until } => until <= now,
            Self::Closed => true,
        }
    }
}
