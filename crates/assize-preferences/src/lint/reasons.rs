//! Sentences that nobody will read, and placeholders that stay empty in them.

use super::{Case, Finding, bounds};
use crate::codes;
use crate::template::PLACEHOLDERS;
use crate::weights::{Aggregation, Weights};
use assize_domain::{ActionCategory, Evidence, GuardHead};

pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let is_own = |code: &&String| case.sets(&format!("reasons.\"{code}\""));
    let told =
        |code: &String| never_told(case, code).map_or_else(|| empty(case, code), |finding| vec![finding]);
    case.profile.reasons.keys().filter(is_own).flat_map(told).collect()
}

fn never_told(case: &Case<'_>, code: &str) -> Option<Finding> {
    let why = match case.profile.aggregation() {
        Aggregation::Assize(weights) => without_weight(weights, code)?,
        Aggregation::SafetyAnalyst(parameters) => {
            if code.starts_with("guard.") {
                "`aggregation = \"safetyanalyst\"` hears the tree alone".to_owned()
            } else if code == Evidence::Benefit.id() {
                is_zero(parameters.benefit_weight, "safetyanalyst.benefit_weight")?
            } else {
                of_category(&parameters.action, "safetyanalyst.action", code)?
            }
        }
    };
    let told = (format!("is never told: {why}"), "take the sentence out, or give it something to tell");
    Some(Finding::warning("reason-never-told", &format!("reasons.\"{code}\""), told))
}

/// Why a contribution is always 0, if it is.
fn without_weight(weights: &Weights, code: &str) -> Option<String> {
    let of_head = |head: GuardHead| {
        let id = Evidence::Guard(head).id();
        code == id || code.strip_suffix(".low") == Some(id.as_str())
    };
    let of_tree = code == Evidence::Benefit.id() || code.starts_with("harm.");
    if of_tree && bounds::most_harm(&weights.leaf) == 0.0 {
        return Some("the weights of leaves make every harm and benefit 0".to_owned());
    }
    let head = GuardHead::ALL.into_iter().find(|head| of_head(*head));
    match head {
        Some(GuardHead::PromptHarmful) => is_zero(weights.guard, "weights.guard"),
        Some(GuardHead::ResponseHarmful) => is_zero(weights.response, "weights.response"),
        Some(GuardHead::ResponseRefusal) => is_zero(weights.refusal, "weights.refusal"),
        Some(GuardHead::Adversarial) => is_zero(weights.adversarial, "weights.adversarial"),
        None if code == Evidence::Benefit.id() => is_zero(weights.benefit, "weights.benefit"),
        None => of_category(&weights.harm, "weights.harm", code),
    }
}

fn of_category(weights: &[f64; ActionCategory::COUNT], table: &str, code: &str) -> Option<String> {
    let id = code.strip_prefix("harm.")?;
    let place = ActionCategory::ALL.into_iter().position(|category| category.id() == id)?;
    is_zero(weights.get(place).copied()?, &format!("{table}.{id}"))
}

fn is_zero(weight: f64, key: &str) -> Option<String> {
    (weight == 0.0).then(|| format!("`{key}` is 0"))
}

fn empty(case: &Case<'_>, code: &str) -> Vec<Finding> {
    let Some(text) = case.profile.reasons.get(code) else { return Vec::new() };
    let empty = PLACEHOLDERS.into_iter().filter(|it| text.contains(it) && !codes::is_filled(it, code));
    let told = |placeholder: &str| {
        let problem = format!("holds `{placeholder}`, which is always empty in a sentence for `{code}`");
        Finding::warning(
            "placeholder-empty",
            &format!("reasons.\"{code}\""),
            (problem, "take the placeholder out"),
        )
    };
    empty.map(told).collect()
}
