//! Names and times of records.

use assize_record::{RecordId, UnixMillis};
use std::time::{SystemTime, UNIX_EPOCH};

/// A new name: a UUID of version 7, whose order is that of time, as 32 digits.
pub(crate) fn record() -> RecordId {
    RecordId::from(uuid::Uuid::now_v7().as_u128())
}

/// Now; a clock before 1970 counts as 1970.
pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
