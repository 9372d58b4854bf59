//! The way in: what a request holds to have its inputs judged, or worked on.

use crate::{
    BatchModel, InferError, Permit, ReadinessWatch, Weigh,
    inbox::Entrance,
    job::{Job, Reply},
    readiness::ReadinessPublisher,
};
use std::{fmt, sync::Arc};
use tokio::time::{Instant, timeout_at};

/// Gives inputs to a model that reads batches.
pub type ModelHandle<M> = Handle<<M as BatchModel>::Input, <M as BatchModel>::Output>;

/// Gives inputs of type `I` to one model, which makes an `O` of each. Clones lead to the same model; they don't keep its
/// workers alive.
pub struct Handle<I, O> {
    inbox: Arc<dyn Entrance<Job<I, O>>>,
    readiness: ReadinessPublisher,
}

impl<I: Weigh, O> Handle<I, O> {
    /// Has the model work on all `inputs`; output *i* belongs to input *i*. Each is a job of its own.
    ///
    /// The inputs may share a batch with other requests' and may end up in different batches. `permit` must
    /// have been given for all of them, and can be shared with other calls of the same request; it is released when the last
    /// of them is done or dropped, which can be after this future ended. Dropping the future abandons what still waits: it
    /// never reaches the device. A model whose jobs come and go gives up what it works on, too, before its next step.
    ///
    /// # Errors
    /// Every variant of [`InferError`]; one failed input fails the request. At `deadline` it returns
    /// [`InferError::DeadlineExceeded`] at once, whatever the model does.
    pub async fn infer_all(
        &self,
        inputs: Vec<I>,
        permit: impl Into<Arc<Permit>>,
        deadline: Instant,
    ) -> Result<Vec<O>, InferError> {
        if deadline <= Instant::now() {
            return Err(InferError::DeadlineExceeded);
        }
        let permit = permit.into();
        let (jobs, replies): (Vec<_>, Vec<_>) =
            inputs.into_iter().map(|input| Job::new(input, Arc::clone(&permit), deadline)).unzip();
        // From here on only the jobs hold it.
        drop(permit);
        self.inbox.push(jobs)?;
        timeout_at(deadline, collect(replies)).await.unwrap_or(Err(InferError::DeadlineExceeded))
    }
}

impl<I, O> Handle<I, O> {
    pub(crate) const fn new(inbox: Arc<dyn Entrance<Job<I, O>>>, readiness: ReadinessPublisher) -> Self {
        Self { inbox, readiness }
    }

    /// Whether the model answers.
    pub fn readiness(&self) -> ReadinessWatch {
        self.readiness.watch()
    }

    pub(crate) const fn publisher(&self) -> &ReadinessPublisher {
        &self.readiness
    }
}

async fn collect<O>(replies: Vec<Reply<O>>) -> Result<Vec<O>, InferError> {
    let mut outputs = Vec::with_capacity(replies.len());
    for reply in replies {
        // A job that goes without an answer went because the worker ended.
        outputs.push(reply.await.unwrap_or(Err(InferError::ShuttingDown))?);
    }
    Ok(outputs)
}

impl<I, O> Clone for Handle<I, O> {
    fn clone(&self) -> Self {
        Self { inbox: Arc::clone(&self.inbox), readiness: self.readiness.clone() }
    }
}

impl<I, O> fmt::Debug for Handle<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}
