//! `cargo xtask gen`: the files that are made from the code, so that prose can't drift from it. Their text
//! comes from the server and the telemetry crates; here it is only laid out, written and compared.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use assize_server::generated;

use crate::catalogue::{self, Metric};
use crate::finding::Finding;

/// A file and what it should hold.
#[derive(Debug)]
pub(crate) struct Output {
    /// From the repository's root.
    path: &'static str,
    text: String,
}

/// Everything that `gen` makes.
pub(crate) fn outputs() -> anyhow::Result<Vec<Output>> {
    Ok(vec![
        output("openapi.yaml", generated::openapi_yaml())?,
        output("docs/METRICS.md", Ok(metrics_page(&catalogue::metrics())))?,
        output("docs/PROFILES.md", generated::profile_reference())?,
        output("config/assize.schema.json", generated::config_schema())?,
        output("config/community.schema.json", generated::profile_schema())?,
    ])
}

/// Writes what differs, and returns the paths written.
pub(crate) fn write(root: &Path, outputs: &[Output]) -> anyhow::Result<Vec<&'static str>> {
    let mut written = Vec::new();
    for Output { path, text } in outputs {
        let file = root.join(path);
        if fs::read_to_string(&file).is_ok_and(|found| found == *text) {
            continue;
        }
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("can't make the folder of `{path}`"))?;
        }
        fs::write(&file, text).with_context(|| format!("can't write `{path}`"))?;
        written.push(*path);
    }
    Ok(written)
}

/// The files on disk that are not what `gen` would write.
pub(crate) fn stale(root: &Path, outputs: &[Output]) -> Vec<Finding> {
    outputs
        .iter()
        .filter_map(|output| compare(output, fs::read_to_string(root.join(output.path)).ok().as_deref()))
        .collect()
}

fn compare(output: &Output, found: Option<&str>) -> Option<Finding> {
    let remedy = "run `cargo xtask gen` and commit the result";
    let Some(found) = found else {
        return Some(Finding::in_file(output.path, "the generated file is missing", remedy));
    };
    if found == output.text {
        return None;
    }
    // Where one text is the other's beginning, the first line beyond the shorter one differs.
    let same = found.lines().zip(output.text.lines()).take_while(|(left, right)| left == right).count();
    Some(Finding::at(output.path, same + 1, "differs from what the code says", remedy))
}

fn output(path: &'static str, text: Result<String, String>) -> anyhow::Result<Output> {
    let mut text = text.map_err(anyhow::Error::msg).with_context(|| format!("can't make `{path}`"))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(Output { path, text })
}

fn metrics_page(metrics: &[Metric]) -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         Made by `cargo xtask gen` from `assize_telemetry::describe()`; do not edit. Served at `/metrics` in\n\
         Prometheus' text format; a histogram `x` is stored as `x_bucket`, `x_sum` and `x_count`. No label ever\n\
         holds text that a user wrote. Alerts and dashboards: `deploy/`.\n\n\
         | name | kind | labels | meaning |\n|---|---|---|---|\n",
    );
    for metric in metrics {
        let Metric { name, help, .. } = metric;
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (kind, labels, help) = (metric.kind_name(), labels.join(", "), help.replace('|', "\\|"));
        // Writing to a String can't fail.
        let _ = writeln!(page, "| `{name}` | {kind} | {labels} | {help} |");
    }
    page
}

#[cfg(test)]
mod tests {
    use assize_telemetry::MetricKind;

    use super::*;

    fn check(wanted: &str, found: Option<&str>, expected: Option<&str>) {
        let output = Output { path: "openapi.yaml", text: wanted.to_owned() };
        let finding = compare(&output, found).map(|finding| finding.to_string());
        match expected {
            None => assert_eq!(finding, None),
            Some(expected) => {
                let finding = finding.expect("a finding");
                assert!(finding.starts_with(expected), "{finding}");
                assert!(finding.contains("cargo xtask gen"), "{finding}");
            }
        }
    }

    #[test]
    fn the_same_text_is_no_finding() {
        check("a\nb\n", Some("a\nb\n"), None);
    }

    #[test]
    fn a_missing_file_is_a_finding() {
        check("a\n", None, Some("openapi.yaml:1: the generated file is missing"));
    }

    #[test]
    fn the_first_different_line_is_named() {
        check("a\nb\nc\n", Some("a\nB\nc\n"), Some("openapi.yaml:2: differs"));
        check("a\nb\n", Some("a\n"), Some("openapi.yaml:2: differs"));
        check("a\n", Some("a\nb\n"), Some("openapi.yaml:2: differs"));
        check("a\n", Some("a"), Some("openapi.yaml:2: differs"));
    }

    #[test]
    fn an_error_of_a_source_names_the_file() {
        let error = output("openapi.yaml", Err("no routes".to_owned())).expect_err("an error");
        assert_eq!(format!("{error:#}"), "can't make `openapi.yaml`: no routes");
    }

    #[test]
    fn the_metrics_page_has_a_row_for_each_metric() {
        let page = metrics_page(&[
            Metric::of("assize_ready", MetricKind::Gauge, &[]),
            Metric::of("assize_requests_total", MetricKind::Counter, &["route", "status"]),
        ]);
        assert!(page.contains("\n| `assize_ready` | gauge |  | About assize_ready. |\n"), "{page}");
        assert!(page.contains("\n| `assize_requests_total` | counter | `route`, `status` | About"), "{page}");
    }
}
