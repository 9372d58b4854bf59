//! Headers and frames: where a piece of a history starts and ends, and whether it is as it was written.

use crate::RecordError;
use assize_domain::TAXONOMY_VERSION;

/// What a section starts with: no text has the first byte, and a line feed at the end shows what translates line ends.
pub(crate) const MAGIC: [u8; 8] = *b"\x93ASSIZE\n";
/// The only version so far.
const VERSION: u8 = 1;
/// Bytes of a frame's body at most. A record has some hundred; one with thousands of reported leaves still fits.
pub(super) const MOST_BODY: usize = 1 << 20;
/// Bytes of a frame before its body.
const PREFIX: usize = 8;

/// A frame whose checksum is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// What it holds.
    pub(super) body: &'a [u8],
    /// Bytes of all of it.
    pub(super) length: usize,
}

/// A header whose checksum is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header<'a> {
    version: u8,
    taxonomy: &'a [u8],
    /// Bytes of all of it.
    pub(super) length: usize,
}

/// Appends a section's header.
pub(super) fn put_header(out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&MAGIC);
    out.push(VERSION);
    let taxonomy = TAXONOMY_VERSION.as_bytes();
    let length = u8::try_from(taxonomy.len()).unwrap_or(u8::MAX);
    out.push(length);
    out.extend(taxonomy.iter().take(usize::from(length)));
    let checksum = crc32fast::hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&checksum.to_le_bytes());
}

/// Appends a frame whose body `write` appends.
///
/// # Errors
/// When the body is too large; what was appended stays, for the caller to cut off.
pub(super) fn put_frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), RecordError> {
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX]);
    write(out);
    let body = out.get(start + PREFIX..).unwrap_or_default();
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MOST_BODY);
    let Some(length) = length else {
        return Err(RecordError::TooLarge { bytes: body.len(), most: MOST_BODY });
    };
    let prefix = (u64::from(crc32fast::hash(body)) << 32 | u64::from(length)).to_le_bytes();
    if let Some(place) = out.get_mut(start..start + PREFIX) {
        place.copy_from_slice(&prefix);
    }
    Ok(())
}

/// The header that the bytes start with.
pub(super) fn header_at(bytes: &[u8]) -> Option<Header<'_>> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let ([version, length], rest) = rest.split_first_chunk()?;
    let (taxonomy, rest) = rest.split_at_checked(usize::from(*length))?;
    let checksum = u32::from_le_bytes(*rest.first_chunk()?);
    let checked = bytes.get(..MAGIC.len() + 2 + taxonomy.len())?;
    let length = checked.len() + size_of::<u32>();
    (crc32fast::hash(checked) == checksum).then_some(Header { version: *version, taxonomy, length })
}

/// Bytes of the whole frame that the bytes start with, if its first four can be believed.
pub(super) fn claimed(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
    (1..=MOST_BODY).contains(&length).then_some(PREFIX + length)
}

/// Whether the bytes are less than the header that they start with, or too few for any frame.
pub(super) fn is_torn_start(bytes: &[u8]) -> bool {
    let taxonomy = bytes.get(MAGIC.len() + 1).map_or(0, |length| usize::from(*length));
    let header = MAGIC.len() + 2 + taxonomy + size_of::<u32>();
    bytes.len() < PREFIX || (bytes.starts_with(&MAGIC) && bytes.len() < header)
}

/// The frame that the bytes start with.
pub(super) fn frame_at(bytes: &[u8]) -> Option<Frame<'_>> {
    let length = claimed(bytes)?;
    let checksum = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
    let body = bytes.get(PREFIX..length)?;
    (crc32fast::hash(body) == checksum).then_some(Frame { body, length })
}

/// Where the first header starts, from `from` on.
pub(super) fn next_header(bytes: &[u8], from: usize) -> Option<usize> {
    let mut start = from;
    loop {
        let rest = bytes.get(start..)?;
        let found = start + rest.windows(MAGIC.len()).position(|window| window == MAGIC)?;
        if header_at(bytes.get(found..)?).is_some() {
            return Some(found);
        }
        start = found + 1;
    }
}

/// Where the last header starts.
pub(crate) fn last_header(bytes: &[u8]) -> Option<usize> {
    let mut end = bytes.len();
    loop {
        let found = bytes.get(..end)?.windows(MAGIC.len()).rposition(|window| window == MAGIC)?;
        if header_at(bytes.get(found..)?).is_some() {
            return Some(found);
        }
        end = found + MAGIC.len() - 1;
    }
}

impl Header<'_> {
    /// Whether this release can read the section.
    pub(super) fn check(&self) -> Result<(), RecordError> {
        if self.version != VERSION {
            let given = u64::from(self.version);
            return Err(RecordError::UnknownVersion { given, known: VERSION.to_string() });
        }
        if self.taxonomy != TAXONOMY_VERSION.as_bytes() {
            let given = String::from_utf8_lossy(self.taxonomy).into_owned();
            return Err(RecordError::UnknownTaxonomy { given, known: TAXONOMY_VERSION });
        }
        Ok(())
    }
}
