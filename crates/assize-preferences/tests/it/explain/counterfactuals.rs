//! What is said to change a decision changes it, just past the value and not before, and nothing is left unsaid.

use super::scenes;
use crate::arbitrary::{self, Values, assessment, values};
use crate::files;
use crate::trees::with_masses;
use assize_domain::{
    ActionCategory, Assessment, DecidedBy, Decision, Effect, Floor, Stakeholder, TreeOutcome,
};
use assize_preferences::{
    Beyond, Counterfactual, Counterfactuals, KEYS, Key, Profile, SAFETYANALYST_KEYS, counterfactuals, decide,
    weigh,
};
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::Arc;

/// "Just past" and "just before", as a share of the key's range.
const JUST: f64 = 1e-7;

fn found(assessment: &Assessment, profile: &Profile) -> Vec<Counterfactual> {
    match counterfactuals(assessment, profile) {
        Counterfactuals::Found(found) => found,
        Counterfactuals::NotBySum { .. } => Vec::new(),
    }
}

/// A number of a profile by its key.
fn number<'a>(values: &'a mut Values, key: &str) -> &'a mut f64 {
    let place = |ids: &[&str], id: &str| ids.iter().position(|one| *one == id).unwrap();
    match key.split('.').collect::<Vec<_>>()[..] {
        ["thresholds", "review"] => &mut values.review,
        ["thresholds", "block"] => &mut values.block,
        ["weights", "bias"] => &mut values.bias,
        ["weights", "later"] => &mut values.later,
        ["weights", "guard"] => &mut values.up_to_four[0],
        ["weights", "response"] => &mut values.up_to_four[1],
        ["weights", "refusal"] => &mut values.up_to_four[2],
        ["weights", "adversarial"] => &mut values.up_to_eight[0],
        ["weights", "benefit"] => &mut values.up_to_eight[1],
        ["weights", "harm", id] => &mut values.harm[place(&ActionCategory::ALL.map(ActionCategory::id), id)],
        ["weights", "effect", id] => &mut values.effect[place(&Effect::ALL.map(Effect::id), id)],
        ["weights", "stakeholder", id] => {
            &mut values.stakeholder[place(&Stakeholder::ALL.map(Stakeholder::id), id)]
        }
        ["weights", "extent", id] => {
            &mut values.extent[place(&["minor", "significant", "substantial", "major"], id)]
        }
        ["weights", "likelihood", id] => &mut values.likelihood[place(&["low", "medium", "high"], id)],
        _ => panic!("no number {key}"),
    }
}

/// The decision with one number replaced.
fn with(assessment: &Assessment, values: &Values, key: &str, to: f64) -> Decision {
    let mut values = values.clone();
    *number(&mut values, key) = to;
    weigh(assessment, &values.profile()).decision
}

/// The key of a told value, or that of its table.
fn key_of(told: &Counterfactual) -> &'static Key {
    let mut keys = KEYS.iter().chain(&SAFETYANALYST_KEYS);
    let is_it = |key: &&Key| told.key == key.name || told.key.starts_with(&format!("{}.", key.name));
    keys.find(is_it).unwrap()
}

/// Values just past and just before a told one, in the key's range.
fn around(told: &Counterfactual) -> (f64, f64) {
    let (min, max) = key_of(told).range;
    let just = JUST * (max - min);
    let (below, above) = ((told.value - just).max(min), (told.value + just).min(max));
    match told.beyond {
        Beyond::Below => (below, above),
        Beyond::Above => (above, below),
    }
}

/// Whether a decision is at least as far from the present one as told.
fn is_as_told(decision: Decision, told: &Counterfactual, now: Decision) -> bool {
    if told.becomes < now { decision <= told.becomes } else { decision >= told.becomes }
}

/// One category of harm with a mass whose ln(1 + mass) is ln 2, under the profile of `files`: `bias` -1, all weights 1.
fn privacy() -> Assessment {
    scenes::assessment((0.73, 0.0), None, with_masses(&[(ActionCategory::Privacy, 1.0)], 0.0))
}

fn told_texts(assessment: &Assessment, profile: &Profile) -> Vec<String> {
    found(assessment, profile).into_iter().map(|told| told.text).collect()
}

#[test]
fn what_would_change_a_review() {
    let profile = files::profile("test", &[("test.toml", &files::complete())]);
    assert_eq!(decide(&privacy(), &profile).decision, Decision::Review);
    insta::assert_snapshot!(told_texts(&privacy(), &profile).join("\n"));
}

#[test]
fn what_would_change_usual_verdicts() {
    let default = scenes::shipped("default");
    let text = [scenes::harmful(), scenes::harmless(), scenes::both(), scenes::reported()]
        .map(|scene| told_texts(&scene, &default).into_iter().take(12).collect::<Vec<_>>().join("\n"))
        .join("\n\n");
    insta::assert_snapshot!(text);
}

#[test]
fn a_floor_is_moved_by_no_weight() {
    let mut scene = scenes::assessment((0.99, 0.0), None, TreeOutcome::NotRequested);
    scene.topics.mass_harm_weapons = true;
    let told = counterfactuals(&scene, &scenes::shipped("default"));
    let text = "no weight and no threshold changes this: help with weapons of mass harm is never allowed";
    let decided_by = DecidedBy::Floor(Floor::MassHarmWeapons);
    assert_eq!(told, Counterfactuals::NotBySum { decided_by, text: text.to_owned() });
}

#[test]
fn what_was_not_read_is_read_by_no_weight() {
    let mut scene = scenes::harmless();
    scene.prompt_coverage = None;
    scene.prompt_coverage = Some(assize_domain::Coverage { tokens: 9, judged: 1, unknown: 0, windows: 1 });
    let told = counterfactuals(&scene, &scenes::shipped("default"));
    assert!(
        matches!(told, Counterfactuals::NotBySum { decided_by: DecidedBy::Degradation(_), .. }),
        "{told:?}"
    );
}

fn published(parameters: &[f64], thresholds: (f64, f64)) -> Arc<Profile> {
    arbitrary::published(parameters, thresholds, "open")
}

#[test]
fn bug_a_weight_of_nothing_is_told() {
    // Self-harm alone: whatever its weight above 0, the published sum is above 0.
    let tree = with_masses(&[(ActionCategory::SelfHarm, 1.0)], 0.0);
    let scene = scenes::assessment((0.5, 0.0), None, tree);
    let shipped = scenes::shipped("safetyanalyst");
    assert_eq!(weigh(&scene, &shipped).decision, Decision::Block);
    let told = found(&scene, &shipped);
    let told = told.iter().find(|told| told.key == "safetyanalyst.action.self_harm").expect("a weight");
    assert_eq!((told.value, told.becomes), (0.0, Decision::Allow));
    let text = "would be allowed if `safetyanalyst.action.self_harm` were at 0 (now 1)";
    assert_eq!(told.text, text);
}

/// Where another value of a number, a share of its range, gives another decision, that decision is told.
fn check_told(a: &Assessment, v: &Values, key: &str, share: f64) -> Result<(), TestCaseError> {
    let (min, max) = KEYS.iter().find(|one| key.starts_with(one.name)).unwrap().range;
    let value = min + share * (max - min);
    let outcome = weigh(a, &v.profile());
    let changed = with(a, v, key, value);
    if changed != outcome.decision && outcome.decided_by == DecidedBy::Thresholds {
        let beyond = if value < *number(&mut v.clone(), key) { Beyond::Below } else { Beyond::Above };
        let told = found(a, &v.profile());
        let is_it =
            |told: &&Counterfactual| told.key == key && told.beyond == beyond && told.becomes == changed;
        prop_assert!(told.iter().any(|told| is_it(&told)), "{key} at {value}: {changed}\n{told:?}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_told_value_changes_the_decision_and_not_before(a in assessment(), v in values()) {
        let now = weigh(&a, &v.profile()).decision;
        for told in found(&a, &v.profile()) {
            prop_assert_eq!(*number(&mut v.clone(), &told.key), told.now);
            let (past, before) = around(&told);
            prop_assert!(is_as_told(with(&a, &v, &told.key, past), &told, now), "{:?}", told);
            prop_assert!(!is_as_told(with(&a, &v, &told.key, before), &told, now), "{:?}", told);
        }
    }

    #[test]
    fn everywhere_past_a_told_value_it_is_as_told(a in assessment(), v in values(), share in 0.0..=1.0f64) {
        let now = weigh(&a, &v.profile()).decision;
        for told in found(&a, &v.profile()) {
            let (past, _) = around(&told);
            let ids = key_of(&told);
            let is_between_neighbours = ["weights.extent", "weights.likelihood"].contains(&ids.name);
            let is_threshold = told.key.starts_with("thresholds");
            if is_between_neighbours || is_threshold {
                continue;
            }
            let end = match told.beyond {
                Beyond::Below => ids.range.0,
                Beyond::Above => ids.range.1,
            };
            let somewhere = past + share * (end - past);
            prop_assert!(is_as_told(with(&a, &v, &told.key, somewhere), &told, now), "{:?} {somewhere}", told);
        }
    }

    #[test]
    fn what_changes_the_decision_is_told(a in assessment(), v in values(), key in any::<Index>(), share in 0.0..=1.0f64) {
        let mut keys: Vec<String> = ["bias", "guard", "response", "adversarial", "refusal", "benefit"]
            .map(|key| format!("weights.{key}"))
            .to_vec();
        keys.extend(ActionCategory::ALL.map(|category| format!("weights.harm.{}", category.id())));
        check_told(&a, &v, &keys[key.index(keys.len())], share)?;
    }

    #[test]
    fn what_changes_the_weight_of_leaves_is_told_where_only_harm_counts(
        a in assessment(), v in values(), key in any::<Index>(), share in 0.0..=1.0f64,
    ) {
        let mut v = v;
        *number(&mut v, "weights.benefit") = 0.0;
        let mut keys = vec!["weights.later".to_owned()];
        keys.extend(Effect::ALL.map(|effect| format!("weights.effect.{}", effect.id())));
        keys.extend(Stakeholder::ALL.map(|one| format!("weights.stakeholder.{}", one.id())));
        check_told(&a, &v, &keys[key.index(keys.len())], share)?;
    }

    #[test]
    fn the_published_parameters_are_told_too(
        a in assessment(), numbers in prop::collection::vec(0.0..=1.0f64, 29), t in (0.001..=1.0f64, 0.001..=1.0f64),
    ) {
        let thresholds = (t.0.min(t.1), t.0.max(t.1));
        let now = weigh(&a, &published(&numbers, thresholds)).decision;
        let profile = published(&numbers, thresholds);
        let order: Vec<String> = profile.aggregation().by_key().into_iter().map(|(key, _)| key).collect();
        for told in found(&a, &profile) {
            let (past, before) = around(&told);
            let decided = |value: f64| match told.key.as_str() {
                "thresholds.review" => weigh(&a, &published(&numbers, (value, thresholds.1))).decision,
                "thresholds.block" => weigh(&a, &published(&numbers, (thresholds.0, value))).decision,
                key => {
                    let mut numbers = numbers.clone();
                    numbers[order.iter().position(|one| one == key).unwrap()] = value;
                    weigh(&a, &published(&numbers, thresholds)).decision
                }
            };
            prop_assert!(is_as_told(decided(past), &told, now), "{:?}", told);
            prop_assert!(!is_as_told(decided(before), &told, now), "{:?}", told);
        }
    }

    #[test]
    fn the_smallest_change_comes_first_and_the_sentence_is_on_the_safe_side(a in assessment(), v in values()) {
        let told = found(&a, &v.profile());
        prop_assert!(told.is_sorted_by(|a, b| a.change <= b.change));
        let now = weigh(&a, &v.profile()).decision;
        for told in told {
            prop_assert!(told.change.is_finite() && told.change >= 0.0 && told.becomes != now);
            let (_, rest) = told.text.split_once("were ").unwrap();
            let said: f64 = rest.split(' ').nth(1).unwrap().parse().unwrap();
            match told.beyond {
                Beyond::Below => prop_assert!(said <= told.value && told.value <= told.now, "{:?}", told),
                Beyond::Above => prop_assert!(said >= told.value && told.value >= told.now, "{:?}", told),
            }
            prop_assert!(told.text.contains(&format!("`{}`", told.key)), "{:?}", told);
        }
    }
}
