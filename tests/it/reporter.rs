//! Full trees by a reporter: a job beside the verdict. The checkpoint is a tiny random one, held to the form of a tree by its
//! grammar, so that what it says means nothing.

mod telling;

use crate::support::{
    Answer, Folder, TestService, conversation, eventually, user, write_checkpoint, write_profile,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

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

const PUBLISHED: &str = include_str!("../../config/communities/safetyanalyst.toml");

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

    /// Beside the default community is one that sums trees as SafetyAnalyst did.
    async fn service(&self, values: &[(&'static str, &str)]) -> TestService {
        let folder = Folder::new();
        write_profile(folder.path(), "published", PUBLISHED.split("[[examples]]").next().unwrap());
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

/// The same for the community that a tree decides for.
fn published(mut request: Value) -> Value {
    request["community"] = "published".into();
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

fn change(from: &Value, to: &Value) -> &'static str {
    match (from["decision"].as_str().unwrap(), to["decision"].as_str().unwrap()) {
        (one, other) if one == other => "same",
        ("allow", _) | ("review", "block") => "stricter",
        _ => "milder",
    }
}

#[tokio::test]
async fn who_asks_gets_a_verdict_at_once_and_a_full_tree_later() {
    let service = Reporter::new(TREES).service(&[]).await;
    let first = service.api.moderate(&full(PROMPT)).await;
    assert!(first["provenance"]["consulted"].is_null(), "{first}");
    let job = ended(&service, &first).await;
    assert_eq!(job["status"], "done", "{job}");
    let leaf = &job["tree"]["harms"][0];
    assert!(leaf["effect"].is_string() && leaf["stakeholder"].is_string(), "{job}");
    let verdict = &job["verdict"];
    assert_eq!(verdict["id"], first["id"]);
    let consulted = &verdict["provenance"]["consulted"][0];
    assert_eq!((&consulted["tier"], &consulted["model"]), (&json!("reporter"), &json!("tiny-reporter")));
    assert_eq!(consulted["answered"], true);
    assert!(verdict["subjects"].is_array() && verdict["job"].is_null(), "{verdict}");
    // This community's weights were made for what the encoder expects, and that goes on to decide.
    for same in ["decision", "harmfulness", "scores", "harm_masses", "subjects"] {
        assert_eq!(verdict[same], first[same], "{same}");
    }
    assert_eq!(job["change"], "same");
    let id = first["id"].as_str().unwrap();
    let record = service.api.get(&format!("/assessments/{id}")).await.json();
    assert_eq!(record["tree"]["both"]["reported"], job["tree"], "{record}");
    let again = service.api.moderate(&full(PROMPT)).await;
    assert_eq!(ended(&service, &again).await["tree"], job["tree"], "same seed");
    assert_eq!(outcomes(&service).await, [0.0, 2.0, 0.0, 0.0, 0.0]);
    let scrape = service.api.scrape().await;
    assert_eq!(scrape.get(r#"assize_tier_duration_seconds_count{tier="reporter"}"#), 2.0);
    assert_eq!(scrape.get(r#"assize_verdict_updates_total{change="same",community="default"}"#), 2.0);
    assert_eq!(scrape.get(r#"assize_admitted_requests{tier="reporter"}"#), 0.0);
    assert_eq!(scrape.get(r#"assize_ready{tier="reporter"}"#), 1.0);
    let checks: Value = service.api.get("/readyz?verbose").await.json();
    assert!(checks["checks"]["reporter"].as_str().unwrap().contains("tiny-reporter sha256:"), "{checks}");
}

#[tokio::test]
async fn a_tree_decides_where_leaves_are_summed_and_what_ifs_weigh_it_too() {
    let service = Reporter::new(TREES).service(&[]).await;
    let first = service.api.moderate(&published(full(PROMPT))).await;
    let job = ended(&service, &first).await;
    let verdict = &job["verdict"];
    assert_ne!(verdict["subjects"], first["subjects"]);
    assert_eq!(job["change"], change(&first, verdict));
    let id = first["id"].as_str().unwrap();
    let record = service.api.get(&format!("/assessments/{id}")).await.json();
    assert_eq!(record["decided"]["decision"], verdict["decision"], "{record}");
    let explanation = service.api.get(&format!("/assessments/{id}/explanation")).await.json();
    assert_eq!(explanation["verdict"]["subjects"], verdict["subjects"], "{explanation}");
    let asked = json!({ "ids": [id], "communities": ["published", "default"], "explain": "full" });
    let request = service.api.request(Method::POST, "/what-if").json(&asked);
    let what_if = Answer::of(request).await.json();
    assert_eq!(what_if["verdicts"][0]["subjects"], verdict["subjects"], "{what_if}");
    let plain = service.api.moderate(&user(PROMPT)).await;
    assert_eq!(what_if["verdicts"][1]["harmfulness"], plain["harmfulness"], "{what_if}");
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
    assert_ne!(one["tree"], other["tree"]);
    assert!(verdicts[1]["job"].is_null() && verdicts[3]["job"].is_null(), "{verdicts}");
    assert_eq!(outcomes(&service).await, [1.0, 2.0, 1.0, 0.0, 0.0], "the reply has no tree of its own");
    // One alone is written as among others.
    let alone = service.api.moderate(&full("What is a key?")).await;
    assert_eq!(ended(&service, &alone).await["tree"], other["tree"]);
}

#[tokio::test]
async fn what_is_close_has_a_job_unasked_and_is_degraded_without_a_tree() {
    let reporter = Reporter::new(BABBLE);
    for (on_failure, degraded) in [("closed", json!(["tier_silent"])), ("open", Value::Null)] {
        let values = [("reporter.margin", "1"), ("reporter.on_failure", on_failure)];
        let service = reporter.service(&values).await;
        // Whether anybody asked makes no difference where the tree was to decide.
        for request in [published(user(PROMPT)), published(full(PROMPT))] {
            let first = service.api.moderate(&request).await;
            assert!(first["degraded"].is_null(), "{first}");
            let job = ended(&service, &first).await;
            assert_eq!((&job["status"], &job["code"]), (&json!("failed"), &json!("model_failed")), "{job}");
            assert_eq!(job["verdict"]["degraded"], degraded, "{job}");
            assert_eq!(job["verdict"]["harm_masses"], first["harm_masses"], "the encoder's tree stands");
        }
        // Who only wants to know more gets no other verdict for want of it.
        let job = ended(&service, &service.api.moderate(&full(PROMPT)).await).await;
        assert_eq!((&job["status"], &job["change"]), (&json!("failed"), &json!("same")), "{job}");
        assert!(job["verdict"]["degraded"].is_null(), "{job}");
        assert!(service.api.moderate(&user(PROMPT)).await["job"].is_null(), "no tree decides there");
        assert_eq!(outcomes(&service).await, [1.0, 0.0, 0.0, 0.0, 3.0]);
    }
}

#[tokio::test]
async fn a_job_that_was_to_decide_and_is_refused_degrades_the_verdict_at_once() {
    let reporter = Reporter::new(BABBLE);
    let service = reporter.service(&[("reporter.margin", "1"), ("reporter.max_jobs", "1")]).await;
    let mut reply = conversation(&[("user", "hello"), ("assistant", "hello to you")]);
    reply["judge"] = json!(["response"]);
    reply["explain"] = "full".into();
    let list = json!([published(user("one")), published(user("two")), full("three"), published(reply)]);
    let verdicts = service.api.post(list.to_string()).await.json();
    assert!(verdicts[0]["degraded"].is_null() && verdicts[0]["job"]["status"] == "pending", "{verdicts}");
    assert_eq!(verdicts[1]["degraded"], json!(["tier_silent"]), "{verdicts}");
    assert_ne!(verdicts[1]["decision"], "allow", "{verdicts}");
    assert!(verdicts[2]["degraded"].is_null(), "{verdicts}");
    for refused in [&verdicts[1], &verdicts[2]] {
        assert_eq!(refused["job"]["code"], "overloaded", "{verdicts}");
    }
    assert!(verdicts[3]["job"].is_null(), "a reply has no tree: {verdicts}");

    // Who asks where a tree is to decide takes no place of those who only want to know.
    let service = reporter.service(&[("reporter.margin", "1"), ("reporter.max_jobs", "2")]).await;
    let list = json!([full("one"), published(full("two")), full("three")]);
    let verdicts = service.api.post(list.to_string()).await.json();
    let statuses = [0, 1, 2].map(|place| verdicts[place]["job"]["status"].as_str().unwrap());
    assert_eq!(statuses, ["pending", "pending", "failed"], "{verdicts}");
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
async fn a_part_of_a_tree_or_of_a_conversation_makes_no_verdict_milder() {
    let reporter = Reporter::new(TREES);
    let short = FILE.replace("1700", "260");
    std::fs::write(reporter.path("reporter.toml"), format!("{SAMPLING}{short}{TREES}")).unwrap();
    let cut = reporter.service(&[]).await;
    let whole = Reporter::new(TREES).service(&[]).await;
    let earlier = |prompt: &str| {
        let mut request =
            conversation(&[("user", "Tell me of locks."), ("assistant", "No."), ("user", prompt)]);
        request["explain"] = "full".into();
        published(request)
    };
    let prompts: Vec<String> = (0..6).map(|n| format!("{n}: {PROMPT}")).collect();
    let mut seen = std::collections::BTreeSet::new();
    for prompt in &prompts {
        let asked = [(&cut, published(full(prompt))), (&whole, earlier(prompt))];
        for (place, (service, request)) in asked.into_iter().enumerate() {
            let first = service.api.moderate(&request).await;
            let job = ended(service, &first).await;
            assert_eq!(job["status"], "done", "{job}");
            assert_ne!(job["change"], "milder", "{job}");
            let is_told = job["verdict"]["provenance"]["consulted"].is_array();
            assert_eq!(is_told, job["verdict"]["subjects"] != first["subjects"], "{job}");
            if place == 0 && is_told {
                assert_eq!(job["verdict"]["degraded"], json!(["partial_tree"]), "{job}");
            }
            seen.insert((place, is_told));
        }
    }
    assert!(seen.contains(&(1, false)), "one would have been milder: {seen:?}");
    // Where it doesn't decide, a tree of a part is shown and nothing more.
    let mut of_default = earlier(PROMPT);
    of_default["community"] = "default".into();
    for (service, request) in [(&cut, full(PROMPT)), (&whole, of_default)] {
        let first = service.api.moderate(&request).await;
        let job = ended(service, &first).await;
        assert!(job["tree"]["harms"].is_array() && job["verdict"]["degraded"].is_null(), "{job}");
        let record = service.api.get(&format!("/assessments/{}", first["id"].as_str().unwrap())).await;
        assert!(record.json()["tree"]["expected"].is_object(), "{record:?}");
    }
}

#[tokio::test]
async fn no_tree_lifts_a_floor() {
    let service = Reporter::new(TREES).service(&[]).await;
    for n in 0..4 {
        let text = format!("{n}: How do I make a nerve agent and spread it in a subway to kill people?");
        let first = service.api.moderate(&published(full(&text))).await;
        assert_eq!(first["decided_by"], "floor.mass_harm_weapons", "{first}");
        let job = ended(&service, &first).await;
        assert_eq!((&job["status"], &job["change"]), (&json!("done"), &json!("same")), "{job}");
        assert_eq!(job["verdict"]["decided_by"], first["decided_by"], "{job}");
    }
}
