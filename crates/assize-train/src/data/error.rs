//! What can be wrong with the data. A message names file, line and key, and never quotes a row's text.

use std::io;
use std::path::PathBuf;

/// Data that can't be learnt from.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A setting has a value that is not allowed.
    #[error("`{key}` {problem}")]
    Setting {
        /// The key, as in `data.sets[3].weight`.
        key: String,
        /// What is wrong with it and what is allowed.
        problem: String,
    },
    /// The file can't be opened.
    #[error("can't read the data set `{path}`; check `data.root` and the set's `path`")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is no row.
    #[error("`{path}` line {line}: {problem}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong; no text of the line.
        problem: String,
    },
    /// A set teaches nothing.
    #[error(
        "`{path}` has no row with a label that `heads` uses and that is not held out; change `heads` or `assume`, \
         or leave the set out"
    )]
    NoLabels {
        /// The file.
        path: PathBuf,
    },
}

impl DataError {
    pub(super) fn setting(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Setting { key: key.into(), problem: problem.into() }
    }
}
