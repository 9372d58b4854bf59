//! Comparisons of numbers, from rows to figures.

use super::*;
use crate::eval::report::{Report, Table};
use crate::eval::{MassAnswer, Row, Set, Unjudged};

fn rows(text: &str) -> Vec<Row> {
    Set::parse(std::path::Path::new("set.jsonl"), text).unwrap().rows
}

/// Expected harm in two categories, and the expected benefit; `None` is a row that could not be judged.
type Said = Option<(f64, f64, f64)>;

fn reports(rows: &[Row], said: &[Said]) -> Vec<MassReport> {
    let unjudged = Unjudged::NoMasses;
    let outcomes = rows.iter().zip(said).map(|(row, said)| {
        let answer = said.map(|(privacy, deception, benefit)| {
            let mut harm = [0.0; CATEGORIES];
            harm[ActionCategory::Privacy.index()] = privacy;
            harm[ActionCategory::Deception.index()] = deception;
            MassAnswer { harm, benefit, prompt_harmful: 0.5, coverage: 1.0 }
        });
        MassOutcome { row, answer: answer.ok_or(&unjudged) }
    });
    mass_reports("set", &outcomes.collect::<Vec<_>>(), 50, &super::super::tests::measured())
}

fn tree(harms: &[(&str, &str, &str)], benefits: &[(&str, &str)]) -> String {
    let harms = harms.iter().map(|(category, extent, likelihood)| {
        format!(r#"{{"category":"{category}","extent":"{extent}","likelihood":"{likelihood}","action":"x"}}"#)
    });
    let benefits = benefits
        .iter()
        .map(|(extent, likelihood)| format!(r#"{{"extent":"{extent}","likelihood":"{likelihood}"}}"#));
    let (harms, benefits) = (harms.collect::<Vec<_>>().join(","), benefits.collect::<Vec<_>>().join(","));
    format!("{{\"prompt\":\"p\",\"harms\":[{harms}],\"benefits\":[{benefits}]}}\n")
}

fn of<'a>(reports: &'a [MassReport], task: &str) -> &'a MassReport {
    reports.iter().find(|report| report.task == task).unwrap()
}

fn pearson_of(reports: &[MassReport], task: &str) -> Option<f64> {
    match of(reports, task).figures {
        MassFigures::Correlation { pearson, .. } => pearson,
        MassFigures::Presence { .. } | MassFigures::MeanPresence { .. } => None,
    }
}

/// Six rows with a leaf of privacy, six with none; the annotated masses are .5 * .5, 1 * .85 + .25 * .15, and 0.
fn trees() -> Vec<Row> {
    let some = tree(&[("Privacy", "significant", "medium")], &[("minor", "low")]);
    let more =
        tree(&[("Privacy", "major", "high"), ("Deception", "minor", "low")], &[("substantial", "high")]);
    let none = tree(&[], &[]);
    rows(&format!("{}{}{}", some.repeat(3), more.repeat(3), none.repeat(6)))
}

#[test]
fn a_model_that_says_the_annotated_masses_is_perfect() {
    let said = [
        vec![Some((0.25, 0.0, 0.0375)); 3],
        vec![Some((0.85, 0.0375, 0.6375)); 3],
        vec![Some((0.0, 0.0, 0.0)); 6],
    ];
    let reports = reports(&trees(), &said.concat());
    for task in ["harm_mass", "log_harm_mass", "benefit_mass"] {
        assert!((pearson_of(&reports, task).unwrap() - 1.0).abs() < 1e-9, "{task}");
    }
    let presence = serde_json::to_value(of(&reports, "harm_presence.privacy")).unwrap();
    assert_eq!((&presence["auroc"], &presence["positives"]), (&1.0.into(), &6.into()));
    let presence = serde_json::to_value(of(&reports, "harm_presence.self_harm")).unwrap();
    assert_eq!((&presence["auroc"], &presence["positives"]), (&serde_json::Value::Null, &0.into()));
    // Deception has three positives: too few for the mean.
    let mean = serde_json::to_value(of(&reports, "harm_presence")).unwrap();
    assert_eq!((&mean["auroc"], &mean["categories"]), (&1.0.into(), &1.into()));
    assert_eq!(reports.len(), 3 + 16 + 1, "no ratings, no comparison with them");
}

#[test]
fn a_row_that_was_not_judged_is_left_out_and_counted() {
    let rows =
        rows("{\"mean_rating\":1}\n{\"mean_rating\":2}\n{\"mean_rating\":9}\n{\"prompt_harmful\":true}\n");
    let reports =
        reports(&rows, &[Some((0.5, 0.5, 0.0)), Some((2.0, 0.0, 0.0)), None, Some((9.0, 0.0, 0.0))]);
    let tasks: Vec<&str> = reports.iter().map(|report| report.task.as_str()).collect();
    assert_eq!(tasks, ["rating.harm_mass", "rating.log_harm_mass", "rating.prompt_harm_logit"]);
    assert!(reports.iter().all(|report| (report.n, report.errors) == (2, 1)));
    assert!((pearson_of(&reports, "rating.harm_mass").unwrap() - 1.0).abs() < 1e-9);
    assert_eq!(pearson_of(&reports, "rating.prompt_harm_logit"), None, "all logits are the same");
}

#[test]
fn json_and_table_tell_of_each_comparison() {
    let rows = rows("{\"mean_rating\":1}\n{\"mean_rating\":2}\n");
    let mut reports = reports(&rows, &[Some((0.5, 0.0, 0.0)), None]);
    let expected = r#"{"set":"set","task":"rating.harm_mass","n":1,"pearson":null,"spearman":null,"intervals":{"pearson":null,"spearman":null},"errors":1,"coverage":1.0,"model_revision":"sha256:0","model_precision":"f32"}"#;
    let first = Report::Masses(reports.remove(0));
    assert_eq!(serde_json::to_string(&first).unwrap(), expected);
    let table = Table(&[first]).to_string();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(lines[1].starts_with("set   rating.harm_mass     1"), "{table}");
}
