//! The vocabulary of Assize. Read it first.
//!
//! A [`Conversation`] of [`Turn`]s comes in; models *judge* it into an [`Assessment`], which is the same for
//! everyone; a community's profile *values* the assessment into a [`Verdict`]. This crate holds those words and
//! their invariants, and nothing else.
//!
//! What is absent here, on purpose: async, serde, files, environment, clocks, logging, models, weights.

mod assessment;
mod community;
mod conversation;
mod coverage;
mod guard;
mod provenance;
mod score;
mod signal;
mod taxonomy;
mod text;
mod tree;
mod verdict;

pub use assessment::{Assessment, Consulted, Degradation};
pub use community::{CommunityId, InvalidCommunityId};
pub use conversation::{Conversation, InvalidConversation, JudgeRequest, Limits, Role, Subject, Turn};
pub use coverage::Coverage;
pub use guard::{GuardHead, GuardScores, OperatingPoints, PromptScores, ResponseScores};
pub use provenance::{Digest, ModelIdentity, Precision, Provenance, Tier};
pub use score::{InvalidScore, Score};
pub use signal::{Topic, TopicSignals};
pub use taxonomy::{
    ActionCategory, Effect, EffectGroup, Extent, HarmAction, Likelihood, RiskCategory, Severity, Stakeholder,
    TAXONOMY_VERSION, UnknownName,
};
pub use text::{TurnText, is_invisible};
pub use tree::{
    BenefitBranch, BothTrees, Branch, ExpectedTree, HarmBranch, LeafCount, LeafWeights, Masses, ReportedLeaf,
    ReportedTree, Shares, Tree, TreeOutcome, UnusableTree,
};
pub use verdict::{
    Contribution, DecidedBy, Decision, Evidence, Floor, Margin, Reason, SubjectVerdict, Verdict,
};
