//! The workers on threads of their own, and their end.
//!
//! OS threads and no tasks: an inference blocks for as long as it takes, and a model stays on one thread.

use crate::{BatchModel, Worker, WorkerError, inbox::Inbox, readiness::ReadinessPublisher};
use std::{
    fmt,
    sync::Arc,
    thread::{Builder, JoinHandle},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

/// Running workers. Their owner ends them: [`Self::shutdown`], then [`Self::join`]. Dropping it without these
/// closes the queue at once and leaves each thread to end after the batch it is at.
#[must_use = "dropping it ends the workers"]
pub struct WorkerThreads<M: BatchModel> {
    inbox: Arc<Inbox<M>>,
    readiness: ReadinessPublisher,
    threads: Threads,
}

/// Some threads, and the sign of their end.
pub(crate) struct Threads {
    threads: Vec<JoinHandle<()>>,
    /// Closed when the last thread is about to end; nothing is ever sent.
    ended: mpsc::Receiver<()>,
}

/// Held by each thread until it ends, and by whoever starts them until all are started.
pub(crate) type Ending = mpsc::Sender<()>;

impl Threads {
    /// None yet.
    pub(crate) fn new() -> (Self, Ending) {
        let (ending, ended) = mpsc::channel(1);
        (Self { threads: Vec::new(), ended }, ending)
    }

    /// Starts one more. What `work` owns is dropped before the thread counts as ended, also by a panic.
    pub(crate) fn start(
        &mut self,
        ending: &Ending,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), WorkerError> {
        let ending = ending.clone();
        let body = move || {
            // Outlives what the work owns: that answers all who wait.
            let _ending = ending;
            work();
        };
        let thread = Builder::new().name(format!("assize-model-{}", self.threads.len())).spawn(body);
        self.threads.push(thread.map_err(WorkerError::Spawn)?);
        Ok(())
    }

    /// Waits until they have ended, at most until `by`.
    pub(crate) async fn join(&mut self, by: Instant) -> Result<(), WorkerError> {
        // `None` is the last sender being dropped: that is the signal.
        let _ended = timeout_at(by, self.ended.recv()).await.map_err(|_elapsed| WorkerError::Stuck)?;
        // Each returns at once: the threads have nothing left to do.
        let joined: Vec<_> = self.threads.drain(..).map(JoinHandle::join).collect();
        joined.into_iter().collect::<Result<(), _>>().map_err(|_panic| WorkerError::Died)
    }
}

impl<M: BatchModel> WorkerThreads<M> {
    /// Starts a thread for each worker of one [`crate::pair`]. They end by this only; the handles don't keep them alive
    /// and don't end them.
    ///
    /// # Errors
    /// [`WorkerError::NoWorker`], [`WorkerError::Spawn`].
    pub fn spawn(workers: Vec<Worker<M>>) -> Result<Self, WorkerError> {
        let first = workers.first().ok_or(WorkerError::NoWorker)?;
        let (threads, ending) = Threads::new();
        let (inbox, readiness) = (Arc::clone(&first.inbox), first.readiness.clone());
        // Ends those that were started where a later one can't be.
        let mut threads = Self { inbox, readiness, threads };
        for mut worker in workers {
            threads.threads.start(&ending, move || worker.run())?;
        }
        Ok(threads)
    }

    /// Takes no more jobs and says [`crate::Readiness::Draining`]. What waits is worked off; the workers take
    /// no batch after `drain_until` and then drop the rest, whose requests end with
    /// [`crate::InferError::ShuttingDown`].
    pub fn shutdown(&self, drain_until: Instant) {
        self.readiness.draining();
        self.inbox.drain(drain_until);
    }

    /// Waits until the threads have ended, at most until `by`. Call [`Self::shutdown`] first; `by` should lie a
    /// batch's time behind its deadline, because a batch that has begun can't be stopped.
    ///
    /// # Errors
    /// [`WorkerError::Stuck`] at `by`; [`WorkerError::Died`] where a thread panicked.
    pub async fn join(mut self, by: Instant) -> Result<(), WorkerError> {
        self.threads.join(by).await
    }
}

impl<M: BatchModel> Drop for WorkerThreads<M> {
    fn drop(&mut self) {
        self.readiness.draining();
        self.inbox.close();
    }
}

impl<M: BatchModel> fmt::Debug for WorkerThreads<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerThreads").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}
