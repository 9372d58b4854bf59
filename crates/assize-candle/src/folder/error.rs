//! Why a model folder can't be loaded, in words for the operator who has to mend it.

use crate::DeviceChoice;
use std::path::PathBuf;

/// Any cause below; boxed so that errors stay small, and that the crates beneath stay out of this crate's public types.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A model folder that can't be loaded. Every variant but the last names the file.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file is absent or can't be read.
    #[error(
        "`{file}` can't be read; a model folder holds config.json, model.safetensors, tokenizer.json and card.toml, and may hold golden.json"
    )]
    Unreadable {
        /// Path of the file.
        file: PathBuf,
        /// The operating system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A file is no JSON, TOML or safetensors, lacks a key, has an unknown one, or one of the wrong type.
    #[error("`{file}` is not {expected}; mend the file at the place that the cause names")]
    Malformed {
        /// Path of the file.
        file: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// The parser's reason, with the key or the place.
        #[source]
        source: Cause,
    },
    /// A setting has a value that is not allowed.
    #[error("`{file}`: `{key}` is `{given}`; allowed: {allowed}; {advice}")]
    NotAllowed {
        /// Path of the file.
        file: PathBuf,
        /// The setting, with dots for nesting.
        key: String,
        /// What the file says.
        given: String,
        /// What it could say.
        allowed: String,
        /// What to do.
        advice: &'static str,
    },
    /// A head's list lacks a name of the taxonomy.
    #[error(
        "`{file}`: `{key}` lacks `{missing}`; the checkpoint must answer the whole taxonomy, so train it again with every name"
    )]
    HeadMissing {
        /// Path of the file.
        file: PathBuf,
        /// The list.
        key: String,
        /// The names it lacks, separated by commas.
        missing: String,
    },
    /// A head's list has a name twice.
    #[error(
        "`{file}`: `{key}` has `{name}` more than once; list each row of the head once, in the checkpoint's order"
    )]
    HeadTwice {
        /// Path of the file.
        file: PathBuf,
        /// The list.
        key: String,
        /// The name, in the taxonomy's spelling.
        name: &'static str,
    },
    /// The tokenizer can't be used for user text with this checkpoint.
    #[error(
        "`{file}` can't be used as this model's tokenizer; take the file that the checkpoint was trained with"
    )]
    Tokenizer {
        /// Path of the file.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Cause,
    },
    /// A tensor is absent.
    #[error(
        "`{file}` has no tensor `{tensor}` of shape {expected}; export the checkpoint again, or correct config.json"
    )]
    TensorMissing {
        /// Path of the file.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// The shape that config.json asks for.
        expected: String,
    },
    /// A tensor has another shape than config.json says.
    #[error(
        "`{file}`: the tensor `{tensor}` has shape {given}, but config.json asks for {expected}; the two files are not of one checkpoint"
    )]
    TensorShape {
        /// Path of the file.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// The shape in the file.
        given: String,
        /// The shape that config.json asks for.
        expected: String,
    },
    /// A tensor has another number type than config.json says.
    #[error(
        "`{file}`: the tensor `{tensor}` is {given}, but `dtype` in config.json is {expected}; correct `dtype`, or export the checkpoint again"
    )]
    TensorType {
        /// Path of the file.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// The number type in the file.
        given: String,
        /// The number type that config.json names.
        expected: String,
    },
    /// A tensor holds a number that is infinite or none.
    #[error(
        "`{file}`: the tensor `{tensor}` holds numbers that are not finite; the training run or the export went wrong"
    )]
    TensorNotFinite {
        /// Path of the file.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
    },
    /// The checkpoint has tensors that this encoder does not use: it is another model than config.json says.
    #[error(
        "`{file}` has {count} tensors that the architecture in config.json does not use, among them `{example}`; export only the encoder and its heads"
    )]
    TensorsLeftOver {
        /// Path of the file.
        file: PathBuf,
        /// How many there are.
        count: usize,
        /// The first by name.
        example: String,
    },
    /// The weights could not be brought to the device.
    #[error("`{file}`: the tensor `{tensor}` can't be put on the device; check the device's free memory")]
    TensorNotPlaced {
        /// Path of the file.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// The tensor library's reason.
        #[source]
        source: Cause,
    },
    /// A reference input of golden.json became other tokens.
    #[error(
        "`{file}`, row {row}: the {what} differ from the file's at place {place} ({given} here, {expected} in the file); config.json, tokenizer.json and golden.json are not of one model, so take every file of the folder from one export"
    )]
    GoldenTokens {
        /// Path of the file.
        file: PathBuf,
        /// Index of the row, from 0.
        row: usize,
        /// Token ids or type ids.
        what: &'static str,
        /// Index of the first token that differs, control tokens included.
        place: usize,
        /// How many tokens there are here.
        given: usize,
        /// How many tokens the file lists.
        expected: usize,
    },
    /// A reference input of golden.json got other logits.
    #[error(
        "`{file}`, row {row}: the logit of `{logit}` differs from the file's by {difference}; allowed: up to {tolerance}; the weights, config.json and tokenizer.json are not of one model, or the device computes otherwise: take every file of the folder from one export, then try the cpu"
    )]
    GoldenLogits {
        /// Path of the file.
        file: PathBuf,
        /// Index of the row with the largest difference, from 0.
        row: usize,
        /// Head and name of the logit with the largest difference, in the taxonomy's ids: `risk.cyberattack`.
        logit: String,
        /// Its absolute difference; infinite where it is no finite number.
        difference: f32,
        /// Largest difference that is allowed.
        tolerance: f32,
    },
    /// A reference input of golden.json could not be judged.
    #[error(
        "`{file}`, row {row}: the input can't be judged; the weights, config.json and tokenizer.json are not of one model, or the device fails"
    )]
    GoldenFailed {
        /// Path of the file.
        file: PathBuf,
        /// Index of the row, from 0.
        row: usize,
        /// The tokenizer's or the encoder's reason.
        #[source]
        source: Cause,
    },
    /// The device asked for is not there.
    #[error(
        "the device {device:?} can't be opened; build with the feature `cuda` and check the driver with `nvidia-smi`, or choose the cpu"
    )]
    NoDevice {
        /// What was asked for.
        device: DeviceChoice,
        /// The tensor library's reason.
        #[source]
        source: Cause,
    },
}
