//! A model folder, read and checked: what is loaded here can be believed everywhere else.
//!
//! A folder holds `config.json` (shape, heads), `model.safetensors` (weights), `tokenizer.json` (word pieces) and
//! `card.toml` (what the model is for, calibration, operating points). Other files, such as `README.md`, are prose and
//! are not read. Each file is read once, so that what was hashed is what was loaded.

mod card;
mod config;
mod error;
mod files;
mod heads;

#[cfg(test)]
pub(crate) use card::test_card;
pub use card::{Calibration, CalibrationOutOfRange, InputLimits, ModelCard};
pub use config::EncoderShape;
pub use error::LoadError;
pub(crate) use files::ModelFile;
pub(crate) use heads::HeadOrder;

use crate::{
    DeviceChoice, Encoder, Framing, GuardTokenizer,
    encoder::{Weights, load_encoder},
};
use assize_domain::ModelIdentity;
use files::ModelFiles;
use std::path::Path;

/// Everything that is needed to judge a text with one checkpoint.
#[derive(Debug)]
pub struct GuardModel {
    /// The card's name, and the digest over the four files.
    pub identity: ModelIdentity,
    /// What the model's maker says of it.
    pub card: ModelCard,
    /// How word pieces become a sequence of this model.
    pub framing: Framing,
    /// From text to word pieces.
    pub tokenizer: GuardTokenizer,
    /// From sequences to logits.
    pub encoder: Encoder,
}

impl GuardModel {
    /// Reads `folder` and puts the weights on `device`. Blocks: it reads the whole checkpoint from disk.
    ///
    /// # Errors
    /// When a file is absent or unreadable, says something that is not supported, or does not fit the others; when the
    /// device is absent. Each text names the file, the key, what is there, what is allowed and what to do.
    pub fn load(folder: &Path, device: DeviceChoice) -> Result<Self, LoadError> {
        let files = ModelFiles::read(folder)?;
        let config = config::parse(&files.config)?;
        let card = card::parse(&files.card, config.shape.max_positions)?;
        let tokenizer =
            GuardTokenizer::from_json(&files.tokenizer.bytes, config.shape.vocab_size).map_err(|source| {
                LoadError::Tokenizer { file: files.tokenizer.path.clone(), source: source.into() }
            })?;
        let opened = device.open().map_err(|source| LoadError::NoDevice { device, source: source.into() })?;
        let mut weights = Weights::parse(&files.weights, config.dtype, &opened)?;
        let encoder = load_encoder(&mut weights, config.shape, &config.heads)?;
        weights.finish()?;
        let identity = ModelIdentity { name: card.name.clone(), revision: files.digest() };
        let framing =
            Framing { cls: tokenizer.cls(), sep: tokenizer.sep(), max_tokens: config.shape.max_positions };
        Ok(Self { identity, card, framing, tokenizer, encoder })
    }
}
