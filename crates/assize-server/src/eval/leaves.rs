//! The leaves of annotated harm-benefit trees, and how much each weighs. Part of a row of `assize eval`; must never hold
//! a text.

use assize_domain::ActionCategory;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// One harm that answering could do; other keys are fine and not read.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct HarmLeaf {
    #[serde(deserialize_with = "category")]
    category: ActionCategory,
    extent: Extent,
    likelihood: Likelihood,
}

/// One benefit that answering could have.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct BenefitLeaf {
    extent: Extent,
    likelihood: Likelihood,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Extent {
    Minor,
    Significant,
    Substantial,
    Major,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Likelihood {
    Low,
    Medium,
    High,
}

impl HarmLeaf {
    /// What kind of action does the harm.
    pub(crate) const fn category(self) -> ActionCategory {
        self.category
    }

    /// Extent times likelihood, in the unit of [`assize_domain::Mass`].
    pub(crate) const fn mass(self) -> f64 {
        mass(self.extent, self.likelihood)
    }
}

impl BenefitLeaf {
    /// As for a harm.
    pub(crate) const fn mass(self) -> f64 {
        mass(self.extent, self.likelihood)
    }
}

/// SOURCE: the weights of [`assize_domain::Mass`], which the model's heads were trained to expect.
const fn mass(extent: Extent, likelihood: Likelihood) -> f64 {
    let extent = match extent {
        Extent::Minor => 0.25,
        Extent::Significant => 0.5,
        Extent::Substantial => 0.75,
        Extent::Major => 1.0,
    };
    let likelihood = match likelihood {
        Likelihood::Low => 0.15,
        Likelihood::Medium => 0.5,
        Likelihood::High => 0.85,
    };
    extent * likelihood
}

/// A category by its id or title. The error is never shown: it would quote what was given.
fn category<'de, D: Deserializer<'de>>(from: D) -> Result<ActionCategory, D::Error> {
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}
