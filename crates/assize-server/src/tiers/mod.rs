//! The models that are asked after the embedded encoder, where it leaves a conversation near a community's thresholds.
//!
//! Whether one is asked hangs on the community; what it says does not: its scores, or its tree, stand for the encoder's in the
//! same assessment. A guard is waited for; a reporter is a job of its own ([`crate::jobs`]).

mod engine;
mod guard;
mod remote;
mod reporter;

pub(crate) use guard::{GuardTier, StartedGuard};
pub(crate) use reporter::{Reported, ReporterTier, StartedReporter, decides};

use assize_domain::{Assessment, DecidedBy};
use assize_inference::ProbePolicy;
use assize_preferences::{Profile, weigh};
use std::time::Duration;

/// How often an idle model of a further tier proves that it still answers.
const PROBES: ProbePolicy = ProbePolicy {
    idle_after: Duration::from_secs(60),
    timeout: Duration::from_secs(60),
    retry_after: Duration::from_secs(10),
};

/// Whether harmfulness is as near as `margin` to a threshold, and a threshold is what decides.
fn is_close(assessment: &Assessment, profile: &Profile, margin: f64) -> bool {
    let outcome = weigh(assessment, profile);
    let thresholds = profile.thresholds();
    let near = |threshold: f64| (outcome.harmfulness - threshold).abs() <= margin;
    let is_settled = matches!(outcome.decided_by, DecidedBy::Floor(_));
    !is_settled && (near(thresholds.review) || near(thresholds.block))
}
