//! What can go wrong between a permit and an answer, and with the workers themselves.

use crate::ModelError;

/// Why an admitted request gets no answer from the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InferError {
    /// The deadline passed first. Whatever still waited never reaches the device.
    #[error("the deadline passed before the model answered")]
    DeadlineExceeded,
    /// The model failed on the batch and on this input alone.
    #[error("the model gave no answer")]
    ModelFailed {
        /// The last failure.
        #[source]
        source: ModelError,
    },
    /// The workers take no more jobs, or ended before this one's turn.
    #[error("the service is shutting down")]
    ShuttingDown,
}

/// What can go wrong with the workers' threads.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// There is none to start.
    #[error("there is no model to start")]
    NoWorker,
    /// The system gave no thread.
    #[error("the model's thread can't be started")]
    Spawn(#[source] std::io::Error),
    /// A thread was still busy when the wait for it ended; it ends with the process.
    #[error("the model's thread didn't end in time")]
    Stuck,
    /// A thread ended by a panic outside the model: a bug of ours.
    #[error("the model's thread died")]
    Died,
}
