//! What every handler can reach: built once by start-up, shared by reference, never changed but through its parts.

use crate::communities::Communities;
use crate::config::Config;
use crate::history::History;
use crate::http::error::ApiError;
use crate::http::{BodyBudget, Client, Quota};
use crate::jobs::Desk;
use crate::pipeline::Pipeline;
use crate::startup::Computation;
use crate::tiers::GuardTier;
use assize_domain::ModelIdentity;
use assize_inference::{Readiness, ReadinessWatch};
use assize_telemetry::{Metrics, error_chain};
use axum::http::HeaderMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Semaphore;

/// The composed service.
#[derive(Debug)]
pub struct AppState {
    pub(crate) config: Config,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) communities: Arc<Communities>,
    pub(crate) pipeline: Pipeline,
    pub(crate) history: Arc<History>,
    pub(crate) quota: Option<Quota>,
    pub(crate) bodies: BodyBudget,
    /// A permit for each request that is weighed again at the moment; never closed.
    pub(crate) weighing: Arc<Semaphore>,
    pub(crate) model: ModelIdentity,
    pub(crate) computation: Computation,
    pub(crate) model_readiness: ReadinessWatch,
    /// The guard that is asked after the model.
    pub(crate) guard: Option<GuardTier>,
    /// Has full trees written.
    pub(crate) desk: Option<Arc<Desk>>,
    /// Set once by the shutdown sequence, before it waits; read by `/readyz`.
    pub(crate) draining: AtomicBool,
}

/// Whether requests should be sent here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Starting,
    Ready,
    Failed,
    Draining,
}

impl Status {
    /// The stable name on the wire.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Draining => "draining",
        }
    }
}

impl AppState {
    /// Takes conversations, or work worth as many, from the client's quota; gives the headers that say what is left, none
    /// where there are no quotas.
    pub(crate) fn charge(&self, client: &Client, conversations: usize) -> Result<HeaderMap, ApiError> {
        let charged = self.quota.as_ref().map(|quota| quota.charge(client, conversations));
        Ok(charged.transpose()?.unwrap_or_default())
    }

    /// Whether requests should be sent here.
    pub(crate) fn readiness(&self) -> Status {
        if self.draining.load(Ordering::Relaxed) {
            return Status::Draining;
        }
        match self.model_readiness.current() {
            Readiness::Starting => Status::Starting,
            Readiness::Ready => Status::Ready,
            Readiness::Failed { .. } => Status::Failed,
            Readiness::Draining => Status::Draining,
        }
    }

    /// What each part reports, for people.
    pub(crate) fn checks(&self) -> BTreeMap<String, String> {
        let guard = self.guard.as_ref().map_or_else(
            || "none".to_owned(),
            |guard| {
                let state =
                    guard.readiness().map_or_else(|| "on a server elsewhere".to_owned(), |own| told(&own));
                let identity = guard.identity();
                format!("{} {}: {state}", identity.name, identity.revision)
            },
        );
        let reporter = self.desk.as_ref().map_or_else(
            || "none".to_owned(),
            |desk| {
                let identity = desk.tier().identity();
                format!("{} {}: {}", identity.name, identity.revision, told(&desk.tier().readiness()))
            },
        );
        let revision = format!("{} {}", self.model.name, self.model.revision);
        let named = [
            ("communities", self.communities.in_force().describe()),
            ("device", self.config.inference.device.to_string()),
            ("guard", guard),
            ("kernel", format!("{} on {} threads", self.computation.kernel, self.computation.threads)),
            ("model", told(&self.model_readiness)),
            ("model_revision", revision),
            ("reporter", reporter),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ];
        named.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
    }
}

/// A model's state, for people.
fn told(readiness: &ReadinessWatch) -> String {
    match readiness.current() {
        Readiness::Failed { why } => format!("failed: {}", error_chain(&why)),
        Readiness::Starting => "starting: no inference yet".to_owned(),
        Readiness::Ready => readiness.last_success().map_or_else(
            || "ready".to_owned(),
            |last| format!("ready: last inference {:.1} s ago", last.elapsed().as_secs_f64()),
        ),
        Readiness::Draining => "draining".to_owned(),
    }
}
