//! Records in bytes: some hundred each, read in less than a microsecond. The layout is the contract; all numbers are
//! little-endian, and a varint has seven bits a byte, the lowest first, the top bit set in all but the last.
//!
//! ```text
//! history   section*
//! section   header frame*                           at most 1024 records; nothing in it refers to another section
//! header    "\x93ASSIZE\n"  version u8  length u8  taxonomy  crc32 u32        the same in every version
//! frame     length u32  crc32 u32  body             both of the body: 1 byte to 1 MiB
//! body      'M' number varint  digest 32  4 × score  name                     a model and its operating points
//!         | 'P' number varint  precision u8              what the model of that number, which follows, computed in
//!         | 'T' number varint  tier u8  answered u8  digest 32  name   a model that was asked after the one of that number
//!         | 'C' number varint  digest 32  id                                  a community and its profile's digest
//!         | 'R' parts u8  tree u8  model varint  at u64  length u8  id
//!               decided?  prompt?  response?  coverage?  coverage?  tree      those that `parts` has
//! decided   decision u8  community varint
//! prompt    harmful  adversarial  13 × risk         scores: f32, bit for bit
//! response  harmful  refusal
//! coverage  tokens  judged  unknown  windows        varints
//! expected  count u8  harm*  count u8  benefit*     in the taxonomy's order
//! harm      category u8  branch  sparse 15 effects  a share for each action that the category has
//! benefit   effect u8  branch
//! branch    leaves u16  presence u8  sparse 24 severities  9 × share by stakeholder
//! sparse    a bit for each place, the lowest first, in as many bytes as that takes; a share for each bit that is set
//! share     u8, in 255ths
//! reported  count varint  leaf*  count varint  leaf*                          after the expected one, where there are both
//! leaf      u32 of bit fields, the lowest first: category 5, action 6, effect 4, extent 3, likelihood 2, immediate 2
//!           (each 0 where it is missing, otherwise its place + 1), stakeholder 4, published category 6 (0 where it is
//!           the category, 1 where it is missing, otherwise its place + 2)
//! ```
//!
//! Histories can be cut off, put behind one another and appended to without being read: what follows a torn frame is
//! found again by the next section's header. The published category has the bits that the first records left at 0, and
//! those read back as they were written; a reader that does not know it refuses the records, and only those, that use it.
//! The first releases wrote no precision: it is not known then, and a reader of histories that does not know the
//! frame tells it as a gap and reads the records all the same; of a single record it reads nothing.
//! The same holds for the frames of models that were asked later. A record with two trees is refused by a reader that knows
//! none, and only that record.
//! Enums are written as places in the taxonomy, whose version is in the header, precision and tier as places among all.

mod cursor;
mod frame;
mod read;
mod scan;
mod shares;
mod tree;
mod write;

use crate::{Record, RecordError};

pub(crate) use frame::{MAGIC, last_header};
pub(crate) use scan::{Scan, scan};
pub(crate) use write::Encoder;

/// Appends one record that can be read by itself: a history of one. Where there are many, [`crate::HistoryWriter`] writes
/// what they have in common once.
///
/// # Errors
/// When the record breaks a rule that its types don't hold, or its tree is out of all proportion; nothing is appended.
pub fn encode(record: &Record, out: &mut Vec<u8>) -> Result<(), RecordError> {
    Encoder::new().put(record, out)
}

/// Reads what [`encode`] has written.
///
/// # Errors
/// When the bytes are not exactly one sound record of a known version and taxonomy.
pub fn decode(bytes: &[u8]) -> Result<Record, RecordError> {
    let mut found = scan(bytes);
    if let Some(foreign) = found.foreign.take() {
        return Err(foreign);
    }
    match (found.gaps.first(), found.places.as_slice()) {
        (Some(gap), _) => Err(RecordError::Gap(*gap)),
        (None, [place]) => found.record(place),
        (None, places) => Err(RecordError::NotOne { records: places.len() }),
    }
}

#[cfg(test)]
mod tests;
