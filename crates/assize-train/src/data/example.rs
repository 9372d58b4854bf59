//! What the trainer learns from: one conversation, what is asked of it, and the answers that are known.

use assize_domain::{GuardHead, RiskCategory, Severity};
use std::sync::Arc;

/// One sequence to learn from. Holds text: never printed, never logged.
#[derive(Clone)]
pub struct Example {
    /// Which of the configured sets it is from: an index into [`super::Corpus::sets`].
    pub set: usize,
    /// Earlier user turns, the oldest first; read before the prompt where there are some.
    pub context: Vec<Arc<str>>,
    /// The user's turn.
    pub prompt: Arc<str>,
    /// The reply; where it is present the sequence is the pair of both.
    pub response: Option<Arc<str>>,
    /// What is known of it.
    pub labels: Labels,
    /// How much it counts, above 0.
    pub weight: f32,
}

impl std::fmt::Debug for Example {
    /// Never shows a text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Example")
            .field("set", &self.set)
            .field("weight", &self.weight)
            .finish_non_exhaustive()
    }
}

/// Known answers; `None` where nothing is known, which is then not taught.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labels {
    /// In the order of [`GuardHead::ALL`]: a probability, 0 or 1 where a person said so.
    pub binary: [Option<f32>; GuardHead::ALL.len()],
    /// In the order of [`RiskCategory::ALL`].
    pub risk: Option<[bool; RiskCategory::ALL.len()]>,
    /// The harm-benefit tree of the prompt.
    pub tree: Option<Arc<Tree>>,
}

/// The leaves of an annotated tree; possibly none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Harms.
    pub harms: Vec<Leaf>,
    /// Benefits.
    pub benefits: Vec<Leaf>,
}

/// One leaf, its names as places in the domain's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// Of the 16 action categories (`assize_domain::ActionCategory::ALL`); 0 for a benefit.
    pub category: usize,
    /// Of the 45 harmful actions (`HarmAction::ALL`); 0 for a benefit.
    pub action: usize,
    /// Of the 15 effects (`Effect::ALL`).
    pub effect: usize,
    /// Of the 9 groups of stakeholders (`Stakeholder::ALL`).
    pub stakeholder: usize,
    /// How much, how likely, how soon.
    pub severity: Severity,
}
