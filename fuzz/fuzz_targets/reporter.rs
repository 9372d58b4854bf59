//! Any text as what reporters write or as a tree file: reading it never panics, what is read keeps the tree's promises,
//! and no error repeats what was read.
#![no_main]

use assize_domain::{ReportedLeaf, ReportedTree};
use assize_record::reporter::{MOST_LEAVES, TreeError, tree, tree_file};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// Between what the harm reporter and what the benefit reporter wrote.
const NEXT_REPORTER: &str = "\n---\n";
/// Bytes in a row that are no coincidence.
const LONG_RUN: usize = 16;

/// Texts for each kind of error: what they say are our own words, which an input may happen to hold too.
const TEXTS: [&str; 8] = [
    "",
    "[{",
    "{",
    "7 7",
    "{}",
    r#"{"harms":[]}"#,
    r#"{"harms":[{}]}"#,
    r#"{"harms":[{"harms":[{"effects":[{}]}]}]}"#,
];
static OWN_WORDS: LazyLock<String> = LazyLock::new(|| {
    let errors = TEXTS.iter().flat_map(|text| [tree(text, text).err(), tree_file(text).err()]);
    errors.flatten().map(|error| format!("{error}\n{error:?}")).collect()
});

fuzz_target!(|text: &str| {
    let (harms, benefits) = text.split_once(NEXT_REPORTER).unwrap_or((text, text));
    check(&tree(harms, benefits), text);
    check(&tree_file(text), text);
    let with_prose = tree(&format!("Here it is:\n```json\n{harms}"), benefits);
    assert_eq!(with_prose.ok(), tree(harms, benefits).ok(), "prose before the list counts");
});

fn check(result: &Result<ReportedTree, TreeError>, text: &str) {
    match result {
        Ok(tree) => {
            assert!(tree.harms.len() <= MOST_LEAVES && tree.benefits.len() <= MOST_LEAVES);
            let has_action = |leaf: &ReportedLeaf| leaf.category.is_some() || leaf.action.is_some();
            assert!(!tree.benefits.iter().any(has_action), "a benefit has a harmful action");
        }
        Err(error) => refuse_echo(error, text),
    }
}

fn refuse_echo(error: &TreeError, text: &str) {
    let shown = format!("{error}\n{error:?}");
    for run in text.as_bytes().windows(LONG_RUN).filter_map(|run| std::str::from_utf8(run).ok()) {
        assert!(!shown.contains(run) || OWN_WORDS.contains(run), "an error repeats its input: {shown}");
    }
}
