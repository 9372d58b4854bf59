//! The composition root: reads as the boot sequence. Everything is made here once and handed on by value or `Arc`.

use crate::assessor::Assessor;
use crate::communities::{Communities, ExampleRunner, Files, LoadError, Watcher, load, report_candidates};
use crate::config::{Config, InferenceConfig};
use crate::history::{History, HistoryError, HistoryThread};
use crate::http::{BodyBudget, Quota, routes, weighing};
use crate::jobs::Desk;
use crate::pipeline::Pipeline;
use crate::remembered::Remembered;
use crate::state::AppState;
use crate::tiers::{StartedGuard, StartedReporter};
use assize_api::ErrorCode;
use assize_candle::{
    ChoiceError, GuardModel, LoadError as ModelLoadError, Reader, Sequence, Trial, Verification,
};
use assize_domain::{ModelIdentity, Tier};
use assize_inference::{
    Admission, Probe, ProbePolicy, Readiness, ReadinessWatch, WorkerError, WorkerThreads,
};
use assize_telemetry::{Metrics, MetricsConfig, MetricsError, error_chain};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// How often an idle model proves that it still answers, and how soon a failed one is tried again.
const PROBES: ProbePolicy = ProbePolicy {
    idle_after: Duration::from_secs(15),
    timeout: Duration::from_secs(10),
    retry_after: Duration::from_secs(2),
};
/// How often clients with a whole quota are forgotten.
const QUOTA_CLEANING: Duration = Duration::from_secs(60);
/// How long a command waits for the disk: nobody ends it from outside, and its records are its answer.
const COMMANDS_RECORDS: Duration = Duration::from_secs(60);

/// Why the service can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The model folder can't be used.
    #[error("the model can't be loaded")]
    Model(#[source] Box<ModelLoadError>),
    /// The model can't compute as the settings say.
    #[error("the model can't compute as `inference.precision` says")]
    Precision(#[source] ChoiceError),
    /// The model's window can't hold any text.
    #[error("the model can't be probed")]
    Probe(#[source] assize_candle::ReadError),
    /// The model's first inference failed.
    #[error("the model does not answer: {0}")]
    NotAnswering(String),
    /// The model's thread can't be started.
    #[error("the model's thread can't be started")]
    Worker(#[source] WorkerError),
    /// The profiles can't be used.
    #[error("{0}")]
    Communities(String),
    /// The guard that is asked after the model can't be started.
    #[error("the settings' `guard` can't be used: {0}")]
    Guard(String),
    /// The reporter that writes full trees can't be started.
    #[error("the settings' `reporter` can't be used: {0}")]
    Reporter(String),
    /// The history can't be kept.
    #[error("the history can't be kept")]
    History(#[source] HistoryError),
    /// The metrics can't be made, which is a defect.
    #[error("the metrics can't be made")]
    Metrics(#[source] MetricsError),
}

/// The model, loaded, warm and waiting on its threads.
pub(crate) struct Judge {
    pub(crate) assessor: Assessor,
    pub(crate) identity: ModelIdentity,
    pub(crate) computation: Computation,
    pub(crate) readiness: ReadinessWatch,
    pub(crate) threads: WorkerThreads,
    pub(crate) probe: JoinHandle<()>,
}

/// How the model computes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Computation {
    /// A kernel's name, or `portable`.
    pub(crate) kernel: &'static str,
    /// Threads that compute.
    pub(crate) threads: usize,
}

/// A started service: its state for the handlers, and what shutdown has to end.
#[derive(Debug)]
pub struct Service {
    /// Shared with every handler.
    pub state: Arc<AppState>,
    /// Those of each model.
    pub(crate) threads: Vec<(Tier, WorkerThreads)>,
    /// Where records are written; joined at the end.
    pub(crate) history: Option<HistoryThread>,
    /// Probe, profile watcher, quota cleaning; aborted at the end.
    pub(crate) tasks: Vec<JoinHandle<()>>,
}

impl Service {
    /// Writes what waits for the history on disk; for commands, which end without a shutdown. Blocks.
    pub(crate) fn finish_history(&mut self) {
        self.state.history.close();
        if let Some(history) = self.history.take() {
            history.join(COMMANDS_RECORDS);
        }
    }
}

/// Starts everything but the listener: metrics, model, warm-up, profiles with their examples.
///
/// # Errors
/// Every variant of [`StartError`].
pub async fn start(config: Config) -> Result<Service, StartError> {
    let metrics = Arc::new(new_metrics()?);
    let judge = start_judge(&config.inference, &metrics).await?;
    let guard = start_guard(&config, &metrics)?;
    let reporter = start_reporter(&config, &metrics).await?;
    let mut runner = ExampleRunner::new(judge.assessor.clone());
    let files =
        Files::read(&config.communities.folder).map_err(|error| explain(&LoadError::Folder(error)))?;
    let loaded = load(&files, &config.communities, &mut runner).await.map_err(|error| explain(&error))?;
    metrics.register_communities(&loaded.catalog.ids()).map_err(StartError::Metrics)?;
    metrics.service.profiles_loaded(SystemTime::now());
    report_candidates(&loaded.candidates, &metrics);
    let communities = Arc::new(Communities::new(loaded, SystemTime::now()));
    let watcher = Watcher::new(
        config.communities.clone(),
        Arc::clone(&communities),
        runner,
        Arc::clone(&metrics),
        files,
    );
    let (history, writing) =
        History::start(&config.history, metrics.service.clone()).map_err(StartError::History)?;
    let history = Arc::new(history);
    let mut threads = vec![(Tier::Encoder, judge.threads)];
    let mut tasks = vec![judge.probe, tokio::spawn(watcher.run())];
    let tier = guard.map(|StartedGuard { tier, threads: own, probe }| {
        threads.extend(own.map(|own| (Tier::Guard, own)));
        tasks.extend(probe);
        tier
    });
    let desk = reporter.map(|StartedReporter { tier, threads: own, probe }| {
        threads.push((Tier::Reporter, own));
        tasks.push(probe);
        Desk::new(tier, Arc::clone(&history), metrics.moderation.clone()).map(Arc::new)
    });
    let desk = desk.transpose().map_err(|error| StartError::Reporter(error_chain(&error)))?;
    let state = Arc::new(AppState {
        quota: config.conversations_per_minute.map(Quota::new),
        bodies: BodyBudget::new(config.server.max_buffered_bytes),
        weighing: Arc::new(Semaphore::new(weighing::AT_ONCE)),
        pipeline: Pipeline::new(
            judge.assessor,
            (tier.clone(), desk.clone()),
            metrics.moderation.clone(),
            Arc::clone(&history),
        ),
        history,
        model: judge.identity,
        computation: judge.computation,
        model_readiness: judge.readiness,
        guard: tier,
        desk,
        draining: AtomicBool::new(false),
        communities,
        metrics,
        config,
    });
    tasks.push(tokio::spawn(clean_quota(Arc::clone(&state))));
    Ok(Service { state, threads, history: writing, tasks })
}

pub(crate) fn start_guard(config: &Config, metrics: &Metrics) -> Result<Option<StartedGuard>, StartError> {
    let started = config.guard.clone().map(|guard| StartedGuard::start(guard, metrics));
    started.transpose().map_err(|error| StartError::Guard(error_chain(&error)))
}

pub(crate) async fn start_reporter(
    config: &Config,
    metrics: &Metrics,
) -> Result<Option<StartedReporter>, StartError> {
    let Some(reporter) = config.reporter.clone() else { return Ok(None) };
    let started = StartedReporter::start(reporter, metrics).await;
    started.map(Some).map_err(|error| StartError::Reporter(error_chain(&error)))
}

fn explain(error: &LoadError) -> StartError {
    StartError::Communities(error_chain(error))
}

pub(crate) fn new_metrics() -> Result<Metrics, StartError> {
    let error_codes = ErrorCode::ALL.map(ErrorCode::id);
    let config = MetricsConfig { communities: &[], routes: &routes::LABELS, error_codes: &error_codes };
    Metrics::new(&config).map_err(StartError::Metrics)
}

/// Loads the model, gives it its threads and waits for its first answer.
pub(crate) async fn start_judge(config: &InferenceConfig, metrics: &Metrics) -> Result<Judge, StartError> {
    let model =
        GuardModel::load(&config.model, config.device).map_err(|error| StartError::Model(Box::new(error)))?;
    let identity = model.identity.clone();
    report(&identity, model.verification());
    let (model, trials) = model.computing(config.precision, config.threads).map_err(StartError::Precision)?;
    let computation = Computation { kernel: model.encoder.kernel(), threads: config.threads };
    report_computation(computation, &trials);
    metrics.service.set_model(&identity, computation.kernel);
    let (reader, encoder) = Reader::split(model);
    let probe_input = reader.probe().map_err(StartError::Probe)?;
    let admission = Admission::new(config.admission, metrics.inference.clone());
    let encoders = encoder.for_threads(config.threads);
    let (handle, workers) = assize_inference::pair(encoders, config.batch, &admission, &metrics.inference);
    let mut readiness = handle.readiness();
    let threads = WorkerThreads::spawn(workers).map_err(StartError::Worker)?;
    let probe = Probe::new(handle.clone(), admission.clone(), PROBES, move || Sequence::clone(&probe_input));
    let probe = tokio::spawn(probe.run());
    match readiness.started().await {
        Readiness::Failed { why } => return Err(StartError::NotAnswering(error_chain(&why))),
        Readiness::Ready | Readiness::Starting | Readiness::Draining => {}
    }
    let remembered = NonZeroUsize::new(config.cached_assessments)
        .map(|size| Remembered::new(size, &identity, metrics.inference.clone()));
    let assessor = Assessor::new(reader, admission, handle, metrics.inference.clone(), remembered);
    Ok(Judge { assessor, identity, computation, readiness, threads, probe })
}

/// A folder without reference outputs loads, but may be any mixture of files that fit in shape.
fn report(identity: &ModelIdentity, verification: Verification) {
    let (name, revision) = (identity.name.as_ref(), identity.revision.to_string());
    match verification {
        Verification::Replayed { rows, largest_difference } => {
            tracing::info!(
                model.name = name,
                model.revision = revision,
                rows,
                largest_difference,
                "model verified"
            );
        }
        Verification::NoReference => {
            tracing::warn!(
                model.name = name,
                model.revision = revision,
                "model not verified: it has no golden.json"
            );
        }
    }
}

/// Which precisions were tried, and what was taken.
fn report_computation(computation: Computation, trials: &[Trial]) {
    for Trial { precision, shift, time } in trials {
        let (mean, worst) = shift.map_or((None, None), |shift| (Some(shift.mean), Some(shift.worst)));
        let microseconds = time.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        let precision = precision.id();
        tracing::info!(
            precision,
            shift.mean = mean,
            shift.worst = worst,
            duration_us = microseconds,
            "precision tried"
        );
    }
    tracing::info!(kernel = computation.kernel, threads = computation.threads, "encoder ready");
}

async fn clean_quota(state: Arc<AppState>) {
    let Some(quota) = &state.quota else { return };
    loop {
        tokio::time::sleep(QUOTA_CLEANING).await;
        quota.forget_idle();
    }
}
