//! Numbers in JSON: scores, counts of leaves, and shares or scores by name. All are exact.

use super::names::{Listed, Name};
use assize_domain::{LeafCount, RiskCategory, Score, Shares};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// A score, with all its digits: as a double, so that a reader's rounding can't change it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Probability(pub(super) Score);

/// A number of leaves. 256ths are exact in decimals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Leaves(pub(super) LeafCount);

/// Whole 255ths by name; a name without a share is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SharesOf<K, const N: usize>(pub(super) Shares<N>, PhantomData<K>);

/// A score for each risk category, all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Risks(pub(super) [Score; RiskCategory::COUNT]);

/// Leaves in a whole, in parts.
const PARTS: f64 = 256.0;
/// How far from a whole part a number may lie: far below a part, far above what reading a double loses.
const ROUNDING: f64 = 1e-6;

impl<K, const N: usize> From<Shares<N>> for SharesOf<K, N> {
    fn from(shares: Shares<N>) -> Self {
        Self(shares, PhantomData)
    }
}

impl Serialize for Probability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0.get()))
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[expect(clippy::cast_possible_truncation, reason = "to the nearest, which is the one written")]
        let score = f64::deserialize(deserializer)? as f32;
        Score::new(score).map(Self).map_err(de::Error::custom)
    }
}

impl Serialize for Leaves {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.get())
    }
}

impl<'de> Deserialize<'de> for Leaves {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let leaves = f64::deserialize(deserializer)?;
        let parts = leaves * PARTS;
        let allowed = (0.0..=f64::from(u16::MAX)).contains(&parts.round());
        if !allowed || (parts - parts.round()).abs() > ROUNDING {
            return Err(de::Error::custom(format_args!(
                "{leaves} is no number of leaves; allowed: whole 256ths from 0 to 255.99609375"
            )));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 65535")]
        let parts = parts.round() as u16;
        Ok(Self(LeafCount::from_parts(parts)))
    }
}

impl<K: Listed, const N: usize> Serialize for SharesOf<K, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shares = || K::all().zip(self.0.bytes()).filter(|(_, share)| **share > 0);
        let mut map = serializer.serialize_map(Some(shares().count()))?;
        for (name, share) in shares() {
            map.serialize_entry(&Name(name), share)?;
        }
        map.end()
    }
}

impl<'de, K: Listed, const N: usize> Deserialize<'de> for SharesOf<K, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given: ByName<K, u8> = ByName::deserialize(deserializer)?;
        let mut shares = [0; N];
        for (place, share) in given.values {
            *shares.get_mut(place).ok_or_else(|| de::Error::custom("a place is beyond its taxonomy"))? =
                share;
        }
        Shares::from_bytes(shares).map(Self::from).ok_or_else(|| {
            let sum: u32 = shares.iter().map(|share| u32::from(*share)).sum();
            de::Error::custom(format_args!("the shares sum to {sum}; they are 255ths and must sum to 255"))
        })
    }
}

impl Serialize for Risks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scores = RiskCategory::ALL.into_iter().map(Name).zip(self.0.map(Probability));
        serializer.collect_map(scores)
    }
}

impl<'de> Deserialize<'de> for Risks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given: ByName<RiskCategory, Probability> = ByName::deserialize(deserializer)?;
        let scores: Vec<Score> = given.values.values().map(|probability| probability.0).collect();
        let missing = RiskCategory::ALL.into_iter().filter(|risk| !given.values.contains_key(&risk.index()));
        let missing: Vec<_> = missing.map(RiskCategory::id).collect();
        let missing = || de::Error::custom(format_args!("missing: {}", missing.join(", ")));
        scores.try_into().map(Self).map_err(|_| missing())
    }
}

/// Values by the places of their names.
struct ByName<K, V> {
    values: BTreeMap<usize, V>,
    names: PhantomData<K>,
}

impl<'de, K: Listed, V: Deserialize<'de>> Deserialize<'de> for ByName<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ByNameVisitor(PhantomData))
    }
}

struct ByNameVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K: Listed, V: Deserialize<'de>> de::Visitor<'de> for ByNameVisitor<K, V> {
    type Value = ByName<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number for each {}", K::KIND)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = BTreeMap::new();
        while let Some((Name(name), value)) = map.next_entry::<Name<K>, V>()? {
            if values.insert(name.place(), value).is_some() {
                return Err(de::Error::custom(format_args!("`{}` is given twice", name.write())));
            }
        }
        Ok(ByName { values, names: PhantomData })
    }
}
