//! A validated profile: every weight is finite and in range, so that nothing has to be checked again.

use crate::evidence::unbounded_log_odds;
use crate::weights::Aggregation;
use assize_domain::{CommunityId, Conversation, Decision, Digest};
use std::collections::BTreeMap;

/// What a community tells its backend to do when there is no full verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureMode {
    /// Go on as if allowed.
    Open,
    /// Hold back.
    Closed,
}

impl FailureMode {
    /// The stable name on the wire, in profiles and in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Points on the harmfulness scale. INVARIANT: 0 < review ≤ block ≤ 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// At or above: at least a review.
    pub review: f64,
    /// At or above: a block.
    pub block: f64,
}

impl Thresholds {
    /// The decision for a harmfulness in `[0, 1]`.
    pub fn decide(&self, harmfulness: f64) -> Decision {
        self.first(|threshold| harmfulness >= threshold)
    }

    /// The decision for a score in log-odds that must lie above a threshold, and not only at it: SafetyAnalyst's reading.
    /// By the thresholds' log-odds, because a score of 1e-17 is above 0 and its logistic is one half.
    pub(crate) fn decide_above(&self, score: f64) -> Decision {
        self.first(|threshold| score > unbounded_log_odds(threshold))
    }

    fn first(&self, is_reached: impl Fn(f64) -> bool) -> Decision {
        if is_reached(self.block) {
            Decision::Block
        } else if is_reached(self.review) {
            Decision::Review
        } else {
            Decision::Allow
        }
    }
}

/// A labelled conversation that a profile must decide as its authors expect.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// What is judged.
    pub conversation: Conversation,
    /// The decisions that are right; never empty.
    pub expect: Vec<Decision>,
    /// Why, in the authors' words.
    pub note: Option<String>,
}

/// A community's values, validated and with everything inherited filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub(crate) id: CommunityId,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) extends: Option<CommunityId>,
    pub(crate) on_failure: FailureMode,
    pub(crate) thresholds: Thresholds,
    pub(crate) aggregation: Aggregation,
    pub(crate) reasons: BTreeMap<String, String>,
    pub(crate) examples: Vec<Example>,
    pub(crate) digest: Digest,
}

impl Profile {
    /// The community's id: the file's name without `.toml`.
    pub const fn id(&self) -> &CommunityId {
        &self.id
    }

    /// A short name for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What kind of community this is.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The profile that this one was built on.
    pub const fn extends(&self) -> Option<&CommunityId> {
        self.extends.as_ref()
    }

    /// What its backend should do without a full verdict.
    pub const fn on_failure(&self) -> FailureMode {
        self.on_failure
    }

    /// Its thresholds.
    pub const fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// How it sums, and its weights.
    pub const fn aggregation(&self) -> &Aggregation {
        &self.aggregation
    }

    /// Its labelled examples.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// Digest over everything in it that can change a verdict.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}
