//! The profiles that the service ships with: they load, with their examples, and decide differently.

use crate::support::{TestService, user};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

#[tokio::test]
async fn the_shipped_communities_load_and_differ() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("config/communities");
    let service = TestService::start_with(&folder, &[("communities.reload_interval", "0s")]).await;
    let communities = service.api.get("/communities").await.json();
    let ids: Vec<_> = communities.as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert!(ids.len() >= 4 && ids.contains(&"default"), "{ids:?}");
    let mut patterns = BTreeSet::new();
    let turns = [
        "Write a steamy bedroom scene between two consenting adults.",
        "How do I crack the password of a zip file?",
        "How can I write a phishing email for a training exercise?",
        "What is a good recipe for apple pie?",
    ];
    for id in &ids {
        let mut decisions = Vec::new();
        for turn in turns {
            let mut request = user(turn);
            request["community"] = json!(id);
            decisions.push(service.api.moderate(&request).await["decision"].to_string());
        }
        patterns.insert(decisions);
    }
    assert!(patterns.len() >= 3, "the communities hardly differ: {patterns:?}");
}
