//! `golden.json`: inputs with the tokens and logits that the model's maker got, replayed when a folder is loaded.
//!
//! Shapes and names can be right and the model still wrong: another number of attention heads, two swapped names of
//! a head, a tokenizer with other rules. Only answers that are known from elsewhere show that. What the texts say is
//! never quoted: not in an error, not in a log.

use super::{LoadError, files::ModelFile};
use crate::{
    Encoder, Framing, GuardTokenizer, HeadLogits, Sequence, TokenizeError, calibrate, encoder::References,
};
use assize_domain::{ActionCategory, GuardHead, RiskCategory};
use serde::Deserialize;

/// Whether the model was seen to compute what its maker measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verification {
    /// Rows of golden.json went through tokenizer and encoder, and came out as the file says.
    Replayed {
        /// How many rows were compared by their logits; 1 to 4. Token ids were compared in every row of the file.
        rows: usize,
        /// Largest absolute difference of a logit from the file; at most 0.001.
        largest_difference: f32,
    },
    /// The folder has no golden.json: only shapes, names and types were checked.
    NoReference,
}

/// Rows whose logits are compared: enough for both kinds of input, few enough for a start well under a second.
const REPLAYED_ROWS: usize = 4;
/// Largest difference of a logit that is allowed. Sums in another order differ by up to 1e-4 (tests/golden.rs); a wrong
/// setting differs by 0.1 and more (tests/folder/golden.rs).
const TOLERANCE: f32 = 1e-3;

/// One input and what the maker's own code made of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    prompt: String,
    /// Absent where the prompt was read alone.
    response: Option<String>,
    /// Word pieces of the prompt that were kept: the first half and the last, where it had more.
    prompt_tokens_kept: usize,
    input_ids: Vec<u32>,
    token_type_ids: Vec<u32>,
    logits: RowLogits,
}

/// Logits and masses in the taxonomy's order, as [`HeadLogits`] has them, and not in that of config.json's lists:
/// those lists are among what is checked, and numbers in their order would move with a wrong name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowLogits {
    binary: [f32; GuardHead::ALL.len()],
    risk: [f32; RiskCategory::ALL.len()],
    /// The masses that are read from the leaves, as [`crate::leaves::ExpectedTree::unit_masses`] gives them.
    harm_mass: [f32; ActionCategory::ALL.len()],
    benefit_mass: [f32; 1],
}

/// How far one row's logits are from the file's, at the worst of them.
#[derive(Debug, Clone)]
struct Distance {
    row: usize,
    logit: String,
    /// Infinite where a number is not finite.
    difference: f32,
}

/// Replays the file: token ids of every row, logits of a few. Gives all of its rows, too, for other precisions to be
/// held against.
pub(super) fn replay(
    file: &ModelFile,
    framing: Framing,
    tokenizer: &GuardTokenizer,
    encoder: &mut Encoder,
) -> Result<(Verification, References), LoadError> {
    let rows = parse(file)?;
    let mut inputs = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        inputs.push((index, row, tokens(file, index, row, framing, tokenizer)?));
    }
    let references = inputs.iter().map(|(_, row, sequence)| (sequence.clone(), row.logits.binary)).collect();
    let mut worst: Option<Distance> = None;
    let chosen = choose(inputs);
    for (index, row, sequence) in &chosen {
        let logits = encoder.infer(&[sequence]).map_err(|source| failed(file, *index, source))?;
        for given in &logits {
            let next = distance(*index, given, &row.logits);
            if worst.as_ref().is_none_or(|worst| next.difference > worst.difference) {
                worst = Some(next);
            }
        }
    }
    match worst {
        Some(Distance { difference, .. }) if difference <= TOLERANCE => {
            let verified = Verification::Replayed { rows: chosen.len(), largest_difference: difference };
            Ok((verified, references))
        }
        Some(Distance { row, logit, difference }) => Err(LoadError::GoldenLogits {
            file: file.path.clone(),
            row,
            logit,
            difference,
            tolerance: TOLERANCE,
        }),
        None => Err(no_rows(file)),
    }
}

/// Reads the file. The parser's own message may quote a text, so that only the place is kept.
fn parse(file: &ModelFile) -> Result<Vec<Row>, LoadError> {
    let rows: Vec<Row> = serde_json::from_slice(&file.bytes).map_err(|error| LoadError::Malformed {
        file: file.path.clone(),
        expected: "a list of inputs with their tokens and logits (JSON)",
        source: format!("line {}, column {}", error.line(), error.column()).into(),
    })?;
    if rows.is_empty() { Err(no_rows(file)) } else { Ok(rows) }
}

fn no_rows(file: &ModelFile) -> LoadError {
    file.not_allowed("rows", &0, "1 or more", "write the reference inputs again, or remove the file")
}

fn failed(file: &ModelFile, row: usize, source: impl std::error::Error + Send + Sync + 'static) -> LoadError {
    LoadError::GoldenFailed { file: file.path.clone(), row, source: source.into() }
}

/// The row's sequence, where it has the very tokens that the file lists.
fn tokens(
    file: &ModelFile,
    index: usize,
    row: &Row,
    framing: Framing,
    tokenizer: &GuardTokenizer,
) -> Result<Sequence, LoadError> {
    let ids = |text: &str| tokenizer.ids(text).map_err(|source: TokenizeError| failed(file, index, source));
    let prompt = keep(ids(&row.prompt)?, row.prompt_tokens_kept);
    let sequence = match &row.response {
        None => Sequence::single(framing, &prompt),
        Some(response) => Sequence::pair(framing, &prompt, &ids(response)?),
    };
    let sequence = sequence.map_err(|source| failed(file, index, source))?;
    let differs = |what, given: &[u32], expected: &[u32]| LoadError::GoldenTokens {
        file: file.path.clone(),
        row: index,
        what,
        place: given.iter().zip(expected).take_while(|(given, expected)| given == expected).count(),
        given: given.len(),
        expected: expected.len(),
    };
    if sequence.ids() != row.input_ids {
        return Err(differs("token ids", sequence.ids(), &row.input_ids));
    }
    let types: Vec<u32> = sequence.type_ids().collect();
    if types != row.token_type_ids {
        return Err(differs("type ids", &types, &row.token_type_ids));
    }
    Ok(sequence)
}

/// First and last pieces of a prompt that is longer than what was kept.
fn keep(mut ids: Vec<u32>, kept: usize) -> Vec<u32> {
    if let Some(surplus) = ids.len().checked_sub(kept) {
        let head = kept.div_ceil(2);
        ids.drain(head..head + surplus);
    }
    ids
}

/// The shortest inputs, both kinds in turn (prompts, pairs) as long as there are some of each.
fn choose(mut inputs: Vec<(usize, &Row, Sequence)>) -> Vec<(usize, &Row, Sequence)> {
    inputs.sort_by_key(|(_, _, sequence)| sequence.tokens());
    let (mut prompts, mut pairs) = (0_usize, 0_usize);
    let mut ranked: Vec<_> = inputs
        .into_iter()
        .map(|input| {
            let rank = if input.1.response.is_none() { &mut prompts } else { &mut pairs };
            *rank += 1;
            (*rank, input)
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, input)| input).take(REPLAYED_ROWS).collect()
}

/// The logit that is farthest from the file's.
fn distance(row: usize, given: &HeadLogits, expected: &RowLogits) -> Distance {
    let binary = farthest(&given.binary, &expected.binary, GuardHead::ALL.map(GuardHead::id));
    let risk = farthest(&given.risk, &expected.risk, RiskCategory::ALL.map(RiskCategory::id));
    let (harm, benefit) = masses(given);
    let harm = farthest(&harm, &expected.harm_mass, ActionCategory::ALL.map(ActionCategory::id));
    let benefit = farthest(&[benefit], &expected.benefit_mass, ["total"]);
    let heads = [("binary", binary), ("risk", risk), ("harm_mass", harm), ("benefit_mass", benefit)];
    let worst = heads.into_iter().max_by(|left, right| left.1.0.total_cmp(&right.1.0));
    let (head, (difference, name)) = worst.unwrap_or(("binary", (f32::INFINITY, "")));
    Distance { row, logit: format!("{head}.{name}"), difference }
}

/// What `harm_mass` and `benefit_mass` of a row are compared with; not finite where the model's are not.
fn masses(given: &HeadLogits) -> ([f32; ActionCategory::COUNT], f32) {
    calibrate::expected_tree(given)
        .map_or(([f32::NAN; ActionCategory::COUNT], f32::NAN), |tree| tree.unit_masses())
}

fn farthest<const N: usize>(
    given: &[f32; N],
    expected: &[f32; N],
    names: [&'static str; N],
) -> (f32, &'static str) {
    let differences = given.iter().zip(expected).map(|(given, expected)| {
        let difference = (given - expected).abs();
        if difference.is_finite() { difference } else { f32::INFINITY }
    });
    let worst = differences.zip(names).max_by(|left, right| left.0.total_cmp(&right.0));
    worst.unwrap_or((f32::INFINITY, ""))
}
