//! The worker on a thread of its own, and its end, as [`crate::WorkerThreads`] are for batches.

use super::{ContinuousModel, ContinuousWorker, inbox::Inbox};
use crate::{WorkerError, readiness::ReadinessPublisher, thread::Threads};
use std::{fmt, sync::Arc};
use tokio::time::Instant;

/// A running worker. Its owner ends it: [`Self::shutdown`], then [`Self::join`]. Dropping it without these closes the inbox at
/// once; the thread ends after the step it is at.
#[must_use = "dropping it ends the worker"]
pub struct ContinuousThreads<M: ContinuousModel> {
    inbox: Arc<Inbox<M>>,
    readiness: ReadinessPublisher,
    threads: Threads,
}

impl<M: ContinuousModel> ContinuousThreads<M> {
    /// Starts the worker's thread. It ends by this only; the handles don't keep it alive and don't end it.
    ///
    /// # Errors
    /// [`WorkerError::Spawn`].
    pub fn spawn(worker: ContinuousWorker<M>) -> Result<Self, WorkerError> {
        let (threads, ending) = Threads::new();
        let (inbox, readiness) = (Arc::clone(&worker.inbox), worker.readiness.clone());
        let mut threads = Self { inbox, readiness, threads };
        let mut worker = worker;
        threads.threads.start(&ending, move || worker.run())?;
        Ok(threads)
    }

    /// Takes no more jobs and says [`crate::Readiness::Draining`]. What waits and runs is worked off; at `drain_until` the
    /// rest is dropped, and its requests end with [`crate::InferError::ShuttingDown`].
    pub fn shutdown(&self, drain_until: Instant) {
        self.readiness.draining();
        self.inbox.drain(drain_until);
    }

    /// Waits until the thread has ended, at most until `by`. Call [`Self::shutdown`] first; `by` should lie a step's time
    /// behind its deadline, because a step that has begun can't be stopped.
    ///
    /// # Errors
    /// [`WorkerError::Stuck`] at `by`; [`WorkerError::Died`] where the thread panicked.
    pub async fn join(mut self, by: Instant) -> Result<(), WorkerError> {
        self.threads.join(by).await
    }
}

impl<M: ContinuousModel> Drop for ContinuousThreads<M> {
    fn drop(&mut self) {
        self.readiness.draining();
        self.inbox.close();
    }
}

impl<M: ContinuousModel> fmt::Debug for ContinuousThreads<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContinuousThreads").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}
