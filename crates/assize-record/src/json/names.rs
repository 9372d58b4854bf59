//! Names in JSON: ids of the taxonomy, of records, of communities, of digests.

use crate::RecordId;
use assize_domain::{
    ActionCategory, CommunityId, Decision, Digest, Effect, Extent, HarmAction, Likelihood, Precision,
    RiskCategory, Severity, Stakeholder, Tier, UnknownName, UnusableTree,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;

/// What has a name.
pub(super) trait Named: Sized {
    fn write(&self) -> Cow<'static, str>;
    /// The error says what is allowed.
    fn read(name: &str) -> Result<Self, String>;
}

/// One of a fixed list, which shares or scores are given for.
pub(super) trait Listed: Named + Copy {
    const KIND: &'static str;
    fn all() -> impl Iterator<Item = Self>;
    /// Its place in the list.
    fn place(self) -> usize;
}

/// A value that is written as its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<T>(pub(super) T);

impl<T: Named> Serialize for Name<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.write())
    }
}

impl<'de, T: Named> Deserialize<'de> for Name<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        T::read(&name).map(Self).map_err(de::Error::custom)
    }
}

fn find<T: Copy>(kind: &'static str, all: &[T], id: fn(T) -> &'static str, name: &str) -> Result<T, String> {
    all.iter().copied().find(|one| id(*one) == name).ok_or_else(|| {
        let allowed = all.iter().map(|one| id(*one)).collect::<Vec<_>>().join(", ");
        UnknownName { kind, given: name.to_owned(), allowed }.to_string()
    })
}

macro_rules! named {
    ($($name:ident $kind:literal),* $(,)?) => {
        $(impl Named for $name {
            fn write(&self) -> Cow<'static, str> {
                self.id().into()
            }
            fn read(name: &str) -> Result<Self, String> {
                find($kind, &Self::ALL, Self::id, name)
            }
        })*
    };
}

macro_rules! listed {
    ($($name:ident $kind:literal),* $(,)?) => {
        named! { $($name $kind),* }
        $(impl Listed for $name {
            const KIND: &'static str = $kind;
            fn all() -> impl Iterator<Item = Self> {
                Self::ALL.into_iter()
            }
            fn place(self) -> usize {
                self.index()
            }
        })*
    };
}

named! {
    ActionCategory "action category",
    Decision "decision",
    Extent "extent",
    Likelihood "likelihood",
    Precision "precision",
    Tier "kind of model",
    UnusableTree "cause of an unusable tree",
}

listed! {
    Effect "effect",
    HarmAction "harmful action",
    RiskCategory "risk category",
    Stakeholder "stakeholder",
}

const IMMEDIATE: &str = "immediate";
const LATER: &str = "later";

/// As `major.high.later`.
impl Named for Severity {
    fn write(&self) -> Cow<'static, str> {
        let when = if self.immediate { IMMEDIATE } else { LATER };
        format!("{}.{}.{when}", self.extent.id(), self.likelihood.id()).into()
    }

    fn read(name: &str) -> Result<Self, String> {
        let mut parts = name.split('.');
        let mut part = || parts.next().unwrap_or_default();
        let (extent, likelihood) = (Extent::read(part())?, Likelihood::read(part())?);
        let immediate = match part() {
            IMMEDIATE => true,
            LATER => false,
            other => return Err(format!("`{other}` is no time; allowed: {IMMEDIATE}, {LATER}")),
        };
        match parts.next() {
            None => Ok(Self { extent, likelihood, immediate }),
            Some(_) => Err("a severity has three parts: extent, likelihood and time".to_owned()),
        }
    }
}

impl Listed for Severity {
    const KIND: &'static str = "severity";

    fn all() -> impl Iterator<Item = Self> {
        Self::all()
    }

    fn place(self) -> usize {
        self.index()
    }
}

impl Named for RecordId {
    fn write(&self) -> Cow<'static, str> {
        self.to_string().into()
    }

    fn read(name: &str) -> Result<Self, String> {
        name.parse().map_err(|error: crate::RecordError| error.to_string())
    }
}

impl Named for CommunityId {
    fn write(&self) -> Cow<'static, str> {
        self.to_string().into()
    }

    fn read(name: &str) -> Result<Self, String> {
        name.parse().map_err(|error: assize_domain::InvalidCommunityId| error.to_string())
    }
}

impl Named for Digest {
    fn write(&self) -> Cow<'static, str> {
        self.to_string().into()
    }

    fn read(name: &str) -> Result<Self, String> {
        digest(name).ok_or_else(|| "a digest is `sha256:` and 64 of `0-9` and `a-f`".to_owned())
    }
}

fn digest(name: &str) -> Option<Digest> {
    let (pairs, rest) = name.strip_prefix("sha256:")?.as_bytes().as_chunks::<2>();
    let mut bytes = [0; 32];
    if !rest.is_empty() || pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(Digest::new(bytes))
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Named + PartialEq + std::fmt::Debug>(value: T) {
        assert_eq!(T::read(&value.write()), Ok(value));
    }

    #[test]
    fn names_read_back() {
        Severity::all().for_each(check);
        ActionCategory::ALL.into_iter().for_each(check);
        Decision::ALL.into_iter().for_each(check);
        UnusableTree::ALL.into_iter().for_each(check);
        Precision::ALL.into_iter().for_each(check);
        Tier::ALL.into_iter().for_each(check);
        check(Digest::new(std::array::from_fn(|place| u8::try_from(place * 8).unwrap())));
        check("a-community".parse::<CommunityId>().unwrap());
    }

    #[test]
    fn other_names_are_refused() {
        for bad in ["", "major", "major.high", "major.high.soon", "major.high.later.", "big.high.later"] {
            assert!(Severity::read(bad).is_err(), "{bad}");
        }
        for bad in ["", "sha256:", &format!("sha256:{}", "0A".repeat(32)), &"0".repeat(64)] {
            assert!(Digest::read(bad).is_err(), "{bad}");
        }
    }
}
