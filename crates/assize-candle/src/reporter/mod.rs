//! Reporters: decoders that write a harm-benefit tree about a prompt, harms and benefits each as a text.
//!
//! ```text
//! ReporterSpec (a file)  +  Vocabulary, TokenBytes (tokenizer.json)  --ReporterReader-->  templates, stop tokens, grammar
//! Conversation --ReporterReader::read--> ReporterReading { TreeText, TreeText }   tokens; any thread
//!     TreeText --ReporterWriter--> Written                                        the one thread that owns the model
//! ```
//!
//! Here is no community and no queue, and nobody reads what was written: `assize-record` does.

mod load;
mod reader;
mod spec;
#[cfg(test)]
mod tests;
mod writer;

pub use load::{LargeReporter, LargeReporterError, ReporterCheckpoints};
pub use reader::{FitError, ReporterReader, ReporterReading, UnreadablePrompt};
pub use spec::{ReporterSpec, ReporterSpecError, Sides, SpecGrammar, SpecSampling, SpecTemplates};
pub use writer::{ReporterWriter, TreeText};
