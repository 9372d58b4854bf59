//! The report's two forms.

use super::*;
use crate::eval::{Answer, Row, Set, Unjudged};

const MEASURE: Measure = Measure { threshold: 0.5, resamples: 0 };

pub(super) fn measured() -> MeasuredModel {
    MeasuredModel { model_revision: "sha256:0".to_owned(), model_precision: "f32" }
}

fn rows(count: usize) -> Vec<Row> {
    let text = "{\"id\":\"a\",\"prompt\":\"p\",\"prompt_harmful\":true}\n".repeat(count);
    Set::parse(std::path::Path::new("set.jsonl"), &text).unwrap().rows
}

/// `None` is a row that could not be judged.
fn report(spec: &[(Option<f32>, bool)]) -> LabelReport {
    let rows = rows(spec.len());
    let unjudged = Unjudged::NoAnswer;
    let outcomes = rows.iter().zip(spec).map(|(row, &(score, label))| {
        let answer = score.map(|score| Answer { score, coverage: 0.5 }).ok_or(&unjudged);
        Outcome { row, label, answer }
    });
    let outcomes: Vec<Outcome<'_>> = outcomes.collect();
    LabelReport::new("a_set", Task::PromptHarm, &outcomes, MEASURE, measured()).unwrap()
}

#[test]
fn json_has_fractions_and_null_where_a_figure_is_not_defined() {
    let expected = r#"{"set":"a_set","task":"prompt_harm","n":2,"f1":0.6666666666666666,"precision":1.0,"recall":0.5,"fpr":null,"auroc":null,"ece":0.5,"threshold":0.5,"intervals":{"f1":null,"precision":null,"recall":null,"fpr":null,"auroc":null,"ece":null},"positives":2,"errors":0,"coverage":0.5,"model_revision":"sha256:0","model_precision":"f32","best_f1":1.0,"best_threshold":0.25}"#;
    let report = report(&[(Some(0.75), true), (Some(0.25), true)]);
    assert_eq!(serde_json::to_string(&report).unwrap(), expected);
}

#[test]
fn a_row_that_was_not_judged_is_wrong_whatever_its_label() {
    let good = [(Some(0.75), true), (Some(0.25), false)];
    let with_errors = [good[0], good[1], (None, true), (None, false)];
    let found = report(&with_errors);
    assert_eq!((found.n, found.errors, found.positives), (4, 2, 2));
    assert_eq!((found.figures.recall, found.figures.fpr), (Some(0.5), Some(0.5)));
    // Of the four pairs only the judged one is in order.
    assert_eq!(found.figures.auroc, Some(0.25));
    assert_eq!(found.coverage, Some(0.5));
    // No threshold turns them round: at most one true yes of two positives, beside one false yes.
    assert_eq!((found.best_f1, found.best_threshold), (Some(0.5), Some(0.5)));
    assert_eq!(report(&[(None, true)]).coverage, None);
}

#[test]
fn the_table_is_aligned_and_ends_with_the_mean() {
    let reports = [
        Report::Labels(report(&[(Some(0.75), true), (Some(0.25), false)])),
        Report::Labels(report(&[(Some(0.75), true), (Some(0.25), true)])),
    ];
    let table = Table(&reports).to_string();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[1].starts_with("a_set  prompt_harm"), "{table}");
    let column = |line: &str, text: &str| line.find(text).map(|start| start + text.len());
    assert_eq!(column(lines[1], "100.0"), column(lines[2], " 66.7"), "{table}");
    assert_eq!(column(lines[1], "100.0"), column(lines[3], " 83.3"), "{table}");
    assert!(lines[2].contains(" - "), "{table}");
}
