//! Judges texts for the commands that weigh them in other ways than `assize moderate` does.

use crate::jobs::TreeWish;
use crate::pipeline::Case;
use anyhow::Context as _;
use assize_api::{ModerateRequest, convert};
use assize_inference::AdmissionLimits;
use assize_preferences::Profile;
use assize_record::Record;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A person's machine may be slow and nobody else waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);
/// Enough to fill batches; also what bounds the memory, because the admission here doesn't.
pub(super) const AT_ONCE: usize = 16;
/// The service's admission protects its other clients; here are none, so whatever is begun is let in. Half of the
/// largest number, so that no sum overflows.
pub(super) const ROOM: AdmissionLimits =
    AdmissionLimits { max_requests: 64 * AT_ONCE, max_tokens: usize::MAX / 2 };

/// The record of one conversation. Whose profile it is judged beside makes no difference to it.
pub(super) async fn record(
    service: &crate::Service,
    profile: &Arc<Profile>,
    request: ModerateRequest,
) -> anyhow::Result<Arc<Record>> {
    let state = &service.state;
    let conversation = convert::conversation(request, state.config.limits)
        .map_err(|field| anyhow::anyhow!("{}: {}", field.pointer, field.detail))?;
    let case = Case { conversation, profile: Arc::clone(profile), candidate: None, wish: TreeWish::IfClose };
    let given = state.pipeline.moderate(vec![case], Instant::now() + PATIENCE).await;
    let given = given.and_then(|mut given| given.pop().transpose()).map_err(|error| error.into_anyhow())?;
    let given = given.context("no verdict")?;
    state.history.find(&given.id).context("`history.recent` is 0; this command needs at least 1")
}
