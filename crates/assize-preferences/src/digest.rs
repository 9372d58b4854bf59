//! The digest of a profile: two profiles share it exactly when they give the same verdicts in the same words.

use crate::profile::Profile;
use assize_domain::{ActionCategory, Digest};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Changes when the lines below change their form.
const FORMAT: &str = "assize-profile/1";

/// Hashes id, failure mode, thresholds, weights and reasons, a line each. Title, description and examples are left
/// out: they change no verdict.
pub(crate) fn digest(profile: &Profile) -> Digest {
    let mut lines = format!("{FORMAT}\nid={}\non_failure={}\n", profile.id, profile.on_failure.id());
    let (thresholds, weights) = (profile.thresholds, &profile.weights);
    let numbers = [
        ("review", thresholds.review),
        ("block", thresholds.block),
        ("bias", weights.bias),
        ("guard", weights.guard),
        ("response", weights.response),
        ("adversarial", weights.adversarial),
        ("refusal", weights.refusal),
        ("benefit", weights.benefit),
    ];
    let harm = ActionCategory::ALL.iter().map(|category| category.id()).zip(weights.harm);
    for (key, value) in numbers.into_iter().chain(harm) {
        // Writing to a String can't fail. `+ 0.0` makes -0 and 0 the same.
        let _ = writeln!(lines, "{key}={:?}", value + 0.0);
    }
    for (code, text) in &profile.reasons {
        let _ = writeln!(lines, "reason {code}={text:?}");
    }
    Digest::new(Sha256::digest(lines.as_bytes()).into())
}
