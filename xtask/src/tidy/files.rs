//! Every Rust file, tests too, is short and opens by saying what it is for.

use crate::finding::Finding;
use crate::tree::Tree;

/// A file that needs more holds two ideas. In the codebases we learnt from it is always the HTTP server, the
/// wire types and the model loader that outgrow it.
const MOST_LINES: usize = 400;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.texts(&[".rs"]).flat_map(|(path, text)| [length(path, text), header(path, text)]).flatten().collect()
}

fn length(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    (lines > MOST_LINES).then(|| {
        let problem = format!("has {lines} lines, the limit is {MOST_LINES}");
        Finding::at(
            path,
            MOST_LINES + 1,
            problem,
            "split it by idea, or move its tests to a file of their own",
        )
    })
}

fn header(path: &str, text: &str) -> Option<Finding> {
    let remedy = "say in `//!` what the file is for and what it must never do";
    let first = text.lines().next().unwrap_or_default();
    let words = first.strip_prefix("//!").map(str::trim);
    words.is_none_or(str::is_empty).then(|| Finding::in_file(path, "does not open with `//!`", remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        check(&Tree::of(&[("crates/a/tests/b.rs", text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn four_hundred_lines_pass_and_one_more_fails() {
        let most = "//! A file.\n".repeat(MOST_LINES);
        assert_eq!(problems(&most), Vec::<String>::new());
        let found = problems(&format!("{most}\n"));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("crates/a/tests/b.rs:401: has 401 lines, the limit is 400;"),
            "{found:?}"
        );
    }

    #[test]
    fn a_file_without_words_at_its_top_fails() {
        for text in ["", "fn main() {}\n", "// A file.\n", "//!\n//! A file.\n", "\n//! A file.\n"] {
            assert_eq!(problems(text).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn other_files_are_not_measured() {
        assert!(check(&Tree::of(&[("docs/a.md", &"words\n".repeat(500))])).is_empty());
    }
}
