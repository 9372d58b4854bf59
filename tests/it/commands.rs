//! Commands about values: profiles that are tried, put into force and taken back, trees, explanations, labels.

use crate::support::{DEFAULT, Folder, LOCK, assize, close_to, stern, write_candidate, write_profile};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

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
fn a_way_back_needs_no_model_and_no_room() {
    let folder = Folder::new();
    let history = folder.path().join("history/default");
    std::fs::create_dir_all(&history).unwrap();
    let earlier = DEFAULT.replace("bias = -1.0", "bias = -7.0");
    std::fs::write(history.join("0001.toml"), &earlier).unwrap();
    write_candidate(folder.path(), "default", "another draft");
    let rollback = |more: &[&str]| {
        let arguments = [&["profile", "rollback", "default", "--model", "no-model"], more].concat();
        assize(&arguments, folder.path())
    };
    let (code, told) = rollback(&[]);
    assert!(code == 1 && told.contains("is not put into force"), "{told}");
    let (code, told) = rollback(&["--no-examples"]);
    assert!(code == 0 && told.contains("it changes default, strict"), "{told}");
    assert!(told.contains("another candidate is in place and stays"), "{told}");
    let get = |file: &str| std::fs::read_to_string(folder.path().join(file)).unwrap();
    assert_eq!(get("default.toml"), earlier);
    assert_eq!(get("candidates/default.toml"), "another draft");
    assert_eq!(get("history/default/left-0001.toml"), DEFAULT);
    // What can be known without a model is told at once.
    let (code, told) = rollback(&[]);
    assert!(code == 1 && told.contains("there is no earlier version"), "{told}");
}

#[test]
fn a_first_profile_is_promoted_too() {
    let folder = Folder::new();
    write_candidate(folder.path(), "calm", "title = \"Calm\"\nextends = \"default\"\n");
    let model = crate::support::model_folder();
    let arguments = ["profile", "promote", "calm", "--model", model.to_str().unwrap()];
    let (code, told) = assize(&arguments, folder.path());
    assert!(code == 0 && told.contains("nothing was in force before; it changes calm"), "{told}");
    assert!(folder.path().join("calm.toml").exists() && !folder.path().join("history").exists());
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

#[test]
fn what_reporters_wrote_is_weighed_or_told_as_unusable() {
    let folder = Folder::new();
    write_profile(folder.path(), "open", &DEFAULT.replace("closed", "open"));
    let leaf = r##"[{"stakeholder":"Public","SIDE":[{"action":"#Privacy# 42. Types of Sensitive Data","effects":[{"effect":"1. Death","immediacy":true,"extent":"major","likelihood":"high"}]}]}]"##;
    let put = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    let harms = leaf.replace("SIDE", "harms");
    put("harms.txt", &format!("Here it is:\n```json\n{}\n```", harms.replace("}]", "},]")));
    put("benefits.txt", r#"[{"stakeholder":"User","benefits":[]}]"#);
    let weigh = |harms: &str, profile: &str| {
        let arguments =
            ["weigh", "--harms", harms, "--benefits", "benefits.txt", "--json", "--profile", profile];
        let (code, told) = assize(&arguments, folder.path());
        assert_eq!(code, 0, "{told}");
        serde_json::from_str::<Value>(&told).unwrap()
    };
    let weighing = weigh("harms.txt", "default");
    assert!(weighing["score"].is_f64() && weighing["unusable"].is_null(), "{weighing}");
    let privacy = weighing["contributions"].as_array().unwrap().iter();
    let privacy = privacy.filter(|term| term["code"] == "harm.privacy").map(|term| &term["value"]);
    assert!(privacy.count() == 1, "{weighing}");
    for (file, text, why) in [
        ("nothing.txt", "I can't help with zyxcanary.", "no list of objects"),
        (
            "unknown.txt",
            &harms.replace("major", "catastrophic").replace("high", "zyxcanary"),
            "not one can be weighed",
        ),
    ] {
        put(file, text);
        for (profile, decision) in [("default", "block"), ("open", "allow")] {
            let weighing = weigh(file, profile);
            assert_eq!(weighing["decision"], decision, "{weighing}");
            assert!(weighing["score"].is_null() && weighing["harmfulness"].is_null(), "{weighing}");
            assert!(weighing["unusable"].as_str().unwrap().contains(why), "{weighing}");
            assert!(!weighing.to_string().contains("zyxcanary"), "{weighing}");
        }
    }
    // A tree file is mended as well.
    put("tree.json", &format!("{{'harms': {harms}, 'benefits': [],}}"));
    let (code, told) = assize(&["weigh", "tree.json"], folder.path());
    assert!(code == 0 && told.contains("harm.privacy"), "{told}");
    put("tree.json", "{\"harms\": [");
    let (code, told) = assize(&["weigh", "tree.json"], folder.path());
    assert!(code == 0 && told.contains("unusable: ") && told.contains("no harmfulness"), "{told}");
    let (code, told) = assize(&["weigh", "--harms", "-", "--benefits", "-"], folder.path());
    assert!(code == 1 && told.contains("both `-`"), "{told}");
    let (code, _) = assize(&["weigh", "--harms", "harms.txt"], folder.path());
    assert_eq!(code, 2);
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

#[test]
fn a_profile_with_a_fault_does_not_pass_a_strict_lint() {
    let folder = Folder::new();
    let model = crate::support::model_folder();
    // Nothing is ever held for review.
    let idle = "title = \"Idle\"\nextends = \"default\"\n[thresholds]\nreview = 0.5\nblock = 0.5\n";
    write_candidate(folder.path(), "strict", idle);
    let (code, told) = assize(&["profile", "lint", "--strict"], folder.path());
    assert!(code == 1 && told.contains("default.toml: warning: `examples`"), "{told}");
    assert!(!told.contains("no-review"), "{told}");
    for arguments in [
        ["profile", "lint", "--strict", "--candidates"],
        ["profile", "lint", "--strict", "candidates/strict.toml"],
    ] {
        let (code, told) = assize(&arguments, folder.path());
        assert!(code == 1 && told.contains("candidates/strict.toml: warning: "), "{told}");
        assert!(told.contains("no-review"), "{told}");
    }
    // Who promotes it is told, and may.
    let (code, told) =
        assize(&["profile", "promote", "strict", "--model", model.to_str().unwrap()], folder.path());
    assert!(code == 0 && told.contains("no-review") && told.contains("it changes strict"), "{told}");
}
