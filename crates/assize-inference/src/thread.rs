//! The worker on a thread of its own, and its end.
//!
//! An OS thread and not a task: an inference blocks for as long as it takes, and the model stays on one
//! thread.

use crate::{BatchModel, Worker, WorkerError, inbox::Inbox, readiness::ReadinessPublisher};
use std::{
    fmt,
    sync::Arc,
    thread::{Builder, JoinHandle},
};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

/// A running worker. Its owner ends it: [`Self::shutdown`], then [`Self::join`]. Dropping it without these
/// closes the queue at once and leaves the thread to end after the batch it is at.
#[must_use = "dropping it ends the worker"]
pub struct WorkerThread<M: BatchModel> {
    inbox: Arc<Inbox<M>>,
    readiness: ReadinessPublisher,
    thread: Option<JoinHandle<()>>,
    /// Closed when the thread is about to end; nothing is ever sent.
    ended: oneshot::Receiver<()>,
}

impl<M: BatchModel> Worker<M> {
    /// Starts the thread. It ends by [`WorkerThread`] only; the handles don't keep it alive and don't end it.
    ///
    /// # Errors
    /// [`WorkerError::Spawn`].
    pub fn spawn(self) -> Result<WorkerThread<M>, WorkerError> {
        let (inbox, readiness) = (Arc::clone(&self.inbox), self.readiness.clone());
        let (ending, ended) = oneshot::channel::<()>();
        let body = move || {
            // Dropped in reverse order, also by a panic: first the worker, which answers all who wait, then
            // this.
            let _ending = ending;
            let mut worker = self;
            worker.run();
        };
        let thread =
            Builder::new().name("assize-model".to_owned()).spawn(body).map_err(WorkerError::Spawn)?;
        Ok(WorkerThread { inbox, readiness, thread: Some(thread), ended })
    }
}

impl<M: BatchModel> WorkerThread<M> {
    /// Takes no more jobs and says [`crate::Readiness::Draining`]. What waits is worked off; the worker takes
    /// no batch after `drain_until` and then drops the rest, whose requests end with
    /// [`crate::InferError::ShuttingDown`].
    pub fn shutdown(&self, drain_until: Instant) {
        self.readiness.draining();
        self.inbox.drain(drain_until);
    }

    /// Waits until the thread has ended, at most until `by`. Call [`Self::shutdown`] first; `by` should lie a
    /// batch's time behind its deadline, because a batch that has begun can't be stopped.
    ///
    /// # Errors
    /// [`WorkerError::Stuck`] at `by`; [`WorkerError::Died`] where the thread panicked.
    pub async fn join(mut self, by: Instant) -> Result<(), WorkerError> {
        // Its `Err` is the sender being dropped: that is the signal.
        let _ended = timeout_at(by, &mut self.ended).await.map_err(|_elapsed| WorkerError::Stuck)?;
        // Returns at once: the thread has nothing left to do.
        self.thread.take().map_or(Ok(()), JoinHandle::join).map_err(|_panic| WorkerError::Died)
    }
}

impl<M: BatchModel> Drop for WorkerThread<M> {
    fn drop(&mut self) {
        self.readiness.draining();
        self.inbox.close();
    }
}

impl<M: BatchModel> fmt::Debug for WorkerThread<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerThread").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}
