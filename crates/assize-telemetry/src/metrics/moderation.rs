//! Verdicts, and what they lacked, counted by the pipeline.

use crate::{
    Change, FailureMode, MetricsError, WebhookResult, description as d,
    family::{CounterBy, Registrar, UNLISTED, increment, touch},
    labels::Label,
};
use assize_domain::{CommunityId, Decision, Degradation, Floor};
use prometheus::IntCounterVec;
use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
};

/// Verdicts, and what they lacked.
#[derive(Debug, Clone)]
pub struct ModerationMetrics {
    verdicts: IntCounterVec,
    floors: CounterBy<Floor>,
    degradations: CounterBy<Degradation>,
    failures: IntCounterVec,
    shadow_verdicts: IntCounterVec,
    updates: IntCounterVec,
    webhooks: CounterBy<WebhookResult>,
    /// Written on a reload only, read per request; held for a look-up. Grows with the profiles, not with
    /// requests.
    communities: Arc<RwLock<BTreeSet<CommunityId>>>,
}

impl ModerationMetrics {
    pub(crate) fn new(registrar: &Registrar<'_>) -> Result<Self, MetricsError> {
        let metrics = Self {
            verdicts: registrar.counters(&d::VERDICTS)?,
            floors: registrar.counter_by(&d::FLOORS)?,
            degradations: registrar.counter_by(&d::DEGRADATIONS)?,
            failures: registrar.counters(&d::FAILURES)?,
            shadow_verdicts: registrar.counters(&d::SHADOW_VERDICTS)?,
            updates: registrar.counters(&d::VERDICT_UPDATES)?,
            webhooks: registrar.counter_by(&d::WEBHOOKS)?,
            communities: Arc::default(),
        };
        metrics.touch_community(UNLISTED)?;
        Ok(metrics)
    }

    pub(crate) fn register_communities(&self, communities: &[CommunityId]) -> Result<(), MetricsError> {
        for community in communities {
            self.touch_community(community.as_str())?;
        }
        // A panic can't leave the set half-changed in a way that matters, so a poisoned lock is used on.
        let mut listed = self.communities.write().unwrap_or_else(PoisonError::into_inner);
        listed.extend(communities.iter().cloned());
        Ok(())
    }

    /// Counts a verdict. A community that was not registered counts as `_other`.
    pub fn verdict(&self, community: &CommunityId, decision: Decision) {
        increment(&self.verdicts, &[self.listed(community), decision.value()]);
    }

    /// Counts a verdict weighed again under a candidate. A community that was not registered counts as `_other`.
    pub fn shadow_verdict(&self, community: &CommunityId, change: Change) {
        increment(&self.shadow_verdicts, &[self.listed(community), change.value()]);
    }

    /// Counts a verdict that was decided again when its tree had been written, or had not. A community that was not registered
    /// counts as `_other`.
    pub fn verdict_update(&self, community: &CommunityId, change: Change) {
        increment(&self.updates, &[self.listed(community), change.value()]);
    }

    /// Counts an event for a webhook.
    pub fn webhook(&self, result: WebhookResult) {
        self.webhooks.increment(result);
    }

    /// Counts a verdict that a floor decided.
    pub fn floor(&self, floor: Floor) {
        self.floors.increment(floor);
    }

    /// Counts one way in which an assessment fell short.
    pub fn degradation(&self, degradation: Degradation) {
        self.degradations.increment(degradation);
    }

    /// Counts a conversation without a verdict, or judged without a usable tree. A community that was not registered counts as
    /// `_other`.
    pub fn failure(&self, community: &CommunityId, mode: FailureMode) {
        increment(&self.failures, &[self.listed(community), mode.value()]);
    }

    fn listed<'a>(&self, community: &'a CommunityId) -> &'a str {
        let listed = self.communities.read().unwrap_or_else(PoisonError::into_inner);
        if listed.contains(community) { community.as_str() } else { UNLISTED }
    }

    fn touch_community(&self, community: &str) -> Result<(), MetricsError> {
        for decision in Decision::ALL {
            let series = self.verdicts.get_metric_with_label_values(&[community, decision.value()]);
            touch(&d::VERDICTS, series)?;
        }
        for change in Change::ALL {
            let series = self.shadow_verdicts.get_metric_with_label_values(&[community, change.value()]);
            touch(&d::SHADOW_VERDICTS, series)?;
            let series = self.updates.get_metric_with_label_values(&[community, change.value()]);
            touch(&d::VERDICT_UPDATES, series)?;
        }
        for mode in FailureMode::ALL {
            touch(&d::FAILURES, self.failures.get_metric_with_label_values(&[community, mode.value()]))?;
        }
        Ok(())
    }
}
