//! The large guard: when it is asked, and what its answer or its silence does.

use super::PROBES;
use super::engine::{Engine, Guarded, Silence};
use super::remote::{Completions, Predict, Server};
use crate::config::{CandleConfig, EngineConfig, GuardConfig, OnSilence};
use assize_candle::guard::{Context, GuardSpec, LargeGuard, LargeGuardError, OpinionError, Question};
use assize_domain::{Assessment, Consulted, Conversation, ModelIdentity, Tier};
use assize_inference::{Admission, Probe, ReadinessWatch, WorkerError, WorkerThreads};
use assize_preferences::{Aggregation, Profile};
use assize_telemetry::{Metrics, MetricsError, TierMetrics, TierOutcome, error_chain};
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

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
    /// What its scores are measured from.
    spec: GuardSpec,
    guarded: Guarded,
    tiers: TierMetrics,
    config: GuardConfig,
}

/// A started guard, and what shutdown has to end.
#[derive(Debug)]
pub(crate) struct StartedGuard {
    pub(crate) tier: GuardTier,
    /// Absent where a server elsewhere runs it.
    pub(crate) threads: Option<WorkerThreads>,
    pub(crate) probe: Option<JoinHandle<()>>,
}

/// An engine as it was started.
struct Started {
    identity: ModelIdentity,
    spec: GuardSpec,
    engine: Engine,
    threads: Option<WorkerThreads>,
    probe: Option<JoinHandle<()>>,
}

impl StartedGuard {
    /// Loads the guard and gives it its threads, or gets ready to call the server that runs it. Blocks while it reads the
    /// checkpoint.
    pub(crate) fn start(config: GuardConfig, metrics: &Metrics) -> Result<Self, GuardStartError> {
        let inference = metrics.of_tier(Tier::Guard).map_err(GuardStartError::Metrics)?;
        let admission = Admission::new(config.admission, inference.clone());
        let load = |error| GuardStartError::Load(Box::new(error));
        let started = match &config.engine {
            EngineConfig::Candle(candle) => Started::candle(&config.file, candle, &admission, &inference)?,
            EngineConfig::Vllm { checkpoint, url, model, key } => {
                let (identity, reader) = LargeGuard::reader(&config.file, checkpoint, model).map_err(load)?;
                let (spec, server) = (reader.spec().clone(), Server::new(url.clone(), key.clone()));
                let engine = Engine::Completions(Completions {
                    server,
                    model: model.clone(),
                    reader: Arc::new(reader),
                });
                Started { identity, spec, engine, threads: None, probe: None }
            }
            EngineConfig::Tei { url, key } => {
                let (identity, spec) = LargeGuard::classifier(&config.file).map_err(load)?;
                let server = Server::new(url.clone(), key.clone());
                let engine = Engine::Predict(Predict { server, spec: spec.clone() });
                Started { identity, spec, engine, threads: None, probe: None }
            }
        };
        let Started { identity, spec, engine, threads, probe } = started;
        let (name, revision) = (identity.name.as_ref(), identity.revision.to_string());
        tracing::info!(model.name = name, model.revision = revision, tier = Tier::Guard.id(), "guard ready");
        let guarded = Guarded { engine, admission, inference };
        let parts = Parts { identity, spec, guarded, tiers: metrics.tiers.clone(), config };
        Ok(Self { tier: GuardTier(Arc::new(parts)), threads, probe })
    }
}

impl Started {
    fn candle(
        file: &Path,
        candle: &CandleConfig,
        admission: &Admission,
        inference: &assize_telemetry::InferenceMetrics,
    ) -> Result<Self, GuardStartError> {
        let CandleConfig { checkpoint, devices, precision, batch, cache_tokens } = candle;
        let loaded = LargeGuard::load(file, checkpoint, devices, (*precision, *cache_tokens));
        let LargeGuard { identity, reader, judges } =
            loaded.map_err(|error| GuardStartError::Load(Box::new(error)))?;
        let probe_input = reader.probe().map_err(GuardStartError::Probe)?;
        let (handle, workers) = assize_inference::pair(judges, *batch, admission, inference);
        let threads = WorkerThreads::spawn(workers).map_err(GuardStartError::Worker)?;
        let probe = probe_input.map(|input: Question| {
            let probe = Probe::new(handle.clone(), admission.clone(), PROBES, move || input.clone());
            tokio::spawn(probe.run())
        });
        let spec = reader.spec().clone();
        Ok(Self {
            identity,
            spec,
            engine: Engine::Candle { reader: Arc::new(reader), handle },
            threads: Some(threads),
            probe,
        })
    }
}

impl GuardTier {
    /// Which model it is.
    pub(crate) fn identity(&self) -> &ModelIdentity {
        &self.0.identity
    }

    /// Whether it answers; `None` where a server elsewhere runs it.
    pub(crate) fn readiness(&self) -> Option<ReadinessWatch> {
        self.0.guarded.readiness()
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
        let deadline = deadline.min(started + parts.config.deadline);
        let answered = parts.guarded.ask(conversation, deadline).await;
        parts.guarded.note(&answered);
        parts.tiers.took(Tier::Guard, started.elapsed());
        parts.tiers.conversation(Tier::Guard, outcome(&answered));
        let is_told = match answered {
            Ok(None) => None,
            Ok(Some(opinion)) => {
                opinion.apply(&parts.spec, Context::of(conversation), assessment);
                Some(true)
            }
            Err(silence) => {
                tracing::warn!(error = error_chain(&silence), tier = Tier::Guard.id(), "a tier is silent");
                (parts.config.on_silence == OnSilence::Closed).then_some(false)
            }
        };
        if let Some(answered) = is_told {
            let model = parts.identity.clone();
            assessment.consulted.push(Consulted { tier: Tier::Guard, model, answered });
        }
    }
}

fn outcome<T>(answered: &Result<Option<T>, Silence>) -> TierOutcome {
    match answered {
        Ok(Some(_)) => TierOutcome::Answered,
        Ok(None) => TierOutcome::NotConcerned,
        Err(silence) => silence.outcome(),
    }
}

/// Whether a guard could move the decision.
fn is_close(assessment: &Assessment, profile: &Profile, margin: f64) -> bool {
    // The published sum weighs no guard.
    let weighs_guards = !matches!(profile.aggregation(), Aggregation::SafetyAnalyst(_));
    weighs_guards && super::is_close(assessment, profile, margin)
}
