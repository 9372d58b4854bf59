//! Rows of a JSON Lines file, as the manifest describes them. An error names file, line and key, never a text.

use super::error::DataError;
use super::example::Tree;
use super::trees::{self, RawLeaf};
use assize_domain::{GuardHead, RiskCategory};
use serde::Deserialize;
use serde_json::error::Category;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// A file of rows.
pub(super) struct RowFile {
    /// In the file's order.
    pub(super) rows: Vec<Row>,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub(super) digest: String,
}

/// One labelled conversation. Holds text: never printed.
pub(super) struct Row {
    /// The row's name, where it has one.
    pub(super) id: Option<String>,
    /// Earlier user turns, the oldest first.
    pub(super) context: Vec<Arc<str>>,
    pub(super) prompt: Arc<str>,
    pub(super) response: Option<Arc<str>>,
    /// In the order of [`GuardHead::ALL`].
    pub(super) binary: [Option<bool>; GuardHead::ALL.len()],
    /// In the order of [`RiskCategory::ALL`].
    pub(super) risk: Option<[bool; RiskCategory::ALL.len()]>,
    pub(super) tree: Option<Arc<Tree>>,
    /// How sure the annotator was.
    pub(super) certainty: Certainty,
}

/// How sure the annotator was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// Nothing else is said.
    Clear,
    /// Marked as `ambiguous`.
    Ambiguous,
}

/// As written; other keys are fine and not read.
#[derive(Deserialize)]
struct RawRow {
    id: Option<RawId>,
    prompt: String,
    response: Option<String>,
    prompt_harmful: Option<bool>,
    response_harmful: Option<bool>,
    response_refusal: Option<bool>,
    adversarial: Option<bool>,
    ambiguous: Option<bool>,
    context: Option<Vec<RawTurn>>,
    risk_categories: Option<Vec<String>>,
    harms: Option<Vec<RawLeaf>>,
    benefits: Option<Vec<RawLeaf>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawId {
    Text(String),
    Number(u64),
}

/// An earlier turn, in either of the two ways that sets write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawTurn {
    Marked(String),
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

/// Reads a file; rows with an empty prompt are left out, there is nothing to read in them.
pub(super) fn read(path: &Path) -> Result<RowFile, DataError> {
    let text = text(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let rows = lines.map(|(index, line)| {
        let error = |problem| DataError::Line { path: path.to_owned(), line: index + 1, problem };
        parse(line).and_then(Row::new).map_err(error)
    });
    let rows = rows.filter(|row| row.as_ref().map_or(true, |row| !row.prompt.trim().is_empty()));
    Ok(RowFile { rows: rows.collect::<Result<_, _>>()?, digest: digest(&text) })
}

/// The whole file.
pub(super) fn text(path: &Path) -> Result<String, DataError> {
    std::fs::read_to_string(path).map_err(|source| DataError::File { path: path.to_owned(), source })
}

/// SHA-256, 64 hexadecimal digits.
pub(super) fn digest(text: &str) -> String {
    let mut digest = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string can't fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

/// One line; the error names the key and quotes nothing.
pub(super) fn parse<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T, String> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let row: T = serde_path_to_error::deserialize(&mut parser).map_err(|error| {
        // The parser's own message may quote the value, which is somebody's text.
        match error.inner().classify() {
            Category::Data => format!("`{}` is missing or has the wrong type", error.path()),
            Category::Syntax | Category::Eof | Category::Io => {
                format!("column {}: not valid JSON", error.inner().column())
            }
        }
    })?;
    parser.end().map_err(|error| format!("column {}: more than one JSON value", error.column()))?;
    Ok(row)
}

impl Row {
    fn new(raw: RawRow) -> Result<Self, String> {
        let tree = trees::tree(raw.harms.as_deref(), raw.benefits.as_deref())?;
        let id = raw.id.map(|id| match id {
            RawId::Text(text) => text,
            RawId::Number(number) => number.to_string(),
        });
        let response = raw.response.filter(|text| !text.trim().is_empty());
        Ok(Self {
            id,
            context: raw.context.iter().flatten().filter_map(user_turn).map(Arc::from).collect(),
            prompt: raw.prompt.into(),
            response: response.map(Arc::from),
            binary: GuardHead::ALL.map(|head| match head {
                GuardHead::PromptHarmful => raw.prompt_harmful,
                GuardHead::ResponseHarmful => raw.response_harmful,
                GuardHead::ResponseRefusal => raw.response_refusal,
                GuardHead::Adversarial => raw.adversarial,
            }),
            risk: raw.risk_categories.as_deref().map(risks).transpose()?,
            tree: tree.map(Arc::new),
            certainty: match raw.ambiguous {
                Some(true) => Certainty::Ambiguous,
                Some(false) | None => Certainty::Clear,
            },
        })
    }
}

/// What a user said; `None` for other speakers, for empty turns, and for a string without a mark: one set writes
/// turns of users and bots alike without saying whose they are.
fn user_turn(turn: &RawTurn) -> Option<&str> {
    let text = match turn {
        RawTurn::Marked(text) => ["Human:", "User:"].iter().find_map(|mark| text.strip_prefix(mark))?,
        RawTurn::Message { role: RawRole::User, content } => content,
        RawTurn::Message { role: RawRole::System | RawRole::Assistant, .. } => return None,
    };
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// The categories named, of all.
pub(super) fn risks(names: &[String]) -> Result<[bool; RiskCategory::ALL.len()], String> {
    let known = |(index, name): (usize, &String)| {
        name.parse::<RiskCategory>().map_err(|unknown| {
            format!("`risk_categories[{index}]` is an unknown name; allowed: {}", unknown.allowed)
        })
    };
    let found = names.iter().enumerate().map(known).collect::<Result<Vec<_>, _>>()?;
    Ok(RiskCategory::ALL.map(|category| found.contains(&category)))
}
