//! The published aggregator: parameters that are 0, and those that then stand behind them. All of it are notes: its
//! published fit has such parameters, too.

use super::{Case, Finding};
use crate::keys;
use crate::safetyanalyst::{SafetyAnalyst, Side};
use assize_domain::ActionCategory;

const RAISE: &str = "raise it, if they are to count";

/// Harms or benefits, as the file and as a sentence name them.
struct Named<'a> {
    side: &'a Side,
    extent: keys::Key,
    likelihood: keys::Key,
    later: keys::Key,
    what: &'static str,
}

pub(super) fn check(case: &Case<'_>, parameters: &SafetyAnalyst) -> Vec<Finding> {
    let mut findings = harms_ignored(case, parameters);
    let harm = Named {
        side: &parameters.harm,
        extent: keys::SA_HARM_EXTENT,
        likelihood: keys::SA_HARM_LIKELIHOOD,
        later: keys::SA_HARM_LATER,
        what: "harms",
    };
    findings.extend(of_side(case, &harm));
    if parameters.benefit_weight > 0.0 {
        let benefit = Named {
            side: &parameters.benefit,
            extent: keys::SA_BENEFIT_EXTENT,
            likelihood: keys::SA_BENEFIT_LIKELIHOOD,
            later: keys::SA_BENEFIT_LATER,
            what: "benefits",
        };
        findings.extend(of_side(case, &benefit));
    } else {
        findings.extend(benefit_ignored(case));
    }
    findings
}

fn harms_ignored(case: &Case<'_>, parameters: &SafetyAnalyst) -> Vec<Finding> {
    let zero = ActionCategory::ALL.into_iter().zip(parameters.action).filter(|(_, weight)| *weight == 0.0);
    let told = |category: ActionCategory| {
        let key = format!("{}.{}", keys::SA_ACTION.name, category.id());
        let problem = format!("is 0, so that harm of the category \"{}\" never counts", category.title());
        let advice = "give it a weight, if it is to count; floors block all the same";
        case.sets(&key).then(|| Finding::note("harm-ignored", &key, (problem, advice)))
    };
    zero.filter_map(|(category, _)| told(category)).collect()
}

fn benefit_ignored(case: &Case<'_>) -> Vec<Finding> {
    let weight = keys::SA_BENEFIT_WEIGHT.name;
    let told = || {
        let problem = "is 0, so that all expected benefit never counts".to_owned();
        Finding::note("evidence-ignored", weight, (problem, "give it a weight, if it is to count"))
    };
    let behind = [keys::SA_BENEFIT_EXTENT, keys::SA_BENEFIT_LIKELIHOOD, keys::SA_BENEFIT_LATER];
    let idle = behind.into_iter().filter(|key| case.sets_below(key.name)).map(|key| {
        let problem = format!("does nothing: `{weight}` is 0");
        Finding::note("idle-weights", key.name, (problem, "take it out, or give the benefit a weight"))
    });
    case.sets(weight).then(told).into_iter().chain(idle).collect()
}

fn of_side(case: &Case<'_>, named: &Named<'_>) -> Vec<Finding> {
    let mut findings = of_ratios(case, &named.extent, &named.side.extent_ratios, named.what);
    findings.extend(of_ratios(case, &named.likelihood, &named.side.likelihood_ratios, named.what));
    if named.side.later == 0.0 && case.sets(named.later.name) {
        let problem = format!("is 0, so that {} in the long run never count", named.what);
        findings.push(Finding::note("later-ignored", named.later.name, (problem, RAISE)));
    }
    findings
}

/// Ratios from the lowest step to the highest: each multiplies the one above it.
fn of_ratios(case: &Case<'_>, key: &keys::Key, ratios: &[f64], what: &str) -> Vec<Finding> {
    if ratios.iter().all(|ratio| *ratio == 1.0) {
        let problem = format!("are all 1, so that every step weighs the same for {what}");
        let told = (problem, "lower what is to count less");
        let is_own = case.sets_below(key.name);
        return is_own.then(|| Finding::note("severity-flat", key.name, told)).into_iter().collect();
    }
    let Some(highest_zero) = ratios.iter().rposition(|ratio| *ratio == 0.0) else { return Vec::new() };
    let name = |entry: &str| format!("{}.{entry}", key.name);
    let mut findings = Vec::new();
    for (place, (entry, ratio)) in key.entries.iter().zip(ratios).enumerate() {
        let own = name(entry);
        if place == highest_zero && case.sets(&own) {
            let problem = format!("is 0, so that {what} of this step and of those below never count");
            findings.push(Finding::note("leaves-ignored", &own, (problem, RAISE)));
        } else if place < highest_zero && *ratio > 0.0 && case.sets(&own) {
            let above = key.entries.get(highest_zero).copied().unwrap_or_default();
            let problem = format!("never counts: it multiplies `{}`, which is 0", name(above));
            findings.push(Finding::note(
                "ratio-behind-zero",
                &own,
                (problem, "raise the one above it, or set it to 0"),
            ));
        }
    }
    findings
}
