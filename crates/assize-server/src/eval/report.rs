//! What is told of one set and task: as a line of JSON, and as a row of a table for people.

use super::bootstrap::{Interval, intervals};
use super::stats::{Figures, Observation, Sample};
use super::{Outcome, Task};
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

/// The figures of one set and task. Fractions; `null` where a figure is not defined.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
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
    model_revision: String,
}

/// Everything that was measured, for people.
#[derive(Debug)]
pub(crate) struct Table<'a>(pub(crate) &'a [Report]);

impl Report {
    /// Measures; `None` where no row is labelled for `task`.
    pub(crate) fn new(
        set: &str,
        task: Task,
        outcomes: &[Outcome<'_>],
        measure: Measure,
        model_revision: String,
    ) -> Option<Self> {
        if outcomes.is_empty() {
            return None;
        }
        let observations: Vec<Observation> = outcomes.iter().map(observation).collect();
        let Measure { threshold, resamples } = measure;
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
            model_revision,
        })
    }
}

/// A row without a score is wrong with certainty at every threshold: 0 where yes is right, 1 where no is.
fn observation(outcome: &Outcome<'_>) -> Observation {
    let wrong = if outcome.label { 0.0 } else { 1.0 };
    let score = outcome.answer.as_ref().map_or(wrong, |answer| answer.score);
    Observation { score, label: outcome.label }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// Headings, and how wide a column is at the least; text stands left, numbers stand right.
const COLUMNS: [(&str, usize); 12] = [
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
];

impl fmt::Display for Table<'_> {
    /// In percent, `-` where a figure is not defined; the last rows are the mean F1 of each task.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.iter().map(|report| report.set.chars().count()).max().unwrap_or_default();
        write_row(f, name, &COLUMNS.map(|(heading, _)| heading.to_owned()))?;
        for report in self.0 {
            write_row(f, name, &cells(report))?;
        }
        for task in Task::ALL {
            let reports = self.0.iter().filter(|report| report.task == task.id());
            let f1 = mean(reports.filter_map(|report| report.figures.f1));
            if f1.is_some() {
                let mut cells = [const { String::new() }; COLUMNS.len()];
                let [set, name_of_task, _, _, mean, ..] = &mut cells;
                (*set, *name_of_task, *mean) =
                    ("mean".to_owned(), task.id().to_owned(), with_interval(f1, None));
                write_row(f, name, &cells)?;
            }
        }
        Ok(())
    }
}

fn cells(report: &Report) -> [String; COLUMNS.len()] {
    let Report { figures, intervals, .. } = report;
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
    ]
}

fn write_row(f: &mut fmt::Formatter<'_>, name: usize, cells: &[String; COLUMNS.len()]) -> fmt::Result {
    let mut line = String::new();
    for (index, (cell, (_, width))) in cells.iter().zip(COLUMNS).enumerate() {
        let cell = match index {
            0 => format!("{cell:<0$}", width.max(name)),
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
