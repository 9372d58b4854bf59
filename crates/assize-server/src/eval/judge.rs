//! From rows to scores: reads every labelled subject, asks the encoder, puts the assessments together.

use super::answers::{Answers, Progress, Ticket};
use super::{Answer, MassAnswer, MassOutcome, MassTask, Outcome, Row, Set, Task, Unjudged};
use assize_candle::{EncoderError, GuardModel, Reader, Reading};
use assize_domain::{Assessment, LeafWeights, ModelIdentity, OperatingPoints, Precision, Subject};

/// A model that judges benchmarks.
#[derive(Debug)]
pub(crate) struct Judge {
    /// Which model it is.
    pub(crate) identity: ModelIdentity,
    /// What it computes in.
    pub(crate) precision: Precision,
    /// Where its card turns each head from no to yes.
    pub(crate) operating_points: OperatingPoints,
    reader: Reader,
    answers: Answers,
}

/// A set with what the model says of each labelled subject.
#[derive(Debug)]
pub(crate) struct JudgedSet<'a> {
    judged: Vec<Judged<'a>>,
}

#[derive(Debug)]
struct Judged<'a> {
    row: &'a Row,
    subject: Subject,
    assessment: Result<Assessment, Unjudged>,
}

/// A subject on its way through the encoder.
type Pending = Result<(Reading, Vec<Ticket>), Unjudged>;

impl Judge {
    /// Takes a loaded model.
    pub(crate) fn new(model: GuardModel) -> Self {
        let (identity, operating_points) = (model.identity.clone(), model.card.operating_points);
        let (reader, encoder) = Reader::split(model);
        let precision = encoder.precision();
        Self { identity, precision, operating_points, reader, answers: Answers::new(encoder) }
    }

    /// Judges what is labelled in a set. `done` hears of rows: how many of the set are done by now, by their share of
    /// the work, because a row of eight windows takes a hundred times as long as a short one.
    ///
    /// # Errors
    /// When the encoder fails. A row that can't be judged is no error here.
    pub(crate) fn judge<'a>(
        &mut self,
        set: &'a Set,
        mut done: impl FnMut(usize),
    ) -> Result<JudgedSet<'a>, EncoderError> {
        let subjects = set.rows.iter().flat_map(labelled_subjects);
        let pending: Vec<(&Row, Subject, Pending)> =
            subjects.map(|(row, subject)| (row, subject, self.read(row, subject))).collect();
        let rows = set.rows.len();
        self.answers.infer(|Progress { done: tokens, all }| done(rows * tokens / all.max(1)))?;
        done(rows);
        let judged = pending.into_iter().map(|(row, subject, pending)| {
            let assessment = pending.and_then(|(reading, tickets)| self.assess(reading, &tickets));
            Judged { row, subject, assessment }
        });
        Ok(JudgedSet { judged: judged.collect() })
    }

    fn read(&mut self, row: &Row, subject: Subject) -> Pending {
        let mut reading = self.reader.read(&row.conversation(subject)?)?;
        let sequences = reading.take_sequences();
        let tickets = sequences.into_iter().map(|sequence| self.answers.ask(sequence)).collect();
        Ok((reading, tickets))
    }

    fn assess(&self, reading: Reading, tickets: &[Ticket]) -> Result<Assessment, Unjudged> {
        let outputs = self.answers.get(tickets).ok_or(Unjudged::NoAnswer)?;
        Ok(reading.assess(&outputs)?)
    }
}

/// Prompt and response are judged apart, so that a row without a readable prompt can still have its response judged.
fn labelled_subjects(row: &Row) -> impl Iterator<Item = (&Row, Subject)> {
    let labelled = Subject::ALL.into_iter().filter(move |subject| row.is_labelled(*subject));
    labelled.map(move |subject| (row, subject))
}

impl JudgedSet<'_> {
    /// One outcome for each row with a label for `task`, in the file's order.
    pub(crate) fn outcomes(&self, task: Task) -> Vec<Outcome<'_>> {
        let judged = self.judged.iter().filter(|judged| judged.subject == task.subject());
        let outcomes = judged.filter_map(|Judged { row, assessment, .. }| {
            let label = row.label(task)?;
            let answer = assessment.as_ref();
            let answer = answer.and_then(|found| answer_of(found, task).ok_or(&Unjudged::NoAnswer));
            Some(Outcome { row, label, answer })
        });
        outcomes.collect()
    }

    /// One outcome for each row with leaves or a rating, in the file's order.
    pub(crate) fn mass_outcomes(&self) -> Vec<MassOutcome<'_>> {
        let judged = self.judged.iter().filter(|judged| judged.subject == Subject::Prompt);
        let judged = judged.filter(|judged| MassTask::ALL.iter().any(|task| task.is_labelled(judged.row)));
        let outcomes = judged.map(|Judged { row, assessment, .. }| {
            let answer = assessment.as_ref();
            let answer = answer.and_then(|found| masses_of(found).ok_or(&Unjudged::NoMasses));
            MassOutcome { row, answer }
        });
        outcomes.collect()
    }
}

fn masses_of(assessment: &Assessment) -> Option<MassAnswer> {
    let masses = assessment.tree.tree()?.masses(&LeafWeights::UNIT);
    Some(MassAnswer {
        harm: masses.harm,
        benefit: masses.all_benefit(),
        prompt_harmful: assessment.guard.prompt.as_ref()?.harmful.get(),
        coverage: assessment.prompt_coverage?.fraction(),
    })
}

fn answer_of(assessment: &Assessment, task: Task) -> Option<Answer> {
    let (prompt, response) = (assessment.guard.prompt.as_ref(), assessment.guard.response.as_ref());
    let (score, coverage) = match task {
        Task::PromptHarm => (prompt?.harmful, assessment.prompt_coverage?),
        Task::Adversarial => (prompt?.adversarial, assessment.prompt_coverage?),
        Task::ResponseHarm => (response?.harmful, assessment.response_coverage?),
        Task::Refusal => (response?.refusal, assessment.response_coverage?),
    };
    Some(Answer { score: score.get(), coverage: coverage.fraction() })
}

#[cfg(test)]
mod tests;
