//! What is told of one set and task: as a line of JSON, and as a row of a table for people.

mod masses;

pub(crate) use masses::{MassReport, mass_reports};

use super::{Outcome, Task};
use assize_measure::{BestF1, Figures, Interval, Observation, Sample, Weighted, best_f1, intervals};
use serde::Serialize;
use std::fmt;

/// How outcomes become figures.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measure {
    /// From which score on an answer is a yes, in `[0, 1]`.
    pub(crate) threshold: f32,
    /// Draws of the bootstrap; 0 gives no intervals.
    pub(crate) resamples: usize,
}

/// Which model was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MeasuredModel {
    /// Digest over the model's files.
    pub(crate) model_revision: String,
    /// What the model computed in; not `precision`, which is a figure here.
    pub(crate) model_precision: &'static str,
}

/// The figures of one set and task.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Report {
    /// Of a yes-or-no question.
    Labels(LabelReport),
    /// Of a comparison of numbers.
    Masses(MassReport),
}

/// The figures of one set and yes-or-no task. Fractions; `null` where a figure is not defined.
#[derive(Debug, Serialize)]
pub(crate) struct LabelReport {
    set: String,
    task: &'static str,
    n: usize,
    #[serde(flatten)]
    figures: Figures<Option<f64>>,
    threshold: f32,
    intervals: Figures<Option<Interval>>,
    positives: usize,
    /// Rows without a score; counted as wrong.
    errors: usize,
    /// Mean share of the tokens that was read, over the rows that were judged.
    coverage: Option<f64>,
    #[serde(flatten)]
    model: MeasuredModel,
    /// The F1 at the threshold that this set would have liked best: how much the threshold costs here. It has seen the
    /// answers, so it is no result, and nothing may be tuned by it.
    best_f1: Option<f64>,
    /// Where that is; a score from here on would be a yes.
    best_threshold: Option<f64>,
}

/// Everything that was measured, for people.
#[derive(Debug)]
pub(crate) struct Table<'a>(pub(crate) &'a [Report]);

impl LabelReport {
    /// Measures; `None` where no row is labelled for `task`.
    pub(crate) fn new(
        set: &str,
        task: Task,
        outcomes: &[Outcome<'_>],
        measure: Measure,
        model: MeasuredModel,
    ) -> Option<Self> {
        if outcomes.is_empty() {
            return None;
        }
        let observations: Vec<Observation> = outcomes.iter().map(observation).collect();
        let Measure { threshold, resamples } = measure;
        let best = best_f1(&outcomes.iter().map(weighted).collect::<Vec<Weighted>>());
        let coverages = outcomes.iter().filter_map(|outcome| Some(outcome.answer.ok()?.coverage));
        Some(Self {
            set: set.to_owned(),
            task: task.id(),
            n: outcomes.len(),
            figures: Sample::new(&observations, threshold).figures(),
            threshold,
            intervals: intervals(&observations, threshold, resamples),
            positives: outcomes.iter().filter(|outcome| outcome.label).count(),
            errors: outcomes.iter().filter(|outcome| outcome.answer.is_err()).count(),
            coverage: mean(coverages.map(f64::from)),
            model,
            best_f1: best.map(|BestF1 { f1, .. }| f1),
            best_threshold: best.map(|BestF1 { threshold, .. }| threshold),
        })
    }
}

/// A row without a score is wrong with certainty at every threshold: 0 where yes is right, 1 where no is.
fn observation(outcome: &Outcome<'_>) -> Observation {
    let wrong = if outcome.label { 0.0 } else { 1.0 };
    let score = outcome.answer.as_ref().map_or(wrong, |answer| answer.score);
    Observation { score, label: outcome.label }
}

/// As [`observation`], for every threshold there is.
fn weighted(outcome: &Outcome<'_>) -> Weighted {
    let wrong = if outcome.label { f64::NEG_INFINITY } else { f64::INFINITY };
    let score = outcome.answer.as_ref().map_or(wrong, |answer| f64::from(answer.score));
    Weighted { score, label: outcome.label, weight: 1.0 }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// A heading, and how wide its column is at the least; text stands left, numbers stand right.
type Column = (&'static str, usize);

const COLUMNS: [Column; 14] = [
    ("set", 4),
    ("task", 13),
    ("n", 4),
    ("pos", 4),
    ("F1", 18),
    ("precision", 9),
    ("recall", 6),
    ("FPR", 18),
    ("AUROC", 18),
    ("ECE", 5),
    ("errors", 6),
    ("coverage", 8),
    ("best F1", 7),
    ("at", 5),
];

impl fmt::Display for Table<'_> {
    /// In percent, `-` where a figure is not defined; the last rows are the mean F1 of each task. Comparisons of numbers
    /// follow in a table of their own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut labels, mut masses) = (Vec::new(), Vec::new());
        for report in self.0 {
            match report {
                Report::Labels(report) => labels.push(report),
                Report::Masses(report) => masses.push(report),
            }
        }
        write_labels(f, &labels)?;
        if !(labels.is_empty() || masses.is_empty()) {
            writeln!(f)?;
        }
        masses::write(f, &masses)
    }
}

fn write_labels(f: &mut fmt::Formatter<'_>, reports: &[&LabelReport]) -> fmt::Result {
    if reports.is_empty() {
        return Ok(());
    }
    let mut columns = COLUMNS;
    widen(&mut columns, reports.iter().map(|report| [report.set.as_str()]));
    write_row(f, &columns, &columns.map(|(heading, _)| heading.to_owned()))?;
    for report in reports {
        write_row(f, &columns, &cells(report))?;
    }
    for task in Task::ALL {
        let reports = reports.iter().filter(|report| report.task == task.id());
        let f1 = mean(reports.filter_map(|report| report.figures.f1));
        if f1.is_some() {
            let mut cells = [const { String::new() }; COLUMNS.len()];
            let [set, name_of_task, _, _, mean, ..] = &mut cells;
            (*set, *name_of_task, *mean) = ("mean".to_owned(), task.id().to_owned(), with_interval(f1, None));
            write_row(f, &columns, &cells)?;
        }
    }
    Ok(())
}

fn cells(report: &LabelReport) -> [String; COLUMNS.len()] {
    let LabelReport { figures, intervals, .. } = report;
    [
        report.set.clone(),
        report.task.to_owned(),
        report.n.to_string(),
        report.positives.to_string(),
        with_interval(figures.f1, intervals.f1),
        percent(figures.precision),
        percent(figures.recall),
        with_interval(figures.fpr, intervals.fpr),
        with_interval(figures.auroc, intervals.auroc),
        percent(figures.ece),
        report.errors.to_string(),
        percent(report.coverage),
        percent(report.best_f1),
        percent(report.best_threshold),
    ]
}

/// Makes the first columns as wide as the longest of their texts.
fn widen<'a, const N: usize>(columns: &mut [Column], rows: impl Iterator<Item = [&'a str; N]>) {
    for texts in rows {
        for ((_, width), text) in columns.iter_mut().zip(texts) {
            *width = text.chars().count().max(*width);
        }
    }
}

/// The first two columns hold text.
fn write_row(f: &mut fmt::Formatter<'_>, columns: &[Column], cells: &[String]) -> fmt::Result {
    let mut line = String::new();
    for (index, (cell, &(_, width))) in cells.iter().zip(columns).enumerate() {
        let cell = match index {
            0 => format!("{cell:<width$}"),
            1 => format!("  {cell:<width$}"),
            _ => format!("  {cell:>width$}"),
        };
        line.push_str(&cell);
    }
    writeln!(f, "{}", line.trim_end())
}

fn percent(fraction: Option<f64>) -> String {
    fraction.map_or_else(|| "-".to_owned(), |fraction| format!("{:.1}", 100.0 * fraction))
}

/// The figure right before a field for its interval, so that figures stand below one another.
fn with_interval(figure: Option<f64>, interval: Option<Interval>) -> String {
    let interval = interval.filter(|_| figure.is_some());
    let interval = interval.map_or_else(String::new, |Interval { low, high }| {
        format!("[{:.1} {:.1}]", 100.0 * low, 100.0 * high)
    });
    format!("{:>5} {interval:<12}", percent(figure))
}

#[cfg(test)]
mod tests;
