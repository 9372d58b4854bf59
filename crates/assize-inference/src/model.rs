//! What this crate asks of a model. `assize-candle` implements it; tests use fakes.

/// Something with a weight. The unit of every bound here is the token, because time and memory follow tokens.
pub trait Weigh {
    /// Tokens that the model reads for this, special tokens included, without padding.
    fn tokens(&self) -> usize;
}

/// Tokens of all of them together.
pub(crate) fn total_tokens<'a, T: Weigh + 'a>(all: impl IntoIterator<Item = &'a T>) -> usize {
    all.into_iter().map(Weigh::tokens).fold(0, usize::saturating_add)
}

/// A model that reads a batch at a time, in steps. One trait, one task.
///
/// Steps, so that a short input does not wait for a long batch: between two steps the worker may run another batch
/// from its beginning to its end. Runs don't touch each other, and each stands alone: whatever an earlier one left
/// behind, panicked or not, can't change a result. The worker relies on it when it goes on with a model that panicked.
pub trait BatchModel: Send + 'static {
    /// One thing to judge.
    type Input: Weigh + Send + 'static;
    /// What the model says about one input.
    type Output: Send + 'static;
    /// A batch on its way through the model.
    type Run;

    /// Begins to judge all of `inputs` (never empty).
    ///
    /// # Errors
    /// [`ModelError::Failed`] where the batch as a whole failed; the worker then tries each input alone,
    /// once.
    fn begin(&mut self, inputs: &[&Self::Input]) -> Result<Self::Run, ModelError>;

    /// Goes on for a few milliseconds; the outputs when all is done, output *i* belonging to input *i*. It is not
    /// called again then.
    ///
    /// # Errors
    /// As [`Self::begin`].
    fn advance(&mut self, run: &mut Self::Run) -> Result<Option<Vec<Self::Output>>, ModelError>;

    /// How often a batch had to be parted because the device had no room for it, since this was last asked.
    fn take_splits(&mut self) -> usize {
        0
    }
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
