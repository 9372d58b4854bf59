//! From conversations to assessments: read (tokenise, cut into windows), gain admission, infer, put together.
//!
//! Knows no community: what it gives is the same for everyone.

use crate::remembered::{Key, Remembered};
use assize_candle::{GuardEncoder, ReadError, Reader, Reading};
use assize_domain::{Assessment, Conversation};
use assize_inference::{Admission, Demand, InferError, ModelHandle, Permit, Refused};
use assize_telemetry::InferenceMetrics;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Texts up to this size are read on the spot: at about 4 MB/s that is 1 ms, less than handing them over can cost
/// on a busy machine.
const READ_INLINE_BYTES: usize = 4 * 1024;

/// Why there is no assessment.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AssessError {
    /// The conversation can't be read into tokens.
    #[error("the conversation can't be read")]
    Unreadable(#[source] ReadError),
    /// There was no room.
    #[error("not admitted")]
    Refused(#[source] Refused),
    /// The model gave no answer.
    #[error("no answer from the model")]
    Infer(#[source] InferError),
    /// The model's answer is no set of scores.
    #[error("the model's answer can't be used")]
    Unusable(#[source] assize_candle::calibrate::NotFinite),
    /// Reading broke off: a defect, or the service is ending.
    #[error("reading broke off")]
    ReadBrokeOff,
}

impl AssessError {
    /// Whether it says nothing about the conversation: the service is too busy, or is ending.
    pub(crate) const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Refused(Refused::Overloaded { .. })
                | Self::Infer(InferError::DeadlineExceeded | InferError::ShuttingDown)
        )
    }
}

/// Everything that judging needs. Clones share one model.
#[derive(Debug, Clone)]
pub(crate) struct Assessor {
    reader: Arc<Reader>,
    admission: Admission,
    handle: ModelHandle<GuardEncoder>,
    metrics: InferenceMetrics,
    /// One permit a core for reading long texts, so that they can't crowd out the model thread; never closed.
    long_reads: Arc<Semaphore>,
    /// `None` where the settings give it no room.
    remembered: Option<Arc<Remembered>>,
}

impl Assessor {
    /// Wires the parts that start-up has made.
    pub(crate) fn new(
        reader: Reader,
        admission: Admission,
        handle: ModelHandle<GuardEncoder>,
        metrics: InferenceMetrics,
        remembered: Option<Remembered>,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let long_reads = Arc::new(Semaphore::new(cores));
        let remembered = remembered.map(Arc::new);
        Self { reader: Arc::new(reader), admission, handle, metrics, long_reads, remembered }
    }

    /// Assesses all conversations, admitted together or not at all; the answer keeps their order.
    ///
    /// # Errors
    /// When they can't be read or are not admitted. What fails for one conversation only is in its place.
    pub(crate) async fn assess(
        &self,
        conversations: Vec<Conversation>,
        deadline: Instant,
    ) -> Result<Vec<Result<Assessment, AssessError>>, AssessError> {
        let Some(remembered) = &self.remembered else {
            return self.assess_anew(conversations, deadline).await;
        };
        let keys: Vec<Key> = conversations.iter().map(|conversation| remembered.key(conversation)).collect();
        let found: Vec<Option<Assessment>> = keys.iter().map(|key| remembered.find(key)).collect();
        let unknown: Vec<Conversation> = conversations
            .into_iter()
            .zip(&found)
            .filter(|(_, found)| found.is_none())
            .map(|(new, _)| new)
            .collect();
        // Where all are known nothing is admitted, read or inferred: that is what the cache is for.
        let fresh = if unknown.is_empty() { Vec::new() } else { self.assess_anew(unknown, deadline).await? };
        let mut fresh = fresh.into_iter();
        let answers = found.into_iter().zip(keys).map(|(found, key)| match found {
            Some(assessment) => Ok(assessment),
            None => {
                let assessment = fresh.next().unwrap_or(Err(AssessError::ReadBrokeOff))?;
                remembered.keep(key, assessment.clone());
                Ok(assessment)
            }
        });
        Ok(answers.collect())
    }

    async fn assess_anew(
        &self,
        conversations: Vec<Conversation>,
        deadline: Instant,
    ) -> Result<Vec<Result<Assessment, AssessError>>, AssessError> {
        self.admission.check_saturated(deadline).map_err(AssessError::Refused)?;
        let readings = timeout_at(deadline, self.read(conversations))
            .await
            .map_err(|_elapsed| AssessError::Infer(InferError::DeadlineExceeded))??;
        let tokens = readings.iter().map(Reading::tokens).sum();
        let demand = Demand { requests: readings.len(), tokens };
        let permit = Arc::new(self.admission.try_admit(demand, deadline).map_err(AssessError::Refused)?);
        // Polled together, so that their sequences can share a batch; one that fails fails alone.
        let judging = readings.into_iter().map(|reading| self.judge(reading, Arc::clone(&permit), deadline));
        Ok(futures_util::future::join_all(judging.collect::<Vec<_>>()).await)
    }

    async fn judge(
        &self,
        mut reading: Reading,
        permit: Arc<Permit>,
        deadline: Instant,
    ) -> Result<Assessment, AssessError> {
        let outputs = self.handle.infer_all(reading.take_sequences(), permit, deadline).await;
        reading.assess(&outputs.map_err(AssessError::Infer)?).map_err(AssessError::Unusable)
    }

    async fn read(&self, conversations: Vec<Conversation>) -> Result<Vec<Reading>, AssessError> {
        let bytes: usize = conversations.iter().map(Conversation::len_bytes).sum();
        if bytes <= READ_INLINE_BYTES {
            return read_all(&self.reader, &conversations, &self.metrics);
        }
        let (reader, metrics) = (Arc::clone(&self.reader), self.metrics.clone());
        let permit =
            Arc::clone(&self.long_reads).acquire_owned().await.map_err(|_| AssessError::ReadBrokeOff)?;
        let read = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            read_all(&reader, &conversations, &metrics)
        });
        read.await.map_err(|_| AssessError::ReadBrokeOff)?
    }
}

fn read_all(
    reader: &Reader,
    conversations: &[Conversation],
    metrics: &InferenceMetrics,
) -> Result<Vec<Reading>, AssessError> {
    let readings = conversations.iter().map(|conversation| {
        let started = Instant::now();
        let reading = reader.read(conversation);
        metrics.tokenised(started.elapsed());
        reading.map_err(AssessError::Unreadable)
    });
    readings.collect()
}
