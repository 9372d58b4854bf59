//! The only crate that knows tensors: device, weights, tokenizer, encoder, heads, calibration.
//!
//! [`GuardModel::load`] reads a model folder (four files) and gives everything needed to judge a text:
//!
//! ```text
//! text --GuardTokenizer::ids--> word pieces --Sequence::{single,pair}--> Sequence
//!      --Encoder::infer--> HeadLogits --calibrate::{prompt,response}_scores, expected_masses--> domain values
//! ```
//!
//! Here is no queue, no thread, no clock and no community: windows are cut and answers are put together by the
//! server, batches are formed by `assize-inference`.

pub mod calibrate;
mod device;
mod encoder;
mod folder;
mod logits;
pub mod numerics;
mod port;
mod reading;
mod sequence;
mod tokenizer;

pub use device::DeviceChoice;
pub use encoder::{Encoder, EncoderError};
pub use folder::{
    Calibration, CalibrationOutOfRange, EncoderShape, GuardModel, InputLimits, LoadError, ModelCard,
};
pub use logits::HeadLogits;
pub use reading::{ReadError, Reader, Reading};
pub use sequence::{Framing, Sequence, SequenceTooLong};
pub use tokenizer::{GuardTokenizer, TokenizeError};
