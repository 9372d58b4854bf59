//! Measures the model on labelled JSON Lines: which score each row gets, and how good the scores are.
//!
//! Used by `assize eval` only. Reads with the same reader, tokenizer, windows and context views and computes with the
//! same encoder as the service, but without its queue: one thread, batch after batch. The figures are those of
//! `assize-measure`. Must never print or write a text, and never choose a threshold by what it measured.

mod answers;
mod judge;
mod leaves;
mod masses;
mod report;
mod rows;

pub(crate) use judge::{Judge, JudgedSet};
pub(crate) use masses::{MassAnswer, MassOutcome, MassTask};
pub(crate) use report::{LabelReport, Measure, MeasuredModel, Report, Table, mass_reports};
pub(crate) use rows::{Row, RowId, Set};

use assize_domain::{GuardHead, InvalidConversation, Subject};

/// One yes-or-no question that rows can be labelled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Is the prompt harmful?
    PromptHarm,
    /// Is the response harmful?
    ResponseHarm,
    /// Is the response a refusal?
    Refusal,
    /// Is the prompt an attack?
    Adversarial,
}

impl Task {
    /// Every task, in the order of the report.
    pub(crate) const ALL: [Self; 4] =
        [Self::PromptHarm, Self::ResponseHarm, Self::Refusal, Self::Adversarial];

    /// The stable name in reports and score files.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::PromptHarm => "prompt_harm",
            Self::ResponseHarm => "response_harm",
            Self::Refusal => "refusal",
            Self::Adversarial => "adversarial",
        }
    }

    /// The guard's head that answers.
    pub(crate) const fn head(self) -> GuardHead {
        match self {
            Self::PromptHarm => GuardHead::PromptHarmful,
            Self::ResponseHarm => GuardHead::ResponseHarmful,
            Self::Refusal => GuardHead::ResponseRefusal,
            Self::Adversarial => GuardHead::Adversarial,
        }
    }

    /// What has to be judged for an answer.
    pub(crate) const fn subject(self) -> Subject {
        match self {
            Self::PromptHarm | Self::Adversarial => Subject::Prompt,
            Self::ResponseHarm | Self::Refusal => Subject::Response,
        }
    }
}

/// What came out for one labelled row and one task.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    /// The row.
    pub(crate) row: &'a Row,
    /// What people say.
    pub(crate) label: bool,
    /// What the model says, or why it says nothing.
    pub(crate) answer: Result<Answer, &'a Unjudged>,
}

/// The model's answer for one row and task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// Calibrated probability of yes, in `[0, 1]`.
    pub(crate) score: f32,
    /// Share of the subject's tokens that was read, in `[0, 1]`.
    pub(crate) coverage: f32,
}

/// Why a row has no score. Counts as a wrong answer, as in the published tables: nobody is served by such a row. Where
/// masses are measured it is left out and counted, because no mass is the wrong one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unjudged {
    /// There is nothing that could be judged, such as a blank prompt.
    #[error(transparent)]
    NoSubject(#[from] InvalidConversation),
    /// The text can't be made into sequences.
    #[error(transparent)]
    Unreadable(#[from] assize_candle::ReadError),
    /// The model gave a number that is none.
    #[error(transparent)]
    NotFinite(#[from] assize_candle::calibrate::NotFinite),
    /// The harm-benefit side can't be used.
    #[error("the model gave no masses that can be used")]
    NoMasses,
    /// The encoder gave no answer for one of its sequences: a defect of this module.
    #[error("a sequence has no answer")]
    NoAnswer,
}
