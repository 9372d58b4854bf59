//! What a child takes from its parent, and what it doesn't; the files that are shipped.

use crate::files::{complete, profile};
use assize_domain::ActionCategory;
use assize_preferences::{Aggregation, Catalog, FailureMode, ProfileSource};
use std::path::Path;

const CHILD: &str = r#"
title = "Child"
extends = "base"
thresholds.review = 0.25
weights.guard = 2.5
weights.harm.privacy = 7.0
reasons.benefit = "child's benefit"
"#;
const GRANDCHILD: &str = r#"
title = "Grandchild"
extends = "child"
on_failure = "open"
thresholds.block = 0.75
weights.harm.deception = 0.0
reasons."harm.privacy" = "grandchild's privacy"
"#;

#[test]
fn every_key_comes_from_the_nearest_file_that_sets_it() {
    let base = complete() + "[[examples]]\ntext = \"Good morning.\"\nexpect = \"allow\"\n";
    // The order of the files doesn't matter, nor that of their names.
    let files = [("grandchild.toml", GRANDCHILD), ("child.toml", CHILD), ("base.toml", &base)];
    let (base, child, grandchild) =
        (profile("base", &files), profile("child", &files), profile("grandchild", &files));
    assert_eq!(grandchild.extends().map(|id| id.as_str()), Some("child"));
    assert_eq!(base.extends(), None);

    let thresholds = |p: &assize_preferences::Profile| (p.thresholds().review, p.thresholds().block);
    assert_eq!((thresholds(&base), thresholds(&child)), ((0.5, 0.8), (0.25, 0.8)));
    assert_eq!(thresholds(&grandchild), (0.25, 0.75));
    assert_eq!(child.on_failure(), FailureMode::Closed);
    assert_eq!(grandchild.on_failure(), FailureMode::Open);

    let (Aggregation::Assize(mut expected), Aggregation::Assize(of_grandchild)) =
        (base.aggregation().clone(), grandchild.aggregation().clone())
    else {
        panic!("another aggregation");
    };
    expected.guard = 2.5;
    expected.harm[ActionCategory::Privacy.index()] = 7.0;
    expected.harm[ActionCategory::Deception.index()] = 0.0;
    assert_eq!(of_grandchild, expected);

    // What describes a file, and what tests it, is its own.
    assert_eq!((grandchild.title(), grandchild.description()), ("Grandchild", ""));
    assert_eq!((base.examples().len(), grandchild.examples().len()), (1, 0));
}

#[test]
fn sentences_merge_by_code() {
    let base =
        complete() + "reasons.benefit = \"base's benefit\"\nreasons.\"harm.deception\" = \"base's lie\"\n";
    let digest = |child: &str| profile("child", &[("base.toml", &base), ("child.toml", child)]).digest();
    let explicit = format!("{CHILD}reasons.\"harm.deception\" = \"base's lie\"\n");
    let other = format!("{CHILD}reasons.\"harm.deception\" = \"child's lie\"\n");
    assert_eq!(digest(CHILD), digest(&explicit));
    assert_ne!(digest(CHILD), digest(&other));
}

#[test]
fn the_shipped_files_are_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/communities");
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        if file.ends_with(".toml") {
            sources.push(ProfileSource { file, text: std::fs::read_to_string(&path).unwrap() });
        }
    }
    let catalog = Catalog::parse(&sources).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(catalog.iter().count(), sources.len());
    assert!(catalog.ids().iter().any(|id| id.as_str() == "default"));
}
