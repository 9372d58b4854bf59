//! Every metric of the service in one struct, with a registry of its own: no globals.
//!
//! Owner: start-up builds it once; the parts are cheap to clone (they share their series) and go to whoever
//! counts.

mod http;
mod inference;
mod moderation;
mod service;
#[cfg(test)]
mod tests;
mod tiers;

use crate::family::Registrar;
use assize_domain::{CommunityId, Tier};
pub use http::{HttpMetrics, InFlight};
pub use inference::InferenceMetrics;
pub use moderation::ModerationMetrics;
use prometheus::{Registry, TextEncoder};
pub use service::ServiceMetrics;
pub use tiers::TierMetrics;

/// The `content-type` of [`Metrics::encode`].
pub const METRICS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The label values that only the other crates know.
#[derive(Debug, Clone, Copy)]
pub struct MetricsConfig<'a> {
    /// The communities with a profile.
    pub communities: &'a [CommunityId],
    /// The routes, as the router writes them (`/v1/moderations/{id}`), never a request's path.
    pub routes: &'a [&'a str],
    /// Every error code of the wire.
    pub error_codes: &'a [&'a str],
}

/// Why metrics can't be given.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// A metric could not be registered: a mistake in the table of metrics.
    #[error("metric `{name}` can't be registered")]
    Registration {
        /// Which metric.
        name: &'static str,
        /// What the registry says.
        #[source]
        source: prometheus::Error,
    },
    /// The metrics could not be written as text.
    #[error("the metrics can't be encoded")]
    Encoding(#[source] prometheus::Error),
}

/// Every metric of the service.
#[derive(Debug)]
pub struct Metrics {
    /// Requests and answers.
    pub http: HttpMetrics,
    /// Verdicts, and what they lacked.
    pub moderation: ModerationMetrics,
    /// Admission, queue, batches and model of the embedded encoder.
    pub inference: InferenceMetrics,
    /// Who was asked, and what came of it.
    pub tiers: TierMetrics,
    /// Profiles, model, build.
    pub service: ServiceMetrics,
    registry: Registry,
}

impl Metrics {
    /// Registers every metric; each series with a known label value exists from now on, at 0.
    ///
    /// # Errors
    /// [`MetricsError::Registration`] where the table of metrics contradicts itself.
    pub fn new(config: &MetricsConfig<'_>) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        register_process(&registry)?;
        let registrar = Registrar { registry: &registry, tier: None };
        let moderation = ModerationMetrics::new(&registrar)?;
        moderation.register_communities(config.communities)?;
        Ok(Self {
            http: HttpMetrics::new(&registrar, config.routes, config.error_codes)?,
            moderation,
            inference: InferenceMetrics::new(&Registrar { registry: &registry, tier: Some(Tier::Encoder) })?,
            tiers: TierMetrics::new(&registrar)?,
            service: ServiceMetrics::new(&registrar)?,
            registry,
        })
    }

    /// Registers admission, queue, batches and model of a further tier, once for each that is configured.
    ///
    /// # Errors
    /// [`MetricsError::Registration`] where it is registered already.
    pub fn of_tier(&self, tier: Tier) -> Result<InferenceMetrics, MetricsError> {
        InferenceMetrics::new(&Registrar { registry: &self.registry, tier: Some(tier) })
    }

    /// Adds series for communities that came with a reload. Those of communities that went stay: a counter
    /// that vanishes and returns can't be read.
    ///
    /// # Errors
    /// [`MetricsError::Registration`], as for [`Self::new`].
    pub fn register_communities(&self, communities: &[CommunityId]) -> Result<(), MetricsError> {
        self.moderation.register_communities(communities)
    }

    /// Every metric in Prometheus' text format 0.0.4. Reads the process's own figures anew each time.
    ///
    /// # Errors
    /// [`MetricsError::Encoding`].
    pub fn encode(&self) -> Result<String, MetricsError> {
        TextEncoder::new().encode_to_string(&self.registry.gather()).map_err(MetricsError::Encoding)
    }
}

#[cfg(target_os = "linux")]
fn register_process(registry: &Registry) -> Result<(), MetricsError> {
    let collector = prometheus::process_collector::ProcessCollector::for_self();
    registry
        .register(Box::new(collector))
        .map_err(|source| MetricsError::Registration { name: "process", source })
}

/// The collector reads `/proc`, which only Linux has.
#[cfg(not(target_os = "linux"))]
fn register_process(_registry: &Registry) -> Result<(), MetricsError> {
    Ok(())
}
