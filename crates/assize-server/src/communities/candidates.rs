//! Candidates: profiles that are weighed beside those in force, counted and never answered with. A faulty one is left out
//! and told; it keeps nothing else from coming into force.

use super::{ExampleRunner, Files};
use crate::assessor::AssessError;
use assize_domain::CommunityId;
use assize_preferences::{Catalog, Profile, ProfileSource};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The candidates that are tried, and why others are not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Candidates {
    tried: BTreeMap<CommunityId, Arc<Profile>>,
    /// File and reason.
    refused: Vec<String>,
}

impl Candidates {
    /// Parses and checks each candidate as if it alone were put into force.
    ///
    /// # Errors
    /// When the examples can't be run: that says nothing about the candidates.
    pub(crate) async fn load(files: &Files, runner: &mut ExampleRunner) -> Result<Self, AssessError> {
        let mut found = Self::default();
        for candidate in &files.candidates.0 {
            match checked(files, candidate, runner).await? {
                Ok(profile) => drop(found.tried.insert(profile.id().clone(), profile)),
                Err(why) => found.refused.push(format!("candidates/{why}")),
            }
        }
        Ok(found)
    }

    /// What is tried beside a community's profile.
    pub(crate) fn get(&self, id: &CommunityId) -> Option<&Arc<Profile>> {
        self.tried.get(id)
    }

    /// Whose candidates are tried.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &CommunityId> {
        self.tried.keys()
    }

    /// How many are tried and how many are faulty.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.tried.len(), self.refused.len())
    }

    /// Why some are not tried.
    pub(crate) fn refused(&self) -> &[String] {
        &self.refused
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

async fn checked(
    files: &Files,
    candidate: &ProfileSource,
    runner: &mut ExampleRunner,
) -> Result<Result<Arc<Profile>, String>, AssessError> {
    let stem = candidate.file.trim_end_matches(".toml");
    let is_in_force = files.profiles.0.iter().any(|source| source.file == candidate.file);
    let found = match Catalog::with_candidate(&files.profiles.0, candidate) {
        Err(errors) => return Ok(Err(errors.to_string())),
        Ok(catalog) => stem.parse().ok().and_then(|id: CommunityId| catalog.get(&id).cloned()),
    };
    let Some(profile) = found.filter(|_| is_in_force) else {
        let file = &candidate.file;
        return Ok(Err(format!(
            "{file}: has no profile in force to be tried beside; put `{file}` there first"
        )));
    };
    let mismatches = runner.check(&profile).await?;
    let told: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
    Ok(if told.is_empty() { Ok(profile) } else { Err(told.join("; ")) })
}
