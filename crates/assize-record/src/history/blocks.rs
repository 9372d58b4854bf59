//! Reads a history in blocks, where it is larger than memory or several threads share the work.

use super::{Format, History, Start};
use crate::{RecordError, binary::last_header};
use std::io::Read;

/// Bytes that a block aims at: far more than a section of records, far less than memory.
const BLOCK: usize = 16 << 20;

/// A piece of a history that can be read by itself, on any thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    start: Start,
    format: Format,
    bytes: Vec<u8>,
}

/// The blocks of a history, in order. Binary ones end where a section does, JSON lines where a line does, so that no record
/// is torn.
#[derive(Debug)]
pub struct Blocks<R> {
    input: R,
    size: usize,
    /// Of the next block.
    start: Start,
    /// Known from the first block on.
    format: Option<Format>,
    /// What was read beyond the last block.
    rest: Vec<u8>,
    is_over: bool,
}

impl Block {
    /// Where it starts in the whole.
    pub const fn at(&self) -> usize {
        self.start.bytes
    }

    /// Its records. Gaps and lines are told by their place in the whole.
    ///
    /// # Errors
    /// As [`History::open`].
    pub fn history(&self) -> Result<History<'_>, RecordError> {
        History::open_as(&self.bytes, self.format, self.start)
    }
}

impl<R: Read> Blocks<R> {
    /// Blocks of some 16 MiB.
    pub const fn new(input: R) -> Self {
        Self::with_size(input, BLOCK)
    }

    /// Blocks of at least `size` bytes, larger where a section or a line is.
    pub(crate) const fn with_size(input: R, size: usize) -> Self {
        Self {
            input,
            size,
            start: Start { bytes: 0, lines: 0 },
            format: None,
            rest: Vec::new(),
            is_over: false,
        }
    }

    fn read(&mut self) -> Result<Option<Block>, RecordError> {
        let mut bytes = std::mem::take(&mut self.rest);
        while !self.is_over {
            let count = self.input.by_ref().take(self.size as u64).read_to_end(&mut bytes);
            self.is_over = count.map_err(|source| RecordError::Read { source })? == 0;
            let format = *self.format.get_or_insert_with(|| Format::of(&bytes));
            if let Some(end) = end(&bytes, format).filter(|_| !self.is_over) {
                self.rest = bytes.split_off(end);
                break;
            }
        }
        let format = self.format.unwrap_or(Format::JsonLines);
        let block = Block { start: self.start, format, bytes };
        self.start.bytes += block.bytes.len();
        if format == Format::JsonLines {
            self.start.lines += block.bytes.iter().filter(|byte| **byte == b'\n').count();
        }
        Ok(Some(block).filter(|block| !block.bytes.is_empty()))
    }
}

impl<R: Read> Iterator for Blocks<R> {
    type Item = Result<Block, RecordError>;

    /// The next block; after an error there is none.
    fn next(&mut self) -> Option<Self::Item> {
        let block = self.read();
        if block.is_err() {
            self.is_over = true;
        }
        block.transpose()
    }
}

/// Where the last part starts that may go on beyond these bytes.
fn end(bytes: &[u8], format: Format) -> Option<usize> {
    let end = match format {
        Format::Binary => last_header(bytes),
        Format::JsonLines => bytes.iter().rposition(|byte| *byte == b'\n').map(|line_feed| line_feed + 1),
    };
    end.filter(|end| *end > 0)
}
