//! A community's file through time: its candidate goes into force, and back. Nothing is ever lost: what was in force
//! goes to `history/COMMUNITY/0001.toml` and so on, and a version that is rolled back to `left-0001.toml`. What goes
//! into force are the very bytes that were checked.

use super::files::CANDIDATES;
use assize_domain::CommunityId;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Below the profiles' folder.
const HISTORY: &str = "history";
/// What the names of versions begin with that were taken back: nobody goes back to one by `rollback`.
const LEFT: &str = "left-";

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

/// A text to put into force, with what it was checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// What shall be in force.
    pub(crate) text: String,
    /// What is in force; `None` for a community's first profile.
    before: Option<String>,
    /// Where the text comes from.
    source: PathBuf,
}

/// What became of the version that was taken back, besides being kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RolledBack {
    /// It is the candidate.
    IsCandidate,
    /// Another candidate is in place.
    CandidateStays,
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
    /// Somebody was at work meanwhile.
    #[error("`{path}` was changed while it was being checked; nothing is put into force; try again")]
    Changed {
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

    /// What to check before it is promoted: the candidate's text, and that of the profile in force.
    ///
    /// # Errors
    /// When there is no candidate, or a file can't be read.
    pub(crate) fn candidate(&self) -> Result<Change, VersionsError> {
        let text = read(&self.candidate)?;
        let text = text.ok_or_else(|| VersionsError::NoCandidate { path: self.candidate.clone() })?;
        Ok(Change { text, before: read(&self.active)?, source: self.candidate.clone() })
    }

    /// What to check before going back: the text of the version before, and that of the profile in force.
    ///
    /// # Errors
    /// When there is no earlier version, nothing in force, or a file can't be read.
    pub(crate) fn previous(&self) -> Result<Change, VersionsError> {
        let last = self.history()?.pop();
        let last = last.ok_or_else(|| VersionsError::NoHistory { path: self.history.clone() })?;
        let text = read(&last.path)?.ok_or_else(|| changed(&last.path))?;
        Ok(Change { text, before: Some(self.in_force()?), source: last.path })
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

    /// Puts the checked candidate into force; what was in force goes into the history. Gives the number it has there,
    /// and `None` where nothing was in force.
    ///
    /// # Errors
    /// When one of the files is not as it was checked, and nothing is changed then; when a file can't be written.
    pub(crate) fn promote(&self, change: &Change) -> Result<Option<u32>, VersionsError> {
        self.is_as_checked(change)?;
        let number = match &change.before {
            Some(before) => {
                let next = self.history()?.last().map_or(1, |last| last.number.saturating_add(1));
                Some(keep(&self.history, "", next, before)?)
            }
            None => None,
        };
        replace(&self.active, &change.text)?;
        // What somebody has written there since is a candidate of its own.
        if read(&self.candidate)?.as_ref() == Some(&change.text) {
            remove(&self.candidate)?;
        }
        Ok(number)
    }

    /// Puts the checked version before into force. What was in force is kept in the history, and becomes the candidate
    /// again where none is in its place.
    ///
    /// # Errors
    /// As for [`Self::promote`].
    pub(crate) fn roll_back(&self, change: &Change) -> Result<RolledBack, VersionsError> {
        self.is_as_checked(change)?;
        let leaving = change.before.clone().ok_or_else(|| changed(&self.active))?;
        keep(&self.history, LEFT, 1, &leaving)?;
        let is_candidate = read(&self.candidate)?.is_none();
        if is_candidate {
            create_folder(self.candidate.parent())?;
            replace(&self.candidate, &leaving)?;
        }
        replace(&self.active, &change.text)?;
        remove(&change.source)?;
        Ok(if is_candidate { RolledBack::IsCandidate } else { RolledBack::CandidateStays })
    }

    fn in_force(&self) -> Result<String, VersionsError> {
        read(&self.active)?.ok_or_else(|| changed(&self.active))
    }

    /// Only what was checked goes into force, and only over what it was checked against.
    fn is_as_checked(&self, change: &Change) -> Result<(), VersionsError> {
        if read(&change.source)?.as_ref() != Some(&change.text) {
            return Err(changed(&change.source));
        }
        if read(&self.active)? == change.before { Ok(()) } else { Err(changed(&self.active)) }
    }
}

fn changed(path: &Path) -> VersionsError {
    VersionsError::Changed { path: path.to_owned() }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> VersionsError {
    move |source| VersionsError::Io { action, path: path.to_owned(), source }
}

/// `None` where there is no such file.
fn read(path: &Path) -> Result<Option<String>, VersionsError> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(failed("read", path)),
    }
}

/// Keeps a text in the history under the first free number from `number` on, and gives that. Never over another file.
fn keep(folder: &Path, prefix: &str, number: u32, text: &str) -> Result<u32, VersionsError> {
    create_folder(Some(folder))?;
    let mut number = number;
    loop {
        let path = folder.join(format!("{prefix}{number:04}.toml"));
        match File::create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < u32::MAX => number += 1,
            created => {
                let mut file = created.map_err(failed("write", &path))?;
                fill(&mut file, text).map_err(failed("write", &path))?;
                sync_folder(folder)?;
                return Ok(number);
            }
        }
    }
}

/// Writes beside the file and renames, so that a service that reads at this moment finds the old text or the new. Who
/// may read and write the file stays as it was.
fn replace(path: &Path, text: &str) -> Result<(), VersionsError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let draft = path.with_file_name(format!(".{name}.{}.draft", std::process::id()));
    let written = (|| {
        let mut file = File::create(&draft)?;
        if let Ok(old) = std::fs::metadata(path) {
            file.set_permissions(old.permissions())?;
        }
        fill(&mut file, text)?;
        std::fs::rename(&draft, path)
    })();
    written.map_err(failed("write", path))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

fn fill(file: &mut File, text: &str) -> std::io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn create_folder(folder: Option<&Path>) -> Result<(), VersionsError> {
    let Some(folder) = folder else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(failed("write", folder))?;
    sync_folder(folder.parent().unwrap_or(folder))
}

/// A rename that is not on the disk may be undone by a power failure.
fn sync_folder(folder: &Path) -> Result<(), VersionsError> {
    // The parent of a bare name is empty.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("write", folder))
}

fn remove(path: &Path) -> Result<(), VersionsError> {
    std::fs::remove_file(path).map_err(failed("remove", path))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests;
