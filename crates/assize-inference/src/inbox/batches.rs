//! What only workers do that take batches.

use super::{AnyInbox, Inbox, Queue, State};
use crate::{
    BatchPolicy,
    lock::lock,
    queue::{PendingQueue, Taken, Waiting},
};
use tokio::time::Instant;

/// What a worker gets.
pub(crate) struct Next<J> {
    /// What left the queue.
    pub(crate) taken: Taken<J>,
    /// Whether live jobs still wait.
    pub(crate) has_backlog: bool,
}

impl<J: Waiting + Send> Inbox<PendingQueue<J>> {
    /// What a worker should do next; `None`: end.
    pub(crate) fn take(&self, policy: &BatchPolicy, now: Instant) -> Option<Next<J>> {
        let mut state = lock(&self.state);
        if state.phase.is_over(now) {
            drop(state);
            self.close();
            return None;
        }
        if state.is_worked_off() {
            return None;
        }
        let taken = state.queue.take_batch(policy, now);
        Some(self.next(&state, taken))
    }

    /// The short jobs that may run between two steps of a long batch; none where nothing short waits.
    pub(crate) fn take_short(&self, policy: &BatchPolicy, now: Instant) -> Option<Next<J>> {
        let mut state = lock(&self.state);
        if state.phase.is_over(now) || state.queue.is_empty() {
            return None;
        }
        let taken = state.queue.take_short(policy, now);
        Some(self.next(&state, taken))
    }

    fn next(&self, state: &State<PendingQueue<J>>, taken: Taken<J>) -> Next<J> {
        self.changed(state);
        Next { taken, has_backlog: !state.queue.is_empty() }
    }
}
