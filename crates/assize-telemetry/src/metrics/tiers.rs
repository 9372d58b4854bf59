//! Who was asked after the embedded encoder, and what came of it, counted by the pipeline.

use crate::{
    MetricsError, TierOutcome, description as d,
    family::{Registrar, touch},
};
use assize_domain::Tier;
use prometheus::{HistogramVec, IntCounterVec};
use std::time::Duration;

/// From a guard on a GPU (10 ms) to a reporter's tree on a processor.
const SECONDS: [f64; 15] =
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0];

/// Conversations by tier and outcome.
#[derive(Debug, Clone)]
pub struct TierMetrics {
    conversations: IntCounterVec,
    durations: HistogramVec,
}

impl TierMetrics {
    pub(crate) fn new(registrar: &Registrar<'_>) -> Result<Self, MetricsError> {
        let metrics = Self {
            conversations: registrar.counters(&d::TIER_CONVERSATIONS)?,
            durations: registrar.histograms(&d::TIER_DURATION, &SECONDS)?,
        };
        // The encoder is asked about everything.
        for tier in [Tier::Guard, Tier::Reporter] {
            for outcome in TierOutcome::ALL {
                let series = metrics.conversations.get_metric_with_label_values(&[tier.id(), outcome.id()]);
                touch(&d::TIER_CONVERSATIONS, series)?;
            }
            touch(&d::TIER_DURATION, metrics.durations.get_metric_with_label_values(&[tier.id()]))?;
        }
        Ok(metrics)
    }

    /// Counts a conversation that a tier was asked about, or spared.
    pub fn conversation(&self, tier: Tier, outcome: TierOutcome) {
        crate::family::increment(&self.conversations, &[tier.id(), outcome.id()]);
    }

    /// Records how long a tier took for one conversation, its queue included.
    pub fn took(&self, tier: Tier, duration: Duration) {
        if let Ok(series) = self.durations.get_metric_with_label_values(&[tier.id()]) {
            series.observe(duration.as_secs_f64());
        }
    }
}
