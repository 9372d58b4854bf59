//! Candidates: profiles that are weighed beside those in force, counted and never answered with. A faulty one is left out
//! and told; it keeps nothing else from coming into force.
//!
//! A candidate is tried as if it alone were put into force, for every community that it would change: its own, and those
//! that extend it. Where a community has a candidate of its own, that one counts.

use super::files::CandidateFile;
use super::{ExampleRunner, Files};
use crate::assessor::AssessError;
use assize_domain::CommunityId;
use assize_preferences::{Catalog, Profile, ProfileSource};
use assize_telemetry::error_chain;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The candidates that are tried, and why others are not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Candidates {
    tried: BTreeMap<CommunityId, Arc<Profile>>,
    /// File and reason.
    refused: Vec<String>,
    /// Whether one is left out only because the model had no time for its examples.
    is_waiting: bool,
}

impl Candidates {
    /// Checks each candidate as if it alone were put into force, beside the profiles of `files`, which are `in_force`.
    pub(crate) async fn load(files: &Files, in_force: &Catalog, runner: &mut ExampleRunner) -> Self {
        let mut found = Self::default();
        let mut of_others = Vec::new();
        for candidate in &files.candidates {
            match checked(files, in_force, candidate, runner).await {
                Ok(changed) => {
                    let own = |profile: &Arc<Profile>| is_of(candidate, profile.id());
                    let (own, others): (Vec<_>, Vec<_>) = changed.into_iter().partition(own);
                    found.tried.extend(own.into_iter().map(|profile| (profile.id().clone(), profile)));
                    of_others.extend(others);
                }
                Err(refused) => {
                    found.is_waiting |= refused.is_passing;
                    // Most reasons begin with the file's name.
                    let why = refused.why.strip_prefix(&format!("{}: ", candidate.file));
                    let why = why.unwrap_or(&refused.why);
                    found.refused.push(format!("candidates/{}: {why}", candidate.file));
                }
            }
        }
        for profile in of_others {
            found.tried.entry(profile.id().clone()).or_insert(profile);
        }
        found
    }

    /// What is tried beside a community's profile.
    pub(crate) fn get(&self, id: &CommunityId) -> Option<&Arc<Profile>> {
        self.tried.get(id)
    }

    /// Whose candidates are tried.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &CommunityId> {
        self.tried.keys()
    }

    /// How many communities have one that is tried, and how many files are faulty.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.tried.len(), self.refused.len())
    }

    /// Why some are not tried.
    pub(crate) fn refused(&self) -> &[String] {
        &self.refused
    }

    /// Whether to try again, though no file has changed.
    pub(crate) const fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// A clause for people; empty where there are none.
    pub(crate) fn describe(&self) -> String {
        let tried: Vec<&str> = self.tried.keys().map(CommunityId::as_str).collect();
        let tried =
            if tried.is_empty() { String::new() } else { format!(", candidates tried: {}", tried.join(" ")) };
        let refused = &self.refused;
        if refused.is_empty() {
            tried
        } else {
            format!("{tried}, candidates refused: {}", refused.join("; "))
        }
    }
}

/// Why a candidate is not tried.
struct RefusedCandidate {
    why: String,
    /// It says nothing about the candidate.
    is_passing: bool,
}

impl From<String> for RefusedCandidate {
    fn from(why: String) -> Self {
        Self { why, is_passing: false }
    }
}

impl From<AssessError> for RefusedCandidate {
    fn from(error: AssessError) -> Self {
        let why = format!("its examples can't be run: {}", error_chain(&error));
        Self { why, is_passing: error.is_passing() }
    }
}

fn is_of(candidate: &CandidateFile, id: &CommunityId) -> bool {
    candidate.file.strip_suffix(".toml") == Some(id.as_str())
}

/// The profiles that the candidate would change, with their examples decided as their authors expect.
async fn checked(
    files: &Files,
    in_force: &Catalog,
    candidate: &CandidateFile,
    runner: &mut ExampleRunner,
) -> Result<Vec<Arc<Profile>>, RefusedCandidate> {
    let file = candidate.file.clone();
    let text = candidate.text.clone().map_err(RefusedCandidate::from)?;
    if !in_force.ids().iter().any(|id| is_of(candidate, id)) {
        return Err(format!("has no profile in force to be tried beside; put `{file}` there first").into());
    }
    let catalog = Catalog::with_candidate(&files.profiles.0, &ProfileSource { file, text });
    let catalog = catalog.map_err(|errors| RefusedCandidate::from(errors.to_string()))?;
    // Its own is tried even where it changes nothing.
    let changed: Vec<_> = catalog
        .iter()
        .filter(|new| is_of(candidate, new.id()) || is_changed(in_force, new))
        .cloned()
        .collect();
    let mut told = Vec::new();
    for profile in &changed {
        told.extend(runner.check(profile).await?.iter().map(ToString::to_string));
    }
    if told.is_empty() { Ok(changed) } else { Err(told.join("; ").into()) }
}

/// Whether a profile values anything otherwise than the one of its community that is in force.
pub(crate) fn is_changed(in_force: &Catalog, new: &Profile) -> bool {
    in_force.get(new.id()).is_none_or(|old| old.digest() != new.digest())
}
