//! From a file as written, and its parent, to a validated profile. Collects every mistake, not just the first.

mod weights;

use crate::codes;
use crate::digest::digest;
use crate::error::ProfileError;
use crate::keys::{self, Key};
use crate::profile::{Example, FailureMode, Profile, Thresholds};
use crate::raw::{RawDecision, RawExample, RawExpect, RawFailureMode, RawProfile, RawRole, RawTurn};
use crate::template;
use assize_domain::{
    CommunityId, Conversation, Decision, Digest, JudgeRequest, Limits, Role, Turn, TurnText,
};
use std::collections::BTreeMap;

/// Examples are run at every load: enough to pin a community's values, few enough to load in seconds.
pub(crate) const MAX_EXAMPLES: usize = 64;
/// Examples are short on purpose: a page of text decides on other grounds than the line it stands for.
pub(crate) const EXAMPLE_LIMITS: Limits = Limits { max_turns: 16, max_turn_bytes: 2_000 };

/// A title stands in sentences and in headings.
pub(crate) const MAX_TITLE_CHARS: usize = 80;

/// One file on its way to a profile.
pub(crate) struct Resolver<'a> {
    file: &'a str,
    parent: Option<&'a Profile>,
    errors: Vec<ProfileError>,
}

impl<'a> Resolver<'a> {
    /// Starts with a file's name and the resolved profile that it extends.
    pub(crate) const fn new(file: &'a str, parent: Option<&'a Profile>) -> Self {
        Self { file, parent, errors: Vec::new() }
    }

    /// Checks everything and fills in what the parent gives.
    pub(crate) fn resolve(mut self, id: &CommunityId, raw: RawProfile) -> Result<Profile, Vec<ProfileError>> {
        let aggregation = self.aggregation(&raw);
        let mut profile = Profile {
            id: id.clone(),
            title: self.title(raw.title),
            description: raw.description.unwrap_or_default().trim().to_owned(),
            extends: self.parent.map(|parent| parent.id.clone()),
            on_failure: self.on_failure(raw.on_failure),
            thresholds: self.thresholds(&raw.thresholds),
            aggregation,
            reasons: self.reasons(raw.reasons),
            examples: self.examples(raw.examples),
            digest: Digest::new([0; 32]),
        };
        profile.digest = digest(&profile);
        if self.errors.is_empty() { Ok(profile) } else { Err(self.errors) }
    }

    fn error(&mut self, key: &str, problem: String) {
        self.errors.push(ProfileError {
            file: self.file.to_owned(),
            key: key.to_owned(),
            line: None,
            problem,
        });
    }

    fn missing(&mut self, key: &str, allowed: &str) {
        self.error(key, format!("is missing and nothing is extended that could give it; set it ({allowed})"));
    }

    fn title(&mut self, raw: Option<String>) -> String {
        let title = raw.unwrap_or_default().trim().to_owned();
        let length = title.chars().count();
        if title.is_empty() || length > MAX_TITLE_CHARS {
            self.error("title", format!("has {length} characters; allowed: 1 to {MAX_TITLE_CHARS}"));
        }
        if title.contains(['{', '}']) {
            self.error(
                "title",
                "holds a brace; titles stand in sentences, where braces are placeholders".to_owned(),
            );
        }
        title
    }

    fn on_failure(&mut self, raw: Option<RawFailureMode>) -> FailureMode {
        match (raw, self.parent) {
            (Some(RawFailureMode::Open), _) => FailureMode::Open,
            (Some(RawFailureMode::Closed), _) => FailureMode::Closed,
            (None, Some(parent)) => parent.on_failure,
            (None, None) => {
                self.missing("on_failure", "`open` or `closed`");
                FailureMode::Closed
            }
        }
    }

    /// A number in its range: the file's, or else the parent's, or else the default.
    fn number(&mut self, key: &Key, raw: Option<f64>, inherited: Option<f64>) -> f64 {
        self.entry(key, key.name, raw, inherited.or_else(|| key.default_at(0)))
    }

    /// As [`Self::number`], for one entry of a table, or another number with its own `name`.
    fn entry(&mut self, key: &Key, name: &str, raw: Option<f64>, otherwise: Option<f64>) -> f64 {
        let (min, max) = key.range;
        let Some(value) = raw.or(otherwise) else {
            self.missing(name, &format!("{min} to {max}"));
            return min;
        };
        if !(min..=max).contains(&value) {
            self.error(name, format!("is `{value}`; allowed: {min} to {max}"));
        }
        value
    }

    fn thresholds(&mut self, raw: &crate::raw::RawThresholds) -> Thresholds {
        let parent = self.parent.map(|parent| parent.thresholds);
        let review = self.number(&keys::REVIEW, raw.review, parent.map(|t| t.review));
        let block = self.number(&keys::BLOCK, raw.block, parent.map(|t| t.block));
        let is_given = |own: Option<f64>| own.is_some() || parent.is_some();
        if is_given(raw.review) && is_given(raw.block) && review > block {
            let problem =
                format!("is `{review}`, above `thresholds.block` (`{block}`); allowed: at or below it");
            self.error("thresholds.review", problem);
        }
        Thresholds { review, block }
    }

    fn reasons(&mut self, raw: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let open = codes::open();
        for (code, text) in &raw {
            if !open.iter().any(|(known, _)| known == code) {
                let allowed = open.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>().join(", ");
                self.error(&format!("reasons.\"{code}\""), format!("is no reason code; allowed: {allowed}"));
            }
            if let Some(problem) = template::problem(text) {
                self.error(&format!("reasons.\"{code}\""), problem);
            }
        }
        let mut reasons: BTreeMap<String, String> = match self.parent {
            Some(parent) => parent.reasons.clone(),
            None => template::defaults().into_iter().map(|(code, text)| (code, text.to_owned())).collect(),
        };
        reasons.extend(raw);
        reasons
    }

    fn examples(&mut self, raw: Vec<RawExample>) -> Vec<Example> {
        if raw.len() > MAX_EXAMPLES {
            self.error("examples", format!("holds {} examples; allowed: {MAX_EXAMPLES} at most", raw.len()));
        }
        let mut examples = Vec::new();
        for (index, raw) in raw.into_iter().enumerate() {
            match example(raw) {
                Ok(example) => examples.push(example),
                Err(problem) => self.error(&format!("examples[{index}]"), problem),
            }
        }
        examples
    }
}

fn example(raw: RawExample) -> Result<Example, String> {
    let turns = match (raw.text, raw.turns) {
        (Some(text), turns) if turns.is_empty() => vec![RawTurn { role: RawRole::User, content: text }],
        (None, turns) if !turns.is_empty() => turns,
        _ => return Err("needs either `text` or `turns`, and not both".to_owned()),
    };
    let expect = match raw.expect {
        RawExpect::One(decision) => vec![decision],
        RawExpect::AnyOf(decisions) => decisions,
    };
    if expect.is_empty() {
        return Err("`expect` is empty; allowed: one or more of allow, review, block".to_owned());
    }
    let turns = turns.into_iter().map(turn).collect();
    let conversation = Conversation::new(turns, JudgeRequest::WhatIsThere, EXAMPLE_LIMITS)
        .map_err(|error| error.to_string())?;
    Ok(Example { conversation, expect: expect.into_iter().map(decision).collect(), note: raw.note })
}

fn turn(raw: RawTurn) -> Turn {
    let role = match raw.role {
        RawRole::System => Role::System,
        RawRole::User => Role::User,
        RawRole::Assistant => Role::Assistant,
    };
    Turn { role, text: TurnText::new(raw.content) }
}

const fn decision(raw: RawDecision) -> Decision {
    match raw {
        RawDecision::Allow => Decision::Allow,
        RawDecision::Review => Decision::Review,
        RawDecision::Block => Decision::Block,
    }
}
