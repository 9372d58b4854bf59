//! Promotions and their way back, alone and with somebody else at work.

use super::*;
use std::os::unix::fs::PermissionsExt as _;

fn put(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn check(folder: &Path, expected: &[(&str, &str)]) {
    for (file, text) in expected {
        let found = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        assert_eq!(found, *text, "{file}");
    }
}

fn promote(versions: &Versions) -> Option<u32> {
    versions.promote(&versions.candidate().unwrap()).unwrap()
}

fn roll_back(versions: &Versions) -> RolledBack {
    versions.roll_back(&versions.previous().unwrap()).unwrap()
}

fn calm(folder: &tempfile::TempDir) -> Versions {
    Versions::new(folder.path(), &"calm".parse().unwrap())
}

#[test]
fn a_candidate_goes_into_force_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let versions = calm(&folder);
    let folder = folder.path();
    put(folder, "calm.toml", "one");
    assert!(matches!(versions.candidate(), Err(VersionsError::NoCandidate { .. })));
    assert!(matches!(versions.previous(), Err(VersionsError::NoHistory { .. })));
    put(folder, "candidates/calm.toml", "two");
    assert_eq!(promote(&versions), Some(1));
    put(folder, "candidates/calm.toml", "three");
    assert_eq!(promote(&versions), Some(2));
    check(folder, &[("calm.toml", "three"), ("candidates/calm.toml", "")]);
    check(folder, &[("history/calm/0001.toml", "one"), ("history/calm/0002.toml", "two")]);
    assert_eq!(roll_back(&versions), RolledBack::IsCandidate);
    check(folder, &[("calm.toml", "two"), ("candidates/calm.toml", "three")]);
    check(folder, &[("history/calm/0002.toml", ""), ("history/calm/left-0001.toml", "three")]);
    // A candidate in place keeps nobody from going back, and stays.
    assert_eq!(roll_back(&versions), RolledBack::CandidateStays);
    check(folder, &[("calm.toml", "one"), ("candidates/calm.toml", "three")]);
    check(folder, &[("history/calm/left-0001.toml", "three"), ("history/calm/left-0002.toml", "two")]);
    assert_eq!(versions.history().unwrap(), []);
}

#[test]
fn only_what_was_checked_goes_into_force() {
    let folder = tempfile::tempdir().unwrap();
    let versions = calm(&folder);
    let folder = folder.path();
    let refused = |change: &Change| {
        assert!(matches!(versions.promote(change), Err(VersionsError::Changed { .. })), "{change:?}");
        check(folder, &[("history/calm/0001.toml", "")]);
    };
    put(folder, "calm.toml", "one");
    put(folder, "candidates/calm.toml", "checked");
    let change = versions.candidate().unwrap();
    put(folder, "candidates/calm.toml", "unchecked");
    refused(&change);
    check(folder, &[("calm.toml", "one"), ("candidates/calm.toml", "unchecked")]);
    put(folder, "candidates/calm.toml", "checked");
    put(folder, "calm.toml", "edited meanwhile");
    refused(&change);
    check(folder, &[("calm.toml", "edited meanwhile")]);
    put(folder, "calm.toml", "one");
    assert_eq!(versions.promote(&change).unwrap(), Some(1));
    let back = versions.previous().unwrap();
    put(folder, "history/calm/0001.toml", "another");
    assert!(matches!(versions.roll_back(&back), Err(VersionsError::Changed { .. })));
    check(folder, &[("calm.toml", "checked")]);
}

#[test]
fn a_version_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history");
    assert_eq!(keep(&history, "", 1, "ours").unwrap(), 1);
    // Another process has taken the number since we looked.
    assert_eq!(keep(&history, "", 1, "theirs").unwrap(), 2);
    check(&history, &[("0001.toml", "ours"), ("0002.toml", "theirs")]);
}

#[test]
fn the_mode_stays_and_no_draft_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let versions = calm(&folder);
    put(folder.path(), "calm.toml", "one");
    let active = folder.path().join("calm.toml");
    std::fs::set_permissions(&active, std::fs::Permissions::from_mode(0o640)).unwrap();
    put(folder.path(), "candidates/calm.toml", "two");
    promote(&versions);
    assert_eq!(std::fs::metadata(&active).unwrap().permissions().mode() & 0o777, 0o640);
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_str().unwrap().starts_with('.')));
}

#[test]
fn a_first_profile_leaves_no_history() {
    let folder = tempfile::tempdir().unwrap();
    let versions = calm(&folder);
    put(folder.path(), "candidates/calm.toml", "first");
    assert_eq!(promote(&versions), None);
    check(folder.path(), &[("calm.toml", "first"), ("candidates/calm.toml", "")]);
    assert!(!folder.path().join("history").exists());
}
