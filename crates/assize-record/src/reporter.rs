//! What SafetyAnalyst's two reporters write, or a tree file, read into the domain's tree. It stands between a reporter
//! and whatever weighs a tree; it judges nothing, and no error of it repeats what was read.
//!
//! - **Mended:** prose and code fences around the list, trailing and missing commas, single quotes, line breaks and
//!   quotes inside of a text, bare words, a bracket too many or too few, a list in several pieces. The mending is our
//!   own small reader, in one pass and without recursion: the crates for it (`jsonrepair-rs`, `llm_json`) close what is
//!   open without a word, and here a tree that was cut off must be told from a whole one.
//! - **Marked:** what can't be mended stands in the tree as a leaf with nothing in it, so that the tree counts as partial
//!   ([`Tree::is_partial`](assize_domain::Tree::is_partial)): a piece of another shape at its place, and one last mark
//!   where the text ends too early. Of a text that is cut off every effect that is complete is kept.
//! - **Refused:** a text without any list of objects, one in which not a single effect can be read, and one of whose
//!   effects none can be weighed. Nothing that can't be read looks like a tree without harm.
//! - **Words:** a word that is in no taxonomy is `None` in its leaf, which is then counted as unreadable; never a zero,
//!   never a guess. A stakeholder's name is free text and always has a group (`reporter/stakeholder.rs`).
//!
//! SOURCE: SafetyAnalyst (Li et al. 2024), the reporters' templates and `src/utils.py`, which keeps what stands between
//! the first `[` and the last `]`, mends it, and calls a tree valid when it has at least one stakeholder.

mod error;
mod leaves;
mod lenient;
mod stakeholder;
mod words;

pub use error::{TreeError, TreePart};
pub use leaves::MOST_LEAVES;
pub use lenient::MOST_DEPTH;

use assize_domain::{ReportedLeaf, ReportedTree};
use leaves::Side;
use lenient::{TooDeep, Value};

/// The longest text that is read, in bytes. A reporter's 19,000 tokens are below 100,000 bytes; ten times that, and what
/// is longer is not one tree.
pub const MOST_BYTES: usize = 1 << 20;

/// Reads what the two reporters wrote for one prompt, each a JSON array of stakeholders as the templates ask for it:
/// `[{"stakeholder", "harms" or "benefits": [{"action", "effects": [{"effect", "immediacy", "extent", "likelihood"}]}]}]`.
///
/// # Errors
/// When either text is too long, too deep or has too many effects, or when nothing in it can be read; see [`TreeError`].
/// An empty list is refused as well, as in the published code: a reporter that works names at least one stakeholder.
pub fn tree(harms: &str, benefits: &str) -> Result<ReportedTree, TreeError> {
    Ok(ReportedTree { harms: written(harms, Side::Harms)?, benefits: written(benefits, Side::Benefits)? })
}

/// Reads both lists from one text, `{"harms": […], "benefits": […]}`, whose entries are those of [`tree`] and which is
/// mended as theirs. An empty list is one without leaves; other keys are not read.
///
/// # Errors
/// When the text lacks a list, is too long, too deep or has too many effects, or when nothing in a list can be read.
pub fn tree_file(text: &str) -> Result<ReportedTree, TreeError> {
    short_enough(text, TreePart::File)?;
    let file = tree_object(text).map_err(|TooDeep| too_deep(TreePart::File))?;
    Ok(ReportedTree { harms: filed(&file, Side::Harms)?, benefits: filed(&file, Side::Benefits)? })
}

/// The first object with one of the lists, whatever stands around it. A `{` in prose has none.
fn tree_object(text: &str) -> Result<Value<'_>, TooDeep> {
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (found, after) = lenient::value(rest.get(start..).unwrap_or_default())?;
        if [Side::Harms, Side::Benefits].iter().any(|side| found.list(side.key()).is_some()) {
            return Ok(found);
        }
        rest = after;
    }
    Ok(Value::Other)
}

/// One reporter's leaves.
fn written(text: &str, side: Side) -> Result<Vec<ReportedLeaf>, TreeError> {
    let part = side.part();
    short_enough(text, part)?;
    let lists = lenient::lists(text).map_err(|TooDeep| too_deep(part))?;
    let lists = lists.ok_or(TreeError::NoList { part })?;
    leaves::leaves(&lists.items, lists.end, side)
}

/// One of a file's two lists.
fn filed(file: &Value<'_>, side: Side) -> Result<Vec<ReportedLeaf>, TreeError> {
    match file.get(side.key()) {
        Some(Value::List(items, end)) => leaves::leaves(items, *end, side),
        _ => Err(TreeError::MissingList { part: side.part() }),
    }
}

fn short_enough(text: &str, part: TreePart) -> Result<(), TreeError> {
    let bytes = text.len();
    if bytes > MOST_BYTES { Err(TreeError::TooLong { part, bytes, most: MOST_BYTES }) } else { Ok(()) }
}

fn too_deep(part: TreePart) -> TreeError {
    TreeError::TooDeep { part, most: MOST_DEPTH }
}

#[cfg(test)]
mod tests;
