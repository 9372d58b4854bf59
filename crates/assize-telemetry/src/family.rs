//! Building blocks of [`crate::Metrics`]: series that are registered once and can't multiply.

use crate::{MetricDescription, MetricsError, labels::Label};
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    core::Collector,
};
use std::{collections::BTreeSet, marker::PhantomData};

/// The series for a text that is not in the list given at construction. Can't be a route or a community id.
pub(crate) const UNLISTED: &str = "_other";

/// Registers metrics by their description.
#[derive(Debug)]
pub(crate) struct Registrar<'a>(pub(crate) &'a Registry);

impl Registrar<'_> {
    pub(crate) fn counter(&self, metric: &MetricDescription) -> Result<IntCounter, MetricsError> {
        self.register(metric, IntCounter::with_opts(opts(metric)))
    }

    pub(crate) fn counters(&self, metric: &MetricDescription) -> Result<IntCounterVec, MetricsError> {
        self.register(metric, IntCounterVec::new(opts(metric), metric.labels))
    }

    /// A counter with one closed label; all its series start at 0.
    pub(crate) fn counter_by<L: Label>(
        &self,
        metric: &MetricDescription,
    ) -> Result<CounterBy<L>, MetricsError> {
        let counters = self.counters(metric)?;
        for label in L::ALL {
            touch(metric, counters.get_metric_with_label_values(&[label.value()]))?;
        }
        Ok(CounterBy { counters, label: PhantomData })
    }

    pub(crate) fn gauge(&self, metric: &MetricDescription) -> Result<IntGauge, MetricsError> {
        self.register(metric, IntGauge::with_opts(opts(metric)))
    }

    pub(crate) fn gauges(&self, metric: &MetricDescription) -> Result<IntGaugeVec, MetricsError> {
        self.register(metric, IntGaugeVec::new(opts(metric), metric.labels))
    }

    pub(crate) fn histogram(
        &self,
        metric: &MetricDescription,
        buckets: &[f64],
    ) -> Result<Histogram, MetricsError> {
        self.register(metric, Histogram::with_opts(histogram_opts(metric, buckets)))
    }

    pub(crate) fn histograms(
        &self,
        metric: &MetricDescription,
        buckets: &[f64],
    ) -> Result<HistogramVec, MetricsError> {
        self.register(metric, HistogramVec::new(histogram_opts(metric, buckets), metric.labels))
    }

    fn register<C: Collector + Clone + 'static>(
        &self,
        metric: &MetricDescription,
        made: prometheus::Result<C>,
    ) -> Result<C, MetricsError> {
        let failed = |source| MetricsError::Registration { name: metric.name, source };
        let collector = made.map_err(failed)?;
        self.0.register(Box::new(collector.clone())).map_err(failed)?;
        Ok(collector)
    }
}

/// Makes a series exist at 0.
pub(crate) fn touch<T>(
    metric: &MetricDescription,
    series: prometheus::Result<T>,
) -> Result<(), MetricsError> {
    series.map(drop).map_err(|source| MetricsError::Registration { name: metric.name, source })
}

fn opts(metric: &MetricDescription) -> Opts {
    Opts::new(metric.name, metric.help)
}

fn histogram_opts(metric: &MetricDescription, buckets: &[f64]) -> HistogramOpts {
    HistogramOpts::new(metric.name, metric.help).buckets(buckets.to_vec())
}

/// A counter with one label that is an enum.
#[derive(Debug, Clone)]
pub(crate) struct CounterBy<L> {
    counters: IntCounterVec,
    label: PhantomData<L>,
}

impl<L: Label> CounterBy<L> {
    pub(crate) fn increment(&self, label: L) {
        self.add(label, 1);
    }

    pub(crate) fn add(&self, label: L, count: u64) {
        add(&self.counters, &[label.value()], count);
    }
}

/// Adds one to the series with these label values.
pub(crate) fn increment(counters: &IntCounterVec, values: &[&str]) {
    add(counters, values, 1);
}

fn add(counters: &IntCounterVec, values: &[&str], count: u64) {
    // An `Err` means a wrong number of labels, which construction would have reported on touching the series.
    if let Ok(counter) = counters.get_metric_with_label_values(values) {
        counter.inc_by(count);
    }
}

/// A list of texts that a label can have, and [`UNLISTED`] for every other.
#[derive(Debug, Clone)]
pub(crate) struct ListedValues(BTreeSet<String>);

impl ListedValues {
    pub(crate) fn new(values: &[&str]) -> Self {
        Self(values.iter().map(|value| (*value).to_owned()).chain([UNLISTED.to_owned()]).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(crate) fn listed<'a>(&self, value: &'a str) -> &'a str {
        if self.0.contains(value) { value } else { UNLISTED }
    }
}
