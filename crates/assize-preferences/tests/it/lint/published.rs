//! Findings about the published aggregator.

use super::EXAMPLES;
use assize_preferences::{Finding, FindingSeverity, SAFETYANALYST_KEYS};

/// A file with all 29 parameters at one half but for the `changed`, and these thresholds.
fn file(thresholds: (f64, f64), changed: &[(&str, f64)], more: &str) -> String {
    let names = SAFETYANALYST_KEYS.iter().flat_map(|key| match key.entries {
        [] => vec![key.name.to_owned()],
        entries => entries.iter().map(|entry| format!("{}.{entry}", key.name)).collect(),
    });
    let value = |name: &str| changed.iter().find(|(key, _)| *key == name).map_or(0.5, |(_, value)| *value);
    let parameters: String = names.map(|name| format!("{name} = {:?}\n", value(&name))).collect();
    let (review, block) = thresholds;
    format!(
        "title = \"T\"\naggregation = \"safetyanalyst\"\non_failure = \"closed\"\nthresholds.review = {review:?}\n\
         thresholds.block = {block:?}\n{parameters}{more}{EXAMPLES}"
    )
}

fn findings(text: &str) -> Vec<Finding> {
    super::findings(&[("a.toml", text)], "a")
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let found = findings(text);
    let told: Vec<(&str, &str)> = found.iter().map(|it| (it.code, it.key.as_str())).collect();
    assert_eq!(told, expected, "{found:#?}");
}

const USUAL: (f64, f64) = (0.5, 0.75);

#[test]
fn parameters_of_zero() {
    check(&file(USUAL, &[], ""), &[]);
    let zero = |key: &str, expected: &[(&str, &str)]| check(&file(USUAL, &[(key, 0.0)], ""), expected);
    let privacy = "safetyanalyst.action.privacy";
    zero(privacy, &[("harm-ignored", privacy)]);
    for key in ["safetyanalyst.harm_later", "safetyanalyst.benefit_later"] {
        zero(key, &[("later-ignored", key)]);
    }
    let minor = "safetyanalyst.harm_extent.minor_ratio";
    zero(minor, &[("leaves-ignored", minor)]);
    let (low, medium) =
        ("safetyanalyst.benefit_likelihood.low_ratio", "safetyanalyst.benefit_likelihood.medium_ratio");
    zero(medium, &[("ratio-behind-zero", low), ("leaves-ignored", medium)]);
    zero(
        "safetyanalyst.benefit_weight",
        &[
            ("evidence-ignored", "safetyanalyst.benefit_weight"),
            ("idle-weights", "safetyanalyst.benefit_extent"),
            ("idle-weights", "safetyanalyst.benefit_likelihood"),
            ("idle-weights", "safetyanalyst.benefit_later"),
        ],
    );
    assert!(
        findings(&file(USUAL, &[(medium, 0.0)], "")).iter().all(|it| it.severity == FindingSeverity::Note)
    );
}

#[test]
fn ratios_of_one() {
    let changed = [
        ("safetyanalyst.harm_likelihood.low_ratio", 1.0),
        ("safetyanalyst.harm_likelihood.medium_ratio", 1.0),
    ];
    check(&file(USUAL, &changed, ""), &[("severity-flat", "safetyanalyst.harm_likelihood")]);
}

#[test]
fn thresholds_of_the_published_rule() {
    // It knows safe and unsafe only, so that this is no fault.
    check(&file((0.5, 0.5), &[], ""), &[("no-review", "thresholds.review")]);
    assert_eq!(findings(&file((0.5, 0.5), &[], ""))[0].severity, FindingSeverity::Note);
    // An empty tree sums to 0, which is one half, and more than .4.
    check(&file((0.4, 0.75), &[], ""), &[("reviewed-without-evidence", "thresholds.review")]);
    check(&file((0.5, 1.0), &[], ""), &[("block-out-of-reach", "thresholds.block")]);
}

#[test]
fn sentences_of_what_it_does_not_hear() {
    let sentences = "reasons.\"guard.adversarial\" = \"an attack\"\nreasons.\"harm.privacy\" = \"private\"\n\
                     reasons.\"degraded.tree_unusable\" = \"unread\"\n";
    let zero = [("safetyanalyst.action.privacy", 0.0)];
    check(
        &file(USUAL, &zero, sentences),
        &[
            ("reason-never-told", "reasons.\"guard.adversarial\""),
            ("reason-never-told", "reasons.\"harm.privacy\""),
            ("harm-ignored", "safetyanalyst.action.privacy"),
        ],
    );
}
