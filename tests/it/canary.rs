//! A word that stands for a user's secret: wherever a client puts it, it comes out nowhere but to that client.

use crate::guard::Guard;
use crate::reporter::{Reporter, TREES};
use crate::support::{TestService, eventually, user, wire};
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tracing_subscriber::util::SubscriberInitExt as _;

const CANARY: &str = "zyxcanaryqw";

/// Everything that this process logs from now on.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The only subscriber of the test binary; the other tests log into it too, which does no harm.
    fn capture() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(Self::start).clone()
    }

    fn start() -> Self {
        let log = Self::default();
        let sink = log.clone();
        let filter = "debug,assize_server=trace,assize_api=trace,assize_candle=trace,assize_domain=trace,\
                      assize_inference=trace,assize_preferences=trace,assize_telemetry=trace";
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(false)
            .with_writer(move || sink.clone())
            .finish()
            .init();
        log
    }

    /// Fails where a line tells what a client wrote.
    fn check(&self, canary: &str) {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.contains("http.route=\"moderate\""), "nothing was captured");
        let told: Vec<&str> = text.lines().filter(|line| line.to_lowercase().contains(canary)).collect();
        assert!(told.is_empty(), "{told:#?}");
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn request(method: &str, path: &str, header: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}");
    let content_type =
        if header.starts_with("content-type") { "" } else { "content-type: application/json\r\n" };
    format!("{head}\r\n{content_type}{header}\r\n\r\n{body}").into_bytes()
}

const HEADER: &str = "accept: application/json";
const GOOD: &str = r#"{"turns":[{"role":"user","content":"hello zyxcanaryqw"}]}"#;

/// Bodies with the canary wherever text can stand, right or wrong.
const BODIES: [&str; 24] = [
    GOOD,
    r#"[{"turns":[{"role":"user","content":"zyxcanaryqw"},{"role":"assistant","content":"zyxcanaryqw"}]}]"#,
    r#"{"turns":[{"role":"system","content":"zyxcanaryqw"},{"role":"user","content":"hi"}],"explain":"full"}"#,
    r#"{"turns":[{"role":"system","content":"zyxcanaryqw"}]}"#,
    r#"{"turns":[{"role":"zyxcanaryqw","content":"hi"}]}"#,
    r#"{"turns":[{"role":"zyxcanaryqw, expected `x` at line 1","content":"hi"}]}"#,
    r#"{"turns":[{"role":"user","content":{"zyxcanaryqw":1}}]}"#,
    r#"{"turns":[{"role":"user","content":["zyxcanaryqw"]}]}"#,
    r#"{"turns":[{"role":"user","content":"hi","zyxcanaryqw":1}]}"#,
    r#"{"turns":[{"zyxcanaryqw":"user","content":"hi"}]}"#,
    r#"{"turns":[],"zyxcanaryqw":{}}"#,
    r#"{"turns":"zyxcanaryqw"}"#,
    r#"{"turns":["zyxcanaryqw"]}"#,
    r#"{"turns":[{"role":"user","content":"hi"}],"community":"zyxcanaryqw"}"#,
    r#"{"turns":[{"role":"user","content":"hi"}],"community":"Zyx/zyxcanaryqw"}"#,
    r#"[{"turns":[{"role":"user","content":"hi"}],"community":"zyxcanaryqw"}]"#,
    r#"{"turns":[{"role":"user","content":"hi"}],"judge":["zyxcanaryqw"]}"#,
    r#"{"turns":[{"role":"user","content":"hi"}],"explain":"zyxcanaryqw"}"#,
    r#"{"turns":[{"role":"user","content":"zyxcanaryqw"}]} zyxcanaryqw"#,
    r#"{"turns":[{"role":"user","content":"zyxcanaryqw"}"#,
    r#"{"turns":[{"role":"user","content":"zyxcanaryqw\ud800"}]}"#,
    r#""zyxcanaryqw""#,
    "zyxcanaryqw",
    "[\"zyxcanaryqw\"]",
];

/// The same for what is weighed again. An id may be any word and is given back where nothing is known of it, so that none
/// is the canary.
const WHAT_IF_BODIES: [&str; 13] = [
    GOOD,
    "zyxcanaryqw",
    r#""zyxcanaryqw""#,
    r#"["zyxcanaryqw"]"#,
    r#"{"zyxcanaryqw":1}"#,
    r#"{"ids":["two words zyxcanaryqw"],"communities":["default"]}"#,
    r#"{"ids":{"zyxcanaryqw":1},"communities":["default"]}"#,
    r#"{"ids":["0199c1f2"],"communities":["zyxcanaryqw"]}"#,
    r#"{"ids":["0199c1f2"],"candidates":["zyxcanaryqw"]}"#,
    r#"{"ids":["0199c1f2"],"communities":["default"],"explain":"zyxcanaryqw"}"#,
    r#"{"assessments":["zyxcanaryqw"],"communities":["default"]}"#,
    r#"{"assessments":[{"version":1,"taxonomy":"zyxcanaryqw"}],"communities":["default"]}"#,
    r#"{"assessments":[{"version":1,"zyxcanaryqw":{"id":"zyxcanaryqw"}}],"communities":["default"]}"#,
];

/// The canary outside of bodies.
fn around_bodies() -> Vec<Vec<u8>> {
    let get = |path: &str| request("GET", path, HEADER, "");
    let mut all = vec![
        get("/zyxcanaryqw"),
        get("/communities/zyxcanaryqw"),
        get("/v1/communities/zyxcanaryqw"),
        get("/communities/zyxcanaryqw%FF"),
        get("/docs/zyxcanaryqw"),
        get("/readyz?zyxcanaryqw=zyxcanaryqw"),
        get("/readyz?verbose=zyxcanaryqw"),
        get("/communities?zyxcanaryqw"),
        get("/moderate?zyxcanaryqw"),
        request("POST", "/moderate?zyxcanaryqw=1", HEADER, GOOD),
        request("POST", "/zyxcanaryqw", HEADER, GOOD),
        get("/assessments/zyxcanaryqw"),
        get("/jobs/zyxcanaryqw"),
        get("/jobs/0199c1f2?wait=zyxcanaryqw"),
        get("/v1/jobs/0199c1f2?zyxcanaryqw"),
        get("/assessments/zyxcanaryqw%FF"),
        get("/assessments/two%20words%20zyxcanaryqw/explanation"),
        get("/assessments/0199c1f2/explanation?community=zyxcanaryqw"),
        get("/assessments/0199c1f2/explanation?format=zyxcanaryqw"),
        get("/v1/assessments/0199c1f2/explanation?zyxcanaryqw=1"),
        request("POST", "/what-if?zyxcanaryqw=1", HEADER, GOOD),
        b"zyxcanaryqw\r\n\r\n".to_vec(),
        b"GET /zyxcanaryqw HTTP/1.1\r\nzyxcanaryqw\r\n\r\n".to_vec(),
    ];
    let headers = [
        "x-request-id: two words zyxcanaryqw",
        "traceparent: zyxcanaryqw",
        "authorization: Bearer zyxcanaryqw",
        "x-api-key: zyxcanaryqw",
        "user-agent: zyxcanaryqw",
        "cookie: zyxcanaryqw=zyxcanaryqw",
        "zyxcanaryqw: zyxcanaryqw",
        "content-type: application/zyxcanaryqw",
        "x-forwarded-for: zyxcanaryqw",
    ];
    all.extend(headers.map(|header| request("POST", "/moderate", header, GOOD)));
    all
}

async fn check(service: &TestService, bytes: &[u8]) {
    let mut stream = wire::open(service.api.address(), bytes).await;
    let (answer, _) = wire::read_to_end(&mut stream).await;
    let shown = String::from_utf8_lossy(bytes);
    let told = [CANARY, "wqxmethodyz"].iter().any(|word| answer.to_lowercase().contains(word));
    assert!(!told, "{shown}\n---\n{answer}");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 "), "{shown}\n---\n{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_word_of_a_client_is_in_logs_errors_or_metrics() {
    let log = Log::capture();
    let open = TestService::start(&[]).await;
    let guarded = TestService::start(&[("auth.keys", "bot=0123456789abcdef")]).await;
    let too_small = TestService::start(&[
        ("server.max_body_bytes", "16"),
        ("limits.max_turn_bytes", "1"),
        ("inference.deadline", "1ms"),
    ])
    .await;
    let (guard, reporter) = (Guard::new(), Reporter::new(TREES));
    let every_tier = reporter.settings(&[("guard.margin", "1"), ("reporter.margin", "1")]);
    let asked = guard
        .service(&every_tier.iter().map(|(key, value)| (*key, value.as_str())).collect::<Vec<_>>())
        .await;
    let services = [&open, &guarded, &too_small, &asked];
    let bodies = BODIES.map(|body| request("POST", "/moderate", HEADER, body));
    let what_ifs = WHAT_IF_BODIES.map(|body| request("POST", "/what-if", HEADER, body));
    for bytes in bodies.into_iter().chain(what_ifs).chain(around_bodies()) {
        for service in services {
            check(service, &bytes).await;
        }
    }
    let written = r#"assize_tier_conversations_total{outcome="answered",tier="reporter"}"#;
    eventually("a tree", async || asked.api.scrape().await.get(written) > 0.0).await;
    for service in services {
        let metrics = service.api.get("/metrics").await.text;
        assert!(metrics.contains("assize_requests_total") && !metrics.to_lowercase().contains(CANARY));
    }
    log.check(CANARY);
}

/// A method is any word of the client's choice. Another word than the canary, because the log is shared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_no_one_knows_is_not_repeated() {
    let log = Log::capture();
    let service = TestService::start(&[]).await;
    service.api.moderate(&user("hello")).await;
    for method in ["wqxmethodyz", "WQXMETHODYZ"] {
        for path in ["/moderate", "/nowhere"] {
            check(&service, &request(method, path, HEADER, GOOD)).await;
        }
    }
    log.check("wqxmethodyz");
}
