//! The profile file as it is written: every key optional, nothing checked yet but names and types. What the numbers
//! mean and which are allowed is in [`crate::keys`] alone; [`crate::schema`] brings both together.

use crate::error::ProfileError;
use crate::schema;
use schemars::JsonSchema;
use serde::de::value::{SeqAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A community's profile: what it values, and from which point on it wants a review or a block.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = schema::profile)]
pub(crate) struct RawProfile {
    /// A short name for people.
    pub(crate) title: Option<String>,
    /// What kind of community this is and what it cares about.
    pub(crate) description: Option<String>,
    /// Id of the profile that gives every value not set here.
    pub(crate) extends: Option<String>,
    /// What a backend should do when no full verdict can be given: `closed` (hold back) or `open` (go on).
    pub(crate) on_failure: Option<RawFailureMode>,
    /// How the evidence is summed: `assize` (ours) or `safetyanalyst` (the published sum over the tree alone).
    pub(crate) aggregation: Option<RawAggregation>,
    /// Points on the harmfulness scale.
    #[serde(default)]
    pub(crate) thresholds: RawThresholds,
    /// What multiplies the evidence; for the aggregation `assize`.
    pub(crate) weights: Option<RawWeights>,
    /// The 29 parameters of the aggregation `safetyanalyst`.
    pub(crate) safetyanalyst: Option<RawSafetyAnalyst>,
    /// Sentences by reason code; they may hold `{community}`, `{category}`, `{points}` and `{percent}`, and of the
    /// likeliest leaf of the harm-benefit tree `{action}`, `{effect}`, `{stakeholder}`, `{extent}`, `{likelihood}` and
    /// `{soon}`.
    #[serde(default)]
    pub(crate) reasons: BTreeMap<String, String>,
    /// Labelled conversations that must come out as expected, or the file is refused. Not inherited.
    #[serde(default)]
    pub(crate) examples: Vec<RawExample>,
}

/// What a backend should do without a full verdict.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RawFailureMode {
    /// Go on as if allowed.
    Open,
    /// Hold back.
    Closed,
}

/// Points on the harmfulness scale; review lies at or below block.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = schema::thresholds)]
pub(crate) struct RawThresholds {
    pub(crate) review: Option<f64>,
    pub(crate) block: Option<f64>,
}

/// What multiplies the evidence.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = schema::weights)]
pub(crate) struct RawWeights {
    pub(crate) bias: Option<f64>,
    pub(crate) guard: Option<f64>,
    pub(crate) response: Option<f64>,
    pub(crate) adversarial: Option<f64>,
    pub(crate) refusal: Option<f64>,
    pub(crate) benefit: Option<f64>,
    #[serde(default)]
    pub(crate) harm: BTreeMap<String, f64>,
    #[serde(default)]
    pub(crate) effect: BTreeMap<String, f64>,
    #[serde(default)]
    pub(crate) stakeholder: BTreeMap<String, f64>,
    #[serde(default)]
    pub(crate) extent: BTreeMap<String, f64>,
    #[serde(default)]
    pub(crate) likelihood: BTreeMap<String, f64>,
    pub(crate) later: Option<f64>,
}

/// SafetyAnalyst's parameters.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = schema::safetyanalyst)]
pub(crate) struct RawSafetyAnalyst {
    #[serde(default)]
    pub(crate) action: BTreeMap<String, f64>,
    #[serde(default)]
    pub(crate) harm_extent: BTreeMap<String, f64>,
    #[serde(default)]
    pub(crate) harm_likelihood: BTreeMap<String, f64>,
    pub(crate) harm_later: Option<f64>,
    #[serde(default)]
    pub(crate) benefit_extent: BTreeMap<String, f64>,
    #[serde(default)]
    pub(crate) benefit_likelihood: BTreeMap<String, f64>,
    pub(crate) benefit_later: Option<f64>,
    pub(crate) benefit_weight: Option<f64>,
}

/// How the evidence is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RawAggregation {
    /// Ours.
    Assize,
    /// SafetyAnalyst's.
    SafetyAnalyst,
}

/// One labelled conversation: either `text` (a single user turn) or `turns`.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawExample {
    /// What a user says.
    pub(crate) text: Option<String>,
    /// A whole conversation.
    #[serde(default)]
    pub(crate) turns: Vec<RawTurn>,
    /// The decision, or the decisions, that are right.
    pub(crate) expect: RawExpect,
    /// Why.
    pub(crate) note: Option<String>,
}

/// One turn of an example.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTurn {
    pub(crate) role: RawRole,
    pub(crate) content: String,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RawRole {
    System,
    User,
    Assistant,
}

/// One decision or several.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum RawExpect {
    One(RawDecision),
    AnyOf(#[schemars(length(min = 1))] Vec<RawDecision>),
}

impl<'de> Deserialize<'de> for RawExpect {
    /// By hand, because the derived code tells of an "untagged enum" and not what is there and what is allowed.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpectVisitor)
    }
}

struct ExpectVisitor;

impl<'de> Visitor<'de> for ExpectVisitor {
    type Value = RawExpect;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`allow`, `review`, `block` or a list of them")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RawExpect, E> {
        RawDecision::deserialize(StrDeserializer::new(text)).map(RawExpect::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<RawExpect, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(RawExpect::AnyOf)
    }
}

/// A decision.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RawDecision {
    Allow,
    Review,
    Block,
}

/// Reads a file's text; unknown keys and wrong types are errors that name the key and the line.
pub(crate) fn parse(file: &str, text: &str) -> Result<RawProfile, ProfileError> {
    let fail = |key: String, error: &toml::de::Error| ProfileError {
        file: file.to_owned(),
        key,
        line: error.span().map(|span| line_of(text, span.start)),
        problem: error.message().trim().replace('\n', "; "),
    };
    let deserializer = toml::Deserializer::parse(text).map_err(|error| fail(String::new(), &error))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        fail(if path == "." { String::new() } else { path }, error.inner())
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
