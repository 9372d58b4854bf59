//! The leaves of annotated harm-benefit trees, and how much each weighs. Part of a row of `assize eval`; must never hold
//! a text.

use assize_domain::{ActionCategory, Extent, LeafWeights, Likelihood, Severity};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::str::FromStr;

/// One harm that answering could do; other keys are fine and not read.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct HarmLeaf {
    #[serde(deserialize_with = "named")]
    category: ActionCategory,
    #[serde(deserialize_with = "named")]
    extent: Extent,
    #[serde(deserialize_with = "named")]
    likelihood: Likelihood,
}

/// One benefit that answering could have.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct BenefitLeaf {
    #[serde(deserialize_with = "named")]
    extent: Extent,
    #[serde(deserialize_with = "named")]
    likelihood: Likelihood,
}

impl HarmLeaf {
    /// What kind of action does the harm.
    pub(crate) const fn category(self) -> ActionCategory {
        self.category
    }

    /// As for a benefit.
    pub(crate) fn mass(self) -> f64 {
        mass(self.extent, self.likelihood)
    }
}

impl BenefitLeaf {
    /// In the unit that masses are told in.
    pub(crate) fn mass(self) -> f64 {
        mass(self.extent, self.likelihood)
    }
}

/// The unit counts later effects as immediate ones.
fn mass(extent: Extent, likelihood: Likelihood) -> f64 {
    LeafWeights::UNIT.severity(Severity { extent, likelihood, immediate: true })
}

/// A word of a taxonomy by its id or title. The error is never shown: it would quote what was given.
fn named<'de, T: FromStr<Err: std::fmt::Display>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}
