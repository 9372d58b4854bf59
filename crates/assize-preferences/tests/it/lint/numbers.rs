//! Findings about thresholds and weights.

use super::{EXAMPLES, and, check, check_child, check_findings, child, every_harm, findings, root};
use assize_preferences::FindingSeverity::{Note, Warning};

#[test]
fn thresholds_that_everything_reaches() {
    // At the least 2 - 6 × .1 - ln(1 + 15 × 256 × .85) × .05 - 6 × 0 = 1.0: harmfulness .730.
    let mild =
        ["weights.bias = 2.0", "weights.guard = 0.1", "weights.response = 0.1", "weights.benefit = 0.05"];
    let mut lines = [&mild[..], &["weights.refusal = 0.0", "thresholds.block = 0.7"]].concat();
    let refusal = (Note, "evidence-ignored", "weights.refusal", "a reply that refuses");
    check(&lines, &[(Warning, "everything-blocked", "thresholds.block", "0.730"), refusal]);
    lines.pop();
    check(&lines, &[(Warning, "everything-reviewed", "thresholds.review", "0.730"), refusal]);
    // Thresholds that nobody's own file moved are the parent's matter.
    let base = root(&lines, EXAMPLES);
    let child = child(&["reasons.benefit = \"it helps\""]);
    check_findings(&findings(&[("base.toml", &base), ("child.toml", &child)], "child"), &[]);
}

#[test]
fn thresholds_that_the_bias_alone_reaches() {
    check(
        &["weights.bias = 1.5"],
        &[(Warning, "blocked-without-evidence", "thresholds.block", "harmfulness is 0.818, and 0.8")],
    );
    check(
        &["weights.bias = 0.0"],
        &[(Note, "reviewed-without-evidence", "thresholds.review", "harmfulness is 0.500, and 0.5")],
    );
    check(&["weights.bias = -0.1"], &[]);
}

#[test]
fn thresholds_that_nothing_reaches() {
    let none = every_harm("0.0");
    let harms = (Note, "harm-ignored", "weights.harm", "are all 0");
    let block = (Warning, "block-out-of-reach", "thresholds.block", "and 1 is needed");
    check(&and(&none, &["thresholds.block = 1.0"]), &[block, harms]);
    check(
        &and(&none, &["thresholds.block = 1.0", "thresholds.review = 1.0"]),
        &[
            (
                Warning,
                "review-out-of-reach",
                "thresholds.review",
                "no harmfulness is enough for a review or a block",
            ),
            (Warning, "no-review", "thresholds.review", "both thresholds are 1"),
            harms,
        ],
    );
    // Without harms -6 for the bias, 6 × 1 for the guard and 1 for an attack are left: harmfulness .731.
    let lines = and(&none, &["weights.bias = -6.0"]);
    check(&lines, &[(Warning, "block-out-of-reach", "thresholds.block", "0.731"), harms]);
    check_child(
        &and(&none, &[]),
        &[
            "weights.bias = -1.1",
            "weights.guard = 0.2",
            "weights.adversarial = 0.1",
            "thresholds.block = 1.0",
        ],
        &[(Warning, "block-out-of-reach", "thresholds.block", "no harmfulness is enough for a block")],
    );
}

#[test]
fn bug_what_a_full_tree_reaches_is_not_out_of_reach() {
    // A branch for each of 16 categories, each with up to 256 leaves of .85: 16 ln(1 + 217.6) = 86 log-odds.
    check(&["thresholds.block = 1.0"], &[]);
    // -8 + .1 × 86 + 7 = 7.6: .9995 is reached, .9996 is not.
    let low = every_harm("0.1");
    let out = |block: &str| {
        let lines = and(&low, &["weights.bias = -8.0", block]);
        let found = findings(&[("base.toml", &root(&lines, EXAMPLES))], "base");
        found.iter().any(|finding| finding.code == "block-out-of-reach")
    };
    assert!(!out("thresholds.block = 0.9994") && out("thresholds.block = 0.9997"));
}

#[test]
fn thresholds_without_room_between_them() {
    check(
        &["thresholds.block = 0.5"],
        &[(
            Warning,
            "no-review",
            "thresholds.review",
            "no harmfulness leads to a review: both thresholds are 0.5",
        )],
    );
    check(
        &["thresholds.block = 0.51"],
        &[(Warning, "narrow-review", "thresholds.review", "from 0.5 to 0.51 it is 0.040 log-odds")],
    );
    check(&["thresholds.block = 0.53"], &[]);
}

#[test]
fn strict_thresholds_that_fail_open() {
    let open = "on_failure = \"open\"";
    check(&[open], &[]);
    let told = (Note, "strict-but-open", "on_failure", "review from 0.3, block from 0.8");
    check(&[open, "thresholds.review = 0.3"], &[told]);
    check_child(&["thresholds.review = 0.3"], &[open], &[told]);
    check_child(&[open, "thresholds.review = 0.3"], &["weights.guard = 2.0"], &[]);
}

#[test]
fn evidence_that_never_counts() {
    let zero = |key: &str, what: &str| {
        check(&[&format!("{key} = 0.0")], &[(Note, "evidence-ignored", key, what)]);
    };
    zero("weights.guard", "the guard's view of the prompt never counts");
    zero("weights.response", "the guard's view of the reply never counts");
    zero("weights.adversarial", "an attack on the chatbot never counts");
    zero("weights.refusal", "a reply that refuses never counts");
    zero("weights.benefit", "all expected benefit never counts");
    check_child(&["weights.guard = 0.0"], &["weights.response = 2.0"], &[]);
}

#[test]
fn harms_that_never_count() {
    check(
        &["weights.harm.privacy = 0.0"],
        &[(Note, "harm-ignored", "weights.harm.privacy", "\"Privacy\" never counts")],
    );
    check_child(&["weights.harm.privacy = 0.0"], &["weights.harm.deception = 2.0"], &[]);
    let none = every_harm("0.0");
    check(&and(&none, &[]), &[(Note, "harm-ignored", "weights.harm", "no harm of the tree ever counts")]);
}

#[test]
fn weights_that_hardly_count() {
    // 0.009 × ln(1 + 217.6) = 0.0485.
    let told = (Warning, "barely-counts", "weights.harm.privacy", "by 0.048 log-odds at most");
    check(&["weights.harm.privacy = 0.009"], &[told]);
    check(&["weights.harm.privacy = 0.01"], &[]);
    check(&["weights.guard = 0.005"], &[(Warning, "barely-counts", "weights.guard", "0.030")]);
    check(&["weights.adversarial = 0.05"], &[]);
    // Leaves that weigh four times as much count more.
    let heavier =
        ["weights.extent.major = 4.0", "weights.likelihood.high = 4.0", "weights.harm.privacy = 0.009"];
    check(&heavier, &[]);
}

#[test]
fn floors_that_hold_whatever_a_category_weighs() {
    let floor = "the floor `sexual_content_with_minors` does not depend on weights";
    let child_harm = (Note, "floor-holds", "weights.harm.child_harm", floor);
    check(&["weights.harm.child_harm = 0.5"], &[child_harm]);
    check(&["weights.harm.child_harm = 0.6"], &[]);
    check(
        &["weights.harm.child_harm = 0.4", "weights.harm.sexual_content = 0.05"],
        &[(
            Note,
            "floor-holds",
            "weights.harm.sexual_content",
            "of `sexual_content` (0.05) and `child_harm` (0.4)",
        )],
    );
    check(
        &["weights.harm.criminal_activities = 0.3"],
        &[(Note, "floor-holds", "weights.harm.criminal_activities", "`mass_harm_weapons`")],
    );
    check_child(&["weights.harm.child_harm = 0.4"], &["weights.guard = 2.0"], &[]);
}

#[test]
fn leaf_weights_that_leave_nothing() {
    let zero =
        ["minor", "significant", "substantial", "major"].map(|it| format!("weights.extent.{it} = 0.0"));
    let told = (Warning, "masses-always-zero", "weights.extent", "no harm and no benefit ever counts");
    check(&and(&zero, &[]), &[told]);
    check_child(&and(&zero, &[]), &["weights.benefit = 0.5"], &[told]);
    check_child(&and(&zero, &[]), &["weights.guard = 0.5"], &[]);
}

#[test]
fn leaf_weights_that_nothing_reads() {
    let none = every_harm("0.0");
    let lines = and(&none, &["weights.benefit = 0.0", "weights.later = 0.5", "weights.effect.death = 2.0"]);
    check(
        &lines,
        &[
            (Warning, "idle-weights", "weights.effect", "does nothing"),
            (Warning, "idle-weights", "weights.later", "does nothing"),
            (Note, "evidence-ignored", "weights.benefit", "benefit"),
            (Note, "harm-ignored", "weights.harm", "are all 0"),
        ],
    );
}

#[test]
fn leaves_that_never_count() {
    check(
        &["weights.stakeholder.ai_provider = 0.0"],
        &[(Note, "leaves-ignored", "weights.stakeholder.ai_provider", "never count")],
    );
    check(
        &["weights.likelihood.low = 0.0"],
        &[(Note, "leaves-ignored", "weights.likelihood.low", "never count")],
    );
    check(&["weights.later = 0.0"], &[(Note, "later-ignored", "weights.later", "in the long run")]);
    check_child(&["weights.later = 0.0", "weights.effect.death = 0.0"], &["weights.guard = 2.0"], &[]);
}

#[test]
fn severities_that_make_no_difference() {
    let same = ["low", "medium", "high"].map(|it| format!("weights.likelihood.{it} = 0.5"));
    let told =
        (Note, "severity-flat", "weights.likelihood", "are all 0.5, so that how likely it is makes no");
    check(&and(&same, &[]), &[told]);
    let same = ["minor", "significant", "substantial"].map(|it| format!("weights.extent.{it} = 1.0"));
    check(&and(&same, &[]), &[(Note, "severity-flat", "weights.extent", "how much harm")]);
    check(&["weights.effect.death = 1.0"], &[]);
}
