//! Large guards: decoders that were trained to write a verdict, asked without having them write.
//!
//! ```text
//! GuardSpec (a file)  +  Vocabulary (tokenizer.json)  --GuardReader-->  plans: templates, places of labels
//! Conversation --GuardReader::read--> GuardReading { Question... }      tokens; any thread
//!     Question --GuardJudge--> Choices                                  the one thread that owns the model
//!      Choices --GuardReader::opinion--> Opinion                        probabilities in this service's words
//! ```
//!
//! Here is no community and no queue.

mod inquiry;
mod judge;
pub(crate) mod load;
mod opinion;
mod plan;
mod reader;
pub(crate) mod spec;
#[cfg(test)]
mod tests;

pub use inquiry::Inquiry;
pub use judge::{Choices, GuardJudge, GuardJudgeRun, JudgeError, Question};
pub use load::{LargeGuard, LargeGuardError};
pub use opinion::{Context, Opinion, OpinionError};
pub use plan::{Plan, PlanError};
pub use reader::{GuardReader, GuardReading};
pub use spec::{
    Answer, Beyond, Class, Classify, Criterion, GuardSpec, Label, Query, Reads, SpecCalibration, SpecError,
};

use crate::prompt::Vocabulary;

impl GuardReader {
    /// Fits a guard's file to its tokenizer.
    ///
    /// # Errors
    /// When they don't fit; the text names what and where.
    pub fn new(spec: GuardSpec, vocabulary: Vocabulary) -> Result<Self, PlanError> {
        let plans = plan::plans(&spec, &vocabulary)?.into();
        Ok(Self { spec, vocabulary, plans })
    }
}
