//! Finds the profile that a command names: a community in force, or a file that is not in force yet. No model is needed.

use crate::communities::Snapshot;
use anyhow::{Context as _, bail};
use assize_domain::CommunityId;
use assize_preferences::{Catalog, Profile, ProfileSource};
use std::path::Path;
use std::sync::Arc;

/// A community's id, or the path of a profile file. A file may extend the communities of the folder.
pub(super) fn find(folder: &Path, name: &str) -> anyhow::Result<Arc<Profile>> {
    let sources = Snapshot::read(folder)?.0;
    if is_file(name) {
        let (catalog, id) = with_file(folder, &sources, name)?;
        return catalog.get(&id).cloned().with_context(|| format!("`{name}` gave no profile"));
    }
    let catalog = Catalog::parse(&sources)?;
    let found = name.parse().ok().and_then(|id: CommunityId| catalog.get(&id).cloned());
    found.with_context(|| {
        let allowed = catalog.ids().iter().map(CommunityId::as_str).collect::<Vec<_>>().join(", ");
        format!(
            "no such community in `{}`; allowed: {allowed}, or the path of a `.toml` file",
            folder.display()
        )
    })
}

/// Whether a name is that of a file.
pub(super) fn is_file(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "toml")
}

/// The communities with this file in place, and whose it is. A path is one from here or, where there is no such file, one
/// from the profiles' folder, as `candidates/default.toml`.
pub(super) fn with_file(
    folder: &Path,
    sources: &[ProfileSource],
    name: &str,
) -> anyhow::Result<(Catalog, CommunityId)> {
    let path = Path::new(name);
    let path = if path.exists() { path.to_owned() } else { folder.join(path) };
    let text = std::fs::read_to_string(&path).with_context(|| format!("can't read `{name}`"))?;
    let Some(file) = path.file_name().and_then(|name| name.to_str()) else { bail!("`{name}` has no name") };
    let candidate = ProfileSource { file: file.to_owned(), text };
    let catalog = Catalog::with_candidate(sources, &candidate)?;
    Ok((catalog, file.trim_end_matches(".toml").parse()?))
}
