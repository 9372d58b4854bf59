//! `assize eval`: how good the model is on labelled conversations, through the service's own reading and encoder.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures on stdout, rows that failed on stderr"
)]

use super::shared::{ConfigArgs, progress};
use crate::eval::{
    Judge, JudgedSet, LabelReport, MassOutcome, Measure, MeasuredModel, Outcome, Report, RowId, Set, Table,
    Task, mass_reports,
};
use anyhow::Context as _;
use assize_candle::GuardModel;
use assize_domain::Score;
use indicatif::ProgressBar;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

/// How many rows that can't be judged are named.
const NAMED_ERRORS: usize = 5;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "A row: {\"id\":\"a-1\",\"prompt\":\"...\",\"response\":null,\"prompt_harmful\":false,\"response_harmful\":null,\n        \"response_refusal\":null,\"adversarial\":null,\"context\":[\"Human: ...\",\"Assistant: ...\"]}\nA label is true, false or null; only what is labelled is judged. `context` holds earlier turns,\nas strings or as {\"role\",\"content\"}. A row that can't be judged counts as wrong.\n\nA row may also have the leaves of a harm-benefit tree, or how harmful people find the prompt:\n       {\"id\":\"t-1\",\"prompt\":\"...\",\"harms\":[{\"category\":\"Privacy\",\"extent\":\"minor\",\"likelihood\":\"high\"}],\n        \"benefits\":[{\"extent\":\"major\",\"likelihood\":\"low\"}],\"mean_rating\":26.5}\nThe expected masses are then compared with extent (minor .25, significant .5, substantial .75,\nmajor 1) times likelihood (low .15, medium .5, high .85), and with the ratings: correlations and, for\neach action category, the AUROC of its presence; a row that can't be judged is left out.\n\n`best F1` is the F1 at the threshold that the set itself would have liked best: it has seen the\nanswers, so it is no result, and nothing may be tuned by it.\nBenchmarks are not part of this repository.\n\nExamples:\n  assize eval bench/*.jsonl\n  assize eval bench/xstest.jsonl --json --threshold 0.5\n  assize eval trees/validation.jsonl --json\n  assize eval bench/xstest.jsonl --limit 100 --scores scores.jsonl"
)]
pub(super) struct Args {
    /// Labelled JSON Lines, one benchmark a file
    #[arg(required = true, value_name = "BENCH.jsonl")]
    benchmarks: Vec<PathBuf>,
    /// Print a JSON object for each set and task, with fractions, instead of a table in percent
    #[arg(long)]
    json: bool,
    /// A score from here on is a yes, for every head [default: the operating points of the model's card]
    #[arg(long, value_parser = score)]
    threshold: Option<Score>,
    /// Judge only so many rows of each file, spread evenly over it
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Resamples for the 95 % intervals; 0 for none
    #[arg(long, value_name = "RESAMPLES", default_value_t = 1000)]
    bootstrap: usize,
    /// Write set, id, task, score and label of every row with a yes-or-no label to FILE, as JSON Lines without text
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// A line of the scores file.
#[derive(Serialize)]
struct ScoreLine<'a> {
    set: &'a str,
    id: RowId,
    task: &'static str,
    /// Absent (`null`) where the row can't be judged.
    score: Option<f32>,
    label: bool,
}

fn score(given: &str) -> Result<Score, String> {
    let number: f32 = given.parse().map_err(|_| "is no number".to_owned())?;
    Score::new(number).map_err(|error| error.to_string())
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    // Everything that can be wrong is found before the work, which may take an hour.
    let config = args.config.load(&[])?;
    let sets = read_sets(args)?;
    let mut scores = args.scores.as_ref().map(create).transpose()?;
    let inference = &config.inference;
    let model = GuardModel::load(&inference.model, inference.device)?;
    let (model, _) = model.computing(inference.precision, inference.threads)?;
    let mut judge = Judge::new(model);
    let rows: usize = sets.iter().map(|set| set.rows.len()).sum();
    let bar = progress(wide(rows), "judging rows");
    let mut reports = Vec::new();
    let mut before = 0;
    for set in &sets {
        let judged = judge.judge(set, |done| bar.set_position(wide(before + done)))?;
        before += set.rows.len();
        if let Some(scores) = &mut scores {
            Task::ALL
                .iter()
                .try_for_each(|task| write_scores(scores, &set.name, *task, &judged.outcomes(*task)))?;
        }
        reports.extend(measure(args, &judge, &set.name, &judged, &bar));
        if args.json {
            print_json(&bar, &mut reports)?;
        }
    }
    bar.finish_and_clear();
    if !args.json {
        print!("{}", Table(&reports));
    }
    scores.map_or(Ok(()), |mut file| file.flush().context("can't write the scores"))
}

fn measure(args: &Args, judge: &Judge, set: &str, judged: &JudgedSet<'_>, bar: &ProgressBar) -> Vec<Report> {
    let model = MeasuredModel {
        model_revision: judge.identity.revision.to_string(),
        model_precision: judge.precision.id(),
    };
    let mut reports = Vec::new();
    for task in Task::ALL {
        let outcomes = judged.outcomes(task);
        warn_of_errors(bar, &format!("{set}, {}", task.id()), "count as wrong", &label_errors(&outcomes));
        let measure = Measure { threshold: threshold(args, judge, task), resamples: args.bootstrap };
        let report = LabelReport::new(set, task, &outcomes, measure, model.clone());
        reports.extend(report.map(Report::Labels));
    }
    let outcomes = judged.mass_outcomes();
    warn_of_errors(bar, &format!("{set}, masses"), "are left out", &mass_errors(&outcomes));
    reports.extend(mass_reports(set, &outcomes, args.bootstrap, &model).into_iter().map(Report::Masses));
    reports
}

fn read_sets(args: &Args) -> anyhow::Result<Vec<Set>> {
    let mut sets = args.benchmarks.iter().map(|path| Set::read(path)).collect::<Result<Vec<_>, _>>()?;
    if let Some(limit) = args.limit {
        sets.iter_mut().for_each(|set| set.keep(usize::try_from(limit).unwrap_or(usize::MAX)));
    }
    Ok(sets)
}

fn threshold(args: &Args, judge: &Judge, task: Task) -> f32 {
    args.threshold.unwrap_or_else(|| judge.operating_points.get(task.head())).get()
}

/// Prints what is there and forgets it: a person who follows a long run sees each set when it is done.
fn print_json(bar: &ProgressBar, reports: &mut Vec<Report>) -> anyhow::Result<()> {
    for report in reports.drain(..) {
        let line = serde_json::to_string(&report)?;
        bar.suspend(|| println!("{line}"));
    }
    Ok(())
}

/// Lines of the file that have no answer, and why.
fn label_errors(outcomes: &[Outcome<'_>]) -> Vec<String> {
    let errors =
        outcomes.iter().filter_map(|outcome| Some((outcome.row.line, outcome.answer.as_ref().err()?)));
    errors.map(|(line, why)| format!("line {line}: {why}")).collect()
}

fn mass_errors(outcomes: &[MassOutcome<'_>]) -> Vec<String> {
    let errors =
        outcomes.iter().filter_map(|outcome| Some((outcome.row.line, outcome.answer.as_ref().err()?)));
    errors.map(|(line, why)| format!("line {line}: {why}")).collect()
}

fn warn_of_errors(bar: &ProgressBar, of: &str, consequence: &str, errors: &[String]) {
    if errors.is_empty() {
        return;
    }
    let more = errors.len().saturating_sub(NAMED_ERRORS);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    let named: Vec<&str> = errors.iter().take(NAMED_ERRORS).map(String::as_str).collect();
    let (count, named) = (errors.len(), named.join("; "));
    bar.suspend(|| {
        eprintln!("warning: {of}: {count} rows can't be judged and {consequence}: {named}{more}");
    });
}

fn create(path: &PathBuf) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("can't write `{}`", path.display()))?;
    Ok(BufWriter::new(file))
}

fn write_scores(
    file: &mut BufWriter<File>,
    set: &str,
    task: Task,
    outcomes: &[Outcome<'_>],
) -> anyhow::Result<()> {
    for outcome in outcomes {
        let score = outcome.answer.as_ref().ok().map(|answer| answer.score);
        let line = ScoreLine { set, id: outcome.row.id(), task: task.id(), score, label: outcome.label };
        serde_json::to_writer(&mut *file, &line).context("can't write the scores")?;
        file.write_all(b"\n").context("can't write the scores")?;
    }
    Ok(())
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
