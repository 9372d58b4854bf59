//! The owner of a model: between two of its steps it has jobs leave and join, after each it answers those that ended.
//!
//! [`ContinuousWorker::step`] is the whole of it, without threads and without waiting; [`crate::WorkerThreads`] calls it
//! in a loop, tests call it by hand.

use super::{ContinuousHandle, ContinuousModel, Ended, JobOf, NotJoined};
use crate::{
    FailureCause, InferError, ModelError, Step,
    inbox::AnyInbox,
    model::total_tokens,
    place::{self, Place},
    thread::{Ends, Run},
    worker::caught,
};
use assize_telemetry::{InferenceMetrics, error_chain};
use std::{collections::VecDeque, fmt, mem, time::Duration};
use tokio::time::Instant;

/// Takes `models` into service: a handle for the requests, and for each model a worker that owns it. They are one model
/// several times, on as many devices, each with as much room as the others; whichever has room takes the next job. They end
/// together: the first that is dropped closes the inbox. `metrics` are of this model alone.
pub fn pair<M: ContinuousModel>(
    models: Vec<M>,
    metrics: &InferenceMetrics,
) -> (ContinuousHandle<M>, Vec<ContinuousWorker<M>>) {
    let (handle, places) = place::open(models.len(), metrics);
    let worker = |(model, place)| {
        let (running, suspects) = (Vec::new(), VecDeque::new());
        ContinuousWorker { place, model, running, suspects }
    };
    (handle, models.into_iter().zip(places).map(worker).collect())
}

/// Owns the model. When it is dropped, what waits and what it runs ends with [`InferError::ShuttingDown`].
pub struct ContinuousWorker<M: ContinuousModel> {
    pub(super) place: Place<VecDeque<JobOf<M>>>,
    model: M,
    /// Those that have joined, in the order of joining. No more than the model has room for.
    running: Vec<Running<M>>,
    /// Those of a step that failed, from the beginning again and each alone, before any other joins.
    suspects: VecDeque<JobOf<M>>,
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
        if self.place.inbox.is_over(now) {
            self.stop();
            return Step::Stopped;
        }
        self.give_up_gone(now);
        self.take_in(now);
        if !self.running.is_empty() {
            self.advance();
            return Step::Ran;
        }
        // Not closed here: others may still run something.
        if self.place.inbox.is_worked_off() { Step::Stopped } else { Step::Idle }
    }

    fn stop(&mut self) {
        self.place.inbox.close();
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
        let mut gone: Vec<JobOf<M>> = self.place.inbox.take_gone(now).into();
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
            job.give_up(reason, &self.place.metrics);
        }
    }

    fn take_in(&mut self, now: Instant) {
        loop {
            let runs_alone = self.running.iter().any(|running| running.standing == Standing::Suspect);
            if runs_alone || (!self.suspects.is_empty() && !self.running.is_empty()) {
                return;
            }
            let suspect = self.suspects.pop_front().map(|job| (job, Standing::Suspect));
            let next = suspect.or_else(|| self.place.inbox.pop().map(|job| (job, Standing::Good)));
            let Some((job, standing)) = next else { return };
            match self.join(&job.input) {
                Ok(ticket) => {
                    if standing == Standing::Good {
                        self.place.metrics.waited(now.saturating_duration_since(job.queued_at));
                    }
                    self.running.push(Running { ticket, job, standing });
                }
                Err(NotJoined::NoRoom) if !self.running.is_empty() => return self.place.inbox.put_back(job),
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
            self.place.metrics.inference_failed();
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
            self.place.metrics.inference_failed();
            tracing::error!("the model panicked when a job left");
        }
    }

    fn advance(&mut self) {
        let mut elapsed = Duration::ZERO;
        let tokens = total_tokens(self.running.iter().map(|running| &running.job));
        self.place.metrics.batch_taken(self.running.len(), tokens);
        let stepped = caught(&mut elapsed, || self.model.step());
        self.place.metrics.inferred(elapsed);
        self.place.metrics.split(self.model.take_splits());
        match stepped {
            Ok(ended) => self.answer(ended),
            Err(error) => {
                self.place.metrics.inference_failed();
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
            Some(error) => self.place.readiness.failed(FailureCause::Model(error)),
            None => self.place.readiness.succeeded(Instant::now()),
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
                    self.place.readiness.failed(FailureCause::Model(error.clone()));
                }
            }
        }
    }
}

impl<M: ContinuousModel> Run for ContinuousWorker<M> {
    fn step(&mut self, now: Instant) -> Step {
        self.step(now)
    }

    fn ends(&self) -> Ends {
        self.place.ends()
    }
}

impl<M: ContinuousModel> fmt::Debug for ContinuousWorker<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContinuousWorker").field("running", &self.running.len()).finish_non_exhaustive()
    }
}
