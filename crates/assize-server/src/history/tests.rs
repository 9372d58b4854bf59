//! What is counted as written is on the disk, and what isn't is counted too.

use super::*;
use assize_domain::{
    Assessment, Digest, GuardScores, ModelIdentity, OperatingPoints, PromptScores, Score, TopicSignals,
    TreeOutcome,
};
use assize_record::UnixMillis;
use assize_telemetry::{Metrics, MetricsConfig};

pub(super) fn record(name: &str) -> Record {
    let (half, zero) = (Score::new(0.5).unwrap(), Score::new(0.0).unwrap());
    let prompt = PromptScores { harmful: half, adversarial: zero, risk: [zero; 13] };
    let assessment = Assessment {
        guard: GuardScores { prompt: Some(prompt), response: None },
        operating_points: OperatingPoints::new([half; 4]),
        tree: TreeOutcome::NotRequested,
        topics: TopicSignals::default(),
        prompt_coverage: None,
        response_coverage: None,
        model: ModelIdentity { name: "test".into(), revision: Digest::new([0; 32]) },
        precision: None,
        consulted: Vec::new(),
    };
    Record { id: name.parse().unwrap(), at: UnixMillis(0), decided: None, assessment }
}

fn metrics() -> Metrics {
    Metrics::new(&MetricsConfig { communities: &[], routes: &[], error_codes: &[] }).unwrap()
}

/// Written, dropped, failed.
fn check(metrics: &Metrics, expected: [u64; 3]) {
    let text = metrics.encode().unwrap();
    for (result, count) in ["written", "dropped", "failed"].iter().zip(expected) {
        let line = format!("assize_history_records_total{{result=\"{result}\"}} {count}\n");
        assert!(text.contains(&line), "{line} is not in: {text}");
    }
}

fn write(files: Files, metrics: &Metrics, count: usize) {
    let (sender, receiver) = sync_channel(count);
    (0..count).for_each(|number| sender.send(Arc::new(record(&number.to_string()))).unwrap());
    drop(sender);
    write_all(&receiver, files, &metrics.service);
}

#[test]
fn what_is_flushed_is_counted_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = metrics();
    write(Files::open(folder.path(), 1 << 20, 0).unwrap(), &metrics, 2_500);
    check(&metrics, [2_500, 0, 0]);
}

#[test]
fn what_cannot_be_written_is_counted_as_failed() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("history");
    let files = Files::open(&folder, 1 << 20, 0).unwrap();
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    let metrics = metrics();
    write(files, &metrics, 3);
    check(&metrics, [0, 0, 3]);
}

#[test]
fn a_full_disk_is_noticed_at_the_flush() {
    let mut files = Files::open(tempfile::tempdir().unwrap().path(), 1 << 20, 0).unwrap();
    // Takes nothing, as a full disk.
    files.write_into(std::path::Path::new("/dev/full"));
    let metrics = metrics();
    write(files, &metrics, 1);
    check(&metrics, [0, 0, 1]);
}

#[test]
fn what_the_disk_is_too_slow_for_is_dropped() {
    let (sender, receiver) = sync_channel(1);
    let metrics = metrics();
    let history = History {
        recent: Mutex::new(Recent::new(0)),
        sender: Mutex::new(Some(sender)),
        metrics: metrics.service.clone(),
        is_kept: true,
        is_written: true,
    };
    ["a", "b", "c"].iter().for_each(|name| history.keep(record(name)));
    check(&metrics, [0, 2, 0]);
    assert_eq!(receiver.recv().unwrap().id.as_str(), "a");
    history.close();
    history.keep(record("d"));
    check(&metrics, [0, 3, 0]);
}

#[test]
fn a_thread_that_hangs_does_not_hold_up_the_end() {
    let (ends, done) = sync_channel(0);
    let (go, wait) = sync_channel::<()>(0);
    let thread = std::thread::spawn(move || {
        let _ends = ends;
        let _gone = wait.recv();
    });
    HistoryThread { thread, done }.join(Duration::from_millis(20));
    drop(go);
}
