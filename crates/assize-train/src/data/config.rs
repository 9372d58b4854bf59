//! The `[data]` part of `train.toml`: which sets are learnt from, how often, and how they are varied. Checked as it is
//! read, so a [`DataConfig`] never names a benchmark or a validation file as something to learn from.

use super::error::DataError;
use assize_domain::GuardHead;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::path::{Component, Path, PathBuf};

/// More would let a few rows drown the rest; it also catches a slipped decimal point.
const REPEAT: RangeInclusive<f64> = 0.01..=20.0;
/// As above.
const WEIGHT: RangeInclusive<f64> = 0.001..=10.0;
/// More than half would be no development set.
const DEVELOPMENT_SHARE: RangeInclusive<f64> = 0.0..=0.5;
const PROBABILITY: RangeInclusive<f64> = 0.0..=1.0;
/// Beside `train/`, the only files to learn from.
const ANNOTATED: [(&str, &str); 2] =
    [("trees/train.jsonl", "trees/validation.jsonl"), ("replies/train.jsonl", "replies/validation.jsonl")];

/// What is learnt from.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "RawData")]
pub struct DataConfig {
    /// The folder of the sets; relative to the base given to [`super::Corpus::read`].
    pub(super) root: PathBuf,
    /// Files below `root` whose ids and questions are dropped everywhere.
    pub(super) hold_out: Vec<String>,
    /// Share of the questions kept out of training, 0 to 0.5.
    pub(super) development_share: f64,
    /// How examples are varied.
    pub(super) augment: AugmentConfig,
    /// At least one.
    pub(super) sets: Vec<SetConfig>,
    /// Our own annotations of rows of `train/`, below the recipe's folder. A label of the row's own set stays beside
    /// them: where they disagree, both are learnt.
    pub(super) annotations: Vec<SetConfig>,
}

/// How often an example is varied; each is a probability.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// A short labelled prompt is wrapped in attack tactics.
    pub compose: f64,
    /// Harmless surface noise.
    pub decorate: f64,
    /// The spelling is disguised.
    pub evade: f64,
    /// A labelled prompt without context is put after one or two other prompts of the epoch, harmful or not: its
    /// labels stay, so that a turn answers for itself.
    pub converse: f64,
    /// A labelled reply is put behind another prompt: a harmless one behind a harmful prompt, a harmful one behind a
    /// benign prompt.
    pub exchange: f64,
}

/// One file to learn from.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SetConfig {
    /// Below the root.
    pub path: String,
    /// Multiplies the loss.
    #[serde(default = "one")]
    pub weight: f64,
    /// How often a row comes in one epoch on average; may be below 1.
    #[serde(default = "one")]
    pub repeat: f64,
    /// At most so many prompts, and as many pairs, with the same question in one epoch; `None` is no cap.
    pub rows_per_question: Option<usize>,
    /// Only these labels are used; `None` is all.
    pub heads: Option<Vec<LabelName>>,
    /// Labels given where a row has none.
    #[serde(default)]
    pub assume: Assume,
}

/// A label that a set may be restricted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelName {
    /// [`GuardHead::PromptHarmful`].
    PromptHarmful,
    /// [`GuardHead::ResponseHarmful`].
    ResponseHarmful,
    /// [`GuardHead::ResponseRefusal`].
    ResponseRefusal,
    /// [`GuardHead::Adversarial`].
    Adversarial,
    /// The risk categories.
    Risk,
    /// The harm-benefit tree.
    Tree,
}

/// Labels given where a row has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Assume {
    /// Of the prompt.
    pub prompt_harmful: Option<bool>,
    /// Of the reply.
    pub response_harmful: Option<bool>,
    /// Of the reply.
    pub response_refusal: Option<bool>,
    /// Of the prompt.
    pub adversarial: Option<bool>,
}

/// As written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawData {
    root: PathBuf,
    #[serde(default)]
    hold_out: Vec<String>,
    development_share: f64,
    #[serde(default)]
    augment: AugmentConfig,
    sets: Vec<SetConfig>,
    #[serde(default)]
    annotations: Vec<SetConfig>,
}

const fn one() -> f64 {
    1.0
}

impl DataConfig {
    /// The sets and then the annotations, in the order in which [`super::Corpus::sets`] begins.
    pub fn sets(&self) -> impl Iterator<Item = &SetConfig> {
        self.sets.iter().chain(&self.annotations)
    }
}

impl SetConfig {
    /// A set of which every label is used once, as it is.
    pub(super) fn plain(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            weight: one(),
            repeat: one(),
            rows_per_question: None,
            heads: None,
            assume: Assume::default(),
        }
    }

    /// Whether this label is learnt from the set.
    pub(super) fn uses(&self, label: LabelName) -> bool {
        self.heads.as_ref().is_none_or(|heads| heads.contains(&label))
    }
}

impl Assume {
    /// The answer assumed for a head.
    pub(super) const fn get(self, head: GuardHead) -> Option<bool> {
        match head {
            GuardHead::PromptHarmful => self.prompt_harmful,
            GuardHead::ResponseHarmful => self.response_harmful,
            GuardHead::ResponseRefusal => self.response_refusal,
            GuardHead::Adversarial => self.adversarial,
        }
    }
}

impl From<GuardHead> for LabelName {
    fn from(head: GuardHead) -> Self {
        match head {
            GuardHead::PromptHarmful => Self::PromptHarmful,
            GuardHead::ResponseHarmful => Self::ResponseHarmful,
            GuardHead::ResponseRefusal => Self::ResponseRefusal,
            GuardHead::Adversarial => Self::Adversarial,
        }
    }
}

impl TryFrom<RawData> for DataConfig {
    type Error = DataError;

    fn try_from(raw: RawData) -> Result<Self, DataError> {
        within("data.development_share", raw.development_share, DEVELOPMENT_SHARE)?;
        within("data.augment.compose", raw.augment.compose, PROBABILITY)?;
        within("data.augment.decorate", raw.augment.decorate, PROBABILITY)?;
        within("data.augment.evade", raw.augment.evade, PROBABILITY)?;
        within("data.augment.converse", raw.augment.converse, PROBABILITY)?;
        within("data.augment.exchange", raw.augment.exchange, PROBABILITY)?;
        check_hold_out(&raw.hold_out)?;
        if raw.sets.is_empty() {
            return Err(DataError::setting("data.sets", "is empty; name at least one set to learn from"));
        }
        let mut seen = HashSet::new();
        for (index, set) in raw.sets.iter().enumerate() {
            let key = format!("data.sets[{index}]");
            check_set(&key, set, &raw.hold_out)?;
            if !seen.insert(set.path.as_str()) {
                let problem = format!("names `{}` a second time; use `repeat` instead", set.path);
                return Err(DataError::setting(format!("{key}.path"), problem));
            }
        }
        for (index, set) in raw.annotations.iter().enumerate() {
            let key = format!("data.annotations[{index}]");
            if !inside(&set.path) {
                let problem = format!("is `{}`; give a `.jsonl` file below the recipe's folder", set.path);
                return Err(DataError::setting(format!("{key}.path"), problem));
            }
            check_numbers(&key, set)?;
        }
        let RawData { root, hold_out, development_share, augment, sets, annotations } = raw;
        Ok(Self { root, hold_out, development_share, augment, sets, annotations })
    }
}

fn check_hold_out(hold_out: &[String]) -> Result<(), DataError> {
    for (index, path) in hold_out.iter().enumerate() {
        let held = ANNOTATED.iter().any(|(_, validation)| path == validation);
        if !held {
            let allowed = ANNOTATED.map(|(_, validation)| format!("`{validation}`")).join(" and ");
            let problem = format!("is `{path}`, which is no validation file; allowed: {allowed}");
            return Err(DataError::setting(format!("data.hold_out[{index}]"), problem));
        }
    }
    Ok(())
}

fn check_set(key: &str, set: &SetConfig, hold_out: &[String]) -> Result<(), DataError> {
    check_path(&format!("{key}.path"), &set.path, hold_out)?;
    check_numbers(key, set)
}

fn check_numbers(key: &str, set: &SetConfig) -> Result<(), DataError> {
    within(&format!("{key}.weight"), set.weight, WEIGHT)?;
    within(&format!("{key}.repeat"), set.repeat, REPEAT)?;
    if set.rows_per_question == Some(0) {
        let problem = "is 0; give 1 or more, or leave it out for no cap";
        return Err(DataError::setting(format!("{key}.rows_per_question"), problem));
    }
    if set.heads.as_ref().is_some_and(Vec::is_empty) {
        let problem = "is empty; leave it out to use every label";
        return Err(DataError::setting(format!("{key}.heads"), problem));
    }
    let unused = |head: &GuardHead| set.assume.get(*head).is_some() && !set.uses((*head).into());
    match GuardHead::ALL.iter().find(|head| unused(head)) {
        Some(head) => {
            let problem = "is not among the set's `heads`; add it there or assume nothing of it";
            Err(DataError::setting(format!("{key}.assume.{}", head.id()), problem))
        }
        None => Ok(()),
    }
}

fn check_path(key: &str, path: &str, hold_out: &[String]) -> Result<(), DataError> {
    let annotated = ANNOTATED.iter().find(|(train, _)| path == *train);
    if annotated.is_none() && !(inside(path) && path.starts_with("train/")) {
        let problem = format!(
            "is `{path}`; only `train/*.jsonl`, `trees/train.jsonl` and `replies/train.jsonl` may be learnt from"
        );
        return Err(DataError::setting(key, problem));
    }
    match annotated {
        Some((_, validation)) if !hold_out.iter().any(|path| path == validation) => {
            let problem = format!("is `{path}`, which needs `{validation}` in `data.hold_out`");
            Err(DataError::setting(key, problem))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether this is a JSON Lines file that no `..` leads out to.
fn inside(path: &str) -> bool {
    let path = Path::new(path);
    path.components().all(|part| matches!(part, Component::Normal(_)))
        && path.extension().is_some_and(|ending| ending == "jsonl")
}

fn within(key: &str, value: f64, allowed: RangeInclusive<f64>) -> Result<(), DataError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let problem = format!("is `{value}`; allowed: {} to {}", allowed.start(), allowed.end());
    Err(DataError::setting(key, problem))
}
