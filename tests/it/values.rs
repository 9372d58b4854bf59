//! Valuing again over HTTP: assessments that are kept, and candidates in the shadow; no model is asked twice.

use crate::support::{
    Answer, Api, Folder, LOCK, TestService, check_problem, close_to, eventually, stern, user, write_candidate,
};
use reqwest::Method;
use serde_json::{Value, json};

async fn what_if(api: &Api, body: &Value) -> Answer {
    Answer::of(api.request(Method::POST, "/what-if").json(body)).await
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
        assert_eq!(again["provenance"], verdict["provenance"]);
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
    assert_eq!(record.json()["precision"], given["provenance"]["precision"], "{record:?}");
    assert_eq!(again["verdicts"][0]["provenance"], given["provenance"]);
    // As the first releases kept it: in what it was computed is not known, and everything else is.
    let mut old = record.json();
    old.as_object_mut().unwrap().remove("precision").unwrap();
    let again = what_if(api, &json!({"assessments": [old], "communities": ["default"]})).await.json();
    assert!(close_to(&again["verdicts"][0]["harmfulness"], &given["harmfulness"], 1e-12), "{again}");
    let mut expected = given["provenance"].clone();
    expected.as_object_mut().unwrap().remove("precision").unwrap();
    assert_eq!(again["verdicts"][0]["provenance"], expected);
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

#[tokio::test]
async fn a_profile_that_is_named_twice_is_weighed_by_once() {
    let service = TestService::start(&[]).await;
    let id = service.api.moderate(&user(LOCK)).await["id"].clone();
    let body = json!({"ids": [id], "communities": vec!["default"; 2_500]});
    let answer = what_if(&service.api, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["verdicts"].as_array().unwrap().len(), 1);
}

/// A record whose tree has so many leaves, as small as they can be.
async fn with_leaves(api: &Api, count: usize) -> Value {
    let given = api.moderate(&user(LOCK)).await;
    let mut record = api.get(&format!("/assessments/{}", given["id"].as_str().unwrap())).await.json();
    let leaves = vec![json!({"stakeholder": "user"}); count];
    record["tree"] = json!({"reported": {"harms": leaves, "benefits": []}});
    record
}

#[tokio::test]
async fn the_leaves_of_given_trees_are_bounded() {
    let service = TestService::start(&[("server.max_body_bytes", "1048576")]).await;
    let api = &service.api;
    let ask = async |record: Value| {
        let body = json!({"assessments": [record], "communities": ["default", "strict"]});
        what_if(api, &body).await
    };
    assert_eq!(ask(with_leaves(api, 10_000).await).await.status, 200);
    let answer = ask(with_leaves(api, 10_001).await).await;
    check_problem(&answer, 422, "invalid_request");
    assert_eq!(answer.json()["errors"][0]["pointer"], "#/assessments/0");
    // Each of them is no tree out of proportion, and together they are too much.
    let record = with_leaves(api, 900).await;
    let body = json!({"assessments": vec![&record; 30], "communities": ["default", "strict"]});
    assert_eq!(what_if(api, &body).await.status, 200);
    let folder = Folder::new();
    for number in 0..20 {
        crate::support::write_profile(
            folder.path(),
            &format!("more-{number}"),
            "title = \"More\"\nextends = \"default\"\n",
        );
    }
    let service = TestService::start_with(folder.path(), &[("server.max_body_bytes", "1048576")]).await;
    let communities: Vec<String> = (0..20).map(|number| format!("more-{number}")).collect();
    let body = json!({"assessments": vec![&record; 30], "communities": communities});
    let answer = what_if(&service.api, &body).await;
    check_problem(&answer, 422, "invalid_request");
    assert_eq!(answer.json()["errors"][0]["pointer"], "#/assessments");
}

/// On one thread, so that sums on it would hold up everyone.
#[tokio::test]
async fn weighing_holds_up_no_other_request() {
    let service = TestService::start(&[]).await;
    let api = &service.api;
    let id = api.moderate(&user(LOCK)).await["id"].clone();
    let body = json!({"ids": vec![&id; 1_000], "communities": ["default", "strict"], "explain": "none"});
    let started = tokio::time::Instant::now();
    let mut weighed = std::pin::pin!(what_if(api, &body));
    let mut longest = std::time::Duration::ZERO;
    loop {
        let asked = tokio::time::Instant::now();
        tokio::select! {
            answer = &mut weighed => {
                assert_eq!(answer.status, 200, "{answer:?}");
                break;
            }
            alive = api.get("/livez") => {
                assert_eq!(alive.status, 200);
                longest = longest.max(asked.elapsed());
            }
        }
    }
    assert!(longest < started.elapsed() / 2, "{longest:?} of {:?}", started.elapsed());
}

#[tokio::test]
async fn a_candidate_that_cannot_be_read_stops_nothing() {
    let folder = Folder::new();
    write_candidate(folder.path(), "default", &stern());
    let candidates = folder.path().join("candidates");
    std::fs::create_dir(candidates.join("folder.toml")).unwrap();
    std::fs::write(candidates.join("latin.toml"), b"title = \"Caf\xe9\"").unwrap();
    std::fs::write(candidates.join("long.toml"), "# ".repeat(200 * 1024)).unwrap();
    let service = TestService::start_with(folder.path(), &[("communities.reload_interval", "50ms")]).await;
    let api = &service.api;
    let told = api.get("/readyz?verbose").await.text;
    for file in ["folder.toml", "latin.toml", "long.toml"] {
        assert!(
            told.contains(&format!("candidates/{file}: can't read"))
                || told.contains(&format!("candidates/{file}: `")),
            "{told}"
        );
    }
    let scrape = api.scrape().await;
    assert_eq!(scrape.get(r#"assize_candidate_profiles{state="refused"}"#), 3.0);
    assert_eq!(scrape.get(r#"assize_candidate_profiles{state="tried"}"#), 1.0);
    // Those in force are read again as ever.
    crate::support::write_profile(folder.path(), "default", &stern());
    eventually("the change comes into force", async || {
        api.moderate(&user(LOCK)).await["decision"] == "block"
    })
    .await;
}

#[tokio::test]
async fn a_candidate_is_tried_for_those_who_extend_it() {
    let folder = Folder::new();
    let mild = crate::support::DEFAULT.replace("bias = -1.0", "bias = -7.0");
    write_candidate(folder.path(), "default", &mild);
    let service = TestService::start_with(folder.path(), &[("communities.reload_interval", "0s")]).await;
    let mut strict = user(LOCK);
    strict["community"] = json!("strict");
    assert_eq!(service.api.moderate(&strict).await["decision"], "block");
    let milder = r#"assize_shadow_verdicts_total{change="milder",community="strict"}"#;
    let scrape = service.api.scrape().await;
    assert_eq!(scrape.get(milder), 1.0);
    assert_eq!(scrape.get(r#"assize_candidate_profiles{state="tried"}"#), 2.0);
    assert!(service.api.get("/readyz?verbose").await.text.contains("candidates tried: default strict"));
}

#[tokio::test]
async fn a_candidate_that_breaks_an_example_of_another_community_is_refused() {
    let folder = Folder::new();
    let example =
        format!("{}\n[[examples]]\ntext = \"{LOCK}\"\nexpect = \"block\"\n", crate::support::STRICT);
    crate::support::write_profile(folder.path(), "strict", &example);
    write_candidate(folder.path(), "default", &crate::support::DEFAULT.replace("bias = -1.0", "bias = -7.0"));
    let service = TestService::start_with(folder.path(), &[("communities.reload_interval", "0s")]).await;
    let told = service.api.get("/readyz?verbose").await.text;
    assert!(told.contains("candidates/default.toml: strict.toml: example 1"), "{told}");
}
