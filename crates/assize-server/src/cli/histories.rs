//! Reads histories of records, on all cores, for the commands that weigh them again.

use crate::history::list;
use anyhow::Context as _;
use assize_record::{Blocks, History, Record};
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;
use std::thread;

/// Which histories.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct HistoryArgs {
    /// Files of records (binary, or JSON lines), or folders of them; `-` reads stdin
    #[arg(required = true, value_name = "HISTORY")]
    history: Vec<PathBuf>,
}

/// What was found while reading.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Records that were read.
    pub(super) records: usize,
    /// What could not be read, in words; the first few.
    pub(super) problems: Vec<String>,
    /// How many problems there were.
    pub(super) problem_count: usize,
}

/// Problems that are told one by one.
const TOLD: usize = 5;

/// What one thread made of its part.
struct Part<T> {
    made: T,
    records: usize,
    problems: Vec<String>,
}

impl HistoryArgs {
    /// These files and folders.
    pub(super) const fn of(history: Vec<PathBuf>) -> Self {
        Self { history }
    }

    /// Lets every record be added to something, one thing for each thread and block; gives them in the records' order.
    pub(super) fn fold<T: Send>(
        &self,
        begin: impl Fn() -> T + Sync,
        add: impl Fn(&mut T, &Record) + Sync,
    ) -> anyhow::Result<(Vec<T>, Reading)> {
        let (mut made, mut read) = (Vec::new(), Reading::default());
        for path in self.files()? {
            let name = path.display().to_string();
            let input: Box<dyn Read> = if name == "-" {
                Box::new(std::io::stdin())
            } else {
                Box::new(File::open(&path).with_context(|| format!("can't read `{name}`"))?)
            };
            for block in Blocks::new(input) {
                let block = block.with_context(|| format!("can't read `{name}`"))?;
                let history = block.history().with_context(|| format!("`{name}`"))?;
                read.tell(history.gaps().iter().map(|gap| format!("{name}: {gap}")).collect());
                for part in on_all_cores(&history, &begin, &add) {
                    read.records += part.records;
                    read.tell(
                        part.problems.into_iter().map(|problem| format!("{name}: {problem}")).collect(),
                    );
                    made.push(part.made);
                }
            }
        }
        Ok((made, read))
    }

    /// Folders become their files, the oldest first.
    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for path in &self.history {
            if path.is_dir() {
                files.extend(list(path).with_context(|| format!("can't read `{}`", path.display()))?);
            } else {
                files.push(path.clone());
            }
        }
        Ok(files)
    }
}

impl Reading {
    fn tell(&mut self, problems: Vec<String>) {
        self.problem_count += problems.len();
        let room = TOLD.saturating_sub(self.problems.len());
        self.problems.extend(problems.into_iter().take(room));
    }

    /// Says on stderr what could not be read.
    #[expect(clippy::print_stderr, reason = "what is missing must not be mistaken for what is there")]
    pub(super) fn report(&self) {
        for problem in &self.problems {
            eprintln!("warning: {problem}");
        }
        if self.problem_count > self.problems.len() {
            eprintln!("warning: {} more parts can't be read", self.problem_count - self.problems.len());
        }
    }
}

fn on_all_cores<T: Send>(
    history: &History<'_>,
    begin: &(impl Fn() -> T + Sync),
    add: &(impl Fn(&mut T, &Record) + Sync),
) -> Vec<Part<T>> {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let share = history.len().div_ceil(cores).max(1);
    let ranges = (0..history.len()).step_by(share).map(|start| start..start + share);
    thread::scope(|scope| {
        let threads: Vec<_> =
            ranges.map(|range| scope.spawn(|| one_part(history, range, begin, add))).collect();
        // A panic of a part is a defect, and is one here too.
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

fn one_part<T>(
    history: &History<'_>,
    range: Range<usize>,
    begin: &impl Fn() -> T,
    add: &impl Fn(&mut T, &Record),
) -> Part<T> {
    let mut part = Part { made: begin(), records: 0, problems: Vec::new() };
    for record in history.records(range) {
        match record {
            Ok(record) => {
                part.records += 1;
                add(&mut part.made, &record);
            }
            Err(error) => part.problems.push(assize_telemetry::error_chain(&error)),
        }
    }
    part
}
