//! All communities of a service, resolved together: either every file is right, or nothing changes.

use crate::error::{ProfileError, ProfileErrors};
use crate::own::{self, OwnKeys};
use crate::profile::Profile;
use crate::raw::{self, RawProfile};
use crate::resolve::Resolver;
use assize_domain::CommunityId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One profile file, as read by whoever may read files.
#[derive(Debug, Clone)]
pub struct ProfileSource {
    /// The file's name, as `default.toml`; what precedes `.toml` is the community's id.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// Communities by id.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    profiles: BTreeMap<CommunityId, Arc<Profile>>,
    own: BTreeMap<CommunityId, OwnKeys>,
}

impl Catalog {
    /// Parses, resolves `extends` and validates.
    ///
    /// # Errors
    /// Every mistake in every file: syntax, unknown keys, values out of range, a parent that is missing, a cycle.
    pub fn parse(sources: &[ProfileSource]) -> Result<Self, ProfileErrors> {
        let mut errors = Vec::new();
        let mut raws = Raws::new();
        let mut failed = Vec::new();
        for source in sources {
            if let Err(error) = read(source, &mut raws, &mut failed) {
                errors.push(error);
            }
        }
        if sources.is_empty() {
            errors.push(whole_file("(none)", "there is no profile file; at least one is needed".to_owned()));
        }
        let profiles = resolve_all(raws, failed, &mut errors);
        if errors.is_empty() {
            Ok(Self { profiles, own: own::of_all(sources) })
        } else {
            Err(ProfileErrors(errors))
        }
    }

    /// Parses the files with one of them replaced (or added), as if the candidate were in force.
    ///
    /// # Errors
    /// As [`Self::parse`]: also where the candidate makes a profile wrong that extends it.
    pub fn with_candidate(
        sources: &[ProfileSource],
        candidate: &ProfileSource,
    ) -> Result<Self, ProfileErrors> {
        let others = sources.iter().filter(|source| source.file != candidate.file);
        let sources: Vec<ProfileSource> = others.chain([candidate]).cloned().collect();
        Self::parse(&sources)
    }

    /// The profile of a community.
    pub fn get(&self, id: &CommunityId) -> Option<&Arc<Profile>> {
        self.profiles.get(id)
    }

    /// The keys that the community's own file sets; `None` where there is no such community.
    pub(crate) fn own_keys(&self, id: &CommunityId) -> Option<&OwnKeys> {
        self.own.get(id)
    }

    /// Every profile, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.profiles.values()
    }

    /// Every id, in order.
    pub fn ids(&self) -> Vec<CommunityId> {
        self.profiles.keys().cloned().collect()
    }
}

fn whole_file(file: &str, problem: String) -> ProfileError {
    ProfileError { file: file.to_owned(), key: String::new(), line: None, problem }
}

type Raws = BTreeMap<CommunityId, (String, RawProfile)>;

/// Reads one file into `raws`; the id of one that can't be read goes to `failed`, so that its children aren't blamed.
fn read(source: &ProfileSource, raws: &mut Raws, failed: &mut Vec<CommunityId>) -> Result<(), ProfileError> {
    let stem = source.file.strip_suffix(".toml").unwrap_or(&source.file);
    let id: CommunityId = stem
        .parse()
        .map_err(|error| whole_file(&source.file, format!("`{stem}` is no community id: {error}")))?;
    if raws.contains_key(&id) || failed.contains(&id) {
        let problem = format!("is a second file for `{id}`; allowed: one for each community");
        return Err(whole_file(&source.file, problem));
    }
    match raw::parse(&source.file, &source.text) {
        Ok(raw) => drop(raws.insert(id, (source.file.clone(), raw))),
        Err(error) => {
            failed.push(id);
            return Err(error);
        }
    }
    Ok(())
}

/// Resolves parents before children, round by round; what is left when a round gets nowhere is in a cycle or hangs
/// on one. `failed` are the files that can't be read.
fn resolve_all(
    mut raws: Raws,
    mut failed: Vec<CommunityId>,
    errors: &mut Vec<ProfileError>,
) -> BTreeMap<CommunityId, Arc<Profile>> {
    let mut done: BTreeMap<CommunityId, Arc<Profile>> = BTreeMap::new();
    refuse_missing_parents(&mut raws, &mut failed, errors);
    while !raws.is_empty() {
        let ready =
            |raw: &RawProfile| parent_id(raw).is_none_or(|id| done.contains_key(&id) || failed.contains(&id));
        let next: Vec<CommunityId> =
            raws.iter().filter(|(_, (_, raw))| ready(raw)).map(|(id, _)| id.clone()).collect();
        if next.is_empty() {
            let in_cycle = raws.iter().filter(|(id, _)| leads_back(id, &raws));
            errors.extend(in_cycle.map(|(_, (file, raw))| cycle(file, raw)));
            break;
        }
        for id in next {
            let Some((file, raw)) = raws.remove(&id) else { continue };
            let parent = parent_id(&raw);
            if parent.as_ref().is_some_and(|parent| failed.contains(parent)) {
                // Its parent's own mistakes are told already; values it would inherit can't be checked.
                failed.push(id);
                continue;
            }
            let parent = parent.and_then(|id| done.get(&id).cloned());
            match Resolver::new(&file, parent.as_deref()).resolve(&id, raw) {
                Ok(profile) => drop(done.insert(id, Arc::new(profile))),
                Err(found) => {
                    errors.extend(found);
                    failed.push(id);
                }
            }
        }
    }
    done
}

fn parent_id(raw: &RawProfile) -> Option<CommunityId> {
    raw.extends.as_deref().and_then(|id| id.parse().ok())
}

fn refuse_missing_parents(raws: &mut Raws, failed: &mut Vec<CommunityId>, errors: &mut Vec<ProfileError>) {
    let known: Vec<CommunityId> = raws.keys().chain(failed.iter()).cloned().collect();
    raws.retain(|id, (file, raw)| {
        let Some(wanted) = raw.extends.clone() else { return true };
        if known.iter().any(|id| id.as_str() == wanted) {
            return true;
        }
        let allowed = known.iter().map(CommunityId::as_str).collect::<Vec<_>>().join(", ");
        let problem = format!("is `{wanted}`, which is no profile here; allowed: {allowed}");
        errors.push(ProfileError { file: file.clone(), key: "extends".to_owned(), line: None, problem });
        failed.push(id.clone());
        false
    });
}

/// Whether following `extends` from `start` comes back to it; one that only hangs on a cycle isn't blamed for it.
fn leads_back(start: &CommunityId, raws: &Raws) -> bool {
    let parent = |id: &CommunityId| raws.get(id).and_then(|(_, raw)| parent_id(raw));
    std::iter::successors(parent(start), parent).take(raws.len()).any(|id| id == *start)
}

fn cycle(file: &str, raw: &RawProfile) -> ProfileError {
    let wanted = raw.extends.clone().unwrap_or_default();
    let problem = format!(
        "is `{wanted}`, which leads back here; a chain of profiles must end in one without `extends`"
    );
    ProfileError { file: file.to_owned(), key: "extends".to_owned(), line: None, problem }
}
