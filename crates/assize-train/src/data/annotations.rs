//! Our own annotations of rows of `train/`: answers by the row's name, without its text.
//!
//! A line is `{"of": "train/aart.jsonl", "id": "…", "prompt_harmful": true, "adversarial": false, "ambiguous": false,
//! "risk_categories": ["…"], "harms": [[action, effect, stakeholder, extent, likelihood, immediate]], "benefits":
//! [[effect, stakeholder, extent, likelihood, immediate]]}`; the numbers are places in the lists of
//! the domain's taxonomies, and `immediate` is 1 or 0.

use super::error::DataError;
use super::example::{Leaf, Tree};
use super::rows::{self, Certainty, Row, RowFile};
use assize_domain::{Effect, Extent, GuardHead, HarmAction, Likelihood, Severity, Stakeholder};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// As written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnnotation {
    of: String,
    id: String,
    prompt_harmful: bool,
    adversarial: bool,
    ambiguous: bool,
    risk_categories: Vec<String>,
    harms: Vec<[usize; 6]>,
    benefits: Vec<[usize; 5]>,
}

/// Reads a file of annotations with the texts that they are of, below `root`.
pub(super) fn read(path: &Path, root: &Path) -> Result<RowFile, DataError> {
    let text = rows::text(path)?;
    let mut sources: HashMap<String, HashMap<String, Row>> = HashMap::new();
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let error = |problem| DataError::Line { path: path.to_owned(), line: index + 1, problem };
        let raw: RawAnnotation = rows::parse(line).map_err(error)?;
        if !sources.contains_key(&raw.of) {
            let by_name = rows::read(&root.join(checked(&raw.of).map_err(error)?))?.rows.into_iter();
            let by_name = by_name.filter_map(|row| Some((row.id.clone()?, row))).collect();
            sources.insert(raw.of.clone(), by_name);
        }
        let source = sources.get(&raw.of).and_then(|rows| rows.get(&raw.id));
        let source = source.ok_or_else(|| error(format!("`id` is of no row in `{}`", raw.of)))?;
        found.push(row(&raw, source).map_err(error)?);
    }
    Ok(RowFile { rows: found, digest: rows::digest(&text) })
}

/// Only rows that may be learnt from.
fn checked(path: &str) -> Result<&str, String> {
    match path.strip_prefix("train/").and_then(|name| name.strip_suffix(".jsonl")) {
        Some(name) if !name.contains(['/', '\\']) => Ok(path),
        _ => Err("`of` must be `train/NAME.jsonl`: nothing else may be learnt from".to_owned()),
    }
}

fn row(raw: &RawAnnotation, source: &Row) -> Result<Row, String> {
    let harms = raw.harms.iter().enumerate().map(|(index, leaf)| harm(leaf, &format!("harms[{index}]")));
    let benefits =
        raw.benefits.iter().enumerate().map(|(index, leaf)| shared(leaf, &format!("benefits[{index}]")));
    let tree =
        Tree { harms: harms.collect::<Result<_, _>>()?, benefits: benefits.collect::<Result<_, _>>()? };
    Ok(Row {
        id: Some(raw.id.clone()),
        context: source.context.clone(),
        prompt: Arc::clone(&source.prompt),
        response: None,
        binary: GuardHead::ALL.map(|head| match head {
            GuardHead::PromptHarmful => Some(raw.prompt_harmful),
            GuardHead::Adversarial => Some(raw.adversarial),
            GuardHead::ResponseHarmful | GuardHead::ResponseRefusal => None,
        }),
        risk: Some(rows::risks(&raw.risk_categories)?),
        tree: Some(Arc::new(tree)),
        certainty: if raw.ambiguous { Certainty::Ambiguous } else { Certainty::Clear },
    })
}

fn harm([action, rest @ ..]: &[usize; 6], key: &str) -> Result<Leaf, String> {
    let found = HarmAction::ALL.get(*action);
    let found = found.ok_or_else(|| format!("`{key}[0]`: allowed: 0 to {}", HarmAction::COUNT - 1))?;
    Ok(Leaf { category: found.category().index(), action: *action, ..shared(rest, key)? })
}

/// What harms and benefits have in common.
fn shared(leaf: &[usize; 5], key: &str) -> Result<Leaf, String> {
    let limits = [Effect::COUNT, Stakeholder::COUNT, Extent::COUNT, Likelihood::COUNT, 2];
    let too_large = |limit: usize| format!("`{key}`: a number is too large; allowed: 0 to {}", limit - 1);
    if let Some(limit) = leaf.iter().zip(limits).find_map(|(place, limit)| (*place >= limit).then_some(limit))
    {
        return Err(too_large(limit));
    }
    let [effect, stakeholder, extent, likelihood, immediate] = *leaf;
    let severity = Severity {
        extent: *Extent::ALL.get(extent).ok_or_else(|| too_large(Extent::COUNT))?,
        likelihood: *Likelihood::ALL.get(likelihood).ok_or_else(|| too_large(Likelihood::COUNT))?,
        immediate: immediate == 1,
    };
    Ok(Leaf { category: 0, action: 0, effect, stakeholder, severity })
}
