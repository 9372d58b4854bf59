//! Every mistake in a profile file is told with its file, its key, what is there and what is allowed.

use crate::files::{complete, complete_but, parse};

/// Each error, in any order, holds all of its expected parts, and there are no others.
fn check_files(files: &[(&str, &str)], expected: &[&[&str]]) {
    let errors = parse(files).expect_err("the files are accepted");
    let told: Vec<String> = errors.0.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for parts in expected {
        let matches = |told: &&String| parts.iter().all(|part| told.contains(part));
        assert!(told.iter().any(|told| matches(&told)), "{parts:?} in {told:#?}");
    }
    assert_eq!(errors.to_string(), told.join("\n"));
}

/// One file with one mistake.
fn check(text: &str, expected: &[&str]) {
    let expected = [&["a.toml: "], expected].concat();
    check_files(&[("a.toml", text)], &[&expected]);
}

/// A complete file with one line replaced.
fn check_line(key: &str, line: &str, expected: &[&str]) {
    check(&complete_but(key, line), expected);
}

/// A complete file with something added at its end.
fn check_added(added: &str, expected: &[&str]) {
    check(&format!("{}{added}", complete()), expected);
}

#[test]
fn unknown_keys() {
    check_added("colour = 1", &["`colour`", "line 28", "expected one of `title`, `description`, `extends`"]);
    check_added("thresholds.warn = 0.1", &["`warn`", "line 28", "expected `review` or `block`"]);
    check_added("weights.gard = 0.1", &["`gard`", "expected one of `bias`, `guard`, `response`"]);
    check_added("[[examples]]\ntext = \"Hi.\"\nexpct = \"allow\"", &["examples[0]", "`expct`", "`expect`"]);
    let turn = "[[examples]]\nexpect = \"allow\"\nturns = [{ rol = \"user\", content = \"Hi.\" }]";
    check_added(turn, &["examples[0].turns[0]", "`rol`", "expected `role` or `content`"]);
}

#[test]
fn wrong_types() {
    check_line("title", "title = 7", &["`title`", "line 1", "integer `7`", "expected a string"]);
    check_line("on_failure", "on_failure = \"ajar\"", &["`on_failure`", "`ajar`", "`open` or `closed`"]);
    check_line("on_failure", "on_failure = true", &["`on_failure`", "line 3"]);
    check_line("weights.guard", "weights.guard = \"high\"", &["`weights.guard`", "\"high\"", "expected f64"]);
    check_line("thresholds.review", "thresholds.review = [0.5]", &["`thresholds.review`", "expected f64"]);
    check_line(
        "weights.harm.privacy",
        "weights.harm.privacy = true",
        &["`weights.harm.privacy`", "`true`", "f64"],
    );
    check_added("reasons.benefit = 3", &["`reasons.benefit`", "integer `3`", "expected a string"]);
    check_added("examples = 3", &["`examples`", "integer `3`", "expected a sequence"]);
    check_line("title", "title = \"Base\"\nextends = 3", &["`extends`", "integer `3`"]);
}

#[test]
fn numbers_out_of_range() {
    for (value, shown) in
        [("nan", "`NaN`"), ("inf", "`inf`"), ("-inf", "`-inf`"), ("-0.5", "`-0.5`"), ("4.1", "`4.1`")]
    {
        check_line(
            "weights.guard",
            &format!("weights.guard = {value}"),
            &["`weights.guard`", shown, "0 to 4"],
        );
    }
    for (key, value, shown, allowed) in [
        ("weights.bias", "-8.1", "`-8.1`", "-8 to 8"),
        ("weights.bias", "nan", "`NaN`", "-8 to 8"),
        ("weights.response", "5", "`5`", "0 to 4"),
        ("weights.refusal", "-1", "`-1`", "0 to 4"),
        ("weights.adversarial", "8.5", "`8.5`", "0 to 8"),
        ("weights.benefit", "inf", "`inf`", "0 to 8"),
        ("weights.harm.privacy", "-0.1", "`-0.1`", "0 to 8"),
        ("weights.harm.privacy", "nan", "`NaN`", "0 to 8"),
        ("weights.harm.child_harm", "9", "`9`", "0 to 8"),
        ("thresholds.review", "0", "`0`", "0.001 to 1"),
        ("thresholds.review", "nan", "`NaN`", "0.001 to 1"),
        ("thresholds.block", "1.5", "`1.5`", "0.001 to 1"),
        ("thresholds.block", "inf", "`inf`", "0.001 to 1"),
    ] {
        check_line(key, &format!("{key} = {value}"), &[&format!("`{key}`"), shown, allowed]);
    }
}

#[test]
fn weights_of_leaves() {
    check_added("weights.later = 1.1", &["`weights.later`", "`1.1`", "0 to 1"]);
    check_added("weights.effect.death = nan", &["`weights.effect.death`", "`NaN`", "0 to 4"]);
    check_added(
        "weights.effect.rain = 1",
        &["`weights.effect.rain`", "is no effect", "death, physical_health"],
    );
    check_added(
        "weights.stakeholder.cat = 1",
        &["`weights.stakeholder.cat`", "is no stakeholder", "children"],
    );
    check_added("weights.extent.huge = 1", &["`weights.extent.huge`", "is no extent", "minor, significant"]);
    let falls = ["`weights.extent.major`", "`0.5`", "below `weights.extent.substantial` (`0.75`)"];
    check_added("weights.extent.major = 0.5", &falls);
    let falls = ["`weights.likelihood.medium`", "`0.5`", "below `weights.likelihood.low` (`0.6`)"];
    check_added("weights.likelihood.low = 0.6", &falls);
}

#[test]
fn tables_of_another_aggregation() {
    check_added(
        "safetyanalyst.harm_later = 0.5",
        &["`safetyanalyst`", "does nothing", "aggregation = \"assize\""],
    );
    let line = "title = \"Base\"\naggregation = \"mean\"";
    check_line("title", line, &["`aggregation`", "`mean`", "`assize` or `safetyanalyst`"]);
    let child = "title = \"Child\"\nextends = \"a\"\naggregation = \"safetyanalyst\"\nweights.bias = 1.0\n";
    let errors = parse(&[("a.toml", &complete()), ("child.toml", child)]).unwrap_err();
    let told: Vec<String> = errors.0.iter().map(ToString::to_string).collect();
    assert!(told[0].contains("`weights`: does nothing"), "{told:#?}");
    // Nothing of the parent's weights can stand in for the 29 parameters.
    assert_eq!(told.len(), 1 + 29, "{told:#?}");
    assert!(
        told.iter().any(|line| line.contains("`safetyanalyst.action.self_harm`") && line.contains("0 to 1"))
    );
    assert!(told.iter().any(|line| line.contains("`safetyanalyst.benefit_extent.minor_ratio`")));
}

#[test]
fn thresholds_in_the_wrong_order() {
    let expected = ["`thresholds.review`", "`0.9`", "`thresholds.block` (`0.8`)", "at or below"];
    check_line("thresholds.review", "thresholds.review = 0.9", &expected);
    let child = ("child.toml", "title = \"Child\"\nextends = \"a\"\nthresholds.review = 0.9\n");
    check_files(&[("a.toml", &complete()), child], &[&[&["child.toml: "], &expected[..]].concat()]);
}

#[test]
fn names_that_are_not_known() {
    let allowed = "allowed: security_risks, operational_misuses";
    check_added("weights.harm.weather = 1.0", &["`weights.harm.weather`", "is no action category", allowed]);
    check_added(
        "reasons.\"harm.weather\" = \"Rain.\"",
        &["`reasons.\"harm.weather\"`", "is no reason code", "harm.privacy"],
    );
    check_added("reasons.bias = \"So be it.\"", &["`reasons.\"bias\"`", "is no reason code", "benefit"]);
    check_added(
        "reasons.\"floor.mass_harm_weapons\" = \"Never mind.\"",
        &["`reasons.\"floor.mass_harm_weapons\"`", "is no reason code"],
    );
}

#[test]
fn sentences_that_cannot_be_filled_in() {
    let allowed = "{community}, {category}, {points}, {percent}, {action}, {effect}, {stakeholder}, {extent}, \
                   {likelihood}, {soon}";
    for sentence in ["{score}", "{points", "points}", "{Points}", "{}"] {
        let shown = format!("`{sentence}`");
        check_added(
            &format!("reasons.benefit = \"{sentence}\""),
            &["`reasons.\"benefit\"`", &shown, allowed],
        );
    }
    check_added("reasons.benefit = \"\"", &["`reasons.\"benefit\"`", "0 bytes", "1 to 300"]);
    let long = "x".repeat(301);
    check_added(
        &format!("reasons.benefit = \"{long}\""),
        &["`reasons.\"benefit\"`", "301 bytes", "1 to 300"],
    );
}

#[test]
fn bug_a_placeholder_around_another_is_none() {
    let allowed = "{community}, {category}, {points}, {percent}, {action}, {effect}, {stakeholder}, {extent}, \
                   {likelihood}, {soon}";
    check_added("reasons.benefit = \"{per{community}cent}\"", &["`reasons.\"benefit\"`", allowed]);
}

#[test]
fn titles() {
    check_line("title", "", &["`title`", "0 characters", "1 to 80"]);
    check_line("title", "title = \"  \"", &["`title`", "0 characters", "1 to 80"]);
    let long = "é".repeat(81);
    check_line("title", &format!("title = \"{long}\""), &["`title`", "81 characters", "1 to 80"]);
}

#[test]
fn missing_values() {
    check_line("on_failure", "", &["`on_failure`", "is missing", "`open` or `closed`"]);
    check_line("weights.bias", "", &["`weights.bias`", "is missing", "-8 to 8"]);
    check_line("weights.harm.privacy", "", &["`weights.harm.privacy`", "is missing", "0 to 8"]);
    check_line("thresholds.review", "", &["`thresholds.review`", "is missing", "0.001 to 1"]);
}

#[test]
fn bug_a_missing_block_is_not_also_a_wrong_order() {
    check_line("thresholds.block", "", &["`thresholds.block`", "is missing", "0.001 to 1"]);
}

#[test]
fn parents() {
    let child = "title = \"Child\"\nextends = \"nobody\"\n";
    check_files(
        &[("a.toml", &complete()), ("child.toml", child)],
        &[&["child.toml: `extends`: ", "`nobody`", "allowed: a, child"]],
    );
    check_files(
        &[("b.toml", "extends = \"No Id\"")],
        &[&["b.toml: `extends`: ", "`No Id`", "no profile here"]],
    );
}

fn file(extends: &str) -> String {
    format!("title = \"T\"\nextends = \"{extends}\"\n")
}

#[test]
fn cycles() {
    let told = "leads back here";
    check_files(&[("a.toml", &file("a"))], &[&["a.toml: `extends`: ", "`a`", told]]);
    check_files(
        &[("a.toml", &file("b")), ("b.toml", &file("a"))],
        &[&["a.toml: `extends`: ", "`b`", told], &["b.toml: `extends`: ", "`a`", told]],
    );
    check_files(
        &[("a.toml", &file("b")), ("b.toml", &file("c")), ("c.toml", &file("a"))],
        &[
            &["a.toml: `extends`: ", "`b`", told],
            &["b.toml: `extends`: ", "`c`", told],
            &["c.toml: `extends`: ", "`a`", told],
        ],
    );
}

#[test]
fn bug_a_child_of_a_cycle_is_not_in_it() {
    let files = [("a.toml", &*file("a")), ("child.toml", &*file("a")), ("grandchild.toml", &*file("child"))];
    check_files(&files, &[&["a.toml: `extends`: ", "leads back here"]]);
}

#[test]
fn file_names() {
    for name in ["Garden.toml", ".toml", "a b.toml", "../a.toml", "é.toml", "a.toml.toml"] {
        let stem = name.strip_suffix(".toml").unwrap();
        let told = format!("`{stem}` is no community id");
        check_files(&[(name, &complete())], &[&[name, &told, "1 to 64 of `a-z`, `0-9`, `-` and `_`"]]);
    }
}

#[test]
fn bug_two_files_of_one_community_are_refused() {
    let file = complete();
    check_files(&[("a.toml", &file), ("a", &file)], &[&["a: ", "second file for `a`", "one for each"]]);
}

#[test]
fn examples() {
    let both = "needs either `text` or `turns`";
    check_added("[[examples]]\nexpect = \"allow\"", &["`examples[0]`", both]);
    let turns = "turns = [{ role = \"user\", content = \"Hi.\" }]";
    check_added(
        &format!("[[examples]]\ntext = \"Hi.\"\n{turns}\nexpect = \"allow\""),
        &["`examples[0]`", both],
    );
    let good = "[[examples]]\ntext = \"Hi.\"\nexpect = \"allow\"\n";
    check_added(
        &format!("{good}[[examples]]\ntext = \" \"\nexpect = \"allow\""),
        &["`examples[1]`", "no visible character"],
    );
    let long = "x".repeat(2_001);
    check_added(
        &format!("[[examples]]\ntext = \"{long}\"\nexpect = \"allow\""),
        &["`examples[0]`", "2001 bytes", "2000"],
    );
    check_added(&good.repeat(65), &["`examples`", "65 examples", "64 at most"]);
    check_added("[[examples]]\ntext = \"Hi.\"", &["examples[0]", "missing field `expect`"]);
    let role = "[[examples]]\nexpect = \"allow\"\nturns = [{ role = \"bot\", content = \"Hi.\" }]";
    check_added(role, &["examples[0].turns[0].role", "`bot`", "`system`, `user`, `assistant`"]);
    check_added(
        "[[examples]]\ntext = \"Hi.\"\nexpect = []",
        &["`examples[0]`", "`expect` is empty", "allow, review, block"],
    );
}

#[test]
fn bug_a_bad_expectation_is_told_what_is_allowed() {
    let example = |expect: &str| format!("[[examples]]\ntext = \"Hi.\"\nexpect = {expect}");
    let allowed = "`allow`, `review`, `block`";
    check_added(&example("\"maybe\""), &["`examples[0].expect`", "line 30", "`maybe`", allowed]);
    check_added(&example("[\"allow\", \"perhaps\"]"), &["`examples[0].expect", "`perhaps`", allowed]);
    check_added(&example("7"), &["`examples[0].expect`", "integer `7`", allowed]);
}

#[test]
fn an_empty_file_lacks_every_value() {
    let errors = parse(&[("a.toml", "")]).unwrap_err();
    // The title, `on_failure`, two thresholds, six weights and those of sixteen categories.
    assert_eq!(errors.0.len(), 26, "{errors}");
    assert!(errors.0.iter().all(|error| error.file == "a.toml" && !error.key.is_empty()));
}

#[test]
fn what_is_no_toml() {
    check_added("title = \"Again\"", &["line 28", "duplicate key"]);
    check("{\"title\": \"JSON\"}", &["line 1"]);
    check("title = \"never closed\nx = 1", &["line 1"]);
    check("title: Base", &["line 1"]);
    check("\u{0}", &["line 1"]);
}

#[test]
fn every_mistake_of_every_file_is_told() {
    let a =
        complete_but("weights.guard", "weights.guard = 7\nreasons.rain = \"Wet.\"\nweights.harm.hail = 1");
    let b = complete_but("title", "title = \"never closed");
    let c = "title = \"C\"\nextends = \"d\"\nweights.bias = nan\nthresholds.block = 0.1\n";
    check_files(
        &[
            ("a.toml", &a),
            ("b.toml", &b),
            ("c.toml", c),
            ("d.toml", &complete()),
            ("E.toml", ""),
            ("f.toml", &file("x")),
        ],
        &[
            &["a.toml: `weights.guard`", "`7`"],
            &["a.toml: `reasons.\"rain\"`"],
            &["a.toml: `weights.harm.hail`"],
            &["b.toml: line 1"],
            &["c.toml: `weights.bias`", "`NaN`"],
            &["c.toml: `thresholds.review`", "`0.5`", "`0.1`"],
            &["E.toml: `E` is no community id"],
            &["f.toml: `extends`", "`x`"],
        ],
    );
    check_files(&[], &[&["no profile file"]]);
}

#[test]
fn a_parents_mistake_is_told_once() {
    let parent = complete_but("weights.guard", "weights.guard = 7");
    let files = [("a.toml", &*parent), ("child.toml", &*file("a")), ("grandchild.toml", &*file("child"))];
    check_files(&files, &[&["a.toml: `weights.guard`"]]);
    let files =
        [("a.toml", &*file("nobody")), ("child.toml", &*file("a")), ("grandchild.toml", &*file("child"))];
    check_files(&files, &[&["a.toml: `extends`"]]);
}

#[test]
fn bug_a_child_of_a_file_that_is_no_toml_is_not_blamed() {
    let files = [("a.toml", "title ="), ("child.toml", &*file("a")), ("grandchild.toml", &*file("child"))];
    check_files(&files, &[&["a.toml: line 1"]]);
}
