//! Reads the files of a model folder into memory and digests them. The only file access of the crate.

use super::LoadError;
use assize_domain::Digest;
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Display,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// One file of the folder, as it was read.
#[derive(Debug)]
pub(crate) struct ModelFile {
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl ModelFile {
    /// The error for a setting of this file; `advice` says what to do.
    pub(super) fn not_allowed(
        &self,
        key: &str,
        given: &dyn Display,
        allowed: &str,
        advice: &'static str,
    ) -> LoadError {
        LoadError::NotAllowed {
            file: self.path.clone(),
            key: key.to_owned(),
            given: given.to_string(),
            allowed: allowed.to_owned(),
            advice,
        }
    }
}

/// The files of a model folder.
#[derive(Debug)]
pub(crate) struct ModelFiles {
    pub(crate) config: ModelFile,
    pub(crate) weights: ModelFile,
    pub(crate) tokenizer: ModelFile,
    pub(crate) card: ModelFile,
    /// `None` where the folder has none: the only file that may be absent.
    pub(crate) golden: Option<ModelFile>,
}

impl ModelFiles {
    pub(crate) fn read(folder: &Path) -> Result<Self, LoadError> {
        Ok(Self {
            config: read_file(folder, "config.json")?,
            weights: read_file(folder, "model.safetensors")?,
            tokenizer: read_file(folder, "tokenizer.json")?,
            card: read_file(folder, "card.toml")?,
            golden: read_optional(folder, "golden.json")?,
        })
    }

    /// SHA-256 over the files in the order above (golden.json where there is one), each as: length of its name, name,
    /// length, content. Lengths are little-endian u64; they keep a byte from wandering between two
    /// files without a change of the digest.
    pub(crate) fn digest(&self) -> Digest {
        let mut hasher = Sha256::new();
        let required = [&self.config, &self.weights, &self.tokenizer, &self.card];
        for file in required.into_iter().chain(&self.golden) {
            for part in [file.name.as_bytes(), &file.bytes] {
                // usize is at most 64 bits on every platform Rust has: no loss.
                hasher.update((part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
        Digest::new(hasher.finalize().into())
    }
}

fn read_file(folder: &Path, name: &'static str) -> Result<ModelFile, LoadError> {
    let path = folder.join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(ModelFile { name, path, bytes }),
        Err(source) => Err(LoadError::Unreadable { file: path, source }),
    }
}

/// Absence only is `None`: a file that is there and can't be read must not look like none.
fn read_optional(folder: &Path, name: &'static str) -> Result<Option<ModelFile>, LoadError> {
    match read_file(folder, name) {
        Ok(file) => Ok(Some(file)),
        Err(LoadError::Unreadable { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
