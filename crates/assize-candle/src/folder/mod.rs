//! A model folder, read and checked: what is loaded here can be believed everywhere else.
//!
//! A folder holds `config.json` (shape, heads), `model.safetensors` (weights), `tokenizer.json` (word pieces) and
//! `card.toml` (what the model is for, calibration, operating points), and may hold `golden.json`. Other files, such as
//! `README.md`, are prose and are not read. Each file is read once, so that what was hashed is what was loaded.
//!
//! `golden.json` is a list of inputs with the token ids, type ids and logits that the maker's own code got, the logits
//! in the taxonomy's order. Where it is present it is replayed on the chosen device, and a folder that computes
//! otherwise is refused: wrong settings, swapped names and foreign weights have the right shapes. Where it is absent,
//! [`GuardModel::verification`] says so.

mod card;
mod config;
mod error;
mod files;
mod golden;
mod heads;

#[cfg(test)]
pub(crate) use card::test_card;
pub use card::{Calibration, CalibrationOutOfRange, ContextForm, InputLimits, ModelCard};
pub use config::EncoderShape;
pub use error::LoadError;
pub(crate) use files::ModelFile;
pub use golden::Verification;
pub(crate) use heads::HeadOrder;

use crate::{
    ChoiceError, DeviceChoice, Framing, GuardEncoder, GuardTokenizer, PrecisionChoice, Trial,
    encoder::{References, Weights, choose, load_encoder},
};
use assize_domain::ModelIdentity;
use files::ModelFiles;
use std::path::Path;

/// Everything that is needed to judge a text with one checkpoint.
#[derive(Debug)]
pub struct GuardModel {
    /// The card's name, and the digest over the files that were read.
    pub identity: ModelIdentity,
    /// What the model's maker says of it.
    pub card: ModelCard,
    /// How word pieces become a sequence of this model.
    pub framing: Framing,
    /// From text to word pieces.
    pub tokenizer: GuardTokenizer,
    /// From sequences to logits.
    pub encoder: GuardEncoder,
    references: References,
}

impl GuardModel {
    /// Reads `folder`, puts the weights on `device` and replays golden.json there, where the folder has one.
    ///
    /// Blocks: it reads the whole checkpoint from disk and judges up to four short texts.
    ///
    /// # Errors
    /// When a file is absent or unreadable, says something that is not supported, or does not fit the others; when the
    /// device is absent; when a reference input comes out otherwise. Each text names the file, the key, what is there, what is allowed and what to do.
    pub fn load(folder: &Path, device: DeviceChoice) -> Result<Self, LoadError> {
        let files = ModelFiles::read(folder)?;
        let config = config::parse(&files.config)?;
        let mut card = card::parse(&files.card, config.shape.max_positions)?;
        let tokenizer =
            GuardTokenizer::from_json(&files.tokenizer.bytes, config.shape.vocab_size).map_err(|source| {
                LoadError::Tokenizer { file: files.tokenizer.path.clone(), source: source.into() }
            })?;
        let opened = device.open().map_err(|source| LoadError::NoDevice { device, source: source.into() })?;
        let mut weights = Weights::parse(&files.weights, config.dtype, &opened)?;
        let mut encoder = load_encoder(&mut weights, config.shape, &config.heads)?;
        weights.finish()?;
        let framing =
            Framing { cls: tokenizer.cls(), sep: tokenizer.sep(), max_tokens: config.shape.max_positions };
        let mut references = References::new();
        if let Some(golden) = &files.golden {
            (card.verification, references) = golden::replay(golden, framing, &tokenizer, &mut encoder)?;
        }
        let identity = ModelIdentity { name: card.name.clone(), revision: files.digest() };
        let encoder = GuardEncoder::Portable(encoder);
        Ok(Self { identity, card, framing, tokenizer, encoder, references })
    }

    /// Has the encoder compute as `choice` says, on `threads` threads; tells what was tried. A model is loaded to compute
    /// over tensors, and can be told otherwise once.
    ///
    /// # Errors
    /// Every variant of [`ChoiceError`].
    pub fn computing(
        mut self,
        choice: PrecisionChoice,
        threads: usize,
    ) -> Result<(Self, Vec<Trial>), ChoiceError> {
        let mut trials = Vec::new();
        if let GuardEncoder::Portable(encoder) = self.encoder {
            (self.encoder, trials) = choose(encoder, &self.references, (choice, threads))?;
        }
        Ok((self, trials))
    }

    /// Whether golden.json was there and came out as it says; what is not verified loads all the same.
    pub const fn verification(&self) -> Verification {
        self.card.verification()
    }
}
