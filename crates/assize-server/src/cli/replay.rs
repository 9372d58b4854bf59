//! `assize replay`: past assessments under another profile, without a model.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "data on stdout, the rest on stderr")]

use super::histories::HistoryArgs;
use super::profiles;
use super::shared::ConfigArgs;
use assize_domain::Decision;
use assize_preferences::{Profile, weigh};
use assize_record::Record;
use serde::Serialize;
use std::io::Write as _;
use tokio::time::Instant;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Histories are written by a service with `history.folder` set. They hold no text.\nWhat can't be read of them is told, and makes the exit code 3.\n\nExamples:\n  assize replay --profile children-education history/\n  assize replay --profile my-draft.toml --json history/ > verdicts.jsonl"
)]
pub(super) struct Args {
    #[command(flatten)]
    history: HistoryArgs,
    /// A community, or a profile file that ends in .toml
    #[arg(long)]
    profile: String,
    /// Print a line of JSON for each assessment
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// One assessment, weighed again.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    /// Unix time in milliseconds.
    at: u64,
    decision: &'static str,
    harmfulness: f64,
    /// What was decided when it was judged.
    then: Option<&'static str>,
}

/// What one thread found.
#[derive(Default)]
struct Found {
    lines: Vec<u8>,
    /// By what was decided then (`None` where nothing was), and now.
    counts: [[usize; 3]; 4],
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let config = args.config.load(&[])?;
    let profile = profiles::find(&config.communities.folder, &args.profile)?;
    let started = Instant::now();
    let add = |found: &mut Found, record: &Record| found.add(record, &profile, args.json);
    let (parts, reading) = args.history.fold(Found::default, add)?;
    let mut out = std::io::stdout().lock();
    let mut counts = [[0_usize; 3]; 4];
    for part in &parts {
        out.write_all(&part.lines)?;
        counts.iter_mut().flatten().zip(part.counts.iter().flatten()).for_each(|(all, own)| *all += own);
    }
    drop(out);
    reading.report();
    let seconds = started.elapsed().as_secs_f64();
    let summary = format!("{} assessments under `{}` in {seconds:.2} s", reading.records, profile.id());
    if args.json {
        eprintln!("{summary}");
        return Ok(reading.complete()?);
    }
    println!("{summary}");
    println!("{:>16} {:>10} {:>10} {:>10}", "then \\ now", "allow", "review", "block");
    for (then, row) in ["allow", "review", "block", "(not decided)"].into_iter().zip(counts) {
        if row.iter().any(|count| *count > 0) {
            let [allow, review, block] = row;
            println!("{then:>16} {allow:>10} {review:>10} {block:>10}");
        }
    }
    Ok(reading.complete()?)
}

impl Found {
    fn add(&mut self, record: &Record, profile: &Profile, with_lines: bool) {
        let outcome = weigh(&record.assessment, profile);
        let then = record.decided.as_ref().map(|decided| decided.decision);
        let row = then.map_or(3, place);
        if let Some(count) = self.counts.get_mut(row).and_then(|row| row.get_mut(place(outcome.decision))) {
            *count += 1;
        }
        if with_lines {
            let line = Line {
                id: record.id.as_str(),
                at: record.at.0,
                decision: outcome.decision.id(),
                harmfulness: outcome.harmfulness,
                then: then.map(Decision::id),
            };
            // Writing numbers and ids to memory can't fail.
            if serde_json::to_writer(&mut self.lines, &line).is_ok() {
                self.lines.push(b'\n');
            }
        }
    }
}

const fn place(decision: Decision) -> usize {
    decision as usize
}
