//! Every metric, and every label beside it, that an alert or a dashboard under deploy/ asks for is one that
//! the service exports. A misspelt name is no error to Prometheus: the alert just never fires.

use crate::catalogue::Metric;
use crate::finding::Finding;
use crate::tree::Tree;

const FOLDER: &str = "deploy/";

/// How our metrics' names begin, and those of the standard process collector.
const PREFIXES: &[&str] = &["assize_", "process_"];

/// Labels that Prometheus adds: the bucket's bound and the scraped target's.
const ADDED_LABELS: &[&str] = &["le", "job", "instance", "namespace", "pod"];

pub(super) fn check(tree: &Tree, metrics: &[Metric]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let texts = tree.texts(&[".json", ".yml", ".yaml"]).filter(|(path, _)| path.starts_with(FOLDER));
    for (path, text) in texts {
        for (index, line) in text.lines().enumerate() {
            let problems = uses(line).into_iter().flat_map(|used| problems(&used, metrics));
            let remedy = "take it from docs/METRICS.md";
            findings.extend(problems.map(|problem| Finding::at(path, index + 1, problem, remedy)));
        }
    }
    findings
}

/// A metric as a query names it.
#[derive(Debug)]
struct Use<'a> {
    name: &'a str,
    /// The labels in the braces right after the name.
    labels: Vec<&'a str>,
}

fn problems(used: &Use<'_>, metrics: &[Metric]) -> Vec<String> {
    let Use { name, labels } = used;
    let Some(metric) = metrics.iter().find(|metric| exports(metric, name)) else {
        return vec![format!("the service exports no metric `{name}`")];
    };
    let unknown =
        |label: &&&str| !ADDED_LABELS.contains(label) && !metric.labels.iter().any(|own| own == *label);
    labels.iter().filter(unknown).map(|label| format!("`{name}` has no label `{label}`")).collect()
}

/// Whether `name` is one of the series of `metric`. A histogram's bare name is none.
fn exports(metric: &Metric, name: &str) -> bool {
    match name.strip_prefix(metric.name.as_str()) {
        Some("") => !metric.is_histogram(),
        Some("_bucket" | "_sum" | "_count") => metric.is_histogram(),
        Some(_) | None => false,
    }
}

/// Every metric of ours named in `line`.
fn uses(line: &str) -> Vec<Use<'_>> {
    let starts = PREFIXES.iter().flat_map(|prefix| line.match_indices(prefix));
    let starts = starts.map(|(start, _)| line.split_at(start));
    let own = starts.filter(|(before, _)| !before.ends_with(is_name));
    own.map(|(_, found)| {
        let (name, rest) = found.split_at(found.find(|c| !is_name(c)).unwrap_or(found.len()));
        Use { name, labels: rest.strip_prefix('{').map(labels).unwrap_or_default() }
    })
    .collect()
}

/// The labels in `a="x",b=~"y"} …`, the quotes with or without JSON's backslashes.
fn labels(matchers: &str) -> Vec<&str> {
    let mut labels = Vec::new();
    for (index, part) in matchers.split('"').enumerate() {
        // Every second part lies in quotes.
        if index % 2 == 1 {
            continue;
        }
        let outside = part.split('}').next().unwrap_or_default();
        let words = outside.split(|c| !is_name(c)).filter(|word| !word.is_empty());
        labels.extend(words);
        if outside.len() < part.len() {
            break;
        }
    }
    labels
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use assize_telemetry::MetricKind;

    use super::*;

    fn check_query(query: &str, expected: &[&str]) {
        let metrics = [
            Metric::of("assize_requests_total", MetricKind::Counter, &["route", "status"]),
            Metric::of("assize_queue_wait_seconds", MetricKind::Histogram, &[]),
        ];
        let tree = Tree::of(&[("deploy/alerts/a.rules.yml", query), ("docs/a.yml", "assize_unknown")]);
        let found: Vec<String> = check(&tree, &metrics).iter().map(ToString::to_string).collect();
        let expected: Vec<String> = expected
            .iter()
            .map(|problem| format!("deploy/alerts/a.rules.yml:1: {problem}; take it from docs/METRICS.md"))
            .collect();
        assert_eq!(found, expected, "{query}");
    }

    #[test]
    fn known_metrics_pass() {
        check_query("expr: sum(rate(assize_requests_total[5m])) > 0", &[]);
        check_query("histogram_quantile(0.9, rate(assize_queue_wait_seconds_bucket[5m]))", &[]);
        check_query("assize_queue_wait_seconds_sum / assize_queue_wait_seconds_count", &[]);
        check_query("assize:error_ratio:rate5m > 0.1 and my_assize_x", &[]);
    }

    #[test]
    fn unknown_metrics_fail() {
        check_query("assize_request_total > 0", &["the service exports no metric `assize_request_total`"]);
        check_query(
            "assize_queue_wait_seconds",
            &["the service exports no metric `assize_queue_wait_seconds`"],
        );
        check_query(
            "assize_requests_total_sum",
            &["the service exports no metric `assize_requests_total_sum`"],
        );
        check_query(
            "assize_a + assize_b",
            &["the service exports no metric `assize_a`", "the service exports no metric `assize_b`"],
        );
    }

    #[test]
    fn labels_are_checked_in_yaml_and_in_json() {
        check_query(r#"assize_requests_total{route="moderate", status=~"4xx|5{1}xx"} / job{x="y"}"#, &[]);
        check_query(r#""expr": "assize_requests_total{route=\"a\",job=\"$job\"}""#, &[]);
        check_query(r#"assize_queue_wait_seconds_bucket{le="0.5"}"#, &[]);
        check_query(r#"assize_requests_total{code="5xx"}"#, &["`assize_requests_total` has no label `code`"]);
        check_query(
            r#""assize_requests_total{status=\"5xx\",rout=\"a\"}""#,
            &["`assize_requests_total` has no label `rout`"],
        );
    }
}
