//! Building blocks of [`crate::Metrics`]: series that are registered once and can't multiply.

use crate::{MetricDescription, MetricsError, labels::Label};
use assize_domain::Tier;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    core::Collector,
};
use std::{collections::BTreeSet, marker::PhantomData};

/// The series for a text that is not in the list given at construction. Can't be a route or a community id.
pub(crate) const UNLISTED: &str = "_other";

/// Registers metrics by their description.
#[derive(Debug)]
pub(crate) struct Registrar<'a> {
    pub(crate) registry: &'a Registry,
    /// Whose series these are, where each tier has its own: the value of their label [`TIER`].
    pub(crate) tier: Option<Tier>,
}

/// The label of series that each tier has.
const TIER: &str = "tier";

impl Registrar<'_> {
    pub(crate) fn counter(&self, metric: &MetricDescription) -> Result<IntCounter, MetricsError> {
        self.register(metric, IntCounter::with_opts(self.opts(metric)))
    }

    pub(crate) fn counters(&self, metric: &MetricDescription) -> Result<IntCounterVec, MetricsError> {
        self.register(metric, IntCounterVec::new(self.opts(metric), &self.labels(metric)))
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
        self.register(metric, IntGauge::with_opts(self.opts(metric)))
    }

    pub(crate) fn gauges(&self, metric: &MetricDescription) -> Result<IntGaugeVec, MetricsError> {
        self.register(metric, IntGaugeVec::new(self.opts(metric), &self.labels(metric)))
    }

    pub(crate) fn histogram(
        &self,
        metric: &MetricDescription,
        buckets: &[f64],
    ) -> Result<Histogram, MetricsError> {
        self.register(metric, Histogram::with_opts(self.histogram_opts(metric, buckets)))
    }

    pub(crate) fn histograms(
        &self,
        metric: &MetricDescription,
        buckets: &[f64],
    ) -> Result<HistogramVec, MetricsError> {
        self.register(metric, HistogramVec::new(self.histogram_opts(metric, buckets), &self.labels(metric)))
    }

    fn register<C: Collector + Clone + 'static>(
        &self,
        metric: &MetricDescription,
        made: prometheus::Result<C>,
    ) -> Result<C, MetricsError> {
        let failed = |source| MetricsError::Registration { name: metric.name, source };
        let collector = made.map_err(failed)?;
        self.registry.register(Box::new(collector.clone())).map_err(failed)?;
        Ok(collector)
    }

    fn opts(&self, metric: &MetricDescription) -> Opts {
        let opts = Opts::new(metric.name, metric.help);
        match self.tier {
            Some(tier) => opts.const_label(TIER, tier.id()),
            None => opts,
        }
    }

    fn histogram_opts(&self, metric: &MetricDescription, buckets: &[f64]) -> HistogramOpts {
        HistogramOpts { common_opts: self.opts(metric), buckets: buckets.to_vec() }
    }

    /// The labels whose values change from count to count.
    fn labels(&self, metric: &MetricDescription) -> Vec<&'static str> {
        let changes = |label: &&str| self.tier.is_none() || *label != TIER;
        metric.labels.iter().copied().filter(changes).collect()
    }
}

/// Makes a series exist at 0.
pub(crate) fn touch<T>(
    metric: &MetricDescription,
    series: prometheus::Result<T>,
) -> Result<(), MetricsError> {
    series.map(drop).map_err(|source| MetricsError::Registration { name: metric.name, source })
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
