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
    let path = Path::new(name);
    if path.extension().is_some_and(|extension| extension == "toml") {
        return from_file(&sources, path);
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

fn from_file(sources: &[ProfileSource], path: &Path) -> anyhow::Result<Arc<Profile>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can't read `{}`", path.display()))?;
    let Some(file) = path.file_name().and_then(|name| name.to_str()) else {
        bail!("`{}` has no name", path.display());
    };
    let candidate = ProfileSource { file: file.to_owned(), text };
    let catalog = Catalog::with_candidate(sources, &candidate)?;
    let id: CommunityId = file.trim_end_matches(".toml").parse()?;
    catalog.get(&id).cloned().with_context(|| format!("`{}` gave no profile", path.display()))
}
