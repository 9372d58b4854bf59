//! From a reporter's file and one checkpoint, or two, to what reads and what writes.

use super::{
    reader::{FitError, ReporterReader, SideReader},
    spec::{ReporterSpec, ReporterSpecError, Sides},
    writer::ReporterWriter,
};
use crate::{
    DeviceChoice, LoadError,
    decoder::{Decoder, DecoderError, DecoderPrecision, PAGE},
    guard::load::tokenizer_of,
    prompt::{Vocabulary, VocabularyError},
    writing::{TokenBytes, TreeSide, Writer},
};
use assize_domain::{Digest, ModelIdentity};
use sha2::{Digest as _, Sha256};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// A reporter that can't be loaded. Each text names the file or the setting.
#[derive(Debug, thiserror::Error)]
pub enum LargeReporterError {
    /// A file can't be read.
    #[error("`{file}` can't be read")]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The reporter's file.
    #[error("`{file}` can't be used as a reporter's file")]
    Spec {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: ReporterSpecError,
    },
    /// A checkpoint.
    #[error("the reporter's checkpoint can't be used")]
    Checkpoint(#[source] Box<LoadError>),
    /// A tokenizer.
    #[error("`{file}` can't be used as the reporter's tokenizer")]
    Vocabulary {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: VocabularyError,
    },
    /// The reporter's file and a tokenizer.
    #[error("`{file}` does not fit the checkpoint's tokenizer")]
    Fit {
        /// The reporter's file.
        file: PathBuf,
        /// Why.
        #[source]
        source: FitError,
    },
    /// The reporter's file allows more than the checkpoint.
    #[error("`context_tokens` is {given}, over the checkpoint's limit of {limit}")]
    TooLong {
        /// What the file says.
        given: usize,
        /// The checkpoint's limit.
        limit: usize,
    },
    /// One checkpoint for two, or two for one.
    #[error("`{file}` is of a reporter with {needed}; {advice}")]
    Checkpoints {
        /// The reporter's file.
        file: PathBuf,
        /// How many it has.
        needed: &'static str,
        /// What to set.
        advice: &'static str,
    },
    /// The cache can't hold one text.
    #[error("`cache_tokens` is {given}; the reporter's longest text needs at least {needed}")]
    SmallCache {
        /// Tokens given.
        given: usize,
        /// Tokens needed.
        needed: usize,
    },
    /// The writer.
    #[error("the reporter can't be made ready")]
    Writer(#[from] DecoderError),
}

/// Where a reporter's weights are: each a folder as Hugging Face writes it, or a GGUF file with `tokenizer.json` beside it.
#[derive(Debug, Clone)]
pub struct ReporterCheckpoints {
    /// What writes the harms.
    pub harms: PathBuf,
    /// What writes the benefits; absent where the first writes both.
    pub benefits: Option<PathBuf>,
}

impl ReporterCheckpoints {
    fn check(&self, file: &Path, sides: Sides) -> Result<(), LargeReporterError> {
        let (needed, advice) = match (sides, &self.benefits) {
            (Sides::Together, None) | (Sides::Apart, Some(_)) => return Ok(()),
            (Sides::Together, Some(_)) => {
                ("one checkpoint for both sides", "leave the one for the benefits out")
            }
            (Sides::Apart, None) => ("a checkpoint for each side", "name the one for the benefits too"),
        };
        Err(LargeReporterError::Checkpoints { file: file.into(), needed, advice })
    }
}

/// A reporter, loaded on one device or several.
#[derive(Debug)]
pub struct LargeReporter {
    /// Name in the reporter's file; digest over that, the tokenizers and the checkpoints.
    pub identity: ModelIdentity,
    /// From conversations to texts that are to be written.
    pub reader: ReporterReader,
    /// One for each device.
    pub writers: Vec<ReporterWriter>,
}

impl LargeReporter {
    /// Reads the reporter's file, its checkpoints once for each device, and what all prompts begin with. `cache_tokens` are
    /// each checkpoint's on each device; `seed` goes into every text.
    ///
    /// Blocks: it reads whole checkpoints.
    ///
    /// # Errors
    /// Every variant of [`LargeReporterError`].
    pub fn load(
        file: &Path,
        checkpoints: &ReporterCheckpoints,
        devices: &[DeviceChoice],
        (precision, cache_tokens): (DecoderPrecision, usize),
        seed: u64,
    ) -> Result<Self, LargeReporterError> {
        let text = read(file)?;
        let spec = ReporterSpec::parse(&String::from_utf8_lossy(&text))
            .map_err(|source| LargeReporterError::Spec { file: file.into(), source })?;
        checkpoints.check(file, spec.sides)?;
        let unfit = |source| LargeReporterError::Fit { file: file.into(), source };
        let mut digest = Sha256::new();
        digest.update(Sha256::digest(&text));
        let mut load = |path: &Path| Part::load(path, devices, precision, &mut digest);
        let first = load(&checkpoints.harms)?;
        let second = checkpoints.benefits.as_deref().map(&mut load).transpose()?;
        let of_benefits = second.as_ref().unwrap_or(&first);
        let harms = first.side(&spec, TreeSide::Harms).map_err(unfit)?;
        let benefits = of_benefits.side(&spec, TreeSide::Benefits).map_err(unfit)?;
        let both = [harms.beginning.as_slice(), benefits.beginning.as_slice()];
        for part in [&first, of_benefits] {
            part.check(&spec, cache_tokens, &both)?;
        }
        let [of_harms, of_benefits] = both;
        let writers: Vec<ReporterWriter> = match &second {
            None => {
                let writers = first.writers(cache_tokens, &both)?;
                writers.into_iter().map(|writer| ReporterWriter::new(writer, None)).collect()
            }
            Some(second) => {
                let harms = first.writers(cache_tokens, &[of_harms])?;
                let benefits = second.writers(cache_tokens, &[of_benefits])?;
                harms
                    .into_iter()
                    .zip(benefits)
                    .map(|(one, other)| ReporterWriter::new(one, Some(other)))
                    .collect()
            }
        };
        let revision = Digest::new(digest.finalize().into());
        let identity = ModelIdentity { name: spec.name.as_str().into(), revision };
        let reader = ReporterReader::new(&spec, seed, harms, benefits).map_err(unfit)?;
        Ok(Self { identity, reader, writers })
    }
}

/// A checkpoint on each device, and its tokens.
struct Part {
    decoders: Vec<Arc<Decoder>>,
    vocabulary: Arc<Vocabulary>,
    tokens: Arc<TokenBytes>,
}

impl Part {
    fn load(
        checkpoint: &Path,
        devices: &[DeviceChoice],
        precision: DecoderPrecision,
        digest: &mut Sha256,
    ) -> Result<Self, LargeReporterError> {
        let tokenizer = tokenizer_of(checkpoint);
        let json = read(&tokenizer)?;
        let load = |device: &DeviceChoice| Decoder::load(checkpoint, *device, precision).map(Arc::new);
        let decoders: Vec<Arc<Decoder>> = devices
            .iter()
            .map(load)
            .collect::<Result<_, _>>()
            .map_err(|error| LargeReporterError::Checkpoint(Box::new(error)))?;
        let first = decoders.first();
        let vocab = first.map_or(usize::MAX, |decoder| decoder.shape().vocab);
        digest.update(Sha256::digest(&json));
        digest.update(first.map_or([0; 32], |decoder| *decoder.revision().bytes()));
        let unusable = |source| LargeReporterError::Vocabulary { file: tokenizer.clone(), source };
        Ok(Self {
            decoders,
            vocabulary: Arc::new(Vocabulary::from_json(&json, vocab).map_err(unusable)?),
            tokens: Arc::new(TokenBytes::from_json(&json, vocab).map_err(unusable)?),
        })
    }

    /// A text and what is remembered must fit.
    fn check(
        &self,
        spec: &ReporterSpec,
        cache_tokens: usize,
        beginnings: &[&[u32]],
    ) -> Result<(), LargeReporterError> {
        let given = spec.context_tokens;
        let limit = self.decoders.first().map_or(given, |decoder| decoder.shape().max_positions);
        if given > limit {
            return Err(LargeReporterError::TooLong { given, limit });
        }
        let remembered = beginnings.iter().map(|beginning| beginning.len().next_multiple_of(PAGE));
        let needed = given.next_multiple_of(PAGE) + remembered.sum::<usize>();
        if cache_tokens < needed {
            return Err(LargeReporterError::SmallCache { given: cache_tokens, needed });
        }
        Ok(())
    }

    fn side(&self, spec: &ReporterSpec, side: TreeSide) -> Result<SideReader, FitError> {
        SideReader::new(spec, side, Arc::clone(&self.vocabulary), &self.tokens)
    }

    /// One for each device, each with what prompts begin with.
    fn writers(&self, cache_tokens: usize, beginnings: &[&[u32]]) -> Result<Vec<Writer>, DecoderError> {
        let ready = |decoder: &Arc<Decoder>| {
            let mut writer = Writer::new(Arc::clone(decoder), Arc::clone(&self.tokens), cache_tokens)?;
            beginnings.iter().try_for_each(|beginning| writer.remember(beginning))?;
            Ok(writer)
        };
        self.decoders.iter().map(ready).collect()
    }
}

fn read(file: &Path) -> Result<Vec<u8>, LargeReporterError> {
    std::fs::read(file).map_err(|source| LargeReporterError::Unreadable { file: file.into(), source })
}
