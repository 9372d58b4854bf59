//! One input on its way through queue and model, with the way back to whoever waits for it.

use crate::{BatchModel, InferError, Permit, Waiting, Weigh};
use std::sync::Arc;
use tokio::{sync::oneshot, time::Instant};

/// What a request waits on for one of its inputs. Dropping it abandons the job.
pub(crate) type Reply<M> = oneshot::Receiver<Result<<M as BatchModel>::Output, InferError>>;

/// One input that waits.
pub(crate) struct Job<M: BatchModel> {
    pub(crate) input: M::Input,
    pub(crate) queued_at: Instant,
    tokens: usize,
    deadline: Instant,
    reply: oneshot::Sender<Result<M::Output, InferError>>,
    /// Held, so that the request's tokens stay counted until its last job is gone.
    permit: Arc<Permit>,
}

impl<M: BatchModel> Job<M> {
    pub(crate) fn new(input: M::Input, permit: Arc<Permit>, deadline: Instant) -> (Self, Reply<M>) {
        let (reply, waiting) = oneshot::channel();
        // Weighed once: the queue asks often, and an input's weight must not change while it waits.
        let tokens = input.tokens();
        (Self { input, queued_at: Instant::now(), tokens, deadline, reply, permit }, waiting)
    }

    /// Ends the job with its answer.
    pub(crate) fn answer(self, answer: Result<M::Output, InferError>) {
        let Self { input, reply, permit, .. } = self;
        // First the memory and the permit, then the answer: who has an answer can count on the room being
        // free.
        drop(input);
        drop(permit);
        // The receiver may have hung up meanwhile; then nobody wants the answer.
        let _unwanted = reply.send(answer);
    }
}

impl<M: BatchModel> Weigh for Job<M> {
    fn tokens(&self) -> usize {
        self.tokens
    }
}

impl<M: BatchModel> Waiting for Job<M> {
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
