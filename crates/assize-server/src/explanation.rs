//! One assessment explained under one profile: what the command line prints and `GET /assessments/{id}/explanation` gives.

use assize_api::{Explain, convert};
use assize_preferences::{Counterfactuals, Profile, counterfactuals, decide, tree_svg, tree_view};
use assize_record::Record;
use serde_json::{Value, json};

/// The verdict with its whole sum, the harm-benefit tree as the community weighs it, and which single numbers of its
/// profile would change the decision. Takes some milliseconds: every value that is told has been tried.
pub(crate) fn as_json(record: &Record, profile: &Profile) -> Value {
    let verdict = decide(&record.assessment, profile);
    let changes: Vec<Value> = match counterfactuals(&record.assessment, profile) {
        Counterfactuals::NotBySum { text, .. } => vec![json!({"text": text})],
        Counterfactuals::Found(found) => found
            .iter()
            .map(|one| {
                json!({"key": one.key, "now": one.now, "value": one.value, "becomes": one.becomes.id(), "text": one.text})
            })
            .collect(),
    };
    json!({
        "verdict": convert::verdict(record.id.as_str(), &verdict, Explain::Full),
        "tree": tree_view(&record.assessment, profile),
        "counterfactuals": changes,
    })
}

/// The tree and the sum as a picture.
pub(crate) fn as_svg(record: &Record, profile: &Profile) -> String {
    tree_svg(&tree_view(&record.assessment, profile), &decide(&record.assessment, profile))
}
