//! Names and times of records.

use assize_record::{RecordId, UnixMillis};
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::{Builder, Uuid};

/// A new name: a UUID of version 7, whose order is that of time, as 32 digits. All 74 bits behind the time are drawn anew
/// for each: who knows one name must not guess its neighbour's, as a counter in them would let him.
pub(crate) fn record() -> RecordId {
    let drawn = Uuid::new_v4();
    // Version 4 fixes bits of the 7th and the 9th byte; the others are random, and ten are needed.
    let [a, b, c, d, e, f, _, _, _, g, h, i, j, ..] = *drawn.as_bytes();
    let random = [a, b, c, d, e, f, g, h, i, j];
    RecordId::from(Builder::from_unix_timestamp_millis(now().0, &random).into_uuid().as_u128())
}

/// Now; a clock before 1970 counts as 1970.
pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn neighbours_share_nothing_but_the_time() {
        let names: Vec<String> = (0..1_000).map(|_| record().to_string()).collect();
        // After time and version: twelve bits, then 62 behind the variant. A counter would keep the upper ones.
        let upper: HashSet<&str> = names.iter().map(|name| &name[13..16]).collect();
        let next: HashSet<&str> = names.iter().map(|name| &name[17..22]).collect();
        assert!(upper.len() > 500 && next.len() > 990, "{} {}", upper.len(), next.len());
        assert!(names.iter().all(|name| name.len() == 32 && &name[12..13] == "7"), "{names:?}");
    }
}
