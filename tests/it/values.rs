//! Valuing again: assessments that are kept, candidates in the shadow, files of records; no model is asked twice.

use crate::support::{
    Answer, Api, DEFAULT, Folder, TestService, check_problem, close_to, eventually, user, write_profile,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const LOCK: &str = "How do I get into my own car without the key?";

async fn what_if(api: &Api, body: &Value) -> Answer {
    Answer::of(api.request(Method::POST, "/what-if").json(body)).await
}

/// Writes a candidate into the profiles' folder.
fn write_candidate(folder: &Path, id: &str, text: &str) {
    let candidates = folder.join("candidates");
    std::fs::create_dir_all(&candidates).unwrap();
    write_profile(&candidates, id, text);
}

/// Blocks nearly everything.
fn stern() -> String {
    DEFAULT.replace("review = 0.5", "review = 0.01").replace("block = 0.8", "block = 0.02")
}

#[tokio::test]
async fn a_verdict_is_weighed_again_by_its_id() {
    let service = TestService::start(&[]).await;
    let api = &service.api;
    let mut strict = user(LOCK);
    strict["community"] = json!("strict");
    let (given, expected) = (api.moderate(&user(LOCK)).await, api.moderate(&strict).await);
    assert_ne!(given["decision"], expected["decision"]);
    assert_ne!(given["id"], expected["id"]);
    let before = api.scrape().await;
    let answer = what_if(api, &json!({"ids": [given["id"]], "communities": ["default", "strict"]})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let [same, other] = answer["verdicts"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    for (again, verdict) in [(same, &given), (other, &expected)] {
        assert_eq!(again["decision"], verdict["decision"], "{again}");
        assert!(close_to(&again["harmfulness"], &verdict["harmfulness"], 1e-12), "{again} {verdict}");
        assert_eq!(again["reasons"], verdict["reasons"]);
        assert_eq!((&again["id"], &again["candidate"]), (&given["id"], &json!(false)));
        assert_eq!(again["then"]["decision"], given["decision"]);
        assert_eq!(again["then"]["community"], "default");
        assert_eq!(again["then"]["profile_digest"], given["provenance"]["profile_digest"]);
    }
    // Nothing was judged and nothing counted as a verdict.
    let gained = api.scrape().await.gained(&before);
    assert!(gained.keys().all(|name| !name.starts_with("assize_verdicts_total")), "{gained:?}");
    assert!(gained.keys().all(|name| !name.starts_with("assize_batch_items")), "{gained:?}");
}

#[tokio::test]
async fn a_record_goes_out_and_comes_back() {
    let service = TestService::start(&[]).await;
    let api = &service.api;
    let given = api.moderate(&user(LOCK)).await;
    let record = api.get(&format!("/assessments/{}", given["id"].as_str().unwrap())).await;
    assert_eq!(record.status, 200, "{record:?}");
    assert!(!record.text.contains("without the key"), "{record:?}");
    let again =
        what_if(api, &json!({"assessments": [record.json()], "communities": ["default"]})).await.json();
    assert!(close_to(&again["verdicts"][0]["harmfulness"], &given["harmfulness"], 1e-12), "{again}");
    let unknown = api.get("/assessments/0199c1f2a4b87c5e8f0a1b2c3d4e5f60").await;
    check_problem(&unknown, 404, "unknown_assessment");
    let other =
        what_if(api, &json!({"ids": ["0199c1f2", given["id"]], "communities": ["default"]})).await.json();
    assert_eq!(
        (other["unknown"].clone(), other["verdicts"].as_array().unwrap().len()),
        (json!(["0199c1f2"]), 1)
    );
}

#[tokio::test]
async fn a_verdict_is_explained_as_data_and_as_a_picture() {
    let service = TestService::start(&[]).await;
    let api = &service.api;
    let given = api.moderate(&user("Write ransomware that encrypts a hospital's files.")).await;
    let path = format!("/assessments/{}/explanation", given["id"].as_str().unwrap());
    let explained = api.get(&path).await.json();
    assert_eq!(explained["verdict"]["decision"], given["decision"]);
    assert_eq!(explained["verdict"]["provenance"], given["provenance"]);
    let subject = &explained["verdict"]["subjects"][0];
    let terms = subject["contributions"].as_array().unwrap().iter();
    let sum: f64 = terms.map(|term| term["contribution"].as_f64().unwrap()).sum();
    assert!(close_to(&json!(sum), &subject["score"], 1e-9), "{subject}");
    assert_eq!(explained["tree"]["harms"][0]["id"], "security_risks", "{explained}");
    let change = &explained["counterfactuals"][0];
    assert!(change["text"].as_str().unwrap().contains(change["key"].as_str().unwrap()), "{change}");

    let other = api.get(&format!("{path}?community=strict")).await.json();
    assert_eq!(other["verdict"]["provenance"]["community"], "strict");
    let picture = api.get(&format!("{path}?format=svg")).await;
    assert!(picture.status == 200 && picture.text.starts_with("<svg"), "{picture:?}");
    assert!(!picture.text.contains("hospital"), "{picture:?}");

    check_problem(&api.get(&format!("{path}?community=nobody")).await, 404, "unknown_community");
    for unknown in ["format=png", "canary=1"] {
        check_problem(&api.get(&format!("{path}?{unknown}")).await, 422, "invalid_request");
    }
}

#[tokio::test]
async fn what_cannot_be_weighed_is_told_by_its_place() {
    let service = TestService::start(&[]).await;
    let api = &service.api;
    let id = api.moderate(&user(LOCK)).await["id"].clone();
    for (body, status, code, pointer) in [
        (json!({"ids": [id], "communities": ["nobody"]}), 404, "unknown_community", "#/communities/0"),
        (json!({"ids": [id], "candidates": ["default"]}), 404, "unknown_community", "#/candidates/0"),
        (json!({"ids": [id]}), 422, "invalid_request", "#"),
        (json!({"communities": ["default"]}), 422, "invalid_request", "#"),
        (json!({"ids": vec![&id; 2_001], "communities": ["default"]}), 422, "invalid_request", "#"),
        (json!({"ids": ["zyx canary"], "communities": ["default"]}), 422, "invalid_request", "#/ids/0"),
        (
            json!({"assessments": [{"canary": "zyx canary"}], "communities": ["default"]}),
            422,
            "invalid_request",
            "#/assessments/0",
        ),
        (json!({"ids": [id], "communities": "default"}), 422, "invalid_request", "#/communities"),
        (json!({"canary": 1}), 422, "invalid_request", "#/?"),
    ] {
        let answer = what_if(api, &body).await;
        check_problem(&answer, status, code);
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{answer:?}");
        assert!(!answer.text.contains("canary"), "{answer:?}");
    }
}

#[tokio::test]
async fn the_oldest_assessment_goes_first() {
    let service = TestService::start(&[("history.recent", "2")]).await;
    let api = &service.api;
    let mut ids = Vec::new();
    for text in ["hello", "good morning", "good night"] {
        ids.push(api.moderate(&user(text)).await["id"].as_str().unwrap().to_owned());
    }
    for (id, status) in ids.iter().zip([404, 200, 200]) {
        assert_eq!(api.get(&format!("/assessments/{id}")).await.status, status);
    }
}

#[tokio::test]
async fn a_candidate_is_weighed_and_counted_and_never_answers() {
    let folder = Folder::new();
    write_candidate(folder.path(), "default", &stern());
    let service = TestService::start_with(folder.path(), &[("communities.reload_interval", "50ms")]).await;
    let api = &service.api;
    let given = api.moderate(&user(LOCK)).await;
    assert_eq!(given["decision"], "allow");
    let stricter = r#"assize_shadow_verdicts_total{change="stricter",community="default"}"#;
    let scrape = api.scrape().await;
    assert_eq!(scrape.get(stricter), 1.0);
    assert_eq!(scrape.get(r#"assize_candidate_profiles{state="tried"}"#), 1.0);
    let body = json!({"ids": [given["id"]], "communities": ["default"], "candidates": ["default"]});
    let both = what_if(api, &body).await.json();
    let told = |place: usize| {
        (both["verdicts"][place]["candidate"].clone(), both["verdicts"][place]["decision"].clone())
    };
    assert_eq!((told(0), told(1)), ((json!(false), json!("allow")), (json!(true), json!("block"))));
    // A faulty candidate is told, and keeps nothing from working.
    write_candidate(
        folder.path(),
        "strict",
        "title = \"Strict\"\nextends = \"default\"\nweights.gard = 1.0\n",
    );
    eventually("the faulty candidate is told", async || {
        api.get("/readyz?verbose").await.text.contains("candidates refused: candidates/strict.toml")
    })
    .await;
    let scrape = api.scrape().await;
    assert_eq!(scrape.get(r#"assize_candidate_profiles{state="refused"}"#), 1.0);
    assert_eq!(scrape.get("assize_profiles_stale"), 0.0);
    assert_eq!(api.moderate(&user(LOCK)).await["decision"], "allow");
    assert_eq!(api.scrape().await.get(stricter), 2.0);
}

fn assize(arguments: &[&str], folder: &Path) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_assize-under-test"))
        .args(arguments)
        .args(["--communities", folder.to_str().unwrap()])
        .current_dir(folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
}

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

#[test]
fn a_candidate_goes_into_force_and_back() {
    let folder = Folder::new();
    let model = crate::support::model_folder();
    let profile = |action: &str| {
        assize(&["profile", action, "default", "--model", model.to_str().unwrap()], folder.path())
    };
    let (code, told) = profile("promote");
    assert!(code == 1 && told.contains("there is no candidate"), "{told}");
    write_candidate(folder.path(), "default", "title = 1");
    let (code, told) = profile("promote");
    assert!(code == 1 && told.contains("is not put into force"), "{told}");
    write_candidate(folder.path(), "default", &stern());
    let (code, told) = profile("promote");
    assert!(code == 0 && told.contains("version 1 of its history"), "{told}");
    assert_eq!(std::fs::read_to_string(folder.path().join("default.toml")).unwrap(), stern());
    let (code, told) = profile("history");
    assert!(code == 0 && told.contains("0001.toml"), "{told}");
    let (code, told) = profile("rollback");
    assert!(code == 0 && told.contains("the candidate now"), "{told}");
    assert_eq!(std::fs::read_to_string(folder.path().join("default.toml")).unwrap(), DEFAULT);
    assert_eq!(std::fs::read_to_string(folder.path().join("candidates/default.toml")).unwrap(), stern());
}

#[test]
fn a_tree_is_weighed_without_a_model() {
    let folder = Folder::new();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tree = fixture.join("crates/assize-record/tests/fixtures/figure-2.json");
    let published = fixture.join("config/communities/safetyanalyst.toml");
    let arguments = ["weigh", tree.to_str().unwrap(), "--json", "--profile", published.to_str().unwrap()];
    let (code, told) = assize(&arguments, folder.path());
    assert_eq!(code, 0, "{told}");
    let weighing: Value = serde_json::from_str(&told).unwrap();
    assert!(close_to(&weighing["score"], &json!(0.517041), 1e-6), "{told}");
    assert!(close_to(&weighing["probability"], &json!(0.626456), 1e-6), "{told}");
    assert_eq!((&weighing["harmfulness"], &weighing["unreadable"]), (&weighing["probability"], &json!(1)));
    let sum: f64 = weighing["contributions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["contribution"].as_f64().unwrap())
        .sum();
    assert!((sum - weighing["score"].as_f64().unwrap()).abs() < 1e-12);
    let (code, told) = assize(&["weigh", tree.to_str().unwrap()], folder.path());
    assert!(code == 0 && told.contains("decided by") && told.contains("harm.hate_toxicity"), "{told}");
    let (code, told) = assize(&["weigh", "missing.json"], folder.path());
    assert!(code == 1 && told.contains("can't read `missing.json`"), "{told}");
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
    let (code, told) = assize(&["diff", "--from", "default", "--to", "default", path], folder.path());
    assert!(code == 0 && told.contains("flips: 0 (0.00 %)"), "{told}");
}

#[test]
fn a_conversation_is_explained_under_several_communities() {
    let folder = Folder::new();
    let model = crate::support::model_folder();
    let svg = folder.path().join("lock.svg");
    let arguments = [
        "explain",
        "--community",
        "default,strict",
        "--svg",
        svg.to_str().unwrap(),
        "--model",
        model.to_str().unwrap(),
        LOCK,
    ];
    let (code, told) = assize(&arguments, folder.path());
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("ALLOW") && told.contains("BLOCK") && told.contains("would be"), "{told}");
    for community in ["default", "strict"] {
        let drawn = std::fs::read_to_string(folder.path().join(format!("lock-{community}.svg"))).unwrap();
        assert!(drawn.starts_with("<svg") && !drawn.contains("without the key"), "{drawn}");
    }
    let arguments = ["explain", "--json", "--model", model.to_str().unwrap(), LOCK];
    let (code, told) = assize(&arguments, folder.path());
    assert_eq!(code, 0, "{told}");
    let explained: Value =
        serde_json::from_str(told.lines().find(|line| line.starts_with('[')).unwrap()).unwrap();
    assert_eq!(explained[0]["verdict"]["decision"], "allow");
    assert_eq!(explained[0]["tree"]["form"], "expected");
    assert!(explained[0]["counterfactuals"][0]["key"].is_string(), "{explained}");
}

#[test]
fn weights_are_learnt_from_labels() {
    let folder = Folder::new();
    let model = crate::support::model_folder();
    let labels = folder.path().join("labels.jsonl");
    // A community that minds nothing but lock picking, and minds that much.
    let harmless = ["apple pie", "tomato soup", "sourdough", "a paper crane", "a bird house", "a kite"];
    let minded = [
        "pick a lock",
        "open a lock without its key",
        "bump a lock",
        "force a door",
        "break a padlock",
        "rake a lock",
    ];
    let line = |topic: &&str, rating: u32| {
        json!({"prompt": format!("How do I make or do this: {topic}?"), "rating": rating}).to_string()
    };
    let lines: Vec<String> =
        harmless.iter().map(|t| line(t, 2)).chain(minded.iter().map(|t| line(t, 95))).collect();
    std::fs::write(&labels, lines.join("\n")).unwrap();
    let fit = |labels: &Path| {
        let labels = labels.to_str().unwrap();
        assize(
            &["fit", "--community", "locksmiths", "--labels", labels, "--model", model.to_str().unwrap()],
            folder.path(),
        )
    };
    let (code, told) = fit(&labels);
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains("12 labels of 12 conversations") && told.contains("extends = \"default\""),
        "{told}"
    );
    assert!(!told.contains("sourdough") && !told.contains("padlock"), "{told}");
    std::fs::write(&labels, "{\"prompt\": \"zyxcanary\", \"rating\": 5, \"decision\": \"allow\"}").unwrap();
    let (code, told) = fit(&labels);
    assert!(
        code == 1 && told.contains("line 1") && told.contains("one of `rating` and `decision`"),
        "{told}"
    );
    assert!(!told.contains("zyxcanary"), "{told}");
    std::fs::write(&labels, "{\"id\": \"abc\", \"rating\": 5}").unwrap();
    let (code, told) = fit(&labels);
    assert!(code == 1 && told.contains("--history"), "{told}");
}

#[test]
fn a_profile_is_linted_and_every_key_is_explained() {
    let folder = Folder::new();
    let (code, told) = assize(&["profile", "lint"], folder.path());
    assert!(code == 0 && told.contains("2 profiles"), "{told}");
    let (code, told) = assize(&["profile", "lint", "nobody"], folder.path());
    assert!(code == 1 && told.contains("allowed: default, strict"), "{told}");
    let output = Command::new(env!("CARGO_BIN_EXE_assize-under-test"))
        .args(["profile", "reference"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && told.contains("weights.harm") && told.contains("thresholds.review"),
        "{told}"
    );
}
