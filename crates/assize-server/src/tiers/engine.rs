//! Who runs the guard: this process, behind a queue of its own, or a server elsewhere.

use super::remote::{Completions, Predict, RemoteError};
use assize_candle::guard::{GuardJudge, GuardReader, GuardReading, Opinion, OpinionError};
use assize_domain::Conversation;
use assize_inference::{Admission, Demand, InferError, ModelHandle, Permit, ReadinessWatch, Refused};
use assize_telemetry::{InferenceMetrics, TierOutcome};
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// Why the guard says nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silence {
    #[error("the conversation can't be read by the guard")]
    Unreadable(#[source] OpinionError),
    #[error("the guard did not admit it")]
    Refused(#[source] Refused),
    #[error("no answer from the guard")]
    Infer(#[source] InferError),
    #[error("the guard's answer can't be used")]
    Unusable(#[source] OpinionError),
    #[error("the guard's server gave no answer")]
    Remote(#[source] RemoteError),
    #[error("the guard's server was too slow")]
    Late,
}

impl Silence {
    pub(super) fn outcome(&self) -> TierOutcome {
        match self {
            Self::Refused(Refused::Overloaded { .. })
            | Self::Late
            | Self::Infer(InferError::DeadlineExceeded | InferError::ShuttingDown) => TierOutcome::Busy,
            Self::Remote(error) if error.is_busy() => TierOutcome::Busy,
            // What can never be admitted is no matter of load.
            Self::Refused(Refused::TooLarge { .. } | Refused::TooMany { .. })
            | Self::Unreadable(_)
            | Self::Infer(InferError::ModelFailed { .. })
            | Self::Unusable(_)
            | Self::Remote(_) => TierOutcome::Failed,
        }
    }
}

/// What answers a guard's questions.
#[derive(Debug)]
pub(super) enum Engine {
    /// This process.
    Candle { reader: Arc<GuardReader>, handle: ModelHandle<GuardJudge> },
    /// A server that completes prompts.
    Completions(Completions),
    /// A server that classifies texts.
    Predict(Predict),
}

/// An engine and its door.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) engine: Engine,
    pub(super) admission: Admission,
    pub(super) inference: InferenceMetrics,
}

impl Guarded {
    /// Whether it answers; `None` for a server elsewhere, which is asked when it is needed.
    pub(super) fn readiness(&self) -> Option<ReadinessWatch> {
        match &self.engine {
            Engine::Candle { handle, .. } => Some(handle.readiness()),
            Engine::Completions(_) | Engine::Predict(_) => None,
        }
    }

    /// What the guard says; `None` where it has nothing to say about what is judged.
    pub(super) async fn ask(
        &self,
        conversation: &Conversation,
        deadline: Instant,
    ) -> Result<Option<Opinion>, Silence> {
        match &self.engine {
            Engine::Candle { reader, handle } => {
                let Some((mut reading, permit)) = self.read(reader, conversation, deadline).await? else {
                    return Ok(None);
                };
                let choices = handle.infer_all(reading.take_questions(), permit, deadline).await;
                let choices = choices.map_err(Silence::Infer)?;
                reader.opinion(&reading, &choices).map(Some).map_err(Silence::Unusable)
            }
            Engine::Completions(completions) => {
                let read = self.read(&completions.reader, conversation, deadline).await?;
                let Some((mut reading, _permit)) = read else { return Ok(None) };
                let opinion = timeout_at(deadline, completions.opinion(&mut reading)).await;
                opinion.map_err(|_elapsed| Silence::Late)?.map(Some).map_err(Silence::Remote)
            }
            Engine::Predict(predict) => {
                let _permit = self.admit(conversation.len_bytes() / BYTES_IN_TOKEN, deadline)?;
                let opinion = timeout_at(deadline, predict.opinion(conversation)).await;
                opinion.map_err(|_elapsed| Silence::Late)?.map_err(Silence::Remote)
            }
        }
    }

    /// Says whether a server elsewhere answers; a model of this process has its own say.
    pub(super) fn note<T>(&self, answered: &Result<Option<T>, Silence>) {
        if self.readiness().is_none() {
            self.inference.set_ready(answered.is_ok());
        }
    }

    async fn read(
        &self,
        reader: &Arc<GuardReader>,
        conversation: &Conversation,
        deadline: Instant,
    ) -> Result<Option<(GuardReading, Permit)>, Silence> {
        self.admission.check_saturated(deadline).map_err(Silence::Refused)?;
        let started = Instant::now();
        let reading = if conversation.len_bytes() <= READ_INLINE_BYTES {
            reader.read(conversation)
        } else {
            let (reader, conversation) = (Arc::clone(reader), conversation.clone());
            let read = tokio::task::spawn_blocking(move || reader.read(&conversation));
            let read = timeout_at(deadline, read).await.map_err(|_elapsed| Silence::Late)?;
            read.map_err(|_broke_off| Silence::Late)?
        };
        let reading = reading.map_err(Silence::Unreadable)?;
        self.inference.tokenised(started.elapsed());
        if reading.is_empty() {
            return Ok(None);
        }
        let permit = self.admit(reading.tokens(), deadline)?;
        Ok(Some((reading, permit)))
    }

    fn admit(&self, tokens: usize, deadline: Instant) -> Result<Permit, Silence> {
        self.admission.try_admit(Demand { requests: 1, tokens }, deadline).map_err(Silence::Refused)
    }
}

/// Texts up to this size are tokenised on the spot, as the encoder's are; a guard with several templates reads them as often.
const READ_INLINE_BYTES: usize = 1024;
/// About, in English: what a text weighs whose tokens are counted elsewhere.
const BYTES_IN_TOKEN: usize = 4;
