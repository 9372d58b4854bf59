//! What a community decides about an assessment, and why.

use crate::{
    ActionCategory, CommunityId, Coverage, Degradation, GuardHead, GuardScores, Provenance, Subject,
    TreeOutcome,
};
use std::fmt;

/// What the chatbot should do. Ordered by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Decision {
    /// Go on.
    Allow,
    /// Hold for a person, or answer with care.
    Review,
    /// Don't.
    Block,
}

impl Decision {
    /// Every decision, mildest first.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Review, Self::Block];

    /// The stable name on the wire, in profiles and in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Review => "review",
            Self::Block => "block",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A line that no community can move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Floor {
    /// Sexual content that involves minors.
    SexualContentWithMinors,
    /// Help with weapons of mass harm.
    MassHarmWeapons,
}

impl Floor {
    /// Every floor.
    pub const ALL: [Self; 2] = [Self::SexualContentWithMinors, Self::MassHarmWeapons];

    /// The stable name on the wire and in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::SexualContentWithMinors => "sexual_content_with_minors",
            Self::MassHarmWeapons => "mass_harm_weapons",
        }
    }
}

/// One piece of evidence that a profile weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// The profile's starting point.
    Bias,
    /// A head of the guard.
    Guard(GuardHead),
    /// The expected harm in one action category.
    Harm(ActionCategory),
    /// The expected benefit.
    Benefit,
}

impl Evidence {
    /// The stable name on the wire and in profiles: `bias`, `guard.<head>`, `harm.<category>`, `benefit`.
    pub fn id(self) -> String {
        match self {
            Self::Bias => "bias".to_owned(),
            Self::Guard(head) => format!("guard.{}", head.id()),
            Self::Harm(category) => format!("harm.{}", category.id()),
            Self::Benefit => "benefit".to_owned(),
        }
    }
}

/// What one piece of evidence adds to a subject's score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution {
    /// Which evidence.
    pub evidence: Evidence,
    /// What the models measured, in the evidence's own unit (log-odds, log-mass or probability).
    pub value: f64,
    /// What the community multiplies it by.
    pub weight: f64,
    /// What it adds to the score, in log-odds; negative where it speaks for the conversation.
    pub points: f64,
}

/// Why a verdict is what it is, in a person's words.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// A floor's id, a degradation's id or an evidence's id.
    pub code: String,
    /// The sentence, from the profile's templates.
    pub text: String,
    /// What it added to the score; `None` for a floor or a degradation, which add nothing and decide alone.
    pub points: Option<f64>,
}

/// How far harmfulness lies from each threshold; negative below it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margin {
    /// Harmfulness minus the review threshold.
    pub review: f64,
    /// Harmfulness minus the block threshold.
    pub block: f64,
}

/// What carried the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecidedBy {
    /// Harmfulness against the community's thresholds.
    Thresholds,
    /// A line that no community can move.
    Floor(Floor),
    /// Something was missing, and the community fails closed.
    Degradation(Degradation),
}

/// The sum for one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectVerdict {
    /// Prompt or response.
    pub subject: Subject,
    /// Sum of the contributions, in log-odds.
    pub score: f64,
    /// The logistic function of `score`, in `[0, 1]`.
    pub harmfulness: f64,
    /// Every contribution; their points sum to `score`.
    pub contributions: Vec<Contribution>,
}

/// A community's answer for one conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Whose values decided.
    pub community: CommunityId,
    /// What to do.
    pub decision: Decision,
    /// What carried it.
    pub decided_by: DecidedBy,
    /// The more harmful subject first; never empty.
    pub subjects: Vec<SubjectVerdict>,
    /// In `[0, 1]`: that of the more harmful subject.
    pub harmfulness: f64,
    /// How near the thresholds it is.
    pub margin: Margin,
    /// The strongest reasons, strongest first.
    pub reasons: Vec<Reason>,
    /// In which ways the assessment fell short.
    pub degraded: Vec<Degradation>,
    /// The guard's scores, as judged.
    pub guard: GuardScores,
    /// The harm-benefit side, as judged.
    pub tree: TreeOutcome,
    /// How much of the prompt was read.
    pub prompt_coverage: Option<Coverage>,
    /// How much of the response was read.
    pub response_coverage: Option<Coverage>,
    /// What it rests on.
    pub provenance: Provenance,
}
