//! The large guard behind its own queue.

use crate::config::{GuardConfig, OnSilence};
use assize_candle::guard::{GuardJudge, GuardReader, LargeGuard, LargeGuardError, OpinionError, Question};
use assize_domain::{Assessment, Consulted, Conversation, DecidedBy, ModelIdentity, Tier};
use assize_inference::{
    Admission, Demand, InferError, ModelHandle, Probe, ProbePolicy, ReadinessWatch, Refused, WorkerError,
    WorkerThreads,
};
use assize_preferences::{Profile, weigh};
use assize_telemetry::{InferenceMetrics, Metrics, MetricsError, TierMetrics, TierOutcome, error_chain};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How often an idle guard proves that it still answers.
const PROBES: ProbePolicy = ProbePolicy {
    idle_after: Duration::from_secs(60),
    timeout: Duration::from_secs(60),
    retry_after: Duration::from_secs(10),
};

/// Why the guard can't be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GuardStartError {
    #[error("the guard can't be loaded")]
    Load(#[source] Box<LargeGuardError>),
    #[error("the guard can't be probed")]
    Probe(#[source] OpinionError),
    #[error("the guard's thread can't be started")]
    Worker(#[source] WorkerError),
    #[error("the guard's metrics can't be made")]
    Metrics(#[source] MetricsError),
}

/// Asks the guard. Clones share one model.
#[derive(Debug, Clone)]
pub(crate) struct GuardTier(Arc<Parts>);

/// What asking needs.
#[derive(Debug)]
struct Parts {
    identity: ModelIdentity,
    reader: GuardReader,
    admission: Admission,
    handle: ModelHandle<GuardJudge>,
    inference: InferenceMetrics,
    tiers: TierMetrics,
    config: GuardConfig,
}

/// A started guard, and what shutdown has to end.
#[derive(Debug)]
pub(crate) struct StartedGuard {
    pub(crate) tier: GuardTier,
    pub(crate) threads: WorkerThreads<GuardJudge>,
    pub(crate) probe: JoinHandle<()>,
}

/// Why the guard says nothing.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error("the conversation can't be read by the guard")]
    Unreadable(#[source] OpinionError),
    #[error("the guard did not admit it")]
    Refused(#[source] Refused),
    #[error("no answer from the guard")]
    Infer(#[source] InferError),
    #[error("the guard's answer can't be used")]
    Unusable(#[source] OpinionError),
}

impl StartedGuard {
    /// Loads the guard and gives it its threads. Blocks while it reads the checkpoint.
    pub(crate) fn start(config: GuardConfig, metrics: &Metrics) -> Result<Self, GuardStartError> {
        let how = (config.precision, config.cache_tokens);
        let loaded = LargeGuard::load(&config.file, &config.checkpoint, &config.devices, how);
        let LargeGuard { identity, reader, judges } =
            loaded.map_err(|error| GuardStartError::Load(Box::new(error)))?;
        let probe_input = reader.probe().map_err(GuardStartError::Probe)?;
        let inference = metrics.of_tier(Tier::Guard).map_err(GuardStartError::Metrics)?;
        let admission = Admission::new(config.admission, inference.clone());
        let (handle, workers) = assize_inference::pair(judges, config.batch, &admission, &inference);
        let threads = WorkerThreads::spawn(workers).map_err(GuardStartError::Worker)?;
        let probe = probe_input.map(|input: Question| {
            let probe = Probe::new(handle.clone(), admission.clone(), PROBES, move || input.clone());
            tokio::spawn(probe.run())
        });
        let probe = probe.unwrap_or_else(|| tokio::spawn(async {}));
        let (name, revision) = (identity.name.as_ref(), identity.revision.to_string());
        tracing::info!(model.name = name, model.revision = revision, tier = Tier::Guard.id(), "guard ready");
        let tiers = metrics.tiers.clone();
        let parts = Parts { identity, reader, admission, handle, inference, tiers, config };
        Ok(Self { tier: GuardTier(Arc::new(parts)), threads, probe })
    }
}

impl GuardTier {
    /// Which model it is.
    pub(crate) fn identity(&self) -> &ModelIdentity {
        &self.0.identity
    }

    /// Whether it answers.
    pub(crate) fn readiness(&self) -> ReadinessWatch {
        self.0.handle.readiness()
    }

    /// Asks the guard where the assessment leaves the decision close under this profile; its scores then stand in it.
    pub(crate) async fn consult(
        &self,
        conversation: &Conversation,
        assessment: &mut Assessment,
        (profile, deadline): (&Profile, Instant),
    ) {
        let parts = &self.0;
        if !is_close(assessment, profile, parts.config.margin) {
            parts.tiers.conversation(Tier::Guard, TierOutcome::Spared);
            return;
        }
        let started = Instant::now();
        let answered =
            self.ask(conversation, assessment, deadline.min(started + parts.config.deadline)).await;
        let (outcome, is_told) = match &answered {
            Ok(true) => (TierOutcome::Answered, true),
            Ok(false) => (TierOutcome::NotConcerned, false),
            Err(silence) => {
                tracing::warn!(error = error_chain(silence), tier = Tier::Guard.id(), "a tier is silent");
                (silence.outcome(), parts.config.on_silence == OnSilence::Closed)
            }
        };
        parts.tiers.conversation(Tier::Guard, outcome);
        parts.tiers.took(Tier::Guard, started.elapsed());
        if is_told {
            let answered = answered.is_ok();
            let model = parts.identity.clone();
            assessment.consulted.push(Consulted { tier: Tier::Guard, model, answered });
        }
    }

    /// False where the guard has nothing to say about what is judged.
    async fn ask(
        &self,
        conversation: &Conversation,
        assessment: &mut Assessment,
        deadline: Instant,
    ) -> Result<bool, Silence> {
        let parts = &self.0;
        let started = Instant::now();
        let mut reading = parts.reader.read(conversation).map_err(Silence::Unreadable)?;
        parts.inference.tokenised(started.elapsed());
        if reading.is_empty() {
            return Ok(false);
        }
        let demand = Demand { requests: 1, tokens: reading.tokens() };
        let permit = parts.admission.try_admit(demand, deadline).map_err(Silence::Refused)?;
        let choices = parts.handle.infer_all(reading.take_questions(), permit, deadline).await;
        let choices = choices.map_err(Silence::Infer)?;
        let opinion = parts.reader.opinion(&reading, &choices).map_err(Silence::Unusable)?;
        opinion.apply(parts.reader.spec(), assessment);
        Ok(true)
    }
}

impl Silence {
    const fn outcome(&self) -> TierOutcome {
        match self {
            Self::Refused(_) | Self::Infer(InferError::DeadlineExceeded | InferError::ShuttingDown) => {
                TierOutcome::Busy
            }
            Self::Unreadable(_) | Self::Infer(InferError::ModelFailed { .. }) | Self::Unusable(_) => {
                TierOutcome::Failed
            }
        }
    }
}

/// Whether harmfulness is as near as `margin` to a threshold, and a threshold is what decides.
fn is_close(assessment: &Assessment, profile: &Profile, margin: f64) -> bool {
    let outcome = weigh(assessment, profile);
    let thresholds = profile.thresholds();
    let near = |threshold: f64| (outcome.harmfulness - threshold).abs() <= margin;
    let is_settled = matches!(outcome.decided_by, DecidedBy::Floor(_));
    !is_settled && (near(thresholds.review) || near(thresholds.block))
}
