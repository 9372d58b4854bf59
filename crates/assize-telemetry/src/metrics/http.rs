//! Requests and answers, counted by the HTTP layer.

use crate::{
    MetricsError, StatusClass, description as d,
    family::{ListedValues, Registrar, increment, touch},
    labels::Label,
};
use prometheus::{HistogramVec, IntCounterVec, IntGauge};
use std::time::Duration;

/// From a cached profile lookup (1 ms) to a request that waits for its deadline (10 s).
const REQUEST_SECONDS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Requests and answers.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    requests: IntCounterVec,
    durations: HistogramVec,
    in_flight: IntGauge,
    errors: IntCounterVec,
    routes: ListedValues,
    codes: ListedValues,
}

/// A request being worked on; counted until it is dropped, also where its client hangs up.
#[derive(Debug)]
#[must_use = "dropping it says that the request is done"]
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl HttpMetrics {
    pub(crate) fn new(
        registrar: &Registrar<'_>,
        routes: &[&str],
        codes: &[&str],
    ) -> Result<Self, MetricsError> {
        let metrics = Self {
            requests: registrar.counters(&d::REQUESTS)?,
            durations: registrar.histograms(&d::REQUEST_DURATION, &REQUEST_SECONDS)?,
            in_flight: registrar.gauge(&d::REQUESTS_IN_FLIGHT)?,
            errors: registrar.counters(&d::ERRORS)?,
            routes: ListedValues::new(routes),
            codes: ListedValues::new(codes),
        };
        for route in metrics.routes.iter() {
            for status in StatusClass::ALL {
                let series = metrics.requests.get_metric_with_label_values(&[route, status.value()]);
                touch(&d::REQUESTS, series)?;
            }
            touch(&d::REQUEST_DURATION, metrics.durations.get_metric_with_label_values(&[route]))?;
        }
        for code in metrics.codes.iter() {
            touch(&d::ERRORS, metrics.errors.get_metric_with_label_values(&[code]))?;
        }
        Ok(metrics)
    }

    /// Counts a request as being worked on, for as long as the answer is kept.
    pub fn request_started(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts an answer. A `route` that was not listed at construction counts as `_other`.
    pub fn request_finished(&self, route: &str, status: StatusClass, duration: Duration) {
        let route = self.routes.listed(route);
        increment(&self.requests, &[route, status.value()]);
        if let Ok(histogram) = self.durations.get_metric_with_label_values(&[route]) {
            histogram.observe(duration.as_secs_f64());
        }
    }

    /// Counts an error answer. A `code` that was not listed at construction counts as `_other`.
    pub fn error(&self, code: &str) {
        increment(&self.errors, &[self.codes.listed(code)]);
    }
}
