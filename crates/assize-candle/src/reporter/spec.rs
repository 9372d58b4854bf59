//! A reporter as data: what it is asked, in which words, and how it writes. A file in `config/models/` is one of these; a
//! model of a known architecture needs no code.

use crate::{
    guard::{
        Beyond,
        spec::{NAMES, is_name},
    },
    writing::{InvalidSampling, Sampling, TreeLimits, TreeWords},
};
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;

/// A reporter's file.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ReporterSpec {
    /// Name in verdicts.
    pub name: String,
    /// What it is and where its format was read.
    pub summary: String,
    /// Whether one checkpoint writes both sides, or each has its own.
    #[serde(default)]
    pub sides: Sides,
    /// Most tokens of a prompt and what is written after it.
    pub context_tokens: usize,
    /// Most tokens that are written; a tree that is not whole then is read as far as it goes.
    pub answer_tokens: NonZeroUsize,
    /// What happens to a text that does not fit.
    #[serde(default)]
    pub beyond: Beyond,
    /// Whether blanks around what was said are taken off, as the reporter's own template does.
    #[serde(default)]
    pub strip: bool,
    /// A control token before everything, where the tokenizer adds it by itself.
    #[serde(default)]
    pub begin: Option<String>,
    /// Control tokens that end the text.
    #[serde(default)]
    pub stop: Vec<String>,
    /// What the template marks turns with and the tokenizer takes for plain text: where a user writes it, a blank goes behind
    /// its first letter.
    #[serde(default)]
    pub markers: Vec<String>,
    /// How tokens are chosen.
    #[serde(default)]
    pub sampling: SpecSampling,
    /// What the tree must look like, for a model that was not trained to write one; absent, it writes freely.
    #[serde(default)]
    pub grammar: Option<SpecGrammar>,
    /// What is asked. `{{prompt}}` is the only slot; what the tokenizer knows as an added token is control.
    pub templates: SpecTemplates,
}

/// Who writes the two sides of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// One checkpoint.
    #[default]
    Together,
    /// A checkpoint each.
    Apart,
}

/// One template for each side of the tree.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SpecTemplates {
    /// Asks for the harms.
    pub harms: String,
    /// Asks for the benefits.
    pub benefits: String,
}

/// How tokens are chosen; greedily where the file says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SpecSampling {
    /// 0 always takes the likeliest.
    pub temperature: f32,
    /// Above 0 and at most 1: the share of probability that is chosen from.
    pub top_p: f32,
}

impl Default for SpecSampling {
    fn default() -> Self {
        Self { temperature: 0.0, top_p: 1.0 }
    }
}

/// Bounds of a tree that is written under a grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SpecGrammar {
    /// Which words may name actions and effects.
    #[serde(default)]
    pub words: TreeWords,
    /// How large it may be.
    pub limits: TreeLimits,
}

/// A reporter's file that can't be used. Every text names the place and what is allowed.
#[derive(Debug, thiserror::Error)]
pub enum ReporterSpecError {
    /// No TOML, an unknown key, or a value of the wrong type.
    #[error("it is no reporter's file")]
    Toml(#[from] toml::de::Error),
    /// Numbers that choose nothing.
    #[error("`sampling` can't be used")]
    Sampling(#[from] InvalidSampling),
    /// A value that is not allowed.
    #[error("`{key}` is `{given}`; allowed: {allowed}")]
    NotAllowed {
        /// The key, with dots for nesting.
        key: &'static str,
        /// What the file says.
        given: String,
        /// What it could say.
        allowed: String,
    },
}

impl ReporterSpec {
    /// Reads a reporter's file and checks what can be checked without its tokenizer.
    ///
    /// # Errors
    /// Every variant of [`ReporterSpecError`].
    pub fn parse(text: &str) -> Result<Self, ReporterSpecError> {
        let spec: Self = toml::from_str(text)?;
        spec.check()?;
        Ok(spec)
    }

    /// How tokens are chosen for a text of this seed.
    ///
    /// # Errors
    /// When the file's numbers are out of range.
    pub fn sampling(&self, seed: u64) -> Result<Sampling, ReporterSpecError> {
        Ok(Sampling::new(self.sampling.temperature, self.sampling.top_p, seed)?)
    }

    fn check(&self) -> Result<(), ReporterSpecError> {
        if !is_name(&self.name) {
            return refuse("name", &self.name, NAMES);
        }
        if self.context_tokens <= self.answer_tokens.get() {
            return refuse("context_tokens", &self.context_tokens, "more than `answer_tokens`");
        }
        for (key, text) in
            [("templates.harms", &self.templates.harms), ("templates.benefits", &self.templates.benefits)]
        {
            if !text.contains("{{prompt}}") {
                return refuse(key, &"without it", "a text that holds `{{prompt}}`");
            }
        }
        if let Some(marker) = self.markers.iter().find(|marker| marker.chars().count() < 2) {
            return refuse("markers", marker, "texts of two letters and more");
        }
        // A text without either goes on to its last token.
        if self.stop.is_empty() && self.grammar.is_none() {
            return refuse("stop", &"empty", "at least one control token, or a `grammar`");
        }
        if let Some(SpecGrammar { limits, .. }) = self.grammar {
            let TreeLimits { stakeholders, actions, effects, name_letters } = limits;
            if [stakeholders, actions, effects, name_letters].contains(&0) {
                return refuse("grammar.limits", &"0", "numbers from 1");
            }
        }
        self.sampling(0).map(drop)
    }
}

fn refuse(key: &'static str, given: &dyn std::fmt::Display, allowed: &str) -> Result<(), ReporterSpecError> {
    Err(ReporterSpecError::NotAllowed { key, given: format!("{given}"), allowed: allowed.to_owned() })
}
