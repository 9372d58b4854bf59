//! A profile against the one that it extends: lines that change nothing, and changes that cancel each other.

use super::{Case, Finding};
use crate::evidence::log_odds_of;
use crate::profile::Profile;
use crate::weights::Aggregation;
use std::collections::BTreeMap;

pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(parent) = case.parent else { return Vec::new() };
    let (own, inherited) = (values(case.profile), values(parent));
    let mut findings: Vec<Finding> = copy(case.profile, parent, own == inherited).into_iter().collect();
    findings.extend(same(case, parent, &own, &inherited));
    findings.extend(against_each_other(case, parent));
    findings
}

/// Everything that decides, by key, as it is written.
fn values(profile: &Profile) -> BTreeMap<String, String> {
    let thresholds = profile.thresholds();
    let numbers = [("thresholds.review", thresholds.review), ("thresholds.block", thresholds.block)];
    let numbers = numbers.into_iter().map(|(key, value)| (key.to_owned(), value));
    let numbers = numbers.chain(profile.aggregation().by_key());
    let words = [("on_failure", profile.on_failure().id()), ("aggregation", profile.aggregation().id())];
    let words = words.into_iter().map(|(key, value)| (key.to_owned(), format!("\"{value}\"")));
    let reasons =
        profile.reasons.iter().map(|(code, text)| (format!("reasons.\"{code}\""), format!("{text:?}")));
    // `+ 0.0` makes -0 and 0 the same.
    numbers.map(|(key, value)| (key, (value + 0.0).to_string())).chain(words).chain(reasons).collect()
}

fn copy(profile: &Profile, parent: &Profile, is_same: bool) -> Option<Finding> {
    is_same.then(|| {
        let problem = format!("`{}` decides exactly as `{}`, which it extends", profile.id(), parent.id());
        Finding::note(
            "copy-of-parent",
            "extends",
            (problem, "change something, or let its users name the other"),
        )
    })
}

fn same(
    case: &Case<'_>,
    parent: &Profile,
    own: &BTreeMap<String, String>,
    inherited: &BTreeMap<String, String>,
) -> Vec<Finding> {
    let same = own.iter().filter(|(key, value)| case.sets(key) && inherited.get(*key) == Some(value));
    let told = |(key, value): (&String, &String)| {
        let problem = format!("is {value} in `{}` already", parent.id());
        let advice = "take the line out, or leave it to hold the value should the other profile change";
        Finding::note("same-as-parent", key, (problem, advice))
    };
    same.map(told).collect()
}

/// A higher bias is stricter, higher thresholds are milder; both are in log-odds, so that one cancels the other.
fn against_each_other(case: &Case<'_>, parent: &Profile) -> Option<Finding> {
    let (Aggregation::Assize(own), Aggregation::Assize(inherited)) =
        (case.profile.aggregation(), parent.aggregation())
    else {
        return None;
    };
    if !(case.sets("weights.bias") && case.sets_below("thresholds")) {
        return None;
    }
    let (now, before) = (case.profile.thresholds(), parent.thresholds());
    let bias = own.bias - inherited.bias;
    let review = log_odds_of(now.review) - log_odds_of(before.review);
    let block = log_odds_of(now.block) - log_odds_of(before.block);
    let (review_cancels, block_cancels) = (review * bias, block * bias);
    let cancels = review_cancels.max(block_cancels) > 0.0 && review_cancels.min(block_cancels) >= 0.0;
    cancels.then(|| {
        let problem = format!(
            "is moved by {bias:+.2} and the thresholds by {review:+.2} (review) and {block:+.2} (block) in log-odds: \
             they work against each other, and what is left is {:+.2} and {:+.2}",
            bias - review,
            bias - block
        );
        Finding::warning("bias-against-thresholds", "weights.bias", (problem, "leave one of them as it was"))
    })
}
