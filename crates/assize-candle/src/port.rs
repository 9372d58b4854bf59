//! Lets `assize-inference` drive the encoder: a worker's thread owns it and calls it step by step.

use crate::{GuardEncoder, GuardRun, HeadLogits, Sequence};
use assize_inference::{BatchModel, ModelError, Weigh};
use std::error::Error;

impl Weigh for Sequence {
    fn tokens(&self) -> usize {
        self.tokens()
    }
}

/// Keeps nothing between runs but memory to work in, so a run stands alone as the trait asks, also after a panic.
impl BatchModel for GuardEncoder {
    type Input = Sequence;
    type Output = HeadLogits;
    type Run = GuardRun;

    fn begin(&mut self, inputs: &[&Sequence]) -> Result<GuardRun, ModelError> {
        self.begin(inputs).map_err(|error| failed(&error))
    }

    fn advance(&mut self, run: &mut GuardRun) -> Result<Option<Vec<HeadLogits>>, ModelError> {
        self.advance(run).map_err(|error| failed(&error))
    }
}

/// A model's failure, told with its causes.
pub(crate) fn failed(error: &dyn Error) -> ModelError {
    ModelError::Failed { detail: detail(error) }
}

/// The error and its causes: sizes, ids and the tensor library's words, never a text.
fn detail(error: &dyn Error) -> String {
    let mut detail = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        detail = format!("{detail}: {error}");
        cause = error.source();
    }
    detail
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EncoderError, Framing};

    #[test]
    fn a_sequence_weighs_its_control_tokens_too() {
        let framing = Framing { cls: 101, sep: 102, max_tokens: 512 };
        assert_eq!(Weigh::tokens(&Sequence::pair(framing, &[1, 2], &[3]).unwrap()), 6);
    }

    #[test]
    fn a_failure_is_told_with_its_causes() {
        let error = EncoderError::Tensor(candle_core::Error::Msg("out of memory".to_owned()));
        assert_eq!(detail(&error), "the tensor library failed: out of memory");
    }
}
