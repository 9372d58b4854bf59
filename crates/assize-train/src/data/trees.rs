//! Leaves of an annotated tree as indices. An unknown name is an error that lists the names allowed.

use super::example::{Leaf, Tree};
use assize_domain::{ActionCategory, Effect, Extent, HarmAction, Likelihood, Severity, Stakeholder};
use serde::Deserialize;

/// As written; other keys are fine and not read.
#[derive(Deserialize)]
pub(super) struct RawLeaf {
    category: Option<String>,
    action: Option<String>,
    effect: String,
    stakeholder: String,
    extent: String,
    likelihood: String,
    immediate: bool,
}

/// The tree of a row; `None` where the row has neither list. The error names the key.
pub(super) fn tree(harms: Option<&[RawLeaf]>, benefits: Option<&[RawLeaf]>) -> Result<Option<Tree>, String> {
    let (harms, benefits) = match (harms, benefits) {
        (None, None) => return Ok(None),
        (Some(_), None) => return Err("has `harms` and no `benefits`; give `[]` for none".to_owned()),
        (None, Some(_)) => return Err("has `benefits` and no `harms`; give `[]` for none".to_owned()),
        (Some(harms), Some(benefits)) => (harms, benefits),
    };
    let numbered = harms.iter().enumerate();
    let harms =
        numbered.map(|(index, raw)| harm(raw, &format!("harms[{index}]"))).collect::<Result<_, _>>()?;
    let numbered = benefits.iter().enumerate();
    let benefits =
        numbered.map(|(index, raw)| shared(raw, &format!("benefits[{index}]"))).collect::<Result<_, _>>()?;
    Ok(Some(Tree { harms, benefits }))
}

fn harm(raw: &RawLeaf, key: &str) -> Result<Leaf, String> {
    let named = |part: &str, name: Option<&str>, allowed: &[&str]| match name {
        Some(name) => position(&format!("{key}.{part}"), name, allowed),
        None => Err(format!("`{key}.{part}` is missing; allowed: {}", allowed.join(", "))),
    };
    let category =
        named("category", raw.category.as_deref(), &ActionCategory::ALL.map(ActionCategory::title))?;
    let action = named("action", raw.action.as_deref(), &HarmAction::ALL.map(HarmAction::title))?;
    Ok(Leaf { category, action, ..shared(raw, key)? })
}

/// What harms and benefits have in common.
fn shared(raw: &RawLeaf, key: &str) -> Result<Leaf, String> {
    Ok(Leaf {
        category: 0,
        action: 0,
        effect: position(&format!("{key}.effect"), &raw.effect, &Effect::ALL.map(Effect::title))?,
        stakeholder: position(
            &format!("{key}.stakeholder"),
            &raw.stakeholder,
            &Stakeholder::ALL.map(Stakeholder::title),
        )?,
        severity: Severity {
            extent: of(&format!("{key}.extent"), &raw.extent, &Extent::ALL, Extent::id)?,
            likelihood: of(&format!("{key}.likelihood"), &raw.likelihood, &Likelihood::ALL, Likelihood::id)?,
            immediate: raw.immediate,
        },
    })
}

fn position(key: &str, name: &str, allowed: &[&str]) -> Result<usize, String> {
    let found = allowed.iter().position(|known| *known == name);
    found.ok_or_else(|| format!("`{key}` is an unknown name; allowed: {}", allowed.join(", ")))
}

/// The one with the name.
fn of<T: Copy>(key: &str, name: &str, all: &[T], id: fn(T) -> &'static str) -> Result<T, String> {
    let allowed: Vec<&str> = all.iter().map(|one| id(*one)).collect();
    let place = position(key, name, &allowed)?;
    all.get(place).copied().ok_or_else(|| format!("`{key}` is out of range"))
}
