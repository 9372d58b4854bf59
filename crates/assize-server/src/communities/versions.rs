//! A community's file through time: its candidate goes into force, and back. Nothing is ever lost: what was in force
//! goes to `history/COMMUNITY/0001.toml` and so on, and a version that is rolled back becomes the candidate again.

use super::files::CANDIDATES;
use assize_domain::CommunityId;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Below the profiles' folder.
const HISTORY: &str = "history";

/// The files of one community in the profiles' folder.
#[derive(Debug, Clone)]
pub(crate) struct Versions {
    active: PathBuf,
    candidate: PathBuf,
    history: PathBuf,
}

/// An earlier version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    /// Counts from 1.
    pub(crate) number: u32,
    /// Where it is kept.
    pub(crate) path: PathBuf,
}

/// Why a version can't be put into force.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VersionsError {
    /// A file can't be read, written or moved.
    #[error("can't {action} `{path}`")]
    Io {
        /// Read, write, remove.
        action: &'static str,
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is nothing to promote.
    #[error("there is no candidate `{path}`; write the profile to be tried there first")]
    NoCandidate {
        /// Where it would be.
        path: PathBuf,
    },
    /// There is nothing to go back to.
    #[error("there is no earlier version in `{path}`")]
    NoHistory {
        /// Where it would be.
        path: PathBuf,
    },
    /// Going back would overwrite a candidate.
    #[error("`{path}` is in the way: the version in force would become the candidate; move it away first")]
    CandidateInTheWay {
        /// Which file.
        path: PathBuf,
    },
}

impl Versions {
    /// The files of a community below the profiles' folder.
    pub(crate) fn new(folder: &Path, id: &CommunityId) -> Self {
        let file = format!("{id}.toml");
        Self {
            active: folder.join(&file),
            candidate: folder.join(CANDIDATES).join(&file),
            history: folder.join(HISTORY).join(id.as_str()),
        }
    }

    /// The text of the candidate.
    pub(crate) fn candidate(&self) -> Result<String, VersionsError> {
        if !self.candidate.is_file() {
            return Err(VersionsError::NoCandidate { path: self.candidate.clone() });
        }
        read(&self.candidate)
    }

    /// Earlier versions, the oldest first.
    pub(crate) fn history(&self) -> Result<Vec<Version>, VersionsError> {
        if !self.history.is_dir() {
            return Ok(Vec::new());
        }
        let io = |source| VersionsError::Io { action: "read", path: self.history.clone(), source };
        let mut versions = Vec::new();
        for entry in std::fs::read_dir(&self.history).map_err(io)? {
            let path = entry.map_err(io)?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if let (Ok(number), Some("toml")) = (stem.parse(), path.extension().and_then(|e| e.to_str())) {
                versions.push(Version { number, path });
            }
        }
        versions.sort();
        Ok(versions)
    }

    /// The version before the one in force, and its text.
    pub(crate) fn previous(&self) -> Result<(Version, String), VersionsError> {
        let last = self.history()?.pop();
        let last = last.ok_or_else(|| VersionsError::NoHistory { path: self.history.clone() })?;
        let text = read(&last.path)?;
        Ok((last, text))
    }

    /// Puts the candidate into force; what was in force goes into the history. Gives the number it has there.
    pub(crate) fn promote(&self) -> Result<u32, VersionsError> {
        let text = self.candidate()?;
        let number = self.history()?.last().map_or(1, |last| last.number.saturating_add(1));
        std::fs::create_dir_all(&self.history).map_err(|source| VersionsError::Io {
            action: "write",
            path: self.history.clone(),
            source,
        })?;
        replace(&self.history.join(format!("{number:04}.toml")), &read(&self.active)?)?;
        replace(&self.active, &text)?;
        remove(&self.candidate)?;
        Ok(number)
    }

    /// Puts the version before into force; what was in force becomes the candidate again. Gives the version's number.
    pub(crate) fn roll_back(&self) -> Result<u32, VersionsError> {
        let (version, text) = self.previous()?;
        if self.candidate.exists() {
            return Err(VersionsError::CandidateInTheWay { path: self.candidate.clone() });
        }
        if let Some(folder) = self.candidate.parent() {
            let io = |source| VersionsError::Io { action: "write", path: folder.to_owned(), source };
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        replace(&self.candidate, &read(&self.active)?)?;
        replace(&self.active, &text)?;
        remove(&version.path)?;
        Ok(version.number)
    }
}

fn read(path: &Path) -> Result<String, VersionsError> {
    std::fs::read_to_string(path).map_err(|source| VersionsError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

/// Writes beside the file and renames, so that a service that reads at this moment finds the old text or the new.
fn replace(path: &Path, text: &str) -> Result<(), VersionsError> {
    let io = |source| VersionsError::Io { action: "write", path: path.to_owned(), source };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let draft = path.with_file_name(format!(".{name}.draft"));
    let mut file = std::fs::File::create(&draft).map_err(io)?;
    file.write_all(text.as_bytes()).map_err(io)?;
    file.sync_all().map_err(io)?;
    std::fs::rename(&draft, path).map_err(io)
}

fn remove(path: &Path) -> Result<(), VersionsError> {
    std::fs::remove_file(path).map_err(|source| VersionsError::Io {
        action: "remove",
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, file: &str, text: &str) {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn get(folder: &Path, file: &str) -> String {
        std::fs::read_to_string(folder.join(file)).unwrap_or_default()
    }

    #[test]
    fn a_candidate_goes_into_force_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let versions = Versions::new(folder, &"calm".parse().unwrap());
        put(folder, "calm.toml", "one");
        assert!(matches!(versions.promote(), Err(VersionsError::NoCandidate { .. })));
        assert!(matches!(versions.roll_back(), Err(VersionsError::NoHistory { .. })));
        put(folder, "candidates/calm.toml", "two");
        assert_eq!(versions.promote().unwrap(), 1);
        put(folder, "candidates/calm.toml", "three");
        assert_eq!(versions.promote().unwrap(), 2);
        assert_eq!(
            (get(folder, "calm.toml"), get(folder, "candidates/calm.toml")),
            ("three".into(), String::new())
        );
        assert_eq!(
            (get(folder, "history/calm/0001.toml"), get(folder, "history/calm/0002.toml")),
            ("one".into(), "two".into())
        );
        assert_eq!(versions.roll_back().unwrap(), 2);
        assert_eq!(
            (get(folder, "calm.toml"), get(folder, "candidates/calm.toml")),
            ("two".into(), "three".into())
        );
        // Going back once more would lose "three".
        assert!(matches!(versions.roll_back(), Err(VersionsError::CandidateInTheWay { .. })));
        assert_eq!(get(folder, "history/calm/0001.toml"), "one");
        std::fs::remove_file(folder.join("candidates/calm.toml")).unwrap();
        assert_eq!(versions.roll_back().unwrap(), 1);
        assert_eq!(
            (get(folder, "calm.toml"), get(folder, "candidates/calm.toml")),
            ("one".into(), "two".into())
        );
        assert_eq!(versions.history().unwrap(), []);
    }
}
