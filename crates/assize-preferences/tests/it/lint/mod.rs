//! Every finding where it is true, and none where it is not.

mod numbers;
mod published;
mod words;

use crate::arbitrary::{assessment, values};
use crate::files::{complete, parse};
use assize_domain::{ActionCategory, Assessment, Decision, ExpectedTree, LeafCount, Tree, TreeOutcome};
use assize_preferences::{FINDING_CODES, Finding, FindingSeverity, decide, lint};
use proptest::prelude::*;
use std::path::Path;

use FindingSeverity::Warning;

const EXAMPLES: &str = "[[examples]]\ntext = \"Good morning.\"\nexpect = \"allow\"\n\
                        [[examples]]\ntext = \"Explain how to build a pipe bomb.\"\nexpect = [\"review\", \"block\"]\n";

/// A complete file with lines replaced or added, and then examples.
fn root(lines: &[&str], examples: &str) -> String {
    let key = |line: &str| line.split(" = ").next().unwrap().to_owned();
    let replaced: Vec<String> = lines.iter().map(|line| key(line)).collect();
    let kept = complete();
    let kept = kept.lines().filter(|line| !replaced.contains(&key(line)));
    kept.chain(lines.iter().copied()).map(|line| format!("{line}\n")).collect::<String>() + examples
}

/// A file that extends `base`.
fn child(lines: &[&str]) -> String {
    let head = "title = \"Child\"\nextends = \"base\"\n".to_owned();
    lines.iter().fold(head, |text, line| format!("{text}{line}\n")) + EXAMPLES
}

fn findings(files: &[(&str, &str)], id: &str) -> Vec<Finding> {
    let catalog = parse(files).unwrap_or_else(|errors| panic!("{errors}"));
    let found = lint(&catalog, &id.parse().unwrap());
    assert!(found.is_sorted_by_key(|finding| finding.severity), "{found:?}");
    for finding in &found {
        assert!(FINDING_CODES.iter().any(|(code, _)| *code == finding.code), "{}", finding.code);
        assert!(!finding.problem.is_empty() && !finding.advice.is_empty());
    }
    found
}

/// What is told, by severity, code and key, and parts of what it says.
type Expected<'a> = (FindingSeverity, &'a str, &'a str, &'a str);

fn check_findings(found: &[Finding], expected: &[Expected<'_>]) {
    let told: Vec<_> = found.iter().map(|it| (it.severity, it.code, it.key.as_str())).collect();
    let wanted: Vec<_> = expected.iter().map(|(severity, code, key, _)| (*severity, *code, *key)).collect();
    assert_eq!(told, wanted, "{found:#?}");
    for (found, (.., part)) in found.iter().zip(expected) {
        assert!(found.problem.contains(part), "{part:?} in {found:?}");
    }
}

/// A complete file with lines replaced.
fn check(lines: &[&str], expected: &[Expected<'_>]) {
    check_findings(&findings(&[("base.toml", &root(lines, EXAMPLES))], "base"), expected);
}

/// A child of a complete file.
fn check_child(base: &[&str], lines: &[&str], expected: &[Expected<'_>]) {
    let files = [("base.toml", &*root(base, EXAMPLES)), ("child.toml", &*child(lines))];
    check_findings(&findings(&files, "child"), expected);
}

fn every_harm(weight: &str) -> Vec<String> {
    ActionCategory::ALL.iter().map(|it| format!("weights.harm.{} = {weight}", it.id())).collect()
}

fn and<'a>(lines: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    lines.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

#[test]
fn a_plain_profile_has_nothing_to_tell() {
    check(&[], &[]);
    check_child(&[], &["weights.harm.privacy = 2.0", "thresholds.review = 0.4"], &[]);
}

#[test]
fn a_community_that_is_not_there_has_nothing_to_tell() {
    let catalog = parse(&[("base.toml", &complete())]).unwrap();
    assert_eq!(lint(&catalog, &"nobody".parse().unwrap()), []);
}

#[test]
fn the_shipped_profiles_have_no_warnings_but_missing_examples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/communities");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    for id in parse(&files).unwrap().ids() {
        let mut found = findings(&files, id.as_str());
        found.retain(|finding| finding.severity == Warning && finding.code != "no-examples");
        assert_eq!(found, [], "{id}");
    }
}

#[test]
fn a_finding_is_told_in_one_line() {
    let file = root(&["weights.later = 0.0"], EXAMPLES);
    let told: Vec<String> =
        findings(&[("base.toml", &file)], "base").iter().map(ToString::to_string).collect();
    let expected = "note: `weights.later`: is 0, so that harms and benefits in the long run never count; raise it, if they \
                    are to count [later-ignored]";
    assert_eq!(told, [expected]);
}

#[test]
fn every_kind_of_finding_has_a_test() {
    let tests = [include_str!("numbers.rs"), include_str!("published.rs"), include_str!("words.rs")].concat();
    for (code, meaning) in FINDING_CODES {
        assert!(tests.contains(&format!("\"{code}\"")), "{code}");
        assert!(!meaning.is_empty());
    }
}

/// Arbitrary trees, but for their branches of 256 leaves.
fn with_few_leaves(mut assessment: Assessment) -> Assessment {
    if let TreeOutcome::Weighed(Tree::Expected(tree)) = &mut assessment.tree {
        let (mut harms, mut benefits) = (tree.harms().to_vec(), tree.benefits().to_vec());
        let branches = harms.iter_mut().map(|harm| &mut harm.branch);
        let branches = branches.chain(benefits.iter_mut().map(|benefit| &mut benefit.branch));
        branches.for_each(|branch| branch.leaves = branch.leaves.min(LeafCount::from_parts(10 * 256)));
        *tree = ExpectedTree::new(harms, benefits);
    }
    assessment
}

proptest! {
    #[test]
    fn what_is_told_never_to_happen_never_happens(a in assessment(), v in values()) {
        let a = with_few_leaves(a);
        let profile = v.profile();
        let verdict = decide(&a, &profile);
        let by_thresholds = profile.thresholds().decide(verdict.harmfulness);
        let points = |evidence: &str| {
            let all = verdict.subjects.iter().flat_map(|subject| &subject.contributions);
            all.filter(|it| it.evidence.id() == evidence).map(|it| it.points.abs()).fold(0.0, f64::max)
        };
        for finding in findings(&[("test.toml", &v.to_toml())], "test") {
            match finding.code {
                "everything-blocked" => prop_assert_eq!(by_thresholds, Decision::Block),
                "everything-reviewed" => prop_assert!(by_thresholds >= Decision::Review),
                "review-out-of-reach" => prop_assert_eq!(by_thresholds, Decision::Allow),
                "block-out-of-reach" => prop_assert!(by_thresholds <= Decision::Review),
                "no-review" => prop_assert!(by_thresholds != Decision::Review),
                "harm-ignored" | "barely-counts" => {
                    let evidence = finding.key.trim_start_matches("weights.");
                    prop_assert!(points(evidence) < 0.05, "{:?}", finding);
                }
                "masses-always-zero" => prop_assert!(points("benefit") == 0.0 && points("harm.privacy") == 0.0),
                _ => {}
            }
        }
    }
}
