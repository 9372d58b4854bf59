//! Findings about what is inherited, about sentences and about examples.

use super::{EXAMPLES, Expected, and, check, check_child, check_findings, findings, root};
use assize_preferences::FindingSeverity::{Note, Warning};

#[test]
fn lines_that_say_what_is_inherited() {
    check_child(
        &["reasons.benefit = \"it helps\""],
        &[
            "on_failure = \"closed\"",
            "thresholds.block = 0.8",
            "weights.harm.privacy = 1",
            "weights.later = 1.0",
            "weights.guard = 2.0",
            "reasons.benefit = \"it helps\"",
        ],
        &[
            (Note, "same-as-parent", "on_failure", "is \"closed\" in `base` already"),
            (Note, "same-as-parent", "reasons.\"benefit\"", "is \"it helps\" in `base` already"),
            (Note, "same-as-parent", "thresholds.block", "is 0.8 in `base` already"),
            (Note, "same-as-parent", "weights.harm.privacy", "is 1 in"),
            (Note, "same-as-parent", "weights.later", "is 1 in"),
        ],
    );
}

#[test]
fn files_that_change_nothing() {
    check_child(&[], &[], &[(Note, "copy-of-parent", "extends", "`child` decides exactly as `base`")]);
    check_child(&[], &["reasons.benefit = \"it helps\""], &[]);
}

#[test]
fn changes_that_cancel_each_other() {
    // The bias by 1, the threshold from odds of 1 to odds of 3: ln 3 = 1.0986.
    let against = |problem| (Warning, "bias-against-thresholds", "weights.bias", problem);
    check_child(
        &[],
        &["weights.bias = 0.0", "thresholds.review = 0.75"],
        &[against("moved by +1.00 and the thresholds by +1.10 (review) and +0.00 (block)")],
    );
    check_child(
        &[],
        &["weights.bias = -2.0", "thresholds.review = 0.25"],
        &[against("what is left is +0.10 and -1.00")],
    );
    check_child(&[], &["weights.bias = -0.5", "thresholds.review = 0.4"], &[]);
    // A wider room for reviews is another matter.
    check_child(&[], &["weights.bias = -0.5", "thresholds.review = 0.4", "thresholds.block = 0.9"], &[]);
}

#[test]
fn sentences_that_are_never_told() {
    let sentence = |code: &str| format!("reasons.\"{code}\" = \"so it is\"");
    let never = |code: &str, weight: &str, other: &str| {
        let zero = format!("{weight} = 0.0");
        let found =
            findings(&[("base.toml", &root(&[&zero, &sentence(code), &sentence(other)], EXAMPLES))], "base");
        let found: Vec<_> = found.into_iter().filter(|it| it.code == "reason-never-told").collect();
        let key = format!("reasons.\"{code}\"");
        check_findings(&found, &[(Warning, "reason-never-told", &key, &format!("`{weight}` is 0"))]);
    };
    never("harm.privacy", "weights.harm.privacy", "harm.deception");
    never("benefit", "weights.benefit", "degraded.tree_unusable");
    never("guard.prompt_harmful", "weights.guard", "guard.response_harmful");
    never("guard.prompt_harmful.low", "weights.guard", "guard.response_harmful.low");
    never("guard.response_harmful", "weights.response", "guard.adversarial");
    never("guard.response_refusal", "weights.refusal", "guard.prompt_harmful");
    never("guard.adversarial", "weights.adversarial", "guard.response_refusal");
    let zero = ["low", "medium", "high"].map(|it| format!("weights.likelihood.{it} = 0.0"));
    let benefit = sentence("benefit");
    check(
        &and(&zero, &[&benefit]),
        &[
            (Warning, "masses-always-zero", "weights.likelihood", "whatever their weights"),
            (Warning, "reason-never-told", "reasons.\"benefit\"", "make every harm and benefit 0"),
        ],
    );
}

#[test]
fn placeholders_that_are_never_filled() {
    let empty = |key, part| (Warning, "placeholder-empty", key, part);
    check(
        &["reasons.benefit = \"{category} helps {community} by {points}\""],
        &[empty("reasons.\"benefit\"", "`{category}`, which is always empty in a sentence for `benefit`")],
    );
    check(
        &["reasons.\"degraded.partial_tree\" = \"{percent} % is missing\""],
        &[empty("reasons.\"degraded.partial_tree\"", "`{percent}`")],
    );
    check(&["reasons.\"harm.privacy\" = \"{category}: {points}, {percent} %, {community}\""], &[]);
}

fn check_examples(examples: &str, expected: &[Expected<'_>]) {
    check_findings(&findings(&[("base.toml", &root(&[], examples))], "base"), expected);
}

fn example(text: &str, expect: &str) -> String {
    format!("[[examples]]\ntext = {text:?}\nexpect = {expect}\n")
}

#[test]
fn examples_that_guard_nothing() {
    check_examples("", &[(Warning, "no-examples", "examples", "there are none")]);
    let one_sided = (Note, "one-sided-examples", "examples", "expects `allow`");
    check_examples(&(example("Hi.", "\"allow\"") + &example("Hello.", "[\"allow\"]")), &[one_sided]);
    let anything = example("Hi.", "[\"allow\", \"review\", \"block\"]");
    let told = (Warning, "example-accepts-anything", "examples[2]", "can never fail");
    check_examples(&(EXAMPLES.to_owned() + &anything), &[told]);
}

#[test]
fn examples_that_repeat_each_other() {
    let allowed = example("Good morning.", "[\"allow\", \"review\"]");
    let twice = (Note, "example-twice", "examples[2]", "the same conversation as `examples[0]`");
    check_examples(&(EXAMPLES.to_owned() + &allowed), &[twice]);
    let blocked = example("Good morning.", "\"block\"");
    let told = (Warning, "examples-contradict", "examples[2]", "expects what `examples[0]` excludes");
    check_examples(&(EXAMPLES.to_owned() + &blocked), &[told]);
}
