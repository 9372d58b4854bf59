//! The owner of a model: between two of its steps it has jobs leave and join, after each it answers those that ended.
//!
//! [`ContinuousWorker::step`] is the whole of it, without threads and without waiting; [`super::ContinuousThreads`] calls it
//! in a loop, tests call it by hand.

use super::{ContinuousHandle, ContinuousModel, Ended, JobOf, NotJoined, inbox::Inbox};
use crate::{
    FailureCause, InferError, ModelError, Step, model::total_tokens, readiness::ReadinessPublisher,
    worker::caught,
};
use assize_telemetry::{DropReason, InferenceMetrics, error_chain};
use std::{collections::VecDeque, fmt, mem, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Takes a model into service: a handle for the requests, and the worker that owns it. `metrics` are of this model alone.
pub fn pair<M: ContinuousModel>(
    model: M,
    metrics: &InferenceMetrics,
) -> (ContinuousHandle<M>, ContinuousWorker<M>) {
    let inbox = Arc::new(Inbox::new(metrics.clone()));
    let readiness = ReadinessPublisher::new(metrics.clone());
    let handle = ContinuousHandle::new(Arc::clone(&inbox), readiness.clone());
    let (running, suspects) = (Vec::new(), VecDeque::new());
    (handle, ContinuousWorker { inbox, readiness, model, running, suspects, metrics: metrics.clone() })
}

/// Owns the model. When it is dropped, what waits and runs ends with [`InferError::ShuttingDown`].
pub struct ContinuousWorker<M: ContinuousModel> {
    pub(super) inbox: Arc<Inbox<M>>,
    pub(super) readiness: ReadinessPublisher,
    model: M,
    /// Those that have joined, in the order of joining. No more than the model has room for.
    running: Vec<Running<M>>,
    /// Those of a step that failed, from the beginning again and each alone, before any other joins.
    suspects: VecDeque<JobOf<M>>,
    metrics: InferenceMetrics,
}

struct Running<M: ContinuousModel> {
    ticket: M::Ticket,
    job: JobOf<M>,
    standing: Standing,
}

/// What a job has behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Nothing that failed.
    Good,
    /// A step in which it failed, perhaps by another's fault: it runs alone now.
    Suspect,
}

impl<M: ContinuousModel> ContinuousWorker<M> {
    /// Drops the jobs that nobody waits for at `now`, takes in those that there is room for, and has the model go on by one
    /// step.
    pub fn step(&mut self, now: Instant) -> Step {
        if self.inbox.is_over(now) {
            self.stop();
            return Step::Stopped;
        }
        self.give_up_gone(now);
        self.take_in(now);
        if !self.running.is_empty() {
            self.advance();
            return Step::Ran;
        }
        if self.inbox.is_worked_off() {
            self.stop();
            return Step::Stopped;
        }
        Step::Idle
    }

    /// Steps until shutdown; blocks its thread while there is nothing to do.
    pub(super) fn run(&mut self) {
        loop {
            match self.step(Instant::now()) {
                Step::Idle => self.inbox.wait(),
                Step::Ran => {}
                Step::Stopped => return,
            }
        }
    }

    fn stop(&mut self) {
        self.inbox.close();
        let unfinished = self.running.len() + self.suspects.len();
        if unfinished > 0 {
            tracing::warn!(jobs = unfinished, "jobs dropped unfinished at shutdown");
        }
        // Who waits for a job that is dropped is told that the service shuts down.
        let tickets: Vec<_> = self.running.drain(..).map(|running| running.ticket).collect();
        self.suspects.clear();
        tickets.into_iter().for_each(|ticket| self.leave(ticket));
    }

    fn give_up_gone(&mut self, now: Instant) {
        let mut gone: Vec<JobOf<M>> = self.inbox.take_gone(now).into();
        let (gone_suspects, suspects) =
            mem::take(&mut self.suspects).into_iter().partition(|job| job.gone(now).is_some());
        self.suspects = suspects;
        gone.extend::<VecDeque<_>>(gone_suspects);
        let left: Vec<_> = self.running.extract_if(.., |running| running.job.gone(now).is_some()).collect();
        for running in left {
            self.leave(running.ticket);
            gone.push(running.job);
        }
        for job in gone {
            let Some(reason) = job.gone(now) else { continue };
            self.metrics.dropped(reason);
            match reason {
                DropReason::Abandoned => drop(job),
                DropReason::Expired => job.answer(Err(InferError::DeadlineExceeded)),
            }
        }
    }

    fn take_in(&mut self, now: Instant) {
        loop {
            let runs_alone = self.running.iter().any(|running| running.standing == Standing::Suspect);
            if runs_alone || (!self.suspects.is_empty() && !self.running.is_empty()) {
                return;
            }
            let suspect = self.suspects.pop_front().map(|job| (job, Standing::Suspect));
            let next = suspect.or_else(|| self.inbox.pop().map(|job| (job, Standing::Good)));
            let Some((job, standing)) = next else { return };
            match self.join(&job.input) {
                Ok(ticket) => {
                    if standing == Standing::Good {
                        self.metrics.waited(now.saturating_duration_since(job.queued_at));
                    }
                    self.running.push(Running { ticket, job, standing });
                }
                Err(NotJoined::NoRoom) if !self.running.is_empty() => return self.inbox.put_back(job),
                Err(NotJoined::NoRoom) => {
                    let detail = "no room, though nothing runs".to_owned();
                    job.answer(Err(InferError::ModelFailed { source: ModelError::Failed { detail } }));
                }
                Err(NotJoined::Failed(source)) => job.answer(Err(InferError::ModelFailed { source })),
            }
        }
    }

    fn join(&mut self, input: &M::Input) -> Result<M::Ticket, NotJoined> {
        let joined = caught(&mut Duration::default(), || Ok(self.model.join(input)));
        if joined.is_err() {
            self.metrics.inference_failed();
        }
        joined?
    }

    /// A panic on leaving is the model's to survive: the trait demands that it changes nothing for the others.
    fn leave(&mut self, ticket: M::Ticket) {
        let left = caught(&mut Duration::default(), || {
            self.model.leave(ticket);
            Ok(())
        });
        if left.is_err() {
            self.metrics.inference_failed();
            tracing::error!("the model panicked when a job left");
        }
    }

    fn advance(&mut self) {
        let mut elapsed = Duration::ZERO;
        let stepped = caught(&mut elapsed, || self.model.step());
        self.metrics.inferred(elapsed);
        match stepped {
            Ok(ended) => self.answer(ended),
            Err(error) => {
                self.metrics.inference_failed();
                self.suspect_all(&error);
            }
        }
    }

    /// Answers those that ended. The model has failed where these are all there were, and all ended badly.
    fn answer(&mut self, ended: Vec<Ended<M>>) {
        let mut last_failure = None;
        let mut has_success = ended.len() < self.running.len();
        for (ticket, output) in ended {
            let place = self.running.iter().position(|running| running.ticket == ticket);
            let Some(place) = place else { continue };
            let job = self.running.remove(place).job;
            match &output {
                Ok(_) => has_success = true,
                Err(error) => last_failure = Some(error.clone()),
            }
            job.answer(output.map_err(|source| InferError::ModelFailed { source }));
        }
        match last_failure.filter(|_| !has_success) {
            Some(error) => self.readiness.failed(FailureCause::Model(error)),
            None => self.readiness.succeeded(Instant::now()),
        }
    }

    /// After a step that failed: one that ran alone is at fault itself; the others are tried alone, from the beginning.
    fn suspect_all(&mut self, error: &ModelError) {
        let items = self.running.len();
        let tokens = total_tokens(self.running.iter().map(|running| &running.job));
        tracing::warn!(jobs = items, tokens, error = error_chain(error), "step failed, trying each alone");
        for running in mem::take(&mut self.running) {
            self.leave(running.ticket);
            match running.standing {
                Standing::Good => self.suspects.push_back(running.job),
                Standing::Suspect => {
                    running.job.answer(Err(InferError::ModelFailed { source: error.clone() }));
                    self.readiness.failed(FailureCause::Model(error.clone()));
                }
            }
        }
    }
}

impl<M: ContinuousModel> Drop for ContinuousWorker<M> {
    fn drop(&mut self) {
        // However it ends, by shutdown or by a bug: nobody may wait for it for ever, and nobody be told it is
        // ready.
        self.readiness.failed(FailureCause::WorkerEnded);
        self.inbox.close();
    }
}

impl<M: ContinuousModel> fmt::Debug for ContinuousWorker<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContinuousWorker").field("running", &self.running.len()).finish_non_exhaustive()
    }
}
