//! The reporter: when it is asked, and what it writes. Here is no verdict: what a tree does to one is [`crate::jobs`]' matter.

use super::PROBES;
use crate::config::{OnSilence, ReporterConfig};
use assize_api::ErrorCode;
use assize_candle::reporter::{
    LargeReporter, LargeReporterError, ReporterReader, ReporterWriter, UnreadablePrompt,
};
use assize_candle::writing::Progress;
use assize_domain::{
    Assessment, Consulted, Conversation, Coverage, ModelIdentity, ReportedTree, Subject, Tier, Tree,
    TreeOutcome,
};
use assize_inference::continuous::{self, ContinuousHandle};
use assize_inference::{
    Admission, AdmissionLimits, Demand, InferError, Permit, Probe, ReadinessWatch, Refused, WorkerError,
    WorkerThreads,
};
use assize_preferences::{Aggregation, Profile};
use assize_record::reporter::{TreeError, tree};
use assize_telemetry::{
    InferenceMetrics, Metrics, MetricsError, OverloadReason, TierMetrics, TierOutcome, error_chain,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long the first texts may take, each of a token: on a processor a prompt alone takes many seconds.
const FIRST_TEXTS: Duration = Duration::from_secs(300);

/// A conversation. Its tokens are not counted: the number of jobs is the bound, and none has more than its file allows.
const ONE: Demand = Demand { requests: 1, tokens: 0 };

/// Why the reporter can't be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReporterStartError {
    #[error("the reporter can't be loaded")]
    Load(#[source] Box<LargeReporterError>),
    #[error("the reporter's thread can't be started")]
    Worker(#[source] WorkerError),
    #[error("the reporter's metrics can't be made")]
    Metrics(#[source] MetricsError),
    #[error("the reporter can't be probed")]
    Probe(#[source] UnreadablePrompt),
    #[error("the reporter admits nothing")]
    Refused(#[source] Refused),
    #[error("the reporter does not answer")]
    NotAnswering(#[source] InferError),
}

/// Why there is no tree. Holds no text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Silence {
    #[error("the prompt can't be read by the reporter")]
    Unreadable(#[source] UnreadablePrompt),
    #[error("no answer from the reporter")]
    Infer(#[source] InferError),
    #[error("the reporter's text holds no tree")]
    Unusable(#[source] TreeError),
    #[error("reading the prompt broke off")]
    BrokeOff,
}

impl Silence {
    /// What a client is told.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Unreadable(UnreadablePrompt::TooLong { .. }) => ErrorCode::TooManyTokens,
            Self::Infer(InferError::DeadlineExceeded) => ErrorCode::DeadlineExceeded,
            Self::Infer(InferError::ShuttingDown) => ErrorCode::NotReady,
            Self::Infer(InferError::ModelFailed { .. }) | Self::Unusable(_) => ErrorCode::ModelFailed,
            Self::Unreadable(UnreadablePrompt::Vocabulary(_)) | Self::BrokeOff => ErrorCode::Internal,
        }
    }

    /// Whether it is silent because the service ends.
    pub(crate) const fn is_shutdown(&self) -> bool {
        matches!(self, Self::Infer(InferError::ShuttingDown))
    }

    const fn outcome(&self) -> TierOutcome {
        match self {
            Self::Infer(InferError::DeadlineExceeded | InferError::ShuttingDown) => TierOutcome::Busy,
            Self::Unreadable(_)
            | Self::Infer(InferError::ModelFailed { .. })
            | Self::Unusable(_)
            | Self::BrokeOff => TierOutcome::Failed,
        }
    }
}

/// Whether a reporter's tree decides under a profile: the published sum takes its leaves, ours was made for what the encoder
/// expects.
pub(crate) fn decides(profile: &Profile) -> bool {
    matches!(profile.aggregation(), Aggregation::SafetyAnalyst(_))
}

/// What a reporter found.
#[derive(Debug)]
pub(crate) struct Reported {
    pub(crate) tree: ReportedTree,
    /// How much of the prompt it was given.
    pub(crate) coverage: Coverage,
}

/// Asks the reporter. Clones share one model.
#[derive(Debug, Clone)]
pub(crate) struct ReporterTier(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    identity: ModelIdentity,
    reader: ReporterReader,
    handle: ContinuousHandle<ReporterWriter>,
    admission: Admission,
    inference: InferenceMetrics,
    tiers: TierMetrics,
    config: ReporterConfig,
}

/// A started reporter, and what shutdown has to end.
#[derive(Debug)]
pub(crate) struct StartedReporter {
    pub(crate) tier: ReporterTier,
    pub(crate) threads: WorkerThreads,
    pub(crate) probe: JoinHandle<()>,
}

impl StartedReporter {
    /// Loads the reporter, gives it its threads and waits for its first texts. Blocks while it reads the checkpoints.
    pub(crate) async fn start(config: ReporterConfig, metrics: &Metrics) -> Result<Self, ReporterStartError> {
        let inference = metrics.of_tier(Tier::Reporter).map_err(ReporterStartError::Metrics)?;
        let limits = AdmissionLimits { max_requests: config.max_jobs, max_tokens: usize::MAX };
        let admission = Admission::new(limits, inference.clone());
        let how = (config.precision, config.cache_tokens);
        let loaded =
            LargeReporter::load(&config.file, &config.checkpoints, &config.devices, how, config.seed);
        let LargeReporter { identity, reader, writers } =
            loaded.map_err(|error| ReporterStartError::Load(Box::new(error)))?;
        let (handle, workers) = continuous::pair(writers, &inference);
        let threads = WorkerThreads::spawn(workers).map_err(ReporterStartError::Worker)?;
        let (name, revision) = (identity.name.as_ref(), identity.revision.to_string());
        tracing::info!(
            model.name = name,
            model.revision = revision,
            tier = Tier::Reporter.id(),
            "reporter loaded"
        );
        let deadline = Instant::now() + FIRST_TEXTS;
        let texts = reader.probe().map_err(ReporterStartError::Probe)?;
        let permit = admission.try_admit(ONE, deadline).map_err(ReporterStartError::Refused)?;
        let first = handle.infer_all(texts.to_vec(), permit, deadline).await;
        first.map_err(ReporterStartError::NotAnswering)?;
        let (turn, [harms, benefits]) = (AtomicBool::new(false), texts);
        // The sides in turn: they may be of two checkpoints.
        let next =
            move || if turn.fetch_xor(true, Ordering::Relaxed) { benefits.clone() } else { harms.clone() };
        let probe = Probe::new(handle.clone(), admission.clone(), PROBES, next);
        let probe = tokio::spawn(probe.run());
        let tiers = metrics.tiers.clone();
        let tier =
            ReporterTier(Arc::new(Parts { identity, reader, handle, admission, inference, tiers, config }));
        Ok(Self { tier, threads, probe })
    }
}

impl ReporterTier {
    /// Which model it is.
    pub(crate) fn identity(&self) -> &ModelIdentity {
        &self.0.identity
    }

    /// Whether it answers.
    pub(crate) fn readiness(&self) -> ReadinessWatch {
        self.0.handle.readiness()
    }

    /// Its settings.
    pub(crate) fn config(&self) -> &ReporterConfig {
        &self.0.config
    }

    /// Whether it should be asked, though nobody did: the tiers before it leave the decision close under a profile that a tree
    /// decides for.
    pub(crate) fn is_contested(&self, assessment: &Assessment, profile: &Profile) -> bool {
        let margin = self.0.config.margin.filter(|_| decides(profile));
        margin.is_some_and(|margin| super::is_close(assessment, profile, margin))
    }

    /// Says that nobody wants its tree of a conversation.
    pub(crate) fn spared(&self) {
        self.0.tiers.conversation(Tier::Reporter, TierOutcome::Spared);
    }

    /// Counts a conversation that is refused though others would be let in.
    pub(crate) fn refuse(&self) {
        self.0.inference.overloaded(OverloadReason::Requests);
        self.0.tiers.conversation(Tier::Reporter, TierOutcome::Busy);
    }

    /// Whether a prompt is judged, of which it could write; counted where none is.
    pub(crate) fn concerns(&self, conversation: &Conversation) -> bool {
        let is_concerned = conversation.prompt().is_some() && conversation.judges(Subject::Prompt);
        if !is_concerned {
            self.0.tiers.conversation(Tier::Reporter, TierOutcome::NotConcerned);
        }
        is_concerned
    }

    /// Lets one more conversation in, or refuses it at once.
    pub(crate) fn admit(&self) -> Result<Permit, Refused> {
        let admitted = self.0.admission.try_admit(ONE, Instant::now() + self.0.config.deadline);
        if admitted.is_err() {
            self.0.tiers.conversation(Tier::Reporter, TierOutcome::Busy);
        }
        admitted
    }

    /// Has the tree of a conversation's prompt written and reads it; `progress` tells of harms and of benefits.
    pub(crate) async fn report(
        &self,
        conversation: Conversation,
        permit: Permit,
        progress: [Progress; 2],
    ) -> Result<Reported, Silence> {
        let started = Instant::now();
        let reported = self.write(conversation, permit, progress).await;
        self.0.tiers.took(Tier::Reporter, started.elapsed());
        let outcome = match &reported {
            Ok(_) => TierOutcome::Answered,
            Err(silence) => {
                tracing::warn!(error = error_chain(silence), tier = Tier::Reporter.id(), "a tier is silent");
                silence.outcome()
            }
        };
        self.0.tiers.conversation(Tier::Reporter, outcome);
        reported
    }

    async fn write(
        &self,
        conversation: Conversation,
        permit: Permit,
        progress: [Progress; 2],
    ) -> Result<Reported, Silence> {
        let started = Instant::now();
        let deadline = started + self.0.config.deadline;
        let parts = Arc::clone(&self.0);
        // Tokenising takes a while for a long text, and nobody waits for it here.
        let read = tokio::task::spawn_blocking(move || parts.reader.read(&conversation)).await;
        let reading = read.map_err(|_broke_off| Silence::BrokeOff)?.map_err(Silence::Unreadable)?;
        let mut reading = reading.ok_or(Silence::BrokeOff)?;
        self.0.inference.tokenised(started.elapsed());
        reading.tell(&progress);
        let written = self.0.handle.infer_all(reading.texts.into(), permit, deadline).await;
        let [harms, benefits] = <[_; 2]>::try_from(written.map_err(Silence::Infer)?)
            .map_err(|_another_number| Silence::BrokeOff)?;
        let tree = tree(&harms.text, &benefits.text).map_err(Silence::Unusable)?;
        Ok(Reported { tree, coverage: reading.coverage })
    }

    /// Puts what the reporter found beside what the encoder expects; alone only where `decides`, because the two are on
    /// different scales.
    pub(crate) fn note(&self, assessment: &mut Assessment, reported: &Reported, decides: bool) {
        let Reported { tree, coverage } = reported;
        let expected = assessment.tree.tree().and_then(Tree::expected);
        if let Some(expected) = expected {
            assessment.tree = TreeOutcome::Weighed(Tree::both(expected.clone(), tree.clone()));
        } else if decides {
            assessment.tree = TreeOutcome::Weighed(Tree::Reported(tree.clone()));
        }
        let known =
            assessment.prompt_coverage.filter(|known| decides && coverage.fraction() < known.fraction());
        assessment.prompt_coverage = known.map(|_| *coverage).or(assessment.prompt_coverage);
        self.consulted(assessment, true);
    }

    /// Says in an assessment that it gave no answer, where that is to count.
    pub(crate) fn note_silence(&self, assessment: &mut Assessment, on_silence: OnSilence) -> bool {
        match on_silence {
            OnSilence::Open => false,
            OnSilence::Closed => {
                self.consulted(assessment, false);
                true
            }
        }
    }

    fn consulted(&self, assessment: &mut Assessment, answered: bool) {
        let model = self.0.identity.clone();
        assessment.consulted.push(Consulted { tier: Tier::Reporter, model, answered });
    }
}
