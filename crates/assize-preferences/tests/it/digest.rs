//! The digest is the same exactly where verdicts are the same.

use crate::arbitrary::{Values, values};
use crate::files;
use proptest::prelude::*;

/// One change of a value that can change a verdict; every field has at least one.
fn relevant(v: &Values) -> Vec<Values> {
    let other = |value: f64| if value == 1.5 { 2.5 } else { 1.5 };
    let mut changed = vec![
        Values { id: "another".to_owned(), ..v.clone() },
        Values { on_failure: if v.on_failure == "open" { "closed" } else { "open" }, ..v.clone() },
        Values { review: if v.review == 0.001 { v.block } else { 0.001 }, ..v.clone() },
        Values { block: if v.block == 1.0 { v.review } else { 1.0 }, ..v.clone() },
        Values { bias: other(v.bias), ..v.clone() },
        Values { sentence: Some("a sentence of our own"), ..v.clone() },
        Values { sentence: Some("a sentence of our own, for {community}"), ..v.clone() },
    ];
    // Equal thresholds at an end leave nothing to move.
    changed.retain(|changed| changed != v);
    for index in 0..v.up_to_four.len() {
        let mut one = v.clone();
        one.up_to_four[index] = other(v.up_to_four[index]);
        changed.push(one);
    }
    for index in 0..v.up_to_eight.len() {
        let mut one = v.clone();
        one.up_to_eight[index] = other(v.up_to_eight[index]);
        changed.push(one);
    }
    for (table, len) in [(0, v.effect.len()), (1, v.stakeholder.len())] {
        for index in 0..len {
            let mut one = v.clone();
            let number = if table == 0 { &mut one.effect[index] } else { &mut one.stakeholder[index] };
            *number = other(*number);
            changed.push(one);
        }
    }
    changed.push(Values { extent: v.extent.map(|weight| weight / 2.0 + 1.0), ..v.clone() });
    changed.push(Values { likelihood: v.likelihood.map(|weight| weight / 2.0 + 1.0), ..v.clone() });
    changed.push(Values { later: if v.later == 0.5 { 0.25 } else { 0.5 }, ..v.clone() });
    for index in 0..v.harm.len() {
        let mut one = v.clone();
        one.harm[index] = other(v.harm[index]);
        changed.push(one);
    }
    changed
}

proptest! {
    // Each case parses thirty files.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn another_value_is_another_digest(v in values()) {
        let mut all = relevant(&v);
        all.push(v);
        let mut digests: Vec<String> = all.iter().map(|v| v.profile().digest().to_string()).collect();
        digests.sort();
        prop_assert!(digests.is_sorted_by(|a, b| a < b), "two of {all:?} share a digest");
    }

    #[test]
    fn what_changes_no_verdict_changes_no_digest(v in values(), description in "[a-z ]{0,20}") {
        let changed = Values {
            title: "Another".to_owned(),
            description,
            examples: 2,
            ..v.clone()
        };
        prop_assert_eq!(changed.profile().digest(), v.profile().digest());
    }
}

#[test]
fn an_inherited_value_and_a_written_one_share_a_digest() {
    let base = files::complete();
    let inherited = "title = \"Child\"\nextends = \"base\"\n";
    let alone = files::profile("child", &[("child.toml", &base)]);
    let child = files::profile("child", &[("base.toml", &base), ("child.toml", inherited)]);
    assert_eq!(child.digest(), alone.digest());
}

#[test]
fn minus_zero_is_zero() {
    let minus = files::complete_but("weights.bias", "weights.bias = -0.0");
    let plus = files::complete_but("weights.bias", "weights.bias = 0");
    let digest = |text: &str| files::profile("a", &[("a.toml", text)]).digest();
    assert_eq!(digest(&minus), digest(&plus));
}

#[test]
fn bug_a_title_that_a_reason_names_is_in_the_digest() {
    let digest = |title: &str| {
        let file = files::complete_but("title", &format!("title = \"{title}\""));
        let file = format!("{file}\nreasons.benefit = \"{{community}} likes it\"\n");
        files::profile("a", &[("a.toml", &file)]).digest()
    };
    assert_ne!(digest("Garden"), digest("Kitchen"));
    assert_eq!(digest("Garden"), digest("Garden"));
}
