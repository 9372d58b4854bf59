//! A link from a Markdown file to a place in this repository leads to a file or folder that exists. Links to
//! the outside are nobody's to check: a build doesn't use the network.

use crate::finding::Finding;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts(&[".md"]) {
        for (line, target) in links(text) {
            match resolve(path, target) {
                Some(place) if tree.exists(&place) => {}
                Some(place) => {
                    let problem = format!("links to `{target}`, and `{place}` doesn't exist");
                    findings.push(Finding::at(path, line, problem, "correct the path or drop the link"));
                }
                None => {
                    let problem = format!("links to `{target}`, outside the repository");
                    findings.push(Finding::at(path, line, problem, "link to a file in it, or give the URL"));
                }
            }
        }
    }
    findings
}

/// Line and target of every link to a path, outside code.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            in_code = !in_code;
        } else if !in_code {
            let targets = inline_targets(line).into_iter().chain(reference_target(start));
            links.extend(targets.filter(|target| is_path(target)).map(|target| (index + 1, target)));
        }
    }
    links
}

/// The targets of `[words](target "title")` in a line, code spans left out.
fn inline_targets(line: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    let mut rest = line;
    let mut in_code = false;
    while let Some(start) = rest.find(['`', ']']) {
        let (_, found) = rest.split_at(start);
        if found.starts_with('`') {
            in_code = !in_code;
        } else if let Some(target) = found.strip_prefix("](").filter(|_| !in_code) {
            targets.extend(target.split([')', ' ']).next());
        }
        rest = found.get(1..).unwrap_or_default();
    }
    targets
}

/// The target of `[words]: target` at a line's start; footnotes have none.
fn reference_target(line: &str) -> Option<&str> {
    let (words, target) = line.strip_prefix('[')?.split_once("]: ")?;
    if words.starts_with('^') { None } else { target.split_whitespace().next() }
}

fn is_path(target: &str) -> bool {
    let elsewhere = ["http:", "https:", "mailto:", "#"].iter().any(|start| target.starts_with(start));
    !elsewhere && !target.is_empty()
}

/// The place from the repository's root that `target` names in the file `from`; `None` if it lies outside.
fn resolve(from: &str, target: &str) -> Option<String> {
    let target = target.trim_start_matches('<').trim_end_matches('>');
    let target = target.split(['#', '?']).next().unwrap_or_default();
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let base = if target.starts_with('/') { "" } else { folder };
    let mut place: Vec<&str> = Vec::new();
    for step in base.split('/').chain(target.split('/')) {
        match step {
            "" | "." => {}
            ".." => {
                place.pop()?;
            }
            name => place.push(name),
        }
    }
    Some(place.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the check says about `text` in docs/a.md, beside docs/b.md and crates/c/lib.rs.
    fn check_text(text: &str, expected: Option<&str>) {
        let tree = Tree::of(&[("docs/a.md", text), ("docs/b.md", ""), ("crates/c/lib.rs", "")]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        match expected {
            None => assert!(found.is_empty(), "{text}: {found:?}"),
            Some(expected) => {
                assert_eq!(found.len(), 1, "{text}: {found:?}");
                assert!(found[0].starts_with(expected), "{text}: {found:?}");
            }
        }
    }

    #[test]
    fn a_link_to_something_that_exists_passes() {
        check_text("[b](b.md) and [c](../crates/c/lib.rs#L1) and [`c`](../crates/c/)", None);
        check_text("[c](/crates/c/lib.rs \"its title\")\n\n[b]: ./b.md\n", None);
    }

    #[test]
    fn a_link_to_nothing_fails() {
        check_text("words\n[x](x.md)", Some("docs/a.md:2: links to `x.md`, and `docs/x.md` doesn't exist"));
        check_text("![x](../crates/x.png)", Some("docs/a.md:1: links to `../crates/x.png`"));
        check_text("[`x`](x.md) after code", Some("docs/a.md:1: links to `x.md`"));
        check_text("`code` then [x](x.md#part)", Some("docs/a.md:1: links to `x.md#part`"));
        check_text("[x]: x.md", Some("docs/a.md:1: links to `x.md`"));
        check_text("```\n```\n[x](x.md)", Some("docs/a.md:3: links to `x.md`"));
    }

    #[test]
    fn a_link_out_of_the_repository_fails() {
        check_text("[x](../../x.md)", Some("docs/a.md:1: links to `../../x.md`, outside the repository"));
    }

    #[test]
    fn urls_anchors_footnotes_and_code_are_left_alone() {
        check_text("[x](https://example.com/x.md) [y](#part) [z](mailto:a@example.com)", None);
        check_text("[^1]: a footnote", None);
        check_text("`[x](x.md)` and `list[0](x)`", None);
        check_text("```\n[x](x.md)\n```", None);
    }
}
