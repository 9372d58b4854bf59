//! The workers on threads of their own, and their end.
//!
//! OS threads and no tasks: a call of a model blocks for as long as it takes, and a model stays on one thread.

use crate::{Step, WorkerError, inbox::AnyInbox, readiness::ReadinessPublisher};
use std::{
    fmt,
    sync::Arc,
    thread::{Builder, JoinHandle},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

/// Running workers of one model. Their owner ends them: [`Self::shutdown`], then [`Self::join`]. Dropping it without these
/// closes the queue at once and leaves each thread to end after the batch or the step it is at.
#[derive(Debug)]
#[must_use = "dropping it ends the workers"]
pub struct WorkerThreads {
    ends: Ends,
    threads: Vec<JoinHandle<()>>,
    /// Closed when the last thread is about to end; nothing is ever sent. Each thread holds a sender until it ends, and so
    /// does [`Self::spawn`] until all are started.
    ended: mpsc::Receiver<()>,
}

/// What a thread does: [`crate::Worker`] and [`crate::continuous::ContinuousWorker`]. Not to be had from outside.
pub trait Run: Send + 'static {
    /// Does what there is to do, without waiting for more.
    fn step(&mut self, now: Instant) -> Step;

    /// By what it is ended, as all others of its model.
    fn ends(&self) -> Ends;
}

/// By what the workers of one model are ended.
pub struct Ends {
    inbox: Arc<dyn AnyInbox>,
    readiness: ReadinessPublisher,
}

impl Ends {
    pub(crate) fn new(inbox: Arc<dyn AnyInbox>, readiness: ReadinessPublisher) -> Self {
        Self { inbox, readiness }
    }
}

impl WorkerThreads {
    /// Starts a thread for each worker of one [`crate::pair`] or one [`crate::continuous::pair`]. They end by this only; the
    /// handles don't keep them alive and don't end them.
    ///
    /// # Errors
    /// [`WorkerError::NoWorker`], [`WorkerError::Spawn`].
    pub fn spawn(workers: Vec<impl Run>) -> Result<Self, WorkerError> {
        let ends = workers.first().ok_or(WorkerError::NoWorker)?.ends();
        let (ending, ended) = mpsc::channel(1);
        // Ends those that were started where a later one can't be.
        let mut threads = Self { ends, threads: Vec::new(), ended };
        for worker in workers {
            let ending = ending.clone();
            let body = move || {
                // Outlives what the work owns, also by a panic: that answers all who wait.
                let _ending = ending;
                run(worker);
            };
            let name = format!("assize-model-{}", threads.threads.len());
            threads.threads.push(Builder::new().name(name).spawn(body).map_err(WorkerError::Spawn)?);
        }
        Ok(threads)
    }

    /// Takes no more jobs and says [`crate::Readiness::Draining`]. What waits or runs is worked off; the workers take no
    /// batch and begin no step after `drain_until` and then drop the rest, whose requests end with
    /// [`crate::InferError::ShuttingDown`].
    pub fn shutdown(&self, drain_until: Instant) {
        self.ends.readiness.draining();
        self.ends.inbox.drain(drain_until);
    }

    /// Waits until the threads have ended, at most until `by`. Call [`Self::shutdown`] first; `by` should lie a
    /// batch's or a step's time behind its deadline, because one that has begun can't be stopped.
    ///
    /// # Errors
    /// [`WorkerError::Stuck`] at `by`; [`WorkerError::Died`] where a thread panicked.
    pub async fn join(mut self, by: Instant) -> Result<(), WorkerError> {
        // `None` is the last sender being dropped: that is the signal.
        let _ended = timeout_at(by, self.ended.recv()).await.map_err(|_elapsed| WorkerError::Stuck)?;
        // Each returns at once: the threads have nothing left to do.
        let joined: Vec<_> = self.threads.drain(..).map(JoinHandle::join).collect();
        joined.into_iter().collect::<Result<(), _>>().map_err(|_panic| WorkerError::Died)
    }
}

/// Steps until shutdown; blocks its thread while there is nothing to do.
fn run(mut worker: impl Run) {
    let inbox = worker.ends().inbox;
    loop {
        match worker.step(Instant::now()) {
            Step::Idle => inbox.wait(),
            Step::Ran => {}
            Step::Stopped => return,
        }
    }
}

impl Drop for WorkerThreads {
    fn drop(&mut self) {
        self.ends.readiness.draining();
        self.ends.inbox.close();
    }
}

impl fmt::Debug for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ends").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}
