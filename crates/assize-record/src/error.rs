//! What can be wrong with a record or a history. A history holds nobody's text, so that errors may quote it.

use crate::history::Gap;
use std::io;

/// Why a record can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A text that is no id; it is not kept.
    #[error("a record's id is 1 to 64 of `A-Z`, `a-z`, `0-9`, `.`, `_`, `:` and `-`")]
    InvalidId,
    /// Neither of the two formats.
    #[error("this is no history: it starts neither as a binary one nor, with `{{`, as JSON lines")]
    UnknownFormat,
    /// Written by another release.
    #[error("version `{given}` of records is not known here; known: {known}; use the release that wrote it")]
    UnknownVersion {
        /// The version found.
        given: u64,
        /// The versions known, separated by commas.
        known: String,
    },
    /// Judged in other categories, so that its numbers mean something else.
    #[error("taxonomy `{given}` is not known here; known: `{known}`; use the release that wrote it")]
    UnknownTaxonomy {
        /// The taxonomy found.
        given: String,
        /// The taxonomy known.
        known: &'static str,
    },
    /// A record out of all proportion.
    #[error("the record takes {bytes} bytes; at most {most} can be kept: its tree is too large")]
    TooLarge {
        /// Bytes that it would take.
        bytes: usize,
        /// Bytes allowed.
        most: usize,
    },
    /// An assessment of nothing.
    #[error("the guard's scores are missing for prompt and response; at least one is needed")]
    NothingJudged,
    /// A share of an action that does not exist.
    #[error("`{category}` has {actions} actions, and a share lies beyond the last")]
    NoSuchAction {
        /// The category.
        category: &'static str,
        /// How many actions it has.
        actions: usize,
    },
    /// Sound bytes that mean nothing: another program wrote them.
    #[error("the record can't be read: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// A record that stands on a part of the history which is damaged.
    #[error("the {kind} that the record names by number {number} is missing from its section")]
    Missing {
        /// `model` or `community`.
        kind: &'static str,
        /// The number.
        number: u64,
    },
    /// Other than one whole record where there must be one.
    #[error("found {records} whole records where there must be one")]
    NotOne {
        /// How many there are.
        records: usize,
    },
    /// Bytes that are damaged or cut off.
    #[error("{0}")]
    Gap(Gap),
    /// JSON of another shape.
    #[error("`{key}`: {why}")]
    Json {
        /// Where, as `tree.expected.harms[0].category`; `.` for the whole.
        key: String,
        /// What is wrong there, and what is allowed.
        why: String,
    },
    /// A line of a history that is no record.
    #[error("line {line}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        source: Box<RecordError>,
    },
    /// The place to write to gave out.
    #[error("the history can't be written")]
    Write {
        /// What the place says.
        source: io::Error,
    },
    /// The place to read from gave out.
    #[error("the history can't be read")]
    Read {
        /// What the place says.
        source: io::Error,
    },
}
