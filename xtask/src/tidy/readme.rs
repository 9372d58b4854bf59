//! The README's table of files names files that exist: the first thing that a newcomer follows must not lead
//! nowhere.

use crate::finding::Finding;
use crate::tree::Tree;

const README: &str = "README.md";

/// A table whose first heading holds one of these words lists places in the repository.
const HEADINGS: &[&str] = &["file", "folder", "path", "where"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(README) else {
        return vec![Finding::in_file(
            README,
            "is missing",
            "write it, with a table of the files to open first",
        )];
    };
    let paths = paths(text);
    if paths.is_empty() {
        let remedy = "add a table whose first column is headed `file` and holds paths in back-ticks";
        return vec![Finding::in_file(README, "has no table of files", remedy)];
    }
    let missing = paths.into_iter().filter(|(_, path)| !tree.exists(path.trim_end_matches('/')));
    missing
        .map(|(line, path)| {
            let problem = format!("the table of files names `{path}`, which doesn't exist");
            Finding::at(README, line, problem, "correct the path or drop the row")
        })
        .collect()
}

/// Line and path of everything in back-ticks in the first column of a table of files.
fn paths(text: &str) -> Vec<(usize, &str)> {
    let mut paths = Vec::new();
    // Whether the table that we are in lists files; `None` outside tables.
    let mut lists_files: Option<bool> = None;
    for (index, line) in text.lines().enumerate() {
        let Some(cell) = first_cell(line) else {
            lists_files = None;
            continue;
        };
        let heading = || HEADINGS.iter().any(|word| cell.to_lowercase().contains(word));
        match lists_files {
            None => lists_files = Some(heading()),
            Some(true) => paths.extend(cell.split('`').skip(1).step_by(2).map(|path| (index + 1, path))),
            Some(false) => {}
        }
    }
    paths
}

fn first_cell(line: &str) -> Option<&str> {
    line.trim().strip_prefix('|')?.split('|').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_readme(text: &str, expected: &[&str]) {
        let tree = Tree::of(&[(README, text), ("crates/a/lib.rs", ""), ("justfile", "")]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn rows_that_exist_pass() {
        check_readme("| File | what |\n|---|---|\n| `crates/a/` | a |\n| `justfile` | menu |\n", &[]);
        check_readme(
            "| where | what |\n|---|---|\n| [`justfile`](justfile), `crates/a/lib.rs` | `x` |\n",
            &[],
        );
    }

    #[test]
    fn a_row_that_does_not_exist_fails() {
        check_readme(
            "| file | what |\n|---|---|\n| `justfile` | a |\n| `crates/b` | b |\n",
            &["README.md:4: the table of files names `crates/b`, which doesn't exist"],
        );
    }

    #[test]
    fn other_tables_are_not_read() {
        check_readme(
            "| file | a |\n|---|---|\n| `justfile` | a |\n\n| command | b |\n|---|---|\n| `x` | b |\n",
            &[],
        );
    }

    #[test]
    fn a_readme_without_a_table_of_files_fails() {
        check_readme(
            "# Assize\n\n| key | meaning |\n|---|---|\n| `a.b` | c |\n",
            &["README.md:1: has no table of files"],
        );
        assert_eq!(check(&Tree::default()).len(), 1);
    }
}
