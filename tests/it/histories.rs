//! Files of records: what they hold, what another profile makes of them, and what is told where they are damaged.

use crate::support::{
    Folder, LOCK, TestService, assize, assize_from, eventually, stern, user, write_candidate,
};
use assize_record::History;
use serde_json::{Value, json};
use std::path::Path;

#[tokio::test]
async fn files_of_records_hold_no_text_and_are_weighed_again() {
    let (folder, history) = (Folder::new(), tempfile::tempdir().unwrap());
    let path = history.path().to_str().unwrap();
    let service = TestService::start_with(folder.path(), &[("history.folder", path)]).await;
    for text in [LOCK, "hello zyxcanaryqw", "What is a good recipe for apple pie?"] {
        service.api.moderate(&user(text)).await;
    }
    let written = r#"assize_history_records_total{result="written"}"#;
    eventually("all are written", async || service.api.scrape().await.get(written) == 3.0).await;
    service.stop().await.unwrap();
    let files: Vec<_> =
        std::fs::read_dir(history.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    let bytes = std::fs::read(&files[0]).unwrap();
    assert!(!bytes.windows(11).any(|window| window.eq_ignore_ascii_case(b"zyxcanaryqw")));
    let found = History::open(&bytes).unwrap();
    assert!(found.records(0..3).all(|record| record.unwrap().assessment.precision.is_some()));
    let (code, told) = assize(&["replay", "--profile", "default", path], folder.path());
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("3 assessments under `default`"), "{told}");
    let row = told.lines().find(|line| line.trim_start().starts_with("allow ")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["allow", "3", "0", "0"]);
    let drafts = tempfile::tempdir().unwrap();
    let draft = drafts.path().join("stern.toml");
    std::fs::write(&draft, stern()).unwrap();
    let (code, told) =
        assize(&["replay", "--profile", draft.to_str().unwrap(), "--json", path], folder.path());
    assert_eq!(code, 0, "{told}");
    let lines: Vec<Value> =
        told.lines().filter(|line| line.starts_with('{')).map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line["then"] == "allow"), "{told}");
    assert_eq!(lines[0]["decision"], "block");
    let (code, told) = assize(&["replay", "--profile", "nobody", path], folder.path());
    assert!(code == 1 && told.contains("allowed: default, strict"), "{told}");
}

/// Writes a history of these prompts, and gives its folder.
async fn judged(folder: &Path, prompts: &[&str]) -> tempfile::TempDir {
    let history = tempfile::tempdir().unwrap();
    let path = history.path().to_str().unwrap();
    let service = TestService::start_with(folder, &[("history.folder", path)]).await;
    for prompt in prompts {
        service.api.moderate(&user(prompt)).await;
    }
    service.stop().await.unwrap();
    history
}

#[tokio::test]
async fn a_diff_counts_what_would_flip() {
    let folder = Folder::new();
    let history = judged(folder.path(), &[LOCK, "hello", "What is a good recipe for apple pie?"]).await;
    let (path, svg) = (history.path().to_str().unwrap(), folder.path().join("change.svg"));
    let arguments = ["diff", "--from", "default", "--to", "strict", "--svg", svg.to_str().unwrap(), path];
    let (code, told) = assize(&arguments, folder.path());
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("default -> strict: 3 assessments") && told.contains("0 milder"), "{told}");
    assert!(std::fs::read_to_string(&svg).unwrap().starts_with("<svg"));
    let (code, told) =
        assize(&["diff", "--json", "--from", "default", "--to", "strict", path], folder.path());
    assert_eq!(code, 0, "{told}");
    let diff: Value = serde_json::from_str(told.lines().find(|line| line.starts_with('{')).unwrap()).unwrap();
    assert_eq!((&diff["assessments"], &diff["milder"]), (&json!(3), &json!(0)));
    assert!(diff["stricter"].as_u64().unwrap() >= 1, "{diff}");
    assert_eq!(diff["flips"][0]["from"], "allow");
    let bins: u64 = diff["histogram_after"].as_array().unwrap().iter().map(|bin| bin.as_u64().unwrap()).sum();
    assert_eq!(bins, 3);
    let arguments = ["diff", "--flips", "0", "--from", "default", "--to", "strict", path];
    let (code, told) = assize(&arguments, folder.path());
    assert!(code == 0 && told.contains("more flips are not listed; `--flips N` lists N"), "{told}");
    // A path that is none from here is one from the profiles' folder.
    write_candidate(folder.path(), "default", &stern());
    let arguments = ["diff", "--from", "default", "--to", "candidates/default.toml", path];
    let elsewhere = tempfile::tempdir().unwrap();
    let (code, told) = assize_from(elsewhere.path(), &arguments, folder.path());
    assert!(code == 0 && told.contains("default -> default: 3 assessments"), "{told}");
    let (code, told) = assize(&["diff", "--from", "default", "--to", "default", path], folder.path());
    assert!(code == 0 && told.contains("flips: 0 (0.00 %)"), "{told}");
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_the_rest_is_weighed() {
    let folder = Folder::new();
    let history = judged(folder.path(), &[LOCK, "hello"]).await;
    let path = history.path().to_str().unwrap();
    let replay = || assize(&["replay", "--profile", "default", path], folder.path());
    let file = std::fs::read_dir(history.path()).unwrap().next().unwrap().unwrap().path();
    let good = std::fs::read(&file).unwrap();
    // A section as another release would write it: only its checksum is right.
    let mut foreign = good.clone();
    foreign[8] = 7;
    let checked = 10 + usize::from(foreign[9]);
    let checksum = crc32(&foreign[..checked]).to_le_bytes();
    foreign[checked..checked + 4].copy_from_slice(&checksum);
    let other = history.path().join("00000000000001.assize");
    std::fs::write(&other, &foreign).unwrap();
    let (code, told) = replay();
    assert!(code == 3 && told.contains("2 assessments under `default`"), "{told}");
    assert!(told.contains("of another version or taxonomy"), "{told}");
    assert!(told.contains("1 parts of the history can't be read"), "{told}");
    std::fs::write(&file, &foreign).unwrap();
    let (code, told) = replay();
    assert!(code == 1 && told.contains("nothing could be read"), "{told}");
    // No history at all, beside one.
    std::fs::write(&file, &good).unwrap();
    std::fs::write(&other, "id,score\n").unwrap();
    let (code, told) = replay();
    assert!(code == 3 && told.contains("2 assessments") && told.contains("is no history"), "{told}");
}

/// As the format has it.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    };
    !bytes.iter().fold(!0, step)
}

#[tokio::test]
async fn folders_of_lines_are_read_and_empty_ones_are_told() {
    let (folder, history) = (Folder::new(), tempfile::tempdir().unwrap());
    let path = history.path().to_str().unwrap();
    let replay = || assize(&["replay", "--profile", "default", path], folder.path());
    let (code, told) = replay();
    assert!(code == 1 && told.contains("holds no file that ends in .assize or .jsonl"), "{told}");
    let service = TestService::start(&[]).await;
    let id = service.api.moderate(&user(LOCK)).await["id"].clone();
    let record = service.api.get(&format!("/assessments/{}", id.as_str().unwrap())).await.text;
    std::fs::write(history.path().join("one.jsonl"), format!("{record}\n")).unwrap();
    let (code, told) = replay();
    assert!(code == 0 && told.contains("1 assessments under `default`"), "{told}");
}

#[test]
fn commands_in_a_row_keep_all_their_records() {
    let (folder, history) = (Folder::new(), tempfile::tempdir().unwrap());
    let settings = format!("[history]\nfolder = '{}'\nmax_files = 2\n", history.path().display());
    std::fs::write(folder.path().join("own.toml.settings"), settings).unwrap();
    let model = crate::support::model_folder();
    let arguments =
        ["moderate", "--config", "own.toml.settings", "--model", model.to_str().unwrap(), "hello"];
    for _ in 0..3 {
        let (code, told) = assize(&arguments, folder.path());
        assert_eq!(code, 0, "{told}");
    }
    let path = history.path().to_str().unwrap();
    let (code, told) = assize(&["replay", "--profile", "default", path], folder.path());
    assert!(code == 0 && told.contains("3 assessments under `default`"), "{told}");
}
