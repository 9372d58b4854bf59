//! How much, how likely, how soon.

super::taxonomy! {
    /// How much a stakeholder is affected, from little to much.
    ///
    /// SOURCE: SafetyAnalyst (Li et al. 2024), the reporters' templates.
    Extent, "extent" {
        Minor "minor" "Minor",
        Significant "significant" "Significant",
        Substantial "substantial" "Substantial",
        Major "major" "Major",
    }
}

super::taxonomy! {
    /// How likely an effect is: below 30 %, up to 70 %, above.
    ///
    /// SOURCE: as [`Extent`].
    Likelihood, "likelihood" {
        Low "low" "Low",
        Medium "medium" "Medium",
        High "high" "High",
    }
}

/// How bad or good a leaf is: extent, likelihood and immediacy together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Severity {
    /// How much.
    pub extent: Extent,
    /// How likely.
    pub likelihood: Likelihood,
    /// Soon (true), or in the long run.
    pub immediate: bool,
}

impl Severity {
    /// How many there are.
    pub const COUNT: usize = Extent::COUNT * Likelihood::COUNT * 2;

    /// Its place among all: immediacy runs fastest, then likelihood, then extent. Below [`Self::COUNT`].
    pub const fn index(self) -> usize {
        (self.extent.index() * Likelihood::COUNT + self.likelihood.index()) * 2 + self.immediate as usize
    }

    /// Every severity, in the order of [`Self::index`].
    pub fn all() -> impl Iterator<Item = Self> {
        Extent::ALL.into_iter().flat_map(|extent| {
            Likelihood::ALL.into_iter().flat_map(move |likelihood| {
                [false, true].map(|immediate| Self { extent, likelihood, immediate })
            })
        })
    }
}
