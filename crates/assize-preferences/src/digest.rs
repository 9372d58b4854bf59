//! The digest of a profile: two profiles share it exactly when they give the same verdicts in the same words.

use crate::profile::Profile;
use assize_domain::Digest;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Changes when the lines below change their form.
const FORMAT: &str = "assize-profile/2";

/// Hashes id, failure mode, aggregation, thresholds, weights and reasons, a line each. Description and examples are left out:
/// they change no verdict. So is the title, but where a reason names it.
pub(crate) fn digest(profile: &Profile) -> Digest {
    let (id, aggregation) = (&profile.id, profile.aggregation.id());
    let mut lines =
        format!("{FORMAT}\nid={id}\non_failure={}\naggregation={aggregation}\n", profile.on_failure.id());
    let thresholds = [("review", profile.thresholds.review), ("block", profile.thresholds.block)];
    let thresholds = thresholds.into_iter().map(|(key, value)| (key.to_owned(), value));
    for (key, value) in thresholds.chain(profile.aggregation.by_key()) {
        // Writing to a String can't fail. `+ 0.0` makes -0 and 0 the same.
        let _ = writeln!(lines, "{key}={:?}", value + 0.0);
    }
    for (code, text) in &profile.reasons {
        let _ = writeln!(lines, "reason {code}={:?}", text.replace("{community}", &profile.title));
    }
    Digest::new(Sha256::digest(lines.as_bytes()).into())
}
