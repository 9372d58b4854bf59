//! The metrics that the service can export, as the telemetry crate lists them. The only file here that knows
//! that crate's types.

use assize_telemetry::{MetricKind, describe};

/// One metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) kind: MetricKind,
    pub(crate) labels: Vec<String>,
    pub(crate) help: String,
}

impl Metric {
    pub(crate) fn is_histogram(&self) -> bool {
        self.kind == MetricKind::Histogram
    }

    /// What Prometheus calls the kind.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        }
    }

    /// A made-up metric, for the checks' own tests.
    #[cfg(test)]
    pub(crate) fn of(name: &str, kind: MetricKind, labels: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            help: format!("About {name}."),
        }
    }
}

/// Every metric of the service, in the order in which the telemetry crate lists them.
pub(crate) fn metrics() -> Vec<Metric> {
    describe()
        .into_iter()
        .map(|metric| Metric {
            name: metric.name.to_owned(),
            kind: metric.kind,
            labels: metric.labels.iter().map(|label| (*label).to_owned()).collect(),
            help: metric.help.to_owned(),
        })
        .collect()
}
