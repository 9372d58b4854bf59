//! What a client gets.

use crate::request::Judge;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What the chatbot should do, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Go on.
    Allow,
    /// Hold for a person, or answer with care.
    Review,
    /// Don't.
    Block,
}

/// A community's verdict on one conversation. A block is an ordinary answer (HTTP 200).
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct VerdictResponse {
    /// Name of the assessment: what `POST /what-if` and `GET /assessments/{id}` find it by, for as long as it is kept.
    pub id: String,
    /// What to do.
    pub decision: Decision,
    /// What carried the decision: `thresholds`, `floor.<id>` or `degraded.<id>`.
    pub decided_by: String,
    /// In `[0, 1]`; of the more harmful subject.
    #[schema(minimum = 0, maximum = 1)]
    pub harmfulness: f64,
    /// Harmfulness minus each threshold.
    pub margin: Margin,
    /// The more harmful subject.
    pub subject: Judge,
    /// The guard's scores.
    pub scores: Scores,
    /// WildGuard's 13 risk categories of the prompt, each in `[0, 1]`; absent where the prompt was not judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_categories: Option<BTreeMap<String, f32>>,
    /// Expected harm mass of answering, by SafetyAnalyst's 16 action categories; absent where it was not weighed. The embedded
    /// model's, also where a reporter's tree decides: that is in `subjects`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub harm_masses: Option<BTreeMap<String, f64>>,
    /// Expected benefit mass of answering; absent where it was not weighed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benefit_mass: Option<f64>,
    /// Why, strongest first; absent with `explain: none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Vec<Reason>>,
    /// The whole sum of each judged subject; only with `explain: full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<SubjectVerdict>>,
    /// How much of each judged subject was read.
    pub coverage: BTreeMap<String, Coverage>,
    /// Ways in which the assessment fell short; absent where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degraded: Vec<String>,
    /// What the verdict rests on.
    pub provenance: Provenance,
    /// The job that writes the full harm-benefit tree, where one was asked for or the decision is close.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Job>,
}

/// A job: a reporter writes the full harm-benefit tree, and the verdict is decided again with it.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct Job {
    /// Name of the job, and of the verdict's assessment.
    pub id: String,
    /// How far it is.
    pub status: JobStatus,
    /// Where to ask for what came of it; absent where it was refused at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Why there is no tree, as one of the codes of errors; only where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    /// The tree is being written, or waits for its turn.
    Pending,
    /// The tree was written, and the verdict decided with it.
    Done,
    /// There is no tree.
    Failed,
}

/// A job, and once it has ended the verdict as it stands now.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct JobResponse {
    /// The job itself.
    #[serde(flatten)]
    pub job: Job,
    /// Tokens of the tree that were written so far; only while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_tokens: Option<usize>,
    /// What the reporter wrote, as records have it: `harms` and `benefits`, each a list of leaves, with `null` for a word that
    /// could not be read; only where it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub tree: Option<serde_json::Value>,
    /// How the decision differs from the first one: `same`, `stricter` or `milder`; absent while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// The verdict as it stands now, with its whole sum; absent while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Box<VerdictResponse>>,
}

/// What a webhook is sent when a job has ended.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct JobEvent {
    /// `verdict.updated` where the tree was written, `job.failed` where there is none.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it ended, as RFC 3339.
    pub timestamp: String,
    /// What `GET /jobs/{id}` gives.
    pub data: JobResponse,
}

/// Harmfulness minus each threshold; negative below it.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
pub struct Margin {
    /// Distance to a review.
    pub review: f64,
    /// Distance to a block.
    pub block: f64,
}

/// The guard's scores, each a probability; `null` where the subject was not judged.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
pub struct Scores {
    /// Is the prompt harmful?
    pub prompt_harmful: Option<f32>,
    /// Is the prompt an attack on the chatbot?
    pub adversarial: Option<f32>,
    /// Is the response harmful?
    pub response_harmful: Option<f32>,
    /// Is the response a refusal?
    pub response_refusal: Option<f32>,
}

/// One cause of the decision.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct Reason {
    /// Stable code: `guard.<head>[.low]`, `harm.<category>`, `benefit`, `floor.<id>` or `degraded.<id>`.
    pub code: String,
    /// The community's sentence for it.
    pub text: String,
    /// Points in log-odds that it added; `null` for what decides alone.
    pub contribution: Option<f64>,
}

/// The sum for one subject.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct SubjectVerdict {
    /// Prompt or response.
    pub subject: Judge,
    /// In `[0, 1]`: the logistic function of `score`.
    pub harmfulness: f64,
    /// Sum of all contributions, in log-odds.
    pub score: f64,
    /// Every contribution.
    pub contributions: Vec<Contribution>,
}

/// One term of the sum.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct Contribution {
    /// Which evidence.
    pub code: String,
    /// What the models measured.
    pub value: f64,
    /// What the community multiplies it by.
    pub weight: f64,
    /// Value times weight, in log-odds.
    pub contribution: f64,
}

/// How much of a subject the models read.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
pub struct Coverage {
    /// Tokens in the text.
    pub tokens: usize,
    /// Tokens that were read.
    pub judged: usize,
    /// Tokens that the model does not know; many of them make the verdict `degraded`.
    pub unknown: usize,
    /// `judged / tokens`.
    pub fraction: f32,
    /// Windows that the text was read in.
    pub windows: usize,
}

/// Enough to give the same verdict again.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct Provenance {
    /// The model's name.
    pub model: String,
    /// Digest over the model's files.
    pub model_revision: String,
    /// What the model computed in: `f32`, `bf16` or `int8`. The same model's scores differ a little from one to another.
    /// Absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// The models that were asked after it, in their order; absent where none was. Where one answered, its scores stand for
    /// the first model's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consulted: Vec<Consulted>,
    /// Whose values decided.
    pub community: String,
    /// Digest over the community's profile.
    pub profile_digest: String,
    /// Version of the category lists.
    pub taxonomy_version: String,
}

/// A model that was asked after the first.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct Consulted {
    /// Its kind: `guard` or `reporter`.
    pub tier: String,
    /// Its name.
    pub model: String,
    /// Digest over its files.
    pub model_revision: String,
    /// Whether it answered. Where its silence is to count, the verdict is `degraded` by `tier_silent`.
    pub answered: bool,
}

/// What assessments would come to under other values.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WhatIfResponse {
    /// One for each assessment and profile: all profiles of the first assessment, then of the next.
    pub verdicts: Vec<WhatIfVerdict>,
    /// Ids that are not kept (any more).
    pub unknown: Vec<String>,
}

/// One assessment under one profile.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WhatIfVerdict {
    /// Whether the profile is the community's candidate, and not the one in force.
    pub candidate: bool,
    /// What was decided when it was judged; absent where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<DecidedThen>,
    /// The verdict under this profile.
    #[serde(flatten)]
    pub verdict: VerdictResponse,
}

/// What was decided when an assessment was made.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct DecidedThen {
    /// Whose values decided.
    pub community: String,
    /// Digest over its profile as it was then.
    pub profile_digest: String,
    /// What was decided.
    pub decision: Decision,
}

/// A community, in a list.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct CommunitySummary {
    /// Name in requests.
    pub id: String,
    /// Name for people.
    pub title: String,
    /// Digest over the profile in force.
    pub digest: String,
    /// Whether requests that name none are decided by it.
    pub default: bool,
}

/// A community with its values.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct CommunityDetail {
    /// Name in requests.
    pub id: String,
    /// Name for people.
    pub title: String,
    /// What it cares about.
    pub description: String,
    /// The profile that it builds on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// Digest over the profile in force.
    pub digest: String,
    /// What a backend should do without a full verdict: `open` or `closed`.
    pub on_failure: String,
    /// Harmfulness from which on it is a review or a block.
    pub thresholds: BTreeMap<String, f64>,
    /// How the evidence is summed: `assize` or `safetyanalyst`.
    pub aggregation: String,
    /// Every weight in force, by key.
    pub weights: BTreeMap<String, f64>,
    /// Lines that hold here as everywhere; no profile can move them.
    pub floors: Vec<String>,
    /// How many labelled examples guard the profile.
    pub examples: usize,
}

/// Whether the service can judge, and why not.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct Readiness {
    /// `ready`, `starting`, `failed` or `draining`.
    pub status: String,
    /// What each part says; only with `?verbose`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<String, String>,
}
