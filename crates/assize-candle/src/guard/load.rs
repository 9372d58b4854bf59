//! From a guard's file and a checkpoint to what reads and what judges.

use super::{GuardJudge, GuardReader, GuardSpec, JudgeError, PlanError, SpecError};
use crate::{
    DeviceChoice, LoadError,
    decoder::{Decoder, DecoderPrecision},
    prompt::{Vocabulary, VocabularyError},
};
use assize_domain::{Digest, ModelIdentity};
use sha2::{Digest as _, Sha256};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// A guard that can't be loaded. Each text names the file.
#[derive(Debug, thiserror::Error)]
pub enum LargeGuardError {
    /// A file can't be read.
    #[error("`{file}` can't be read")]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The guard's file.
    #[error("`{file}` can't be used as a guard's file")]
    Spec {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: SpecError,
    },
    /// The checkpoint.
    #[error("the guard's checkpoint can't be used")]
    Checkpoint(#[source] Box<LoadError>),
    /// The tokenizer.
    #[error("`{file}` can't be used as the guard's tokenizer")]
    Vocabulary {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: VocabularyError,
    },
    /// The guard's file and its tokenizer.
    #[error("`{file}` does not fit the checkpoint's tokenizer")]
    Plan {
        /// The guard's file.
        file: PathBuf,
        /// Why.
        #[source]
        source: PlanError,
    },
    /// The judge.
    #[error("the guard can't be made ready")]
    Judge(#[from] JudgeError),
    /// The engine asks for what the file does not hold.
    #[error("`{file}` holds no `{missing}`, which this engine asks")]
    NothingToAsk {
        /// The guard's file.
        file: PathBuf,
        /// `query` or `classify`.
        missing: &'static str,
    },
}

/// A guard, loaded on one device or several.
#[derive(Debug)]
pub struct LargeGuard {
    /// Name in the guard's file; digest over that, the tokenizer and the checkpoint.
    pub identity: ModelIdentity,
    /// From conversations to questions, and from choices to opinions.
    pub reader: GuardReader,
    /// One for each device.
    pub judges: Vec<GuardJudge>,
}

impl LargeGuard {
    /// Reads the guard's file, the checkpoint (a folder as Hugging Face writes it, or a GGUF file with `tokenizer.json`
    /// beside it) once for each device, and what all questions begin with. `cache_tokens` are each judge's, beside that.
    ///
    /// Blocks: it reads whole checkpoints.
    ///
    /// # Errors
    /// Every variant of [`LargeGuardError`].
    pub fn load(
        file: &Path,
        checkpoint: &Path,
        devices: &[DeviceChoice],
        (precision, cache_tokens): (DecoderPrecision, usize),
    ) -> Result<Self, LargeGuardError> {
        let files = Files::read(file, checkpoint)?;
        let load = |device: &DeviceChoice| Decoder::load(checkpoint, *device, precision).map(Arc::new);
        let decoders = devices.iter().map(load).collect::<Result<Vec<_>, _>>();
        let decoders = decoders.map_err(|error| LargeGuardError::Checkpoint(Box::new(error)))?;
        let first = decoders.first();
        let vocab = first.map_or(usize::MAX, |decoder| decoder.shape().vocab);
        let revision = first.map_or([0; 32], |decoder| *decoder.revision().bytes());
        let (identity, reader) = files.reader(vocab, &revision)?;
        let judges =
            decoders.into_iter().map(|decoder| GuardJudge::new(decoder, reader.plans(), cache_tokens));
        let judges = judges.collect::<Result<_, _>>()?;
        Ok(Self { identity, reader, judges })
    }

    /// As [`Self::load`] without the weights, for a guard that a server elsewhere runs under the name `model`.
    ///
    /// # Errors
    /// Every variant of [`LargeGuardError`] that concerns the guard's file and its tokenizer.
    pub fn reader(
        file: &Path,
        checkpoint: &Path,
        model: &str,
    ) -> Result<(ModelIdentity, GuardReader), LargeGuardError> {
        Files::read(file, checkpoint)?.reader(usize::MAX, model.as_bytes())
    }

    /// A guard's file for a classifier that a server elsewhere runs.
    ///
    /// # Errors
    /// When the file can't be read or used.
    pub fn classifier(file: &Path) -> Result<(ModelIdentity, GuardSpec), LargeGuardError> {
        let text = read(file)?;
        let spec = parse(file, &text)?;
        if spec.classify.is_empty() {
            return Err(LargeGuardError::NothingToAsk { file: file.into(), missing: "classify" });
        }
        let revision = Digest::new(Sha256::digest(&text).into());
        Ok((ModelIdentity { name: spec.name.as_str().into(), revision }, spec))
    }
}

/// The files that are read but for the weights.
struct Files {
    file: PathBuf,
    text: Vec<u8>,
    spec: GuardSpec,
    tokenizer: PathBuf,
    json: Vec<u8>,
}

impl Files {
    fn read(file: &Path, checkpoint: &Path) -> Result<Self, LargeGuardError> {
        let text = read(file)?;
        let spec = parse(file, &text)?;
        if spec.query.is_empty() {
            return Err(LargeGuardError::NothingToAsk { file: file.into(), missing: "query" });
        }
        let tokenizer = tokenizer_of(checkpoint);
        let json = read(&tokenizer)?;
        Ok(Self { file: file.into(), text, spec, tokenizer, json })
    }

    /// `weights` stand for the weights in the revision.
    fn reader(self, vocab: usize, weights: &[u8]) -> Result<(ModelIdentity, GuardReader), LargeGuardError> {
        let Self { file, text, spec, tokenizer, json } = self;
        let vocabulary = Vocabulary::from_json(&json, vocab)
            .map_err(|source| LargeGuardError::Vocabulary { file: tokenizer, source })?;
        let mut digest = Sha256::new();
        digest.update(Sha256::digest(&text));
        digest.update(Sha256::digest(&json));
        digest.update(weights);
        let revision = Digest::new(digest.finalize().into());
        let identity = ModelIdentity { name: spec.name.as_str().into(), revision };
        let reader =
            GuardReader::new(spec, vocabulary).map_err(|source| LargeGuardError::Plan { file, source })?;
        Ok((identity, reader))
    }
}

fn parse(file: &Path, text: &[u8]) -> Result<GuardSpec, LargeGuardError> {
    GuardSpec::parse(&String::from_utf8_lossy(text))
        .map_err(|source| LargeGuardError::Spec { file: file.into(), source })
}

fn read(file: &Path) -> Result<Vec<u8>, LargeGuardError> {
    std::fs::read(file).map_err(|source| LargeGuardError::Unreadable { file: file.into(), source })
}

/// Where a checkpoint's tokenizer lies.
pub(crate) fn tokenizer_of(checkpoint: &Path) -> PathBuf {
    let folder = if checkpoint.is_dir() { Some(checkpoint) } else { checkpoint.parent() };
    folder.unwrap_or(Path::new(".")).join("tokenizer.json")
}
