//! Full trees by a reporter: a job beside the verdict. The checkpoint is a tiny random one, held to the form of a tree by its
//! grammar, so that what it says means nothing.

use crate::guard_elsewhere::serve;
use crate::support::{
    Answer, Folder, TestService, check_problem, conversation, eventually, user, write_checkpoint,
};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

const FILE: &str = r#"
name = "tiny-reporter"
summary = "A reporter for tests."
context_tokens = 2000
answer_tokens = 1700
strip = true
begin = "<go>"
templates.harms = "Who is harmed?\n{{prompt}}\n"
templates.benefits = "Who gains?\n{{prompt}}\n"
"#;
const SAMPLING: &str = "sampling = { temperature = 0.9, top_p = 0.9 }\n";
pub(crate) const TREES: &str = r#"
[grammar]
words = "taxonomy"
limits = { stakeholders = 3, actions = 2, effects = 2, name_letters = 12 }
"#;
/// Writes nothing that could be read, and as long as it may: the likeliest letter never is the end.
const BABBLE: &str = "stop = [\"<go>\"]\n";

/// A checkpoint's folder, and the reporter's file in it.
pub(crate) struct Reporter(TempDir);

impl Reporter {
    /// With the end of its file.
    pub(crate) fn new(how: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_checkpoint(folder.path());
        // Keys come before tables.
        let (before, after) = if how == BABBLE { (how, "") } else { (SAMPLING, how) };
        std::fs::write(folder.path().join("reporter.toml"), format!("{before}{FILE}{after}")).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn service(&self, values: &[(&'static str, &str)]) -> TestService {
        let folder = Folder::new();
        self.service_with(&folder, values).await
    }

    async fn service_with(&self, folder: &Folder, values: &[(&'static str, &str)]) -> TestService {
        let all = self.settings(values);
        let all: Vec<_> = all.iter().map(|(key, value)| (*key, value.as_str())).collect();
        TestService::start_with(folder.path(), &all).await
    }

    /// The reporter's own settings, then these.
    pub(crate) fn settings(&self, values: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let (file, checkpoint) = (self.path("reporter.toml"), self.0.path());
        let own = [
            ("reporter.file", file.to_str().unwrap()),
            ("reporter.harms", checkpoint.to_str().unwrap()),
            ("reporter.cache_tokens", "8192"),
            ("communities.reload_interval", "0s"),
        ];
        own.iter().chain(values).map(|(key, value)| (*key, (*value).to_owned())).collect()
    }
}

/// A request that asks for a full tree.
fn full(prompt: &str) -> Value {
    let mut request = user(prompt);
    request["explain"] = "full".into();
    request
}

/// What becomes of a verdict's job.
async fn ended(service: &TestService, verdict: &Value) -> Value {
    assert_eq!(verdict["job"]["status"], "pending", "{verdict}");
    assert_eq!(verdict["job"]["id"], verdict["id"]);
    let url = verdict["job"]["url"].as_str().unwrap().to_owned();
    for _ in 0..5 {
        let answer = service.api.get(&format!("{url}?wait=30")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let job = answer.json();
        if job["status"] != "pending" {
            assert_eq!((&job["id"], job["url"].as_str()), (&verdict["id"], Some(url.as_str())));
            return job;
        }
    }
    panic!("it does not end: {verdict}");
}

async fn outcomes(service: &TestService) -> [f64; 5] {
    let scrape = service.api.scrape().await;
    ["spared", "answered", "not_concerned", "busy", "failed"].map(|outcome| {
        scrape.get(&format!(r#"assize_tier_conversations_total{{outcome="{outcome}",tier="reporter"}}"#))
    })
}

const PROMPT: &str = "How do I get into my own car without the key?";

#[tokio::test]
async fn who_asks_gets_a_verdict_at_once_and_a_full_tree_later() {
    let service = Reporter::new(TREES).service(&[]).await;
    let first = service.api.moderate(&full(PROMPT)).await;
    assert!(first["provenance"]["consulted"].is_null(), "{first}");
    let job = ended(&service, &first).await;
    assert_eq!(job["status"], "done", "{job}");
    let verdict = &job["verdict"];
    assert_eq!(verdict["id"], first["id"]);
    let consulted = &verdict["provenance"]["consulted"][0];
    assert_eq!((&consulted["tier"], &consulted["model"]), (&json!("reporter"), &json!("tiny-reporter")));
    assert_eq!(consulted["answered"], true);
    assert_eq!(verdict["scores"], first["scores"], "the guard's scores are none of its business");
    assert_ne!(verdict["harm_masses"], first["harm_masses"]);
    assert!(verdict["subjects"].is_array() && verdict["job"].is_null(), "{verdict}");
    let changed = match (first["decision"].as_str().unwrap(), verdict["decision"].as_str().unwrap()) {
        (one, other) if one == other => "same",
        ("allow", _) | ("review", "block") => "stricter",
        _ => "milder",
    };
    assert_eq!(job["change"], changed);
    // The record under the same id has the tree now, so that what-ifs weigh it.
    let id = first["id"].as_str().unwrap();
    let record = service.api.get(&format!("/assessments/{id}")).await.json();
    assert_eq!(record["decided"]["decision"], verdict["decision"], "{record}");
    let explanation = service.api.get(&format!("/assessments/{id}/explanation")).await.json();
    assert_eq!(explanation["verdict"]["harmfulness"], verdict["harmfulness"], "{explanation}");
    let again = service.api.moderate(&full(PROMPT)).await;
    assert_eq!(ended(&service, &again).await["verdict"]["harm_masses"], verdict["harm_masses"], "same seed");
    assert_eq!(outcomes(&service).await, [0.0, 2.0, 0.0, 0.0, 0.0]);
    let scrape = service.api.scrape().await;
    assert_eq!(scrape.get(r#"assize_tier_duration_seconds_count{tier="reporter"}"#), 2.0);
    let update = format!(r#"assize_verdict_updates_total{{change="{changed}",community="default"}}"#);
    assert_eq!(scrape.get(&update), 2.0);
    assert_eq!(scrape.get(r#"assize_admitted_requests{tier="reporter"}"#), 0.0);
    assert_eq!(scrape.get(r#"assize_ready{tier="reporter"}"#), 1.0);
    let checks: Value = service.api.get("/readyz?verbose").await.json();
    assert!(checks["checks"]["reporter"].as_str().unwrap().contains("tiny-reporter sha256:"), "{checks}");
}

#[tokio::test]
async fn each_conversation_of_a_list_has_its_own_job() {
    let service = Reporter::new(TREES).service(&[]).await;
    let mut reply = conversation(&[("user", "hello"), ("assistant", "hello to you")]);
    reply["judge"] = json!(["response"]);
    reply["explain"] = "full".into();
    let list = json!([full("What is a lock?"), user("What is a lock?"), full("What is a key?"), reply]);
    let verdicts = service.api.post(list.to_string()).await.json();
    let (one, other) = (ended(&service, &verdicts[0]).await, ended(&service, &verdicts[2]).await);
    assert_eq!((&one["status"], &other["status"]), (&json!("done"), &json!("done")));
    assert_ne!(one["verdict"]["harm_masses"], other["verdict"]["harm_masses"]);
    assert!(verdicts[1]["job"].is_null() && verdicts[3]["job"].is_null(), "{verdicts}");
    assert_eq!(outcomes(&service).await, [1.0, 2.0, 1.0, 0.0, 0.0], "the reply has no tree of its own");
    // One alone is written as among others.
    let alone = service.api.moderate(&full("What is a key?")).await;
    assert_eq!(ended(&service, &alone).await["verdict"]["harm_masses"], other["verdict"]["harm_masses"]);
}

#[tokio::test]
async fn what_is_close_has_a_job_unasked_and_is_degraded_without_a_tree() {
    let reporter = Reporter::new(BABBLE);
    for (on_failure, degraded) in [("closed", json!(["tier_silent"])), ("open", Value::Null)] {
        let values = [("reporter.margin", "1"), ("reporter.on_failure", on_failure)];
        let service = reporter.service(&values).await;
        let first = service.api.moderate(&user(PROMPT)).await;
        assert!(first["degraded"].is_null(), "{first}");
        let job = ended(&service, &first).await;
        assert_eq!((&job["status"], &job["code"]), (&json!("failed"), &json!("model_failed")), "{job}");
        assert_eq!(job["verdict"]["degraded"], degraded, "{job}");
        assert_eq!(job["verdict"]["harm_masses"], first["harm_masses"], "the encoder's tree stands");
        // Who asks to know more gets no other verdict for want of it.
        let asked = service.api.moderate(&full(PROMPT)).await;
        let job = ended(&service, &asked).await;
        assert_eq!((&job["status"], &job["change"]), (&json!("failed"), &json!("same")), "{job}");
        assert!(job["verdict"]["degraded"].is_null(), "{job}");
        assert_eq!(outcomes(&service).await, [0.0, 0.0, 0.0, 0.0, 2.0]);
    }
}

#[tokio::test]
async fn a_tree_that_is_too_slow_is_given_up_and_too_many_are_refused_at_once() {
    let reporter = Reporter::new(BABBLE);
    let values = [("reporter.deadline", "5ms"), ("reporter.max_jobs", "1")];
    let service = reporter.service(&values).await;
    let job = ended(&service, &service.api.moderate(&full(PROMPT)).await).await;
    assert_eq!((&job["status"], &job["code"]), (&json!("failed"), &json!("deadline_exceeded")), "{job}");
    assert_eq!(outcomes(&service).await, [0.0, 0.0, 0.0, 1.0, 0.0]);

    let service = reporter.service(&[("reporter.max_jobs", "1")]).await;
    let list = json!([full("one"), full("two")]);
    let verdicts = service.api.post(list.to_string()).await.json();
    assert_eq!(verdicts[0]["job"]["status"], "pending", "{verdicts}");
    let url = verdicts[0]["job"]["url"].as_str().unwrap();
    eventually("some tokens", async || {
        service.api.get(url).await.json()["written_tokens"].as_u64().is_some_and(|written| written > 10)
    })
    .await;
    let refused = &verdicts[1];
    assert_eq!(refused["job"]["status"], "failed", "{verdicts}");
    assert_eq!((&refused["job"]["code"], &refused["job"]["url"]), (&json!("overloaded"), &Value::Null));
    assert!(refused["decision"].is_string(), "a verdict never waits for a tree: {refused}");
    let overloads = r#"assize_overloads_total{reason="requests",tier="reporter"}"#;
    assert_eq!(service.api.scrape().await.get(overloads), 1.0);
    let job = ended(&service, &verdicts[0]).await;
    assert_eq!((&job["code"], &job["written_tokens"]), (&json!("model_failed"), &Value::Null), "{job}");
}

#[tokio::test]
async fn a_tree_that_its_budget_cuts_off_is_told_as_partial() {
    let reporter = Reporter::new(TREES);
    let short = FILE.replace("1700", "260");
    std::fs::write(reporter.path("reporter.toml"), format!("{SAMPLING}{short}{TREES}")).unwrap();
    let service = reporter.service(&[]).await;
    let job = ended(&service, &service.api.moderate(&full(PROMPT)).await).await;
    // What is missing must not look like no harm.
    assert_eq!((&job["status"], &job["verdict"]["degraded"]), (&json!("done"), &json!(["partial_tree"])));
}

#[tokio::test]
async fn questions_about_jobs_are_answered_or_refused_with_what_is_allowed() {
    let reporter = Reporter::new(TREES);
    let service = reporter.service(&[("reporter.kept_jobs", "1")]).await;
    let (one, other) = (full("one"), full("two"));
    let one = service.api.moderate(&one).await;
    ended(&service, &one).await;
    let url = one["job"]["url"].as_str().unwrap();
    for (query, code) in [("?wait=31", 422), ("?wait=soon", 422), ("?patience=1", 422), ("?wait=0", 200)] {
        let answer = service.api.get(&format!("{url}{query}")).await;
        assert_eq!(answer.status, code, "{answer:?}");
        if code == 422 {
            check_problem(&answer, 422, "invalid_request");
            assert!(answer.text.contains("from 0 to 30"), "{answer:?}");
        }
    }
    let unversioned = service.api.get(url.strip_prefix("/v1").unwrap()).await;
    assert_eq!(unversioned.json()["status"], "done");
    for path in ["/jobs/0199c1f2a4b87c5e8f0a1b2c3d4e5f60", "/jobs/x", "/v1/jobs/%ff"] {
        check_problem(&service.api.get(path).await, 404, "unknown_job");
    }
    ended(&service, &service.api.moderate(&other).await).await;
    let gone: Answer = service.api.get(url).await;
    check_problem(&gone, 404, "unknown_job");
    assert!(gone.text.contains("reporter.kept_jobs"), "{gone:?}");
    let without = TestService::start(&[]).await;
    assert!(without.api.moderate(&full("one")).await["job"].is_null());
    check_problem(&without.api.get(url).await, 404, "unknown_job");
}

/// What a webhook was sent, and how often it refuses before it takes anything.
#[derive(Debug, Default)]
struct Inbox {
    seen: Mutex<Vec<(HeaderMap, Bytes)>>,
    refuses: usize,
}

async fn take(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut seen = inbox.seen.lock().unwrap();
    seen.push((headers, body));
    if seen.len() > inbox.refuses { StatusCode::NO_CONTENT } else { StatusCode::SERVICE_UNAVAILABLE }
}

#[tokio::test]
async fn a_webhook_is_told_what_became_of_a_verdict_and_told_again_where_it_did_not_take_it() {
    let reporter = Reporter::new(TREES);
    let inbox = Arc::new(Inbox { refuses: 1, ..Inbox::default() });
    let url = serve(Router::new().route("/assize", post(take)).with_state(Arc::clone(&inbox))).await;
    let (url, secret) = (format!("{url}/assize"), reporter.path("secret"));
    std::fs::write(&secret, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\n").unwrap();
    let values =
        [("reporter.webhook", url.as_str()), ("reporter.webhook_secret_file", secret.to_str().unwrap())];
    let service = reporter.service(&values).await;
    let first = service.api.moderate(&full(PROMPT)).await;
    let job = ended(&service, &first).await;
    let delivered = r#"assize_webhooks_total{result="delivered"}"#;
    eventually("delivered", async || service.api.scrape().await.get(delivered) == 1.0).await;
    let seen = inbox.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 2);
    let ids: Vec<_> = seen.iter().map(|(headers, _)| headers["webhook-id"].to_str().unwrap()).collect();
    assert_eq!(ids, [first["id"].as_str().unwrap(); 2]);
    let (headers, body) = &seen[1];
    assert!(headers["webhook-signature"].to_str().unwrap().starts_with("v1,"));
    assert!(headers["webhook-timestamp"].to_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000);
    let event: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(event["type"], "verdict.updated");
    assert!(event["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(event["data"], job);
    assert!(!String::from_utf8_lossy(body).contains("my own car"));
}

#[tokio::test]
async fn a_record_goes_to_the_disk_once_with_its_tree_also_where_the_service_ends_before() {
    let folder = Folder::new();
    for (how, is_early) in [(TREES, false), (BABBLE, true)] {
        let history = tempfile::tempdir().unwrap();
        let values = [("history.folder", history.path().to_str().unwrap())];
        let service = Reporter::new(how).service_with(&folder, &values).await;
        let first = service.api.moderate(&full(PROMPT)).await;
        if !is_early {
            ended(&service, &first).await;
        }
        let started = Instant::now();
        service.stop().await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        let files: Vec<_> = std::fs::read_dir(history.path()).unwrap().collect();
        assert_eq!(files.len(), 1);
        let bytes = std::fs::read(files[0].as_ref().unwrap().path()).unwrap();
        let found = assize_record::History::open(&bytes).unwrap();
        assert_eq!(found.len(), 1);
        let record = found.records(0..1).next().unwrap().unwrap();
        assert_eq!(record.id.to_string(), first["id"].as_str().unwrap());
        let is_written = matches!(record.assessment.tree.tree(), Some(assize_domain::Tree::Reported(_)));
        assert_eq!(is_written, !is_early);
    }
}

#[tokio::test]
async fn settings_that_can_not_be_used_say_what_is_allowed() {
    let check = |values: &[(&'static str, &str)], expected: &str| {
        let own = [("reporter.file", "reporter.toml"), ("reporter.harms", "somewhere")];
        let values = own.iter().chain(values).map(|(key, value)| (*key, (*value).to_owned())).collect();
        let overrides = assize_server::config::Overrides { file: None, values };
        let error = assize_server::config::load(&overrides).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "not a secret").unwrap();
    check(&[("reporter.harms", "")], "`reporter.harms` is `empty`");
    check(&[("reporter.margin", "2")], "allowed: 0 to 1");
    check(&[("reporter.devices", "gpu")], "reporter.devices");
    check(&[("reporter.on_failure", "maybe")], "`open` or `closed`");
    check(&[("reporter.max_jobs", "0")], "reporter.max_jobs");
    check(&[("reporter.webhook", "https://x")], "no `https`");
    check(&[("reporter.webhook", "http://x")], "`reporter.webhook_secret_file` is `absent`");
    let file = ("reporter.webhook_secret_file", secret.path().to_str().unwrap());
    check(&[("reporter.webhook", "http://x"), file], "must hold `whsec_`");
}
