//! Figures where numbers are compared: correlations of masses and ratings, and how well a category's mass tells its
//! presence. A row that was not judged is left out and counted.

use super::super::masses::present;
use super::super::{MassOutcome, MassTask};
use super::{Column, MeasuredModel, mean, percent, with_interval, write_row};
use assize_domain::ActionCategory;
use assize_measure::{Interval, Observation, Pair, auroc, interval_of, pearson, spearman};
use serde::Serialize;
use std::fmt;

const CATEGORIES: usize = ActionCategory::ALL.len();

/// With fewer rows that have it, a category's AUROC is mostly chance and stays out of the mean.
const LEAST_POSITIVES: usize = 5;

/// The figures of one set and comparison. `null` where a figure is not defined.
#[derive(Debug, Serialize)]
pub(crate) struct MassReport {
    pub(super) set: String,
    pub(super) task: String,
    /// Rows that were compared.
    pub(super) n: usize,
    #[serde(flatten)]
    pub(super) figures: MassFigures,
    /// Rows without an answer; left out.
    pub(super) errors: usize,
    /// Mean share of the tokens that was read, over the rows that were judged.
    pub(super) coverage: Option<f64>,
    #[serde(flatten)]
    pub(super) model: MeasuredModel,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum MassFigures {
    Correlation {
        pearson: Option<f64>,
        spearman: Option<f64>,
        intervals: Correlations,
    },
    /// One category.
    Presence {
        auroc: Option<f64>,
        positives: usize,
        intervals: Aurocs,
    },
    /// The mean AUROC of the categories that enough rows have, each weighing the same.
    MeanPresence {
        auroc: Option<f64>,
        categories: usize,
        intervals: Aurocs,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct Correlations {
    pearson: Option<Interval>,
    spearman: Option<Interval>,
}

#[derive(Debug, Serialize)]
pub(super) struct Aurocs {
    auroc: Option<Interval>,
}

/// Expected masses, and which categories people found.
#[derive(Debug, Clone, Copy)]
struct Tree {
    harm: [f64; CATEGORIES],
    present: [bool; CATEGORIES],
}

/// Everything that the rows of a set have numbers for; nothing where they have none. `resamples` are the draws of the
/// bootstrap; 0 gives no intervals.
pub(crate) fn mass_reports(
    set: &str,
    outcomes: &[MassOutcome<'_>],
    resamples: usize,
    model: &MeasuredModel,
) -> Vec<MassReport> {
    let report = |labelled: &[&MassOutcome<'_>], task: String, figures: MassFigures| {
        let answers = labelled.iter().filter_map(|outcome| outcome.answer.as_ref().ok());
        let n = answers.clone().count();
        MassReport {
            set: set.to_owned(),
            task,
            n,
            figures,
            errors: labelled.len() - n,
            coverage: mean(answers.map(|answer| f64::from(answer.coverage))),
            model: model.clone(),
        }
    };
    let mut reports = Vec::new();
    for task in MassTask::ALL {
        let labelled: Vec<_> = outcomes.iter().filter(|outcome| task.is_labelled(outcome.row)).collect();
        if !labelled.is_empty() {
            reports.push(report(&labelled, task.id().to_owned(), correlation(task, &labelled, resamples)));
        }
    }
    let labelled: Vec<_> = outcomes.iter().filter(|outcome| outcome.row.harms().is_some()).collect();
    if !labelled.is_empty() {
        for (task, figures) in presences(&labelled, resamples) {
            reports.push(report(&labelled, task, figures));
        }
    }
    reports
}

fn correlation(task: MassTask, outcomes: &[&MassOutcome<'_>], resamples: usize) -> MassFigures {
    let pairs = outcomes.iter().filter_map(|outcome| task.pair(outcome.row, outcome.answer.as_ref().ok()?));
    let pairs: Vec<Pair> = pairs.collect();
    MassFigures::Correlation {
        pearson: pearson(&pairs),
        spearman: spearman(&pairs),
        intervals: Correlations {
            pearson: interval_of(&pairs, pearson, resamples),
            spearman: interval_of(&pairs, spearman, resamples),
        },
    }
}

/// Each category, and the mean last.
fn presences(outcomes: &[&MassOutcome<'_>], resamples: usize) -> Vec<(String, MassFigures)> {
    let trees = outcomes.iter().filter_map(|outcome| {
        Some(Tree { harm: outcome.answer.as_ref().ok()?.harm, present: present(outcome.row)? })
    });
    let trees: Vec<Tree> = trees.collect();
    let mut figures = Vec::new();
    let mut frequent = Vec::new();
    for category in ActionCategory::ALL {
        let positives = observations(&trees, category).iter().filter(|one| one.label).count();
        if positives >= LEAST_POSITIVES {
            frequent.push(category);
        }
        let figure = |trees: &[Tree]| auroc(&observations(trees, category));
        let intervals = Aurocs { auroc: interval_of(&trees, figure, resamples) };
        let presence = MassFigures::Presence { auroc: figure(&trees), positives, intervals };
        figures.push((format!("harm_presence.{}", category.id()), presence));
    }
    // A draw may lack a category; its mean is over the others.
    let figure =
        |trees: &[Tree]| mean(frequent.iter().filter_map(|category| auroc(&observations(trees, *category))));
    let intervals = Aurocs { auroc: interval_of(&trees, figure, resamples) };
    let (auroc, categories) = (figure(&trees), frequent.len());
    figures.push(("harm_presence".to_owned(), MassFigures::MeanPresence { auroc, categories, intervals }));
    figures
}

fn observations(trees: &[Tree], category: ActionCategory) -> Vec<Observation> {
    let of = |Tree { harm, present }: &Tree| {
        #[expect(clippy::cast_possible_truncation, reason = "the mass was an f32")]
        let score = *harm.get(category.index())? as f32;
        Some(Observation { score, label: *present.get(category.index())? })
    };
    trees.iter().filter_map(of).collect()
}

const COLUMNS: [Column; 8] = [
    ("set", 4),
    ("task", 13),
    ("n", 4),
    ("pos", 4),
    ("Pearson r, or AUROC", 19),
    ("Spearman", 18),
    ("errors", 6),
    ("coverage", 8),
];

/// In hundredths, so that correlations look like the shares beside them.
pub(super) fn write(f: &mut fmt::Formatter<'_>, reports: &[&MassReport]) -> fmt::Result {
    if reports.is_empty() {
        return Ok(());
    }
    let mut columns = COLUMNS;
    super::widen(&mut columns, reports.iter().map(|report| [report.set.as_str(), report.task.as_str()]));
    write_row(f, &columns, &columns.map(|(heading, _)| heading.to_owned()))?;
    reports.iter().try_for_each(|report| write_row(f, &columns, &cells(report)))
}

fn cells(report: &MassReport) -> [String; COLUMNS.len()] {
    let (positives, figure, spearman) = match &report.figures {
        MassFigures::Correlation { pearson, spearman, intervals } => {
            let spearman = with_interval(*spearman, intervals.spearman);
            (String::new(), with_interval(*pearson, intervals.pearson), spearman)
        }
        MassFigures::Presence { auroc, positives, intervals } => {
            (positives.to_string(), with_interval(*auroc, intervals.auroc), String::new())
        }
        MassFigures::MeanPresence { auroc, categories: _, intervals } => {
            (String::new(), with_interval(*auroc, intervals.auroc), String::new())
        }
    };
    [
        report.set.clone(),
        report.task.clone(),
        report.n.to_string(),
        positives,
        figure,
        spearman,
        report.errors.to_string(),
        percent(report.coverage),
    ]
}

#[cfg(test)]
mod tests;
