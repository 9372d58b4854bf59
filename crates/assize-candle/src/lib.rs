//! The only crate that knows tensors: device, weights, tokenizer, encoder, heads, calibration.
//!
//! [`GuardModel::load`] reads a model folder (`config.json`, `model.safetensors`, `tokenizer.json`, `card.toml`) and
//! replays its `golden.json`, where there is one, to see that the files are of one model. [`Reader::split`] parts it into what reads and what computes:
//!
//! ```text
//! Conversation --Reader::read--> Reading { Sequence... }      tokens, views, windows; any thread
//!     Sequence --Encoder::infer--> HeadLogits                 the one thread that owns the model
//!   HeadLogits --Reading::assess--> Assessment                calibration, views and windows put together
//! ```
//!
//! Here is no queue, no thread, no clock and no community: batches are formed by `assize-inference`.

pub mod calibrate;
pub mod decoder;
mod device;
mod encoder;
mod folder;
pub mod guard;
pub mod leaves;
mod logits;
pub mod numerics;
mod ops;
mod port;
pub mod prompt;
mod reading;
pub mod reporter;
mod sequence;
mod tokenizer;
pub mod writing;

pub use assize_kernels::{Kernel, Precision};
pub use device::DeviceChoice;
pub use encoder::{
    ChoiceError, Encoder, EncoderError, GuardEncoder, GuardRun, PackError, PrecisionChoice, Shift, Trial,
    UnknownPrecision,
};
pub use folder::{
    Calibration, CalibrationOutOfRange, ContextForm, EncoderShape, GuardModel, InputLimits, LoadError,
    ModelCard, Verification,
};
pub use logits::HeadLogits;
pub use reading::{Composer, InvalidTokenizer, ReadError, Reader, Reading};
pub use sequence::{Framing, Sequence, SequenceTooLong};
pub use tokenizer::{GuardTokenizer, TokenizeError};
