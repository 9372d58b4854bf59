//! Why a fit can't be made, said so that an operator can mend it.

use assize_domain::CommunityId;

/// What is wrong with the parent, the labels or the settings.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The parent sums in another way, whose numbers are not fitted.
    #[error(
        "`{parent}` has `aggregation = \"{aggregation}\"`; only profiles with `aggregation = \"assize\"` can be fitted"
    )]
    Aggregation {
        /// The parent's id.
        parent: CommunityId,
        /// The id of its aggregation.
        aggregation: &'static str,
    },
    /// Too little to learn from and to check it on.
    #[error(
        "{usable} labelled conversations can be learnt from; needed: {needed} ({set_aside} labels were set aside)"
    )]
    TooFew {
        /// Different conversations whose labels can be used.
        usable: usize,
        /// How many there must be.
        needed: usize,
        /// Labels that weights can't change.
        set_aside: usize,
    },
    /// A rating is no number from 0 to 100.
    #[error("the rating of label {place} is `{rating}`; allowed: 0 to 100")]
    Rating {
        /// Which label, counted from 1.
        place: usize,
        /// What was given.
        rating: f64,
    },
    /// Ratings say how harmful something is, decisions what to do about it: two scales.
    #[error("{decisions} labels are decisions and {ratings} are ratings; allowed: all of one kind")]
    Mixed {
        /// How many are decisions.
        decisions: usize,
        /// How many are ratings.
        ratings: usize,
    },
    /// Nothing can be told apart.
    #[error("all {labels} labels are the same; add conversations that the community judges differently")]
    AllEqual {
        /// How many there are.
        labels: usize,
    },
    /// The community's file is not TOML.
    #[error("the community's present file is not TOML; mend it first: `assize check-config` says where")]
    File,
    /// The pull toward the parent is no positive number.
    #[error("the spread is `{spread}`; allowed: above 0 and up to 100")]
    Spread {
        /// What was given.
        spread: f64,
    },
}
