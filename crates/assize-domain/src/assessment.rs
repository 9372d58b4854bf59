//! What the models say about a conversation: the same for every community, and without a word of its text.

use crate::{
    Coverage, GuardScores, ModelIdentity, OperatingPoints, Precision, Tier, TopicSignals, Tree, TreeOutcome,
};

/// Everything that judging found. Any community's profile can be applied to it, now or later.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// The guard's scores.
    pub guard: GuardScores,
    /// Where each of the guard's heads turns from no to yes.
    pub operating_points: OperatingPoints,
    /// The harm-benefit side.
    pub tree: TreeOutcome,
    /// Topics found by their terms.
    pub topics: TopicSignals,
    /// How much of the prompt was read; `None` where it was not judged.
    pub prompt_coverage: Option<Coverage>,
    /// How much of the response was read; `None` where it was not judged.
    pub response_coverage: Option<Coverage>,
    /// Which model judged first.
    pub model: ModelIdentity,
    /// What it computed in; `None` where that was not kept, or no encoder computed.
    pub precision: Option<Precision>,
    /// The models that were asked after it, in their order; where one answered, its scores stand for the first one's.
    pub consulted: Vec<Consulted>,
}

/// A further model that was asked about a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consulted {
    /// Which kind of model.
    pub tier: Tier,
    /// Which one.
    pub model: ModelIdentity,
    /// Whether it answered. One that did not is told only where its silence is to count.
    pub answered: bool,
}

/// A way in which an assessment is less than it should be. Makes a verdict stricter, never looser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Degradation {
    /// A part of the text was not read, or all of it.
    PartialCoverage,
    /// Some leaves of the harm-benefit tree can't be read.
    PartialTree,
    /// The harm-benefit side can't be used.
    TreeUnusable,
    /// A model that should have been asked gave no answer.
    TierSilent,
}

impl Degradation {
    /// Every degradation.
    pub const ALL: [Self; 4] =
        [Self::PartialCoverage, Self::PartialTree, Self::TreeUnusable, Self::TierSilent];

    /// The stable name on the wire and in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::PartialCoverage => "partial_coverage",
            Self::PartialTree => "partial_tree",
            Self::TreeUnusable => "tree_unusable",
            Self::TierSilent => "tier_silent",
        }
    }
}

impl Assessment {
    /// In which ways this assessment falls short.
    pub fn degradations(&self) -> Vec<Degradation> {
        let coverages = [self.prompt_coverage, self.response_coverage];
        // Where nothing was judged, nothing was read, which must not look like harmlessness.
        let nothing = self.guard.prompt.is_none() && self.guard.response.is_none();
        let partial = nothing || coverages.iter().flatten().any(|coverage| !coverage.is_whole());
        let unusable = matches!(self.tree, TreeOutcome::Unusable(_));
        let silent = self.consulted.iter().any(|consulted| !consulted.answered);
        let in_part = self.tree.tree().is_some_and(Tree::is_partial);
        let found = [
            (partial, Degradation::PartialCoverage),
            (in_part, Degradation::PartialTree),
            (unusable, Degradation::TreeUnusable),
            (silent, Degradation::TierSilent),
        ];
        found.into_iter().filter_map(|(is_so, degradation)| is_so.then_some(degradation)).collect()
    }
}
