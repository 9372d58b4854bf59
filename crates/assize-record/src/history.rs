//! Many records in one place: written one by one as they are judged, read all at once to be weighed anew.
//!
//! A writer that dies in the middle of a record costs that record: all before it is read, and whoever appends later has
//! to know nothing of it. Finding a record and checking its sum takes some 50 ns, reading it less than 1 µs (0.5 kB, eleven
//! branches, one core of a busy machine); as many threads as one likes can share a history.

mod blocks;
mod write;

pub use blocks::{Block, Blocks};
pub use write::HistoryWriter;

use crate::{Record, RecordError, binary, json};
use std::{fmt, ops::Range};

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Bytes: small and fast.
    Binary,
    /// A line of JSON each: for people and other programs; almost twenty times as large.
    JsonLines,
}

/// Bytes of a history that hold no record which can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Where they start.
    pub at: usize,
    /// How many they are.
    pub bytes: usize,
    /// What happened.
    pub cause: GapCause,
}

/// Why a part of a history can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GapCause {
    /// Its writer stopped in the middle.
    CutOff,
    /// The bytes are not as they were written.
    Damaged,
    /// The bytes are sound and mean nothing: another program wrote them.
    Malformed,
    /// Another release wrote them: its version or its taxonomy is not known here.
    Foreign,
}

/// A history whose records are found and not yet read. Threads can share it and read a range each.
#[derive(Debug)]
pub struct History<'a> {
    found: Found<'a>,
    gaps: Vec<Gap>,
}

#[derive(Debug)]
enum Found<'a> {
    Binary(binary::Scan<'a>),
    JsonLines(Vec<Line<'a>>),
}

/// How much of a history stands before the bytes that are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Start {
    bytes: usize,
    lines: usize,
}

/// A line that is not blank.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    /// Without its line feed.
    bytes: &'a [u8],
    /// From 1.
    number: usize,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, bytes, cause } = self;
        write!(f, "{bytes} bytes of the history, from byte {at} on, {cause}")
    }
}

impl fmt::Display for GapCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CutOff => "were cut off while they were written",
            Self::Damaged => "are damaged",
            Self::Malformed => "can't be understood",
            Self::Foreign => "are of another version or taxonomy; use the release that wrote them",
        })
    }
}

impl<'a> History<'a> {
    /// Finds every record, in the format that the first bytes show. What is damaged is passed over and told by
    /// [`Self::gaps`]; nothing at all is a history without records.
    ///
    /// # Errors
    /// When it is no history.
    pub fn open(bytes: &'a [u8]) -> Result<Self, RecordError> {
        Self::open_as(bytes, Format::of(bytes), Start::default())
    }

    fn open_as(bytes: &'a [u8], format: Format, start: Start) -> Result<Self, RecordError> {
        let mut scan = match format {
            Format::Binary => binary::scan(bytes),
            Format::JsonLines => return Ok(lines(bytes, start)),
        };
        let is_known = scan.has_sections() || scan.foreign.is_some();
        if !is_known && !binary::MAGIC.starts_with(bytes) && !bytes.starts_with(&binary::MAGIC) {
            return Err(RecordError::UnknownFormat);
        }
        let mut gaps = std::mem::take(&mut scan.gaps);
        gaps.iter_mut().for_each(|gap| gap.at += start.bytes);
        Ok(Self { found: Found::Binary(scan), gaps })
    }

    /// Which format it is in; JSON lines where there is nothing.
    pub const fn format(&self) -> Format {
        match self.found {
            Found::Binary(_) => Format::Binary,
            Found::JsonLines(_) => Format::JsonLines,
        }
    }

    /// How many records there are.
    pub const fn len(&self) -> usize {
        match &self.found {
            Found::Binary(scan) => scan.places.len(),
            Found::JsonLines(lines) => lines.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What can't be read, in order. A damaged line of JSON is found when it is read, all but a last one that is cut off.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Reads one record, counted from 0 in the order of writing; `None` beyond the last.
    ///
    /// # Errors
    /// When it means nothing, though its bytes are sound; when it stands on a part that is damaged; for JSON, when the line
    /// is no record.
    pub fn record(&self, place: usize) -> Option<Result<Record, RecordError>> {
        match &self.found {
            Found::Binary(scan) => scan.places.get(place).map(|place| scan.record(place)),
            Found::JsonLines(lines) => lines.get(place).map(Line::record),
        }
    }

    /// Reads a range of the records, in the order of writing; up to the last where it goes beyond.
    pub fn records(&self, range: Range<usize>) -> impl Iterator<Item = Result<Record, RecordError>> {
        range.map_while(|place| self.record(place))
    }
}

impl Format {
    /// As the first bytes show; whether the rest is a history is another matter.
    fn of(bytes: &[u8]) -> Self {
        match bytes.trim_ascii_start().first() {
            None | Some(b'{') => Self::JsonLines,
            Some(_) => Self::Binary,
        }
    }
}

fn lines(bytes: &[u8], start: Start) -> History<'_> {
    let mut found = Vec::new();
    let mut gaps = Vec::new();
    let mut at = start.bytes;
    for (index, whole) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let line = Line { bytes: whole.trim_ascii(), number: start.lines + index + 1 };
        let cut_off = !whole.ends_with(b"\n") && line.record().is_err();
        if cut_off && !line.bytes.is_empty() {
            gaps.push(Gap { at, bytes: whole.len(), cause: GapCause::CutOff });
        } else if !line.bytes.is_empty() {
            found.push(line);
        }
        at += whole.len();
    }
    History { found: Found::JsonLines(found), gaps }
}

impl Line<'_> {
    fn record(&self) -> Result<Record, RecordError> {
        let text =
            std::str::from_utf8(self.bytes).map_err(|_| RecordError::Malformed { what: "it is no text" });
        text.and_then(json::from_json)
            .map_err(|source| RecordError::Line { line: self.number, source: Box::new(source) })
    }
}

#[cfg(test)]
mod tests;
