//! Who is told what became of a job: who asks, a webhook, and the disk.

use super::{BABBLE, PROMPT, Reporter, TREES, ended, full};
use crate::guard_elsewhere::serve;
use crate::support::{Answer, Folder, TestService, check_problem, eventually};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

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
    let header = |name: &str| headers[name].to_str().unwrap();
    assert!(header("webhook-timestamp").parse::<u64>().unwrap() > 1_700_000_000);
    let key: Vec<u8> = (0..24).collect();
    let signed = [header("webhook-id"), ".", header("webhook-timestamp"), "."].concat();
    let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(signed).chain_update(body);
    assert_eq!(header("webhook-signature"), format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
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
        let is_written = matches!(record.assessment.tree.tree(), Some(assize_domain::Tree::Both(_)));
        assert_eq!(is_written, !is_early);
        assert_eq!(record.assessment.consulted.len(), usize::from(!is_early));
        assert_eq!(record.decided.unwrap().decision.id(), first["decision"].as_str().unwrap());
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
    check(&[("reporter.webhook_secret_file", "secret")], "an address, where `reporter.webhook_secret_file`");
    check(&[("reporter.webhook", "http://x")], "`reporter.webhook_secret_file` is `absent`");
    let file = ("reporter.webhook_secret_file", secret.path().to_str().unwrap());
    check(&[("reporter.webhook", "http://x"), file], "must hold `whsec_`");
}
