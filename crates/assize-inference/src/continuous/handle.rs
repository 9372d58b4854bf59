//! The way in, as [`crate::ModelHandle`] is for batches.

use super::{ContinuousModel, inbox::Inbox};
use crate::{InferError, Permit, ReadinessWatch, handle::ask, readiness::ReadinessPublisher};
use std::{fmt, sync::Arc};
use tokio::time::Instant;

/// Gives inputs to one model. Clones lead to the same model; they don't keep its worker alive.
pub struct ContinuousHandle<M: ContinuousModel> {
    inbox: Arc<Inbox<M>>,
    readiness: ReadinessPublisher,
}

impl<M: ContinuousModel> ContinuousHandle<M> {
    pub(super) const fn new(inbox: Arc<Inbox<M>>, readiness: ReadinessPublisher) -> Self {
        Self { inbox, readiness }
    }

    /// Has all `inputs` worked on; output *i* belongs to input *i*. Each is a job of its own.
    ///
    /// `permit` must have been given for all of them; it is released when the last of them has ended or was given up.
    /// Dropping the future gives up all of them before the model's next step.
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
}

impl<M: ContinuousModel> Clone for ContinuousHandle<M> {
    fn clone(&self) -> Self {
        Self { inbox: Arc::clone(&self.inbox), readiness: self.readiness.clone() }
    }
}

impl<M: ContinuousModel> fmt::Debug for ContinuousHandle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContinuousHandle").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}
