//! One input on its way through queue and model, with the way back to whoever waits for it.

use crate::{BatchModel, InferError, Permit, Weigh, queue::Waiting};
use assize_telemetry::{DropReason, InferenceMetrics};
use std::sync::Arc;
use tokio::{sync::oneshot, time::Instant};

/// What a request waits on for one of its inputs. Dropping it abandons the job.
pub(crate) type Reply<O> = oneshot::Receiver<Result<O, InferError>>;

/// One input of a model that reads batches.
pub(crate) type BatchJob<M> = Job<<M as BatchModel>::Input, <M as BatchModel>::Output>;

/// One input that waits, or is worked on.
pub(crate) struct Job<I, O> {
    pub(crate) input: I,
    pub(crate) queued_at: Instant,
    tokens: usize,
    deadline: Instant,
    reply: oneshot::Sender<Result<O, InferError>>,
    /// Held, so that the request's tokens stay counted until its last job is gone.
    permit: Arc<Permit>,
}

impl<I, O> Job<I, O> {
    pub(crate) fn new(input: I, permit: Arc<Permit>, deadline: Instant) -> (Self, Reply<O>)
    where
        I: Weigh,
    {
        let (reply, waiting) = oneshot::channel();
        // Weighed once: the queue asks often, and an input's weight must not change while it waits.
        let tokens = input.tokens();
        (Self { input, queued_at: Instant::now(), tokens, deadline, reply, permit }, waiting)
    }

    /// Ends the job with its answer.
    pub(crate) fn answer(self, answer: Result<O, InferError>) {
        let Self { input, reply, permit, .. } = self;
        // First the memory and the permit, then the answer: who has an answer can count on the room being
        // free.
        drop(input);
        drop(permit);
        // The receiver may have hung up meanwhile; then nobody wants the answer.
        let _unwanted = reply.send(answer);
    }

    /// Ends a job that nobody need work on any more.
    pub(crate) fn give_up(self, reason: DropReason, metrics: &InferenceMetrics) {
        metrics.dropped(reason);
        match reason {
            DropReason::Abandoned => drop(self),
            DropReason::Expired => self.answer(Err(InferError::DeadlineExceeded)),
        }
    }

    /// Why nobody need work on it at `now`; `None`: somebody waits.
    pub(crate) fn gone(&self, now: Instant) -> Option<DropReason> {
        if self.is_abandoned() {
            Some(DropReason::Abandoned)
        } else if self.deadline <= now {
            Some(DropReason::Expired)
        } else {
            None
        }
    }
}

impl<I, O> Weigh for Job<I, O> {
    fn tokens(&self) -> usize {
        self.tokens
    }
}

impl<I, O> Waiting for Job<I, O> {
    fn request_tokens(&self) -> usize {
        self.permit.demand().tokens
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}
