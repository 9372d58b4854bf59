//! What only workers do that take one job after the other, whenever there is room.
//!
//! In the order of arrival: a large job waits no longer than those before it take. With several workers, one can overtake
//! another only in the moment in which a worker finds no room for that one.

use super::{Inbox, Phase, Queue};
use crate::{Weigh, job::Job, lock::lock, model::total_tokens};
use std::{collections::VecDeque, mem};
use tokio::time::Instant;

impl<J: Weigh + Send> Queue for VecDeque<J> {
    type Job = J;

    fn push(&mut self, job: J) {
        self.push_back(job);
    }

    fn items(&self) -> usize {
        self.len()
    }

    fn tokens(&self) -> usize {
        total_tokens(self)
    }
}

impl<I: Send, O: Send> Inbox<VecDeque<Job<I, O>>> {
    /// The job that has waited longest.
    pub(crate) fn pop(&self) -> Option<Job<I, O>> {
        let mut state = lock(&self.state);
        let job = state.queue.pop_front();
        self.changed(&state);
        job
    }

    /// Puts a job that was popped back to where it was; it is dropped where the inbox was closed meanwhile.
    pub(crate) fn put_back(&self, job: Job<I, O>) {
        let mut state = lock(&self.state);
        if state.phase != Phase::Closed {
            // Another worker may have put one back since that came before this one.
            let place = state.queue.partition_point(|other| other.queued_at < job.queued_at);
            state.queue.insert(place, job);
        }
        self.changed(&state);
    }

    /// Takes out the jobs that nobody need work on any more at `now`.
    pub(crate) fn take_gone(&self, now: Instant) -> VecDeque<Job<I, O>> {
        let mut state = lock(&self.state);
        let (gone, queue) = mem::take(&mut state.queue).into_iter().partition(|job| job.gone(now).is_some());
        state.queue = queue;
        self.changed(&state);
        gone
    }
}
