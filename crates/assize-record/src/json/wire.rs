//! The shape of a record in JSON. Every key is ours; any other is refused.

use super::{
    names::Name,
    numbers::{Leaves, Probability, Risks, SharesOf},
};
use crate::RecordId;
use assize_domain::{
    ActionCategory, CommunityId, Decision, Digest, Effect, Extent, HarmAction, Likelihood, Precision,
    Severity, Stakeholder, Tier, UnusableTree,
};
use serde::{Deserialize, Deserializer, Serialize};

/// Writes a wire type: both ways, without unknown keys; an optional part that is absent is left out.
macro_rules! wire {
    ($($(#[$meta:meta])* $name:ident { $($(#[$part:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        $($(#[$meta])*
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name { $($(#[$part])* pub(super) $field: $type),* })*
    };
}

wire! {
    RecordWire {
        version: u64,
        taxonomy: String,
        id: Name<RecordId>,
        at: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decided: Option<DecidedWire>,
        model: ModelWire,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        precision: Option<Name<Precision>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        consulted: Vec<ConsultedWire>,
        operating_points: OperatingPointsWire,
        guard: GuardWire,
        topics: TopicsWire,
        coverage: CoveragesWire,
        tree: TreeWire,
    }

    DecidedWire {
        community: Name<CommunityId>,
        profile: Name<Digest>,
        decision: Name<Decision>,
    }

    ModelWire {
        name: String,
        revision: Name<Digest>,
    }

    ConsultedWire {
        tier: Name<Tier>,
        answered: bool,
        model: ModelWire,
    }

    OperatingPointsWire {
        prompt_harmful: Probability,
        response_harmful: Probability,
        response_refusal: Probability,
        adversarial: Probability,
    }

    GuardWire {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prompt: Option<PromptWire>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        response: Option<ResponseWire>,
    }

    PromptWire {
        harmful: Probability,
        adversarial: Probability,
        risk: Risks,
    }

    ResponseWire {
        harmful: Probability,
        refusal: Probability,
    }

    TopicsWire {
        minors: bool,
        sexual: bool,
        mass_harm_weapons: bool,
    }

    CoveragesWire {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prompt: Option<CoverageWire>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        response: Option<CoverageWire>,
    }

    CoverageWire {
        tokens: usize,
        judged: usize,
        unknown: usize,
        windows: usize,
    }

    ExpectedWire {
        harms: Vec<HarmWire>,
        benefits: Vec<BenefitWire>,
    }

    HarmWire {
        category: Name<ActionCategory>,
        leaves: Leaves,
        presence_255ths: u8,
        severity_255ths: SharesOf<Severity, { Severity::COUNT }>,
        stakeholder_255ths: SharesOf<Stakeholder, { Stakeholder::COUNT }>,
        effect_255ths: SharesOf<Effect, { Effect::COUNT }>,
        action_255ths: SharesOf<HarmAction, { HarmAction::COUNT }>,
    }

    BenefitWire {
        effect: Name<Effect>,
        leaves: Leaves,
        presence_255ths: u8,
        severity_255ths: SharesOf<Severity, { Severity::COUNT }>,
        stakeholder_255ths: SharesOf<Stakeholder, { Stakeholder::COUNT }>,
    }

    ReportedWire {
        harms: Vec<LeafWire>,
        benefits: Vec<LeafWire>,
    }

    LeafWire {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<Name<ActionCategory>>,
        /// Absent where it is the category; `null` where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
        published_category: Option<Option<Name<ActionCategory>>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<Name<HarmAction>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        effect: Option<Name<Effect>>,
        stakeholder: Name<Stakeholder>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        extent: Option<Name<Extent>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        likelihood: Option<Name<Likelihood>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        immediate: Option<bool>,
    }
}

/// What is there is given, `null` too.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Name<ActionCategory>>>, D::Error> {
    Option::deserialize(from).map(Some)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TreeWire {
    NotRequested,
    Unusable(Name<UnusableTree>),
    Expected(ExpectedWire),
    Reported(ReportedWire),
    Both { expected: ExpectedWire, reported: ReportedWire },
}
