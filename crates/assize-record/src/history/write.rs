//! Writes a history, record by record.

use super::Format;
use crate::{Record, RecordError, binary::Encoder, json::to_json};
use std::io::Write;

/// Appends records to a place that the caller gives and owns. Each record arrives in one `write_all`, with all that it
/// needs; when it reaches the disk is the caller's to say.
#[derive(Debug)]
pub struct HistoryWriter<W> {
    output: W,
    lines: Lines,
    /// What the next record is written into.
    buffer: Vec<u8>,
}

/// What each format has to know.
#[derive(Debug)]
enum Lines {
    Binary(Encoder),
    Json { after: After },
}

/// What a line of JSON follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    WholeLine,
    /// Perhaps a line that was cut off, which a line feed must end.
    Anything,
}

impl<W: Write> HistoryWriter<W> {
    /// Starts a history in an empty place.
    pub const fn new(output: W, format: Format) -> Self {
        Self::after(output, format, After::WholeLine)
    }

    /// Goes on with one, whether it ends well or not; it need not be read before. The format must be the same.
    pub const fn append(output: W, format: Format) -> Self {
        Self::after(output, format, After::Anything)
    }

    const fn after(output: W, format: Format, after: After) -> Self {
        let lines = match format {
            Format::Binary => Lines::Binary(Encoder::new()),
            Format::JsonLines => Lines::Json { after },
        };
        Self { output, lines, buffer: Vec::new() }
    }

    /// Writes one record. After an error the next one can be read whatever has become of this one.
    ///
    /// # Errors
    /// When the record breaks a rule that its types don't hold; when the place to write to gives out.
    pub fn write(&mut self, record: &Record) -> Result<(), RecordError> {
        self.buffer.clear();
        match &mut self.lines {
            Lines::Binary(encoder) => encoder.put(record, &mut self.buffer)?,
            Lines::Json { after } => {
                let line = to_json(record)?;
                if *after == After::Anything {
                    self.buffer.push(b'\n');
                }
                self.buffer.extend_from_slice(line.as_bytes());
                self.buffer.push(b'\n');
                *after = After::WholeLine;
            }
        }
        self.output.write_all(&self.buffer).map_err(|source| {
            match &mut self.lines {
                Lines::Binary(encoder) => encoder.close(),
                Lines::Json { after } => *after = After::Anything,
            }
            RecordError::Write { source }
        })
    }

    /// Flushes the place to write to.
    ///
    /// # Errors
    /// When it gives out.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.output.flush().map_err(|source| RecordError::Write { source })
    }

    /// The place to write to, as for a caller that has to sync a file.
    pub const fn get_ref(&self) -> &W {
        &self.output
    }

    /// Gives it back.
    pub fn into_inner(self) -> W {
        self.output
    }
}
