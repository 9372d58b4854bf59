//! Shapes that are read, marked and refused, and the bounds.

use super::*;
use assize_domain::{ActionCategory, Effect, Extent, HarmAction, Likelihood, Stakeholder};

const BENEFITS: &str = r#"[{"stakeholder":"User","benefits":[]}]"#;
const EFFECT: &str = r#"{"effect":"1. Death","immediacy":true,"extent":"major","likelihood":"low"}"#;

/// One harmful action of one stakeholder with these effects.
fn harms(effects: &str) -> String {
    format!(
        r##"[{{"stakeholder":"User","harms":[{{"action":"#Privacy# 42. Types of Sensitive Data","effects":[{effects}]}}]}}]"##
    )
}

fn leaf() -> ReportedLeaf {
    ReportedLeaf {
        category: Some(ActionCategory::Privacy),
        published_category: Some(ActionCategory::Privacy),
        action: Some(HarmAction::SensitiveData),
        effect: Some(Effect::Death),
        stakeholder: Stakeholder::User,
        extent: Some(Extent::Major),
        likelihood: Some(Likelihood::Low),
        immediate: Some(true),
    }
}

fn mark() -> ReportedLeaf {
    ReportedLeaf {
        category: None,
        published_category: None,
        action: None,
        effect: None,
        stakeholder: Stakeholder::OtherIndividuals,
        extent: None,
        likelihood: None,
        immediate: None,
    }
}

fn check(harms: &str, expected: &[ReportedLeaf]) {
    let read = tree(harms, BENEFITS).unwrap();
    assert_eq!(read.harms, expected, "{harms}");
    assert_eq!(read.benefits, []);
}

/// One effect beside one that can be weighed.
fn check_beside(effect: &str, expected: ReportedLeaf) {
    check(&harms(&format!("{EFFECT}, {effect}")), &[leaf(), expected]);
}

fn check_immediacy(immediacy: &str, immediate: Option<bool>) {
    let effect = EFFECT.replace("true", immediacy);
    check_beside(&effect, ReportedLeaf { immediate, ..leaf() });
    let file = format!(r#"{{"harms":{},"benefits":[]}}"#, harms(&format!("{EFFECT}, {effect}")));
    assert_eq!(tree_file(&file).unwrap().harms, [leaf(), ReportedLeaf { immediate, ..leaf() }]);
}

fn check_refused(result: Result<ReportedTree, TreeError>, expected: &str) {
    let text = result.unwrap_err().to_string();
    assert!(text.starts_with(expected), "{text}");
}

fn check_file(json: &str, expected: &str) {
    check_refused(tree_file(json), expected);
}

#[test]
fn a_leaf_is_made_of_each_effect() {
    let twice = format!("{EFFECT}, {EFFECT}");
    check(&harms(&twice), &[leaf(), leaf()]);
    check(&harms(""), &[]);
    let benefits = harms(EFFECT).replace("harms", "benefits");
    let read = tree(&harms(EFFECT), &benefits).unwrap();
    // A benefit's action is free text, even where it reads like a harm's.
    assert_eq!(
        read.benefits,
        [ReportedLeaf { category: None, published_category: None, action: None, ..leaf() }]
    );
    assert_eq!(read.unreadable(), 0);
}

#[test]
fn immediacy_is_a_flag_or_a_zero_or_a_one() {
    check_immediacy("true", Some(true));
    check_immediacy("false", Some(false));
    check_immediacy("1", Some(true));
    check_immediacy("0", Some(false));
    for other in ["\"true\"", "\"1\"", "2", "-1", "1.0", "null", "[]", "\"Medium\""] {
        check_immediacy(other, None);
    }
}

#[test]
fn unknown_words_are_none() {
    check_beside(&EFFECT.replace("Death", "Doom"), ReportedLeaf { effect: None, ..leaf() });
    check_beside(&EFFECT.replace("major", "huge"), ReportedLeaf { extent: None, ..leaf() });
    check_beside(&EFFECT.replace("\"low\"", "3"), ReportedLeaf { likelihood: None, ..leaf() });
    let known = harms(EFFECT);
    let unknown = known.replace("#Privacy# 42. Types of Sensitive Data", "Other");
    let unknown = format!("[{}, {}]", known.trim_matches(['[', ']']), unknown.trim_matches(['[', ']']));
    let other = ReportedLeaf { category: None, published_category: None, action: None, ..leaf() };
    check(&unknown, &[leaf(), other]);
    let passing = harms(EFFECT).replace("Types of Sensitive Data", "Types of Sensitive Data (for Deception)");
    let published_category = Some(ActionCategory::Deception);
    check(&passing, &[ReportedLeaf { published_category, ..leaf() }]);
    check_beside("{}", ReportedLeaf { stakeholder: Stakeholder::User, ..leaf_of_words_unknown() });
}

/// As [`leaf`], with the action known and nothing of the effect.
fn leaf_of_words_unknown() -> ReportedLeaf {
    ReportedLeaf { effect: None, extent: None, likelihood: None, immediate: None, ..leaf() }
}

#[test]
fn another_shape_is_marked() {
    check(&harms(&format!("{EFFECT}, 7, ...")), &[leaf(), mark(), mark()]);
    let whole = harms(EFFECT);
    let entries = whole.trim_matches(['[', ']']);
    for other in ["\"and others\"", r#"{"stakeholder":"A"}"#, r#"{"stakeholder":"A","harms":null}"#] {
        check(&format!("[{entries}, {other}]"), &[leaf(), mark()]);
    }
    let no_effects = r#"{"stakeholder":"A","harms":[{"action":"x"}]}"#;
    check(&format!("[{entries}, {no_effects}]"), &[leaf(), mark()]);
    let nobody = whole.replace("\"User\"", "7");
    check(&nobody, &[mark(), ReportedLeaf { stakeholder: Stakeholder::OtherIndividuals, ..leaf() }]);
}

#[test]
fn what_is_complete_stays_and_the_cut_is_marked_once() {
    let whole = harms(&format!("{EFFECT}, {EFFECT}"));
    let second = whole.rfind("{\"effect\"").unwrap();
    for end in [second, second + 1, second + 9, second + 30, second + EFFECT.len() - 1] {
        check(&whole[..end], &[leaf(), mark()]);
    }
    for end in second + EFFECT.len()..whole.len() {
        check(&whole[..end], &[leaf(), leaf(), mark()]);
    }
    // A name that was still to come takes no effect with it.
    let unnamed = ReportedLeaf { stakeholder: Stakeholder::OtherIndividuals, ..leaf() };
    check(&whole.replace("\"stakeholder\":\"User\",", "")[..second], &[unnamed, mark()]);
    assert!(assize_domain::Tree::Reported(tree(&whole[..second], BENEFITS).unwrap()).is_partial());
}

#[test]
fn broken_forms_of_one_tree_are_that_tree() {
    let whole = harms(&format!("{EFFECT}, {EFFECT}"));
    for form in [
        format!("Here is the JSON [as asked]:\n```json\n{whole}\n```\nIt has 1 stakeholder [1]."),
        whole.replace('"', "'"),
        whole.replace("}]", "},\n]"),
        whole.replace("true", "True"),
        whole.replace("\"major\", ", "\"major\"\n"),
        whole.replace("Data\"", "Data\n\""),
        whole.replace("\"major\"", "major"),
        whole.replace('#', "\\u0023"),
        format!("{whole}]"),
    ] {
        check(&form, &[leaf(), leaf()]);
    }
    // Without its closing quote a word goes on up to the next one, and both are unknown.
    let unquoted = whole.replacen("major\"", "major", 1);
    check(&unquoted, &[ReportedLeaf { extent: None, likelihood: None, ..leaf() }, leaf()]);
}

#[test]
fn nothing_unreadable_looks_harmless() {
    for nothing in ["", "I can't help with that.", "[]", "{}", "[", "[1, 2]", "{\"harms\": []}"] {
        check_refused(tree(nothing, BENEFITS), "harms: no list of objects; expected a JSON array");
        check_refused(tree(&harms(EFFECT), nothing), "benefits: no list of objects; expected a JSON array");
    }
    let whole = harms(EFFECT);
    for nothing in ["[{", "[{}]", "[{\"stakeholder\":\"A\"}]", &whole[..whole.len() - 6]] {
        check_refused(tree(nothing, BENEFITS), "harms: not one effect can be read; expected objects with");
    }
    // What the other reporter should have written.
    check_refused(tree(BENEFITS, BENEFITS), "harms: not one effect can be read");
}

#[test]
fn a_side_that_cannot_be_weighed_is_no_empty_side() {
    let catastrophic = EFFECT.replace("major", "catastrophic").replace("low", "certain");
    let refused = "harms: 1 effects, and not one can be weighed";
    check_refused(tree(&harms(&catastrophic), BENEFITS), refused);
    check_file(&format!(r#"{{"harms":{},"benefits":[]}}"#, harms(&catastrophic)), refused);
    let nowhere = harms(EFFECT).replace("#Privacy# 42. Types of Sensitive Data", "Other");
    check_refused(tree(&nowhere, BENEFITS), refused);
    let benefits = harms(&catastrophic).replace("harms", "benefits");
    check_refused(tree(&harms(EFFECT), &benefits), "benefits: 1 effects, and not one can be weighed");
    // A benefit needs no category.
    let benefits = nowhere.replace("harms", "benefits");
    assert_eq!(tree(&harms(EFFECT), &benefits).unwrap().benefits.len(), 1);
}

#[test]
fn a_file_is_mended_as_a_reporters_text() {
    let file = format!(r#"{{"harms":{},"benefits":[]}}"#, harms(EFFECT));
    for form in [
        format!("Here is {{the tree}}:\n```json\n{file}\n```\nDone."),
        file.replace('"', "'"),
        file.replace("}]", "},\n]"),
        file.replacen("}],", "}]],", 1),
    ] {
        assert_eq!(tree_file(&form).unwrap().harms, [leaf()], "{form}");
    }
    // Cut off in its last list: what is complete stays, the rest is marked.
    let benefits = harms(&format!("{EFFECT}, {EFFECT}")).replace("harms", "benefits");
    let file = format!(r#"{{"harms":{},"benefits":{benefits}}}"#, harms(EFFECT));
    let cut = &file[..file.len() - 30];
    let read = tree_file(cut).unwrap();
    assert_eq!((read.harms, read.benefits.len(), read.benefits[1]), (vec![leaf()], 2, mark()));
}

#[test]
fn a_file_has_two_lists() {
    let file = |harms: &str| format!("{{\"harms\": {harms},\n\"benefits\": [], \"note\": [1]}}\n");
    assert_eq!(tree_file(&file(&harms(EFFECT))).unwrap().harms, [leaf()]);
    assert_eq!(tree_file(&file("[]")).unwrap(), ReportedTree::default());
    check_file("", "tree file: no list `harms`; expected `{\"harms\": […], \"benefits\": […]}`");
    check_file(&file("['secret']"), "harms: not one effect can be read");
    check_file(&file(&harms(EFFECT))[..40], "harms: not one effect can be read");
    check_file(&file("{}"), "tree file: no list `harms`; expected `{\"harms\"");
    check_file("{\"harms\": []}", "tree file: no list `benefits`; expected `{\"harms\"");
    check_file("[]", "tree file: no list `harms`");
    check_file("\"harms\"", "tree file: no list `harms`");
    check_file(&file("[{}]"), "harms: not one effect can be read");
}

#[test]
fn length_depth_and_leaves_have_limits() {
    let long = " ".repeat(MOST_BYTES + 1);
    check_refused(tree(&long, BENEFITS), "harms: 1048577 bytes, and at most 1048576 are read");
    check_refused(tree(&harms(""), &long), "benefits: 1048577 bytes");
    check_file(&long, "tree file: 1048577 bytes");
    let deep = format!("[{{\"a\":{}", "[".repeat(MOST_DEPTH));
    check_refused(tree(&deep, BENEFITS), "harms: more than 32 lists and objects in one another");
    let deep = format!("{{\"a\":{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check_file(&deep, "tree file: more than 32 lists and objects in one another");
    let many = |count: usize| harms(&vec![EFFECT; count].join(","));
    assert_eq!(tree(&many(MOST_LEAVES), BENEFITS).unwrap().harms.len(), MOST_LEAVES);
    check_refused(tree(&many(MOST_LEAVES + 1), BENEFITS), "harms: more than 10000 effects");
    // Marks count too: else a megabyte of them would be a tree.
    check_refused(tree(&harms(&"1,".repeat(MOST_LEAVES + 1)), BENEFITS), "harms: more than 10000 effects");
}

#[test]
fn repetition_is_read_or_refused() {
    for piece in
        ["[", "[{", "\"", "' ", "\\", "[{\"a\":\"", "{}", "]", "[ ", "[{}] ", "\" \n", "\\u", "a: ", "#"]
    {
        let text = format!("[{{\"stakeholder\":{}", piece.repeat((MOST_BYTES / 16) / piece.len()));
        check_refused(tree(&text, BENEFITS), "harms: ");
        check_refused(tree(&text.replace('{', " "), BENEFITS), "harms: ");
    }
    let text = harms(EFFECT).replace("User", &"ai ".repeat(MOST_BYTES / 16 / 3));
    check(&text, &[ReportedLeaf { stakeholder: Stakeholder::AiProvider, ..leaf() }]);
}
