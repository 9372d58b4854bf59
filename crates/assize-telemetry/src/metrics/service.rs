//! Profiles, model and build: what the service runs with.

use crate::{
    CandidateState, HistoryResult, MetricsError, ReloadResult, description as d,
    family::{CounterBy, Registrar, touch},
    labels::Label,
};
use assize_domain::{ModelIdentity, TAXONOMY_VERSION};
use prometheus::{IntGauge, IntGaugeVec};
use std::time::{SystemTime, UNIX_EPOCH};

/// Profiles, model and build.
#[derive(Debug, Clone)]
pub struct ServiceMetrics {
    reloads: CounterBy<ReloadResult>,
    history: CounterBy<HistoryResult>,
    profiles_loaded: IntGauge,
    profiles_stale: IntGauge,
    candidates: IntGaugeVec,
    model_info: IntGaugeVec,
}

impl ServiceMetrics {
    pub(crate) fn new(registrar: &Registrar<'_>) -> Result<Self, MetricsError> {
        let build_info = registrar.gauges(&d::BUILD_INFO)?;
        // All crates share the workspace's version, so this crate's is the service's.
        let build = build_info.get_metric_with_label_values(&[env!("CARGO_PKG_VERSION")]);
        build.map_err(|source| MetricsError::Registration { name: d::BUILD_INFO.name, source })?.set(1);
        Ok(Self {
            reloads: registrar.counter_by(&d::PROFILE_RELOADS)?,
            history: registrar.counter_by(&d::HISTORY_RECORDS)?,
            profiles_loaded: registrar.gauge(&d::PROFILES_LOADED)?,
            profiles_stale: registrar.gauge(&d::PROFILES_STALE)?,
            candidates: candidates(registrar)?,
            model_info: registrar.gauges(&d::MODEL_INFO)?,
        })
    }

    /// Says how many candidate profiles are tried, and how many are refused as faulty.
    pub fn candidates(&self, tried: usize, refused: usize) {
        for (state, count) in [(CandidateState::Tried, tried), (CandidateState::Refused, refused)] {
            if let Ok(series) = self.candidates.get_metric_with_label_values(&[state.value()]) {
                series.set(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
    }

    /// Says that the profiles in force were loaded at `now`, at start-up: not a reload.
    pub fn profiles_loaded(&self, now: SystemTime) {
        // A clock before 1970 is no reason to fail.
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.profiles_loaded.set(i64::try_from(seconds).unwrap_or(i64::MAX));
        self.profiles_stale.set(0);
    }

    /// Counts a reload at `now`; a rejected one leaves older profiles in force and marks them stale.
    pub fn profiles_reloaded(&self, result: ReloadResult, now: SystemTime) {
        self.reloads.increment(result);
        match result {
            ReloadResult::Loaded => self.profiles_loaded(now),
            ReloadResult::Rejected => self.profiles_stale.set(1),
        }
    }

    /// Counts records for the history on disk.
    pub fn history_records(&self, result: HistoryResult, count: u64) {
        self.history.add(result, count);
    }

    /// Names the model in use and how it computes, in place of what was named before.
    pub fn set_model(&self, model: &ModelIdentity, kernel: &str) {
        self.model_info.reset();
        let revision = model.revision.to_string();
        let values = [model.name.as_ref(), revision.as_str(), kernel, TAXONOMY_VERSION];
        if let Ok(series) = self.model_info.get_metric_with_label_values(&values) {
            series.set(1);
        }
    }
}

/// Both series exist from the start.
fn candidates(registrar: &Registrar<'_>) -> Result<IntGaugeVec, MetricsError> {
    let gauges = registrar.gauges(&d::CANDIDATES)?;
    for state in CandidateState::ALL {
        touch(&d::CANDIDATES, gauges.get_metric_with_label_values(&[state.value()]))?;
    }
    Ok(gauges)
}
