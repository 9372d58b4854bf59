//! What a check has to say: where, what is wrong, what to do. Never a panic, never only the first one.

use std::fmt;

/// One thing to put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// From the repository's root, with forward slashes.
    path: String,
    /// Counted from 1.
    line: usize,
    problem: String,
    remedy: String,
}

impl Finding {
    /// A finding at `line`, counted from 1.
    pub(crate) fn at(
        path: impl Into<String>,
        line: usize,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), line, problem: problem.into(), remedy: remedy.into() }
    }

    /// A finding about a whole file; it points at its first line.
    pub(crate) fn in_file(
        path: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::at(path, 1, problem, remedy)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, problem, remedy } = self;
        write!(f, "{path}:{line}: {problem}; {remedy}")
    }
}
