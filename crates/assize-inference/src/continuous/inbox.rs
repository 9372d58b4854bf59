//! Jobs that wait for room, in the order of arrival: none overtakes another, so a large one waits no longer than those before
//! it take.
//!
//! A mutex with a condition variable, for the reasons that [`crate::inbox`] gives. Held for a pass over what waits, never
//! across an await or a step of the model.

use super::{ContinuousModel, JobOf};
use crate::{InferError, inbox::Phase, lock::lock, model::total_tokens};
use assize_telemetry::InferenceMetrics;
use std::{
    collections::VecDeque,
    mem,
    sync::{Condvar, Mutex, PoisonError},
};
use tokio::time::Instant;

/// Owned by the handles and the worker together. Closed by the threads' owner, or by the worker when it ends.
pub(super) struct Inbox<M: ContinuousModel> {
    state: Mutex<State<M>>,
    /// Waited on by the worker only; signalled when it may have something to do.
    wake: Condvar,
    metrics: InferenceMetrics,
}

struct State<M: ContinuousModel> {
    queue: VecDeque<JobOf<M>>,
    phase: Phase,
}

impl<M: ContinuousModel> Inbox<M> {
    pub(super) fn new(metrics: InferenceMetrics) -> Self {
        let state = State { queue: VecDeque::new(), phase: Phase::Open };
        Self { state: Mutex::new(state), wake: Condvar::new(), metrics }
    }

    /// Queues the jobs of one request, one after the other.
    ///
    /// # Errors
    /// [`InferError::ShuttingDown`]; the jobs are dropped.
    pub(super) fn push(&self, jobs: Vec<JobOf<M>>) -> Result<(), InferError> {
        let mut state = lock(&self.state);
        if state.phase != Phase::Open {
            return Err(InferError::ShuttingDown);
        }
        state.queue.extend(jobs);
        self.show(&state);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// The job that has waited longest.
    pub(super) fn pop(&self) -> Option<JobOf<M>> {
        let mut state = lock(&self.state);
        let job = state.queue.pop_front();
        self.show(&state);
        job
    }

    /// Puts the job that was popped last back to where it was; it is dropped where the inbox was closed meanwhile.
    pub(super) fn put_back(&self, job: JobOf<M>) {
        let mut state = lock(&self.state);
        if state.phase != Phase::Closed {
            state.queue.push_front(job);
        }
        self.show(&state);
    }

    /// Takes out the jobs that nobody need work on any more at `now`.
    pub(super) fn take_gone(&self, now: Instant) -> VecDeque<JobOf<M>> {
        let mut state = lock(&self.state);
        let (gone, queue) = mem::take(&mut state.queue).into_iter().partition(|job| job.gone(now).is_some());
        state.queue = queue;
        self.show(&state);
        gone
    }

    /// Whether no step may begin any more.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        lock(&self.state).phase.is_over(now)
    }

    /// Whether nothing waits and nothing can come.
    pub(super) fn is_worked_off(&self) -> bool {
        let state = lock(&self.state);
        state.phase != Phase::Open && state.queue.is_empty()
    }

    /// Blocks the worker's thread until there is something to do.
    pub(super) fn wait(&self) {
        let is_idle = |state: &mut State<M>| state.queue.is_empty() && state.phase == Phase::Open;
        let woken = self.wake.wait_while(lock(&self.state), is_idle);
        drop(woken.unwrap_or_else(PoisonError::into_inner));
    }

    /// Takes no more jobs; what waits and runs is worked off, but no step begins after `until`.
    pub(super) fn drain(&self, until: Instant) {
        let mut state = lock(&self.state);
        if state.phase != Phase::Closed {
            state.phase = Phase::Draining { until };
        }
        drop(state);
        self.wake.notify_all();
    }

    /// Takes no more jobs and drops those that wait; their requests end with [`InferError::ShuttingDown`].
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.phase = Phase::Closed;
        let unserved = mem::take(&mut state.queue);
        self.show(&state);
        drop(state);
        self.wake.notify_all();
        // Outside the lock: each job that goes wakes a task and may release a permit.
        if !unserved.is_empty() {
            tracing::warn!(queue.items = unserved.len(), "jobs dropped unserved at shutdown");
        }
    }

    fn show(&self, state: &State<M>) {
        self.metrics.set_queue(state.queue.len(), total_tokens(&state.queue));
    }
}
