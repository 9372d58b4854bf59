//! The owner of a model: takes a batch when the model is free, runs it, answers its jobs.
//!
//! [`Worker::step`] is the whole of it, without threads and without waiting; [`crate::WorkerThreads`] calls it
//! in a loop, tests call it by hand.

use crate::{
    Admission, BatchModel, BatchPolicy, FailureCause, InferError, ModelError, ModelHandle,
    inbox::Next,
    job::BatchJob,
    model::total_tokens,
    place::{self, Place},
    queue::PendingQueue,
    speed::MeasuredBatch,
    thread::{Ends, Run},
};
use assize_telemetry::{DropReason, InferenceMetrics, error_chain};
use std::{fmt, panic, panic::AssertUnwindSafe, slice, time::Duration};
use tokio::time::Instant;

/// Takes `models` into service: a handle for the requests, and for each model a worker that owns it. They are one model
/// several times, on as many devices or processors; whichever is free takes the next batch. They end together: the first
/// that is dropped closes the queue.
///
/// `admission` must be the one that gives the handle's permits: the workers tell it how fast the devices are.
pub fn pair<M: BatchModel>(
    models: Vec<M>,
    policy: BatchPolicy,
    admission: &Admission,
    metrics: &InferenceMetrics,
) -> (ModelHandle<M>, Vec<Worker<M>>) {
    let workers = models.len();
    let (handle, places) = place::open(workers, metrics);
    let worker = |(model, place)| Worker { place, model, policy, workers, admission: admission.clone() };
    (handle, models.into_iter().zip(places).map(worker).collect())
}

/// Owns the model. When it is dropped, what still waits ends with [`InferError::ShuttingDown`].
pub struct Worker<M: BatchModel> {
    pub(crate) place: Place<PendingQueue<BatchJob<M>>>,
    model: M,
    policy: BatchPolicy,
    /// How many there are, this one included.
    workers: usize,
    admission: Admission,
}

/// What one step of the worker came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing live waited, and nothing runs.
    Idle,
    /// A batch was taken and all its jobs are answered, or what runs is a step further.
    Ran,
    /// Shut down: no step will do anything any more.
    Stopped,
}

impl<M: BatchModel> Worker<M> {
    /// Takes one batch, if anything waits at `now`, and runs it to its end.
    pub fn step(&mut self, now: Instant) -> Step {
        let Some(next) = self.place.inbox.take(&self.policy, now) else { return Step::Stopped };
        let is_live = !next.taken.batch.is_empty();
        self.run_next(next, now);
        if is_live { Step::Ran } else { Step::Idle }
    }

    /// Runs what was taken at `now`; gives how many tokens of it were live.
    fn run_next(&mut self, next: Next<BatchJob<M>>, now: Instant) -> usize {
        let metrics = &self.place.metrics;
        next.taken.abandoned.into_iter().for_each(|job| job.give_up(DropReason::Abandoned, metrics));
        next.taken.expired.into_iter().for_each(|job| job.give_up(DropReason::Expired, metrics));
        for job in &next.taken.batch {
            metrics.waited(now.saturating_duration_since(job.queued_at));
        }
        let tokens = total_tokens(&next.taken.batch);
        if !next.taken.batch.is_empty() {
            self.run_batch(next.taken.batch, next.has_backlog);
        }
        tokens
    }

    /// Runs the short jobs that came since, between two steps of a long batch; gives how many tokens.
    fn run_short(&mut self) -> usize {
        let now = Instant::now();
        self.place.inbox.take_short(&self.policy, now).map_or(0, |next| self.run_next(next, now))
    }

    fn run_batch(&mut self, jobs: Vec<BatchJob<M>>, had_backlog: bool) {
        let tokens = total_tokens(&jobs);
        self.place.metrics.batch_taken(jobs.len(), tokens);
        match self.call(&jobs) {
            Ok((outputs, elapsed)) => {
                let workers = if had_backlog { self.workers } else { 1 };
                self.admission.observe(MeasuredBatch { tokens, elapsed, had_backlog, workers });
                self.place.readiness.succeeded(Instant::now());
                jobs.into_iter().zip(outputs).for_each(|(job, output)| job.answer(Ok(output)));
            }
            Err(error) => {
                let (items, error) = (jobs.len(), error_chain(&error));
                tracing::warn!(
                    batch.items = items,
                    batch.tokens = tokens,
                    error,
                    "batch failed, trying each alone"
                );
                self.retry_singly(jobs);
            }
        }
    }

    /// Runs each job of a failed batch alone, once, so that one poisonous input fails alone.
    fn retry_singly(&mut self, jobs: Vec<BatchJob<M>>) {
        let mut has_success = false;
        let mut last_failure = None;
        for job in jobs {
            // The failed batch took its time: some may have gone meanwhile.
            if let Some(reason) = job.gone(Instant::now()) {
                job.give_up(reason, &self.place.metrics);
            } else {
                match self.call_alone(&job) {
                    Ok(output) => {
                        has_success = true;
                        self.place.readiness.succeeded(Instant::now());
                        job.answer(Ok(output));
                    }
                    Err(source) => {
                        last_failure = Some(source.clone());
                        job.answer(Err(InferError::ModelFailed { source }));
                    }
                }
            }
        }
        if let (false, Some(error)) = (has_success, last_failure) {
            self.place.readiness.failed(FailureCause::Model(error));
        }
    }

    fn call_alone(&mut self, job: &BatchJob<M>) -> Result<M::Output, ModelError> {
        let (outputs, _) = self.call(slice::from_ref(job))?;
        outputs.into_iter().next().ok_or(ModelError::WrongCount { given: 0, expected: 1 })
    }

    /// Has the model judge the jobs; the outputs are as many as these. A batch of long ones lets short ones in between its
    /// steps, about as many tokens as it has itself, so that neither kind can stop the other; their time is not in its own.
    fn call(&mut self, jobs: &[BatchJob<M>]) -> Result<(Vec<M::Output>, Duration), ModelError> {
        let is_long = jobs.iter().any(|job| !self.policy.is_short(job));
        let lent = if is_long { total_tokens(jobs) } else { 0 };
        let inputs: Vec<&M::Input> = jobs.iter().map(|job| &job.input).collect();
        let mut elapsed = Duration::ZERO;
        let called = self.run_to_end(&inputs, lent, &mut elapsed);
        self.place.metrics.inferred(elapsed);
        self.place.metrics.split(self.model.take_splits());
        let checked = match called {
            Ok(outputs) if outputs.len() == jobs.len() => Ok((outputs, elapsed)),
            Ok(outputs) => Err(ModelError::WrongCount { given: outputs.len(), expected: jobs.len() }),
            Err(error) => Err(error),
        };
        if checked.is_err() {
            self.place.metrics.inference_failed();
        }
        checked
    }

    fn run_to_end(
        &mut self,
        inputs: &[&M::Input],
        mut lent: usize,
        elapsed: &mut Duration,
    ) -> Result<Vec<M::Output>, ModelError> {
        let mut run = caught(elapsed, || self.model.begin(inputs))?;
        loop {
            if let Some(outputs) = caught(elapsed, || self.model.advance(&mut run))? {
                return Ok(outputs);
            }
            if lent > 0 {
                lent = lent.saturating_sub(self.run_short());
            }
        }
    }
}

impl<M: BatchModel> Run for Worker<M> {
    fn step(&mut self, now: Instant) -> Step {
        self.step(now)
    }

    fn ends(&self) -> Ends {
        self.place.ends()
    }
}

/// Calls the model, and adds the time it took.
///
/// Unwind safety: a panic can leave only the model half-changed (the inputs are shared and dropped or read again as they
/// are, the run is dropped), and [`BatchModel`] demands that whatever a run leaves behind can't change another, as
/// [`crate::continuous::ContinuousModel`] does for what has left.
pub(crate) fn caught<T>(
    elapsed: &mut Duration,
    call: impl FnOnce() -> Result<T, ModelError>,
) -> Result<T, ModelError> {
    let started = Instant::now();
    let called = panic::catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(ModelError::Panicked));
    *elapsed += started.elapsed();
    called
}

impl<M: BatchModel> fmt::Debug for Worker<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("policy", &self.policy).finish_non_exhaustive()
    }
}
