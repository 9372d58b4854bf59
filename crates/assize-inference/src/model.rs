//! What this crate asks of a model. `assize-candle` implements it; tests use fakes.

/// Something with a weight. The unit of every bound here is the token, because time and memory follow tokens.
pub trait Weigh {
    /// Tokens that the model reads for this, special tokens included, without padding.
    fn tokens(&self) -> usize;
}

/// A model that reads a batch at a time. One trait, one task.
///
/// Each call must stand alone: whatever an earlier call left behind, panicked or not, can't change a result.
/// The worker relies on it when it goes on with a model that panicked.
pub trait BatchModel: Send + 'static {
    /// One thing to judge.
    type Input: Weigh + Send + 'static;
    /// What the model says about one input.
    type Output: Send + 'static;

    /// Judges all of `inputs` (never empty); output *i* belongs to input *i*.
    ///
    /// # Errors
    /// [`ModelError::Failed`] where the batch as a whole failed; the worker then tries each input alone,
    /// once.
    fn infer(&mut self, inputs: &[&Self::Input]) -> Result<Vec<Self::Output>, ModelError>;
}

/// Why a model gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The model reports a failure.
    #[error("the model failed: {detail}")]
    Failed {
        /// What failed, for logs. Never a user's text.
        detail: String,
    },
    /// The model gave more or fewer outputs than it had inputs, so none can be trusted.
    #[error("the model gave {given} outputs for {expected} inputs")]
    WrongCount {
        /// Outputs given.
        given: usize,
        /// Inputs given to the model.
        expected: usize,
    },
    /// The model panicked.
    #[error("the model panicked")]
    Panicked,
}
