//! Nothing half-done stays: no markers for later, no ignored or disabled tests, no tests in comments. What is
//! left to do belongs in the tracker; a test that can't run now is deleted or made to run.
//!
//! The search is by line and doesn't know string literals, so this file and its tests spell the words in two
//! parts.

use crate::finding::Finding;
use crate::tree::Tree;

/// A line to look for and what to do about it.
struct Leftover {
    matches: fn(&str) -> bool,
    problem: &'static str,
    remedy: &'static str,
}

const LEFTOVERS: &[Leftover] = &[
    Leftover {
        matches: |line| line.contains(concat!("to", "do!")),
        problem: "unfinished code",
        remedy: "write it, or return an error that says what is missing",
    },
    Leftover {
        matches: |line| MARKERS.iter().any(|marker| has_word(line, marker)),
        problem: "a marker for later",
        remedy: "do it now, or open an issue and delete the line",
    },
    Leftover {
        matches: |line| line.contains(concat!("#[ig", "nore")),
        problem: "an ignored test",
        remedy: "make it run everywhere, or delete it",
    },
    Leftover {
        matches: |line| line.contains(concat!("cfg(", "any())")) || line.contains(concat!("cfg(", "false)")),
        problem: "code that is never compiled",
        remedy: "delete it; git remembers",
    },
    Leftover {
        matches: is_test_in_comment,
        problem: "a test in a comment",
        remedy: "delete it; git remembers",
    },
];

const MARKERS: &[&str] = &[concat!("FIX", "ME"), concat!("XX", "X"), concat!("TO", "DO")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts(&[".rs"]) {
        for (index, line) in text.lines().enumerate() {
            let found = LEFTOVERS.iter().filter(|leftover| (leftover.matches)(line));
            findings.extend(found.map(|found| Finding::at(path, index + 1, found.problem, found.remedy)));
        }
    }
    findings
}

/// Whether a plain comment holds a test's attribute. Doc comments may: their examples show how tests are
/// written.
fn is_test_in_comment(line: &str) -> bool {
    let Some(comment) = line.trim_start().strip_prefix("//") else { return false };
    let is_doc = comment.starts_with('/') || comment.starts_with('!');
    let code = comment.trim_start();
    !is_doc && (code.starts_with("#[test]") || code.starts_with("#[tokio::test"))
}

/// Whether `word` stands in `line` with no letter, digit or underscore beside it.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line.get(start + word.len()..).and_then(|text| text.chars().next());
        ![before, after].into_iter().flatten().any(|beside| beside.is_alphanumeric() || beside == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_line(line: &str, expected: Option<&str>) {
        let found = check(&Tree::of(&[("src/a.rs", &format!("//! A file.\n{line}\n"))]));
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        match expected {
            None => assert!(found.is_empty(), "{found:?}"),
            Some(expected) => {
                assert_eq!(found.len(), 1, "{line}: {found:?}");
                assert!(found[0].starts_with(&format!("src/a.rs:2: {expected};")), "{found:?}");
            }
        }
    }

    #[test]
    fn unfinished_code_is_found() {
        check_line(concat!("    to", "do!(\"later\")"), Some("unfinished code"));
    }

    #[test]
    fn markers_are_found_as_words_only() {
        check_line(concat!("// FIX", "ME: wrong"), Some("a marker for later"));
        check_line(concat!("let a = 1; // XX", "X"), Some("a marker for later"));
        check_line(concat!("// TO", "DO(name): more"), Some("a marker for later"));
        check_line(concat!("let a = \"fileXX", "XX.tmp\";"), None);
        check_line(concat!("const TO", "DOS: u8 = 1;"), None);
    }

    #[test]
    fn ignored_and_disabled_tests_are_found() {
        check_line(concat!("    #[ig", "nore]"), Some("an ignored test"));
        check_line(concat!("#[ig", "nore = \"slow\"]"), Some("an ignored test"));
        check_line(concat!("#[cfg(", "any())]"), Some("code that is never compiled"));
        check_line(concat!("#[cfg(", "false)]"), Some("code that is never compiled"));
    }

    #[test]
    fn tests_in_comments_are_found_and_doc_examples_are_not() {
        check_line("    // #[test]", Some("a test in a comment"));
        check_line("//#[tokio::test(start_paused = true)]", Some("a test in a comment"));
        check_line("/// #[test]", None);
        check_line("//! #[test]", None);
        check_line("    #[test]", None);
        check_line("// a #[test] runs this too", None);
    }

    #[test]
    fn prose_may_name_the_words() {
        assert!(check(&Tree::of(&[("docs/STYLE.md", concat!("No FIX", "ME.\n"))])).is_empty());
    }
}
