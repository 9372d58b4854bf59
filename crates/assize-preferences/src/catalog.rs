//! All communities of a service, resolved together: either every file is right, or nothing changes.

use crate::error::{ProfileError, ProfileErrors};
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
}

impl Catalog {
    /// Parses, resolves `extends` and validates.
    ///
    /// # Errors
    /// Every mistake in every file: syntax, unknown keys, values out of range, a parent that is missing, a cycle.
    pub fn parse(sources: &[ProfileSource]) -> Result<Self, ProfileErrors> {
        let mut errors = Vec::new();
        let mut raws = BTreeMap::new();
        for source in sources {
            match read(source) {
                Ok((id, raw)) => drop(raws.insert(id, (source.file.clone(), raw))),
                Err(error) => errors.push(error),
            }
        }
        if sources.is_empty() {
            errors.push(whole_file("(none)", "there is no profile file; at least one is needed".to_owned()));
        }
        let profiles = resolve_all(raws, &mut errors);
        if errors.is_empty() { Ok(Self { profiles }) } else { Err(ProfileErrors(errors)) }
    }

    /// The profile of a community.
    pub fn get(&self, id: &CommunityId) -> Option<&Arc<Profile>> {
        self.profiles.get(id)
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

fn read(source: &ProfileSource) -> Result<(CommunityId, RawProfile), ProfileError> {
    let stem = source.file.strip_suffix(".toml").unwrap_or(&source.file);
    let id = stem
        .parse()
        .map_err(|error| whole_file(&source.file, format!("`{stem}` is no community id: {error}")))?;
    Ok((id, raw::parse(&source.file, &source.text)?))
}

type Raws = BTreeMap<CommunityId, (String, RawProfile)>;

/// Resolves parents before children, round by round; what is left when a round gets nowhere is in a cycle.
fn resolve_all(mut raws: Raws, errors: &mut Vec<ProfileError>) -> BTreeMap<CommunityId, Arc<Profile>> {
    let mut done: BTreeMap<CommunityId, Arc<Profile>> = BTreeMap::new();
    let mut failed: Vec<CommunityId> = Vec::new();
    refuse_missing_parents(&mut raws, &mut failed, errors);
    while !raws.is_empty() {
        let ready =
            |raw: &RawProfile| parent_id(raw).is_none_or(|id| done.contains_key(&id) || failed.contains(&id));
        let next: Vec<CommunityId> =
            raws.iter().filter(|(_, (_, raw))| ready(raw)).map(|(id, _)| id.clone()).collect();
        if next.is_empty() {
            errors.extend(raws.values().map(|(file, raw)| cycle(file, raw)));
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
    let known: Vec<CommunityId> = raws.keys().cloned().collect();
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

fn cycle(file: &str, raw: &RawProfile) -> ProfileError {
    let wanted = raw.extends.clone().unwrap_or_default();
    let problem = format!(
        "is `{wanted}`, which leads back here; a chain of profiles must end in one without `extends`"
    );
    ProfileError { file: file.to_owned(), key: "extends".to_owned(), line: None, problem }
}
