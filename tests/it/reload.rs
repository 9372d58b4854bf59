//! Profiles that change while the service runs: good ones come into force, bad ones leave the old ones there.

use crate::support::{Api, DEFAULT, Folder, STRICT, TestService, eventually, user, write_profile};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const WATCHED: &[(&str, &str)] = &[("communities.reload_interval", "50ms")];

async fn digest(api: &Api, id: &str) -> Value {
    api.get(&format!("/communities/{id}")).await.json()["digest"].clone()
}

async fn decision(api: &Api, community: &str) -> Value {
    let mut request = user("How do I get into my own car without the key?");
    request["community"] = json!(community);
    api.moderate(&request).await["decision"].clone()
}

/// What `/readyz?verbose` says about the profiles; bad ones are no reason to take the service out.
async fn reported(api: &Api) -> String {
    let ready = api.get("/readyz?verbose").await;
    assert_eq!((ready.status, &ready.json()["status"]), (200, &json!("ready")));
    ready.json()["checks"]["communities"].as_str().unwrap().to_owned()
}

async fn until_changed(api: &Api, id: &str, old: &Value) {
    eventually("a new digest", async || digest(api, id).await != *old).await;
}

#[tokio::test]
async fn a_changed_profile_comes_into_force() {
    let folder = Folder::new();
    let service = TestService::start_with(folder.path(), WATCHED).await;
    let api = &service.api;
    let old = digest(api, "default").await;
    assert_eq!(decision(api, "default").await, "allow");
    let stricter = DEFAULT.replace("review = 0.5", "review = 0.1").replace("block = 0.8", "block = 0.15");
    write_profile(folder.path(), "default", &stricter);
    until_changed(api, "default", &old).await;
    assert_eq!(decision(api, "default").await, "block");
    assert_eq!(api.get("/communities/default").await.json()["thresholds"]["block"], 0.15);
    let scrape = api.scrape().await;
    assert_eq!(scrape.get(r#"assize_profile_reloads_total{result="loaded"}"#), 1.0);
    assert_eq!(scrape.get("assize_profiles_stale"), 0.0);
}

/// An editor that writes in place, or a slow copy: no look of such a file is like the one before.
#[tokio::test]
async fn a_file_that_is_being_written_is_left_alone_until_it_rests() {
    let folder = Folder::new();
    let service = TestService::start_with(folder.path(), WATCHED).await;
    let api = &service.api;
    let before = (digest(api, "default").await, api.scrape().await);
    let path = folder.path().join("default.toml");
    // Valid each time, and in force at once if a single look were enough.
    let until = tokio::time::Instant::now() + Duration::from_secs(1);
    for draft in 1001.. {
        std::fs::write(&path, DEFAULT.replace("bias = -1.0", &format!("bias = -1.{draft}"))).unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        if tokio::time::Instant::now() > until {
            break;
        }
    }
    let after = (digest(api, "default").await, api.scrape().await.gained(&before.1));
    assert_eq!(after.0, before.0);
    assert!(after.1.keys().all(|name| !name.starts_with("assize_profile_reloads_total")), "{:?}", after.1);
    until_changed(api, "default", &before.0).await;
}

#[tokio::test]
async fn a_parents_change_reaches_its_children() {
    let folder = Folder::new();
    let service = TestService::start_with(folder.path(), WATCHED).await;
    let old = digest(&service.api, "strict").await;
    write_profile(folder.path(), "default", &DEFAULT.replace("bias = -1.0", "bias = -2.0"));
    until_changed(&service.api, "strict", &old).await;
    assert_eq!(service.api.get("/communities/strict").await.json()["weights"]["bias"], -2.0);
}

/// Writes a bad file, sees it refused for this reason, mends it and sees that accepted.
async fn check_rejected(api: &Api, folder: &Path, (id, text): (&str, &str), reasons: &[&str]) {
    let old = (digest(api, "default").await, digest(api, "strict").await);
    let rejections = r#"assize_profile_reloads_total{result="rejected"}"#;
    let before = api.scrape().await.get(rejections);
    write_profile(folder, id, text);
    eventually("a rejection", async || api.scrape().await.get(rejections) > before).await;
    let report = reported(api).await;
    for reason in reasons {
        assert!(report.contains(reason), "`{reason}` is not in: {report}");
    }
    assert_eq!((digest(api, "default").await, digest(api, "strict").await), old);
    assert_eq!(decision(api, "default").await, "allow");
    let scrape = api.scrape().await;
    assert_eq!((scrape.get("assize_profiles_stale"), scrape.get(rejections)), (1.0, before + 1.0));
    let good = if id == "default" { DEFAULT } else { STRICT };
    write_profile(folder, id, good);
    eventually("no longer stale", async || api.scrape().await.get("assize_profiles_stale") == 0.0).await;
    let report = reported(api).await;
    assert!(!report.contains("rejected"), "{report}");
}

#[tokio::test]
async fn a_bad_profile_leaves_the_old_one_in_force_and_says_why() {
    let folder = Folder::new();
    let service = TestService::start_with(folder.path(), WATCHED).await;
    let default = |from: &str, to: &str| DEFAULT.replace(from, to);
    let example = |expect: &str| {
        format!(
            "{STRICT}\n[[examples]]\ntext = \"How do I get into my own car without the key?\"\nexpect = \"{expect}\"\n"
        )
    };
    let cases: [(&str, String, &[&str]); 10] = [
        ("default", default("review = 0.5", "review = "), &["default.toml", "line 5"]),
        ("default", default("bias =", "bais ="), &["default.toml", "weights", "bais", "bias"]),
        (
            "default",
            default("guard = 0.7", "guard = 7.0"),
            &["default.toml", "weights.guard", "`7`", "0 to 4"],
        ),
        ("default", default("guard = 0.7", "guard = nan"), &["default.toml", "weights.guard", "NaN"]),
        ("default", default("guard = 0.7", "guard = inf"), &["default.toml", "weights.guard", "inf"]),
        ("default", default("review = 0.5", "review = 0.9"), &["thresholds.review", "`0.9`", "`0.8`"]),
        ("default", default("privacy", "piracy"), &["weights.harm.piracy", "privacy"]),
        ("strict", STRICT.replace("\"default\"", "\"nobody\""), &["strict.toml", "extends", "nobody"]),
        ("strict", example("allow"), &["strict.toml", "example 1", "`block`", "`allow`"]),
        ("strict", example("maybe"), &["strict.toml", "examples"]),
    ];
    for (id, text, reasons) in cases {
        check_rejected(&service.api, folder.path(), (id, &text), reasons).await;
    }
}

/// A busy model says nothing about the files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_waits_until_its_examples_can_be_run() {
    let folder = Folder::new();
    let values = [
        WATCHED[0],
        ("inference.max_requests", "1"),
        ("inference.max_batch_items", "1"),
        ("inference.deadline", "60s"),
    ];
    let service = TestService::start_with(folder.path(), &values).await;
    let api = service.api.clone();
    let before = (digest(&api, "strict").await, api.scrape().await);
    let long = user(&"My garden has roses, beans and a small pond with two frogs in it. ".repeat(900));
    let in_flight = tokio::spawn({
        let api = api.clone();
        async move { api.post(long.to_string()).await }
    });
    eventually("no more room", async || api.scrape().await.get("assize_admitted_requests") == 1.0).await;
    let example =
        "[[examples]]\ntext = \"How do I get into my own car without the key?\"\nexpect = \"block\"\n";
    let stricter = STRICT.replace("block = 0.15", "block = 0.14");
    write_profile(folder.path(), "strict", &format!("{stricter}\n{example}"));
    eventually("it says so", async || reported(&api).await.contains("waits for its examples")).await;
    assert_eq!(digest(&api, "strict").await, before.0);
    until_changed(&api, "strict", &before.0).await;
    assert_eq!(in_flight.await.unwrap().status, 200);
    let gained = api.scrape().await.gained(&before.1);
    assert_eq!(gained.get(r#"assize_profile_reloads_total{result="rejected"}"#), None);
    assert!(!reported(&api).await.contains("waits"));
}

#[tokio::test]
async fn the_default_community_can_not_go_but_others_can() {
    let folder = Folder::new();
    let service = TestService::start_with(folder.path(), WATCHED).await;
    let api = &service.api;
    std::fs::remove_file(folder.path().join("strict.toml")).unwrap();
    eventually("strict is gone", async || api.get("/communities/strict").await.status == 404).await;
    write_profile(folder.path(), "other", DEFAULT);
    eventually("another one", async || api.get("/communities/other").await.status == 200).await;
    std::fs::remove_file(folder.path().join("default.toml")).unwrap();
    eventually("a rejection", async || reported(api).await.contains("communities.default")).await;
    assert_eq!(decision(api, "default").await, "allow");
}

#[tokio::test]
async fn a_new_community_comes_with_its_series() {
    let folder = Folder::new();
    let service = TestService::start_with(folder.path(), WATCHED).await;
    let api = &service.api;
    let series = r#"assize_verdicts_total{community="gardeners",decision="block"}"#;
    assert!(!api.scrape().await.names().any(|name| name == series));
    write_profile(folder.path(), "gardeners", STRICT);
    eventually("a third community", async || api.get("/communities/gardeners").await.status == 200).await;
    assert_eq!(api.scrape().await.get(series), 0.0);
    assert_eq!(decision(api, "gardeners").await, "block");
    assert_eq!(api.scrape().await.get(series), 1.0);
}

/// A volume as Kubernetes makes it: files are links through `..data`, which is a link to a folder.
struct ConfigMap(tempfile::TempDir);

impl ConfigMap {
    fn new() -> Self {
        let map = Self(tempfile::tempdir().unwrap());
        map.swap("..2026_01_01", &[("default", DEFAULT), ("strict", STRICT)]);
        map
    }

    /// Writes a whole new folder and renames one link; links new files and leaves those of gone ones dangling.
    fn swap(&self, version: &str, profiles: &[(&str, &str)]) {
        let root = self.0.path();
        std::fs::create_dir(root.join(version)).unwrap();
        for (id, text) in profiles {
            std::fs::write(root.join(version).join(format!("{id}.toml")), text).unwrap();
        }
        std::os::unix::fs::symlink(version, root.join("..data_tmp")).unwrap();
        std::fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        for (id, _) in profiles {
            let link = root.join(format!("{id}.toml"));
            if std::fs::symlink_metadata(&link).is_err() {
                std::os::unix::fs::symlink(format!("..data/{id}.toml"), link).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_config_maps_swap_is_picked_up() {
    let map = ConfigMap::new();
    let service = TestService::start_with(map.0.path(), WATCHED).await;
    let api = &service.api;
    assert_eq!(api.get("/communities").await.json().as_array().map(Vec::len), Some(2));
    let old = digest(api, "strict").await;
    let milder = STRICT.replace("review = 0.1", "review = 0.5").replace("block = 0.15", "block = 0.8");
    map.swap("..2026_01_02", &[("default", DEFAULT), ("strict", &milder), ("fresh", STRICT)]);
    std::fs::remove_dir_all(map.0.path().join("..2026_01_01")).unwrap();
    until_changed(api, "strict", &old).await;
    assert_eq!(decision(api, "strict").await, "allow");
    eventually("the new file", async || api.get("/communities/fresh").await.status == 200).await;
    map.swap("..2026_01_03", &[("default", "title = "), ("strict", &milder), ("fresh", STRICT)]);
    eventually("a rejection", async || reported(api).await.contains("default.toml")).await;
    map.swap("..2026_01_04", &[("default", DEFAULT), ("strict", STRICT), ("fresh", STRICT)]);
    eventually("the first values again", async || digest(api, "strict").await == old).await;
    assert_eq!(decision(api, "strict").await, "block");
}
