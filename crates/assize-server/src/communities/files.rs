//! Reads the profiles' folder. Works by content, not by events or times: a ConfigMap swaps its files through
//! symlinks, editors write twice, network disks send no events; the bytes tell the truth.

use assize_preferences::ProfileSource;
use assize_telemetry::error_chain;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A profile is a page of text; more is a mistake, and reading it must not cost memory.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// Why a folder can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// The folder or a file can't be read.
    #[error("can't read `{path}`")]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is larger than any profile.
    #[error("`{path}` is larger than {MAX_FILE_BYTES} bytes, the limit for a profile")]
    TooLarge {
        /// Which one.
        path: PathBuf,
    },
}

/// Every `*.toml` of the folder at one moment, by name.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot(pub(crate) Vec<ProfileSource>);

impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        self.0.len() == other.0.len() && pairs.into_iter().all(|(a, b)| a.file == b.file && a.text == b.text)
    }
}

/// Below the profiles' folder: profiles that are tried beside those in force.
pub(crate) const CANDIDATES: &str = "candidates";

/// All that decides what is in force and what is tried beside it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Files {
    /// In force.
    pub(crate) profiles: Snapshot,
    /// Each tried as if it were in force.
    pub(crate) candidates: Vec<CandidateFile>,
}

/// A file below `candidates/`. One that can't be read is its own matter: it keeps nothing else from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CandidateFile {
    /// Its name.
    pub(crate) file: String,
    /// Its text, or why there is none.
    pub(crate) text: Result<String, String>,
}

impl Files {
    /// Reads the folder and, where it is there, the candidates' folder in it.
    pub(crate) fn read(folder: &Path) -> Result<Self, FolderError> {
        let profiles = Snapshot::read(folder)?;
        Ok(Self { profiles, candidates: candidates(&folder.join(CANDIDATES)) })
    }
}

impl Snapshot {
    /// Reads the folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, FolderError> {
        let files = profile_files(folder)?.into_iter();
        let read = |(file, path): (String, PathBuf)| Ok(ProfileSource { file, text: read_file(&path)? });
        files.map(read).collect::<Result<_, _>>().map(Self)
    }
}

fn candidates(folder: &Path) -> Vec<CandidateFile> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let told = |error: FolderError| error_chain(&error);
    match profile_files(folder) {
        Ok(files) => {
            let read = |(file, path): (String, PathBuf)| CandidateFile {
                file,
                text: read_file(&path).map_err(told),
            };
            files.into_iter().map(read).collect()
        }
        Err(error) => vec![CandidateFile { file: String::new(), text: Err(told(error)) }],
    }
}

/// Names and paths of every `*.toml`, by name. Hidden entries (`..data` of a ConfigMap, editors' swap files) are left out.
fn profile_files(folder: &Path) -> Result<Vec<(String, PathBuf)>, FolderError> {
    let io = |source| FolderError::Io { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with('.') && name.ends_with(".toml") {
            files.push((name.to_owned(), path));
        }
    }
    files.sort();
    Ok(files)
}

fn read_file(path: &Path) -> Result<String, FolderError> {
    let io = |source| FolderError::Io { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(io)?;
    let mut text = String::new();
    let read = file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(io)?;
    if u64::try_from(read).is_ok_and(|read| read <= MAX_FILE_BYTES) {
        return Ok(text);
    }
    Err(FolderError::TooLarge { path: path.to_owned() })
}
