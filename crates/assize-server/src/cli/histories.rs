//! Reads histories of records, on all cores, for the commands that weigh them again.

use crate::history::{EXTENSION, list};
use anyhow::{Context as _, bail};
use assize_record::{Blocks, History, Record};
use assize_telemetry::error_chain;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::thread;

/// Which histories.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct HistoryArgs {
    /// Files of records (binary, or JSON lines), or folders with files `*.assize` and `*.jsonl`; `-` reads stdin
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

/// The answer is given, and is about a part of what it should be about.
#[derive(Debug, thiserror::Error)]
#[error("{parts} parts of the history can't be read; the answer is about the rest")]
pub(super) struct Incomplete {
    parts: usize,
}

/// What files of JSON lines end with.
const LINES: &str = "jsonl";
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
    /// What can't be read is told in [`Reading`].
    ///
    /// # Errors
    /// When a file can't be opened, or nothing in any can be read.
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
                let history = match block.history() {
                    Ok(history) => history,
                    // One file that is none costs no other.
                    Err(error) => {
                        read.tell(vec![format!("{name}: {}", error_chain(&error))]);
                        break;
                    }
                };
                read.tell(history.gaps().iter().map(|gap| format!("{name}: {gap}")).collect());
                for part in on_all_cores(&history, &begin, &add) {
                    let part = part.context("a part of the records could not be weighed: a defect")?;
                    read.records += part.records;
                    read.tell(
                        part.problems.into_iter().map(|problem| format!("{name}: {problem}")).collect(),
                    );
                    made.push(part.made);
                }
            }
        }
        match read.problems.first() {
            Some(first) if read.records == 0 => bail!("nothing could be read: {first}"),
            _ => Ok((made, read)),
        }
    }

    /// Folders become their files, those of each kind by name, so that the oldest come first.
    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for path in &self.history {
            if path.is_dir() {
                let found = in_folder(path).with_context(|| format!("can't read `{}`", path.display()))?;
                if found.is_empty() {
                    bail!("`{}` holds no file that ends in .{EXTENSION} or .{LINES}", path.display());
                }
                files.extend(found);
            } else {
                files.push(path.clone());
            }
        }
        Ok(files)
    }
}

fn in_folder(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = list(folder)?;
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == LINES) {
            lines.push(path);
        }
    }
    lines.sort();
    files.extend(lines);
    Ok(files)
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

    /// For the end of a command, when its answer is given.
    ///
    /// # Errors
    /// When that answer is about a part only.
    pub(super) fn complete(&self) -> Result<(), Incomplete> {
        if self.problem_count == 0 { Ok(()) } else { Err(Incomplete { parts: self.problem_count }) }
    }
}

/// A part that panicked is `None`.
fn on_all_cores<T: Send>(
    history: &History<'_>,
    begin: &(impl Fn() -> T + Sync),
    add: &(impl Fn(&mut T, &Record) + Sync),
) -> Vec<Option<Part<T>>> {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let share = history.len().div_ceil(cores).max(1);
    let ranges = (0..history.len()).step_by(share).map(|start| start..start + share);
    thread::scope(|scope| {
        let threads: Vec<_> =
            ranges.map(|range| scope.spawn(|| one_part(history, range, begin, add))).collect();
        threads.into_iter().map(|thread| thread.join().ok()).collect()
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
            Err(error) => part.problems.push(error_chain(&error)),
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_breaks_off_is_no_success() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.jsonl");
        let record = include_str!("../../../assize-record/src/json/version-1.json");
        std::fs::write(&path, record).unwrap();
        let history = HistoryArgs::of(vec![path]);
        let (_, read) = history.fold(|| (), |(), _| ()).unwrap();
        assert!(read.records == 1 && read.complete().is_ok());
        let error = history.fold(|| (), |(), _| panic!("a defect")).unwrap_err();
        assert!(error.to_string().contains("a defect"), "{error}");
    }
}
