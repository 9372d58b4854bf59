//! The way in: what a request holds to have its inputs judged.

use crate::{
    BatchModel, InferError, Permit, ReadinessWatch, Weigh,
    inbox::Inbox,
    job::{Job, Reply},
    readiness::ReadinessPublisher,
};
use std::{fmt, sync::Arc};
use tokio::time::{Instant, timeout_at};

/// Gives inputs to one model. Clones lead to the same model; they don't keep its worker alive.
pub struct ModelHandle<M: BatchModel> {
    inbox: Arc<Inbox<M>>,
    readiness: ReadinessPublisher,
}

impl<M: BatchModel> ModelHandle<M> {
    pub(crate) const fn new(inbox: Arc<Inbox<M>>, readiness: ReadinessPublisher) -> Self {
        Self { inbox, readiness }
    }

    /// Has all `inputs` judged; output *i* belongs to input *i*.
    ///
    /// The inputs may share a batch with other requests' and may end up in different batches. `permit` must
    /// have been given for all of them, and can be shared with other calls of the same request; it is released when the last of them is done or dropped, which can be
    /// after this future ended. Dropping the future abandons what still waits: it never reaches the device.
    ///
    /// # Errors
    /// Every variant of [`InferError`]; one failed input fails the request. At `deadline` it returns
    /// [`InferError::DeadlineExceeded`] at once, whatever the model does.
    pub async fn infer_all(
        &self,
        inputs: Vec<M::Input>,
        permit: impl Into<Arc<Permit>>,
        deadline: Instant,
    ) -> Result<Vec<M::Output>, InferError> {
        ask(inputs, permit.into(), deadline, |jobs| self.inbox.push(jobs)).await
    }

    /// Whether the model answers.
    pub fn readiness(&self) -> ReadinessWatch {
        self.readiness.watch()
    }

    pub(crate) const fn publisher(&self) -> &ReadinessPublisher {
        &self.readiness
    }
}

/// Makes jobs of the inputs, has them pushed and waits for their answers.
pub(crate) async fn ask<I: Weigh, O>(
    inputs: Vec<I>,
    permit: Arc<Permit>,
    deadline: Instant,
    push: impl FnOnce(Vec<Job<I, O>>) -> Result<(), InferError>,
) -> Result<Vec<O>, InferError> {
    if deadline <= Instant::now() {
        return Err(InferError::DeadlineExceeded);
    }
    let (jobs, replies): (Vec<_>, Vec<_>) =
        inputs.into_iter().map(|input| Job::new(input, Arc::clone(&permit), deadline)).unzip();
    // From here on only the jobs hold it.
    drop(permit);
    push(jobs)?;
    timeout_at(deadline, collect(replies)).await.unwrap_or(Err(InferError::DeadlineExceeded))
}

async fn collect<O>(replies: Vec<Reply<O>>) -> Result<Vec<O>, InferError> {
    let mut outputs = Vec::with_capacity(replies.len());
    for reply in replies {
        // A job that goes without an answer went because the worker ended.
        outputs.push(reply.await.unwrap_or(Err(InferError::ShuttingDown))?);
    }
    Ok(outputs)
}

impl<M: BatchModel> Clone for ModelHandle<M> {
    fn clone(&self) -> Self {
        Self { inbox: Arc::clone(&self.inbox), readiness: self.readiness.clone() }
    }
}

impl<M: BatchModel> fmt::Debug for ModelHandle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelHandle").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}
