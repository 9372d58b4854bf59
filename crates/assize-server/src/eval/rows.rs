//! Labelled conversations from JSON Lines. First step of `assize eval`; an error names file and line, never a text.

use super::leaves::{BenefitLeaf, HarmLeaf};
use super::{MassTask, Task};
use assize_domain::{Conversation, InvalidConversation, JudgeRequest, Limits, Role, Subject, Turn, TurnText};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use std::io;
use std::path::{Path, PathBuf};

/// Nobody else waits for an evaluation, and a benchmark is judged as it is.
const LIMITS: Limits = Limits { max_turns: usize::MAX, max_turn_bytes: usize::MAX };

/// A benchmark that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetError {
    /// The file can't be opened or is no UTF-8.
    #[error(
        "can't read the benchmark `{path}`; benchmarks are not part of this repository, so give the path of labelled \
         JSON Lines that you have (`assize eval --help` shows a row)"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is no row.
    #[error("`{path}` line {line}: {problem}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong; no text of the line.
        problem: String,
    },
    /// No row has a label.
    #[error(
        "`{path}` has no row with a label; set `prompt_harmful`, `response_harmful`, `response_refusal` or `adversarial` to true or false, or give `harms`, `benefits` or `mean_rating`"
    )]
    NoLabels {
        /// The file.
        path: PathBuf,
    },
}

/// One benchmark.
#[derive(Debug)]
pub(crate) struct Set {
    /// The file's name without its ending.
    pub(crate) name: String,
    /// At least one of them is labelled.
    pub(crate) rows: Vec<Row>,
}

/// One conversation with its labels.
#[derive(Debug)]
pub(crate) struct Row {
    /// Line of the file, counted from 1.
    pub(crate) line: usize,
    raw: RawRow,
}

/// How a row names itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum RowId {
    /// As most benchmarks do.
    Text(String),
    /// A running number.
    Number(u64),
}

/// A row as written; other keys are fine and not read.
#[derive(Deserialize)]
struct RawRow {
    id: Option<RowId>,
    prompt: Option<String>,
    response: Option<String>,
    prompt_harmful: Option<bool>,
    response_harmful: Option<bool>,
    response_refusal: Option<bool>,
    adversarial: Option<bool>,
    context: Option<Vec<RawTurn>>,
    harms: Option<Vec<HarmLeaf>>,
    benefits: Option<Vec<BenefitLeaf>>,
    mean_rating: Option<f64>,
}

impl std::fmt::Debug for RawRow {
    /// Never shows a text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawRow").field("id", &self.id).finish_non_exhaustive()
    }
}

/// An earlier turn, in either of the two ways that benchmarks write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawTurn {
    /// `Human: ...`, `User: ...` or `Assistant: ...`.
    Marked(String),
    /// As in a request.
    Message { role: RawRole, content: String },
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawRole {
    System,
    #[serde(alias = "human")]
    User,
    Assistant,
}

impl Set {
    /// Reads a file.
    ///
    /// # Errors
    /// Every variant of [`SetError`].
    pub(crate) fn read(path: &Path) -> Result<Self, SetError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SetError::File { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, SetError> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let rows = lines.map(|(index, text)| {
            let line = index + 1;
            let row = parse_row(text).and_then(|raw| check_context(&raw).map(|()| Row { line, raw }));
            row.map_err(|problem| SetError::Line { path: path.to_owned(), line, problem })
        });
        let rows = rows.collect::<Result<Vec<Row>, _>>()?;
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        if !rows.iter().any(|row| row.is_labelled(Subject::Prompt) || row.is_labelled(Subject::Response)) {
            return Err(SetError::NoLabels { path: path.to_owned() });
        }
        Ok(Self { name, rows })
    }

    /// Keeps `most` rows, spread evenly: files are often sorted by label, so the first ones would be of one kind.
    pub(crate) fn keep(&mut self, most: usize) {
        let given = self.rows.len();
        if most >= given {
            return;
        }
        let mut index = 0;
        // Row i stays where i * most / given steps up, which it does `most` times.
        self.rows.retain(|_| {
            index += 1;
            index * most / given > (index - 1) * most / given
        });
    }
}

fn parse_row(text: &str) -> Result<RawRow, String> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let row: RawRow = serde_path_to_error::deserialize(&mut parser).map_err(|error| {
        // The parser's own message may quote the value, which is somebody's text.
        match error.inner().classify() {
            Category::Data => format!("`{}` has the wrong type or an unknown value", error.path()),
            Category::Syntax | Category::Eof | Category::Io => {
                format!("column {}: not valid JSON", error.inner().column())
            }
        }
    })?;
    parser.end().map_err(|error| format!("column {}: more than one JSON value", error.column()))?;
    Ok(row)
}

fn check_context(raw: &RawRow) -> Result<(), String> {
    let turns = raw.context.iter().flatten().enumerate();
    match turns.map(|(index, turn)| (index, marked(turn))).find(|(_, parts)| parts.is_none()) {
        Some((index, _)) => {
            Err(format!("`context[{index}]` does not begin with `Human: `, `User: ` or `Assistant: `"))
        }
        None => Ok(()),
    }
}

/// Who speaks and what they say; `None` where a string has no mark.
fn marked(turn: &RawTurn) -> Option<(Role, &str)> {
    match turn {
        RawTurn::Message { role, content } => Some((role.domain(), content)),
        RawTurn::Marked(text) => {
            // The space is absent where a turn is empty and white space was cut off.
            let marks = [("Human:", Role::User), ("User:", Role::User), ("Assistant:", Role::Assistant)];
            let found = marks.iter().find_map(|(mark, role)| Some((*role, text.strip_prefix(mark)?)));
            found.map(|(role, text)| (role, text.strip_prefix(' ').unwrap_or(text)))
        }
    }
}

impl RawRole {
    const fn domain(self) -> Role {
        match self {
            Self::System => Role::System,
            Self::User => Role::User,
            Self::Assistant => Role::Assistant,
        }
    }
}

impl Row {
    /// The row's name, or its line where it has none.
    pub(crate) fn id(&self) -> RowId {
        let line = || RowId::Number(u64::try_from(self.line).unwrap_or(u64::MAX));
        self.raw.id.clone().unwrap_or_else(line)
    }

    /// What people say; `None` where the benchmark does not define it.
    pub(crate) const fn label(&self, task: Task) -> Option<bool> {
        match task {
            Task::PromptHarm => self.raw.prompt_harmful,
            Task::ResponseHarm => self.raw.response_harmful,
            Task::Refusal => self.raw.response_refusal,
            Task::Adversarial => self.raw.adversarial,
        }
    }

    /// The leaves of harm that answering the prompt would have; `None` where nobody wrote any down, not even an empty list.
    pub(crate) fn harms(&self) -> Option<&[HarmLeaf]> {
        self.raw.harms.as_deref()
    }

    /// The leaves of benefit, likewise.
    pub(crate) fn benefits(&self) -> Option<&[BenefitLeaf]> {
        self.raw.benefits.as_deref()
    }

    /// How harmful people find the prompt, on any scale that rises with harm.
    pub(crate) const fn mean_rating(&self) -> Option<f64> {
        self.raw.mean_rating
    }

    /// Whether somebody said something of `subject` that can be compared with what the model says.
    pub(crate) fn is_labelled(&self, subject: Subject) -> bool {
        let yes_or_no = Task::ALL.iter().any(|task| task.subject() == subject && self.label(*task).is_some());
        let masses = || MassTask::ALL.iter().any(|task| task.is_labelled(self));
        yes_or_no || (subject == Subject::Prompt && masses())
    }

    /// The conversation in which `subject` is judged: a prompt without the reply that came later.
    ///
    /// # Errors
    /// When there is no such subject, or nothing to read in it.
    pub(crate) fn conversation(&self, subject: Subject) -> Result<Conversation, InvalidConversation> {
        let raw = &self.raw;
        let context = raw.context.iter().flatten().filter_map(marked);
        let prompt = raw.prompt.iter().map(|text| (Role::User, text.as_str()));
        let response = raw.response.iter().map(|text| (Role::Assistant, text.as_str()));
        let (response, request) = match subject {
            Subject::Prompt => (None, JudgeRequest::Prompt),
            Subject::Response => (Some(response), JudgeRequest::Response),
        };
        let turns = context.chain(prompt).chain(response.into_iter().flatten());
        let turns = turns.map(|(role, text)| Turn { role, text: TurnText::new(text) }).collect();
        Conversation::new(turns, request, LIMITS)
    }
}

#[cfg(test)]
mod tests;
