//! Names of communities: short slugs, safe in paths, labels and logs.

use std::{fmt, str::FromStr, sync::Arc};

/// The id of a community: 1 to 64 of `a-z`, `0-9`, `-` and `_`, starting with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommunityId(Arc<str>);

/// A text that is no community id. The text itself is not kept: it may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a community id is 1 to 64 of `a-z`, `0-9`, `-` and `_`, starting with a letter or digit")]
pub struct InvalidCommunityId;

impl CommunityId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CommunityId {
    type Err = InvalidCommunityId;

    fn from_str(text: &str) -> Result<Self, InvalidCommunityId> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if starts_well && text.len() <= 64 && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidCommunityId)
        }
    }
}

impl fmt::Display for CommunityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slugs_are_ids() {
        for good in ["default", "a", "0-a_b", &"x".repeat(64)] {
            assert_eq!(good.parse::<CommunityId>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", "A", "a b", "a/b", "é", "..", &"x".repeat(65)] {
            assert_eq!(bad.parse::<CommunityId>(), Err(InvalidCommunityId), "{bad}");
        }
    }
}
