//! Restarts, full files, shared folders, and folders that are taken away.

use super::super::tests::record;
use super::*;
use assize_record::History;
use std::os::unix::fs::PermissionsExt as _;

const ROOM: u64 = 1 << 20;

fn write(files: &mut Files, names: &[&str]) {
    names.iter().for_each(|name| files.write(&record(name)).unwrap());
    files.flush().unwrap();
}

/// The names of the records in each file, the oldest file first.
fn check(folder: &Path, expected: &[&[&str]]) {
    let files = list(folder).unwrap();
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        let history = History::open(&bytes).unwrap();
        assert!(history.gaps().is_empty());
        history.records(0..usize::MAX).map(|record| record.unwrap().id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(files.iter().map(read).collect::<Vec<_>>(), expected);
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_restart_goes_on_with_the_file_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        write(&mut Files::open(folder.path(), ROOM, 2).unwrap(), &[name]);
    }
    // A start without a record leaves nothing.
    drop(Files::open(folder.path(), ROOM, 1).unwrap());
    check(folder.path(), &[&["a", "b", "c"]]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_oldest_files_go_when_new_ones_are_begun() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "").unwrap();
    let mut files = Files::open(folder.path(), 1, 2).unwrap();
    write(&mut files, &["a", "b", "c"]);
    check(folder.path(), &[&["b"], &["c"]]);
    assert!(folder.path().join("notes.txt").exists());
}

#[test]
fn nobody_touches_a_file_that_another_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut one, mut other) =
        (Files::open(folder.path(), ROOM, 1).unwrap(), Files::open(folder.path(), ROOM, 1).unwrap());
    write(&mut one, &["a"]);
    write(&mut other, &["b"]);
    write(&mut one, &["c"]);
    check(folder.path(), &[&["a", "c"], &["b"]]);
}

#[test]
fn a_file_that_is_taken_away_is_missed() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("history");
    let mut files = Files::open(&folder, ROOM, 0).unwrap();
    write(&mut files, &["a"]);
    std::fs::remove_dir_all(&folder).unwrap();
    write(&mut files, &["b"]);
    check(&folder, &[&["b"]]);
}

#[test]
fn after_a_failure_another_file_is_tried() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("history");
    let mut files = Files::open(&folder, ROOM, 0).unwrap();
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    assert!(matches!(files.write(&record("a")), Err(RecordError::Write { .. })));
    std::fs::remove_file(&folder).unwrap();
    write(&mut files, &["b"]);
    check(&folder, &[&["b"]]);
}

#[test]
fn only_the_operator_can_read_it() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("new");
    let mut files = Files::open(&folder, ROOM, 0).unwrap();
    write(&mut files, &["a"]);
    assert_eq!((mode(&folder), mode(&list(&folder).unwrap()[0])), (0o700, 0o600));
}

#[test]
fn a_folder_that_cannot_be_written_to_is_told_at_the_start() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(Files::open(&file, ROOM, 0), Err(HistoryError::Folder { .. })));
}
