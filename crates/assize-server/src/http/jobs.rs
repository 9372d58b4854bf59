//! `GET /jobs/{id}`: what became of a full tree; and the event that says so to a webhook.

use super::assessments::LOOK_UP;
use super::error::ApiError;
use super::middleware::Client;
use crate::jobs::{Begun, Ended, State};
use crate::pipeline::Given;
use crate::state::AppState;
use assize_api::{ErrorCode, Explain, Job, JobEvent, JobResponse, JobStatus, Problem, convert};
use assize_candle::writing::Progress;
use assize_record::{RecordId, reported_to_json};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, header};
use axum::{Extension, Json};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use utoipa::IntoParams;

/// The longest wait for an answer that says more than `pending`: below what proxies cut off.
const MOST_WAIT: Duration = Duration::from_secs(30);
/// How often a request that waits looks whether the service ends.
const LOOKS: Duration = Duration::from_millis(500);

/// How patient the client is.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Seconds to wait for its end before the answer says `pending`; at most 30.
    #[serde(default)]
    #[param(maximum = 30)]
    wait: u64,
}

/// Says what became of a job
///
/// A job writes the full harm-benefit tree of a conversation; it has the id of the verdict that it began with. When it has
/// ended, this gives the verdict as it stands now, decided by the profile that was in force at first.
#[utoipa::path(
    get,
    path = "/jobs/{id}",
    tag = "moderation",
    params(("id" = String, Path, description = "The `id` of a verdict with a `job`"), Wanted),
    responses(
        (status = 200, description = "How far it is, and what came of it", body = JobResponse),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such job (any more)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "An unknown parameter, or too long a wait", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Quota used up; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_job(
    Shared(state): Shared<Arc<AppState>>,
    Extension(client): Extension<Client>,
    id: Result<Path<String>, PathRejection>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<(HeaderMap, Json<JobResponse>), ApiError> {
    let mut headers = state.charge(&client, LOOK_UP)?;
    let wanted = wanted.ok().map(|Query(wanted)| Duration::from_secs(wanted.wait));
    let wait = wanted.filter(|wait| *wait <= MOST_WAIT).ok_or_else(|| {
        ApiError::new(ErrorCode::InvalidRequest, "allowed is `wait`, in whole seconds from 0 to 30")
    })?;
    let id: Option<RecordId> = id.ok().and_then(|Path(id)| id.parse().ok());
    let found = id.and_then(|id| Some((state.desk.as_ref()?.find(&id)?, id)));
    let (mut job, id) = found.ok_or_else(|| {
        let detail =
            "no job of this id is known; `reporter.kept_jobs` says how many are kept after their end";
        ApiError::new(ErrorCode::UnknownJob, detail)
    })?;
    wait_for_end(&state, &mut job, wait).await;
    let told = job.borrow().clone();
    let response = match told {
        State::Pending(progress) => {
            let written_tokens = Some(progress.iter().map(Progress::written).sum());
            JobResponse { written_tokens, ..bare(pending(&id)) }
        }
        State::BrokenOff => {
            let code = Some(ErrorCode::Internal.id().to_owned());
            bare(Job { status: JobStatus::Failed, code, ..pending(&id) })
        }
        State::Ended(ended) => ended_job(&id, &ended),
    };
    if response.job.status == JobStatus::Pending {
        headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    Ok((headers, Json(response)))
}

/// Ends early where the service is told to stop, so that nobody holds that up.
async fn wait_for_end(state: &AppState, job: &mut watch::Receiver<State>, wait: Duration) {
    let until = Instant::now() + wait;
    while Instant::now() < until && !state.draining.load(Ordering::Relaxed) {
        let left = until.saturating_duration_since(Instant::now()).min(LOOKS);
        let is_over = job.wait_for(|state| !matches!(state, State::Pending(_)));
        if timeout(left, is_over).await.is_ok() {
            return;
        }
    }
}

/// The job of a verdict, as the verdict names it.
pub(crate) fn named(given: &Given) -> Option<Job> {
    match given.job? {
        Begun::Pending => Some(pending(&given.id)),
        Begun::Refused(code) => {
            let code = Some(code.id().to_owned());
            Some(Job { id: given.id.to_string(), status: JobStatus::Failed, url: None, code })
        }
    }
}

/// What a webhook is told.
pub(crate) fn event(id: &RecordId, ended: &Ended) -> JobEvent {
    JobEvent {
        kind: if ended.outcome.is_ok() { "verdict.updated" } else { "job.failed" }.to_owned(),
        timestamp: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
        data: ended_job(id, ended),
    }
}

fn pending(id: &RecordId) -> Job {
    let url = Some(format!("/v1/jobs/{id}"));
    Job { id: id.to_string(), status: JobStatus::Pending, url, code: None }
}

fn ended_job(id: &RecordId, ended: &Ended) -> JobResponse {
    let (status, code) = match ended.outcome {
        Ok(()) => (JobStatus::Done, None),
        Err(code) => (JobStatus::Failed, Some(code.id().to_owned())),
    };
    let tree = ended.tree.as_ref().and_then(|tree| reported_to_json(tree).ok());
    JobResponse {
        tree,
        change: Some(ended.change.id().to_owned()),
        verdict: Some(Box::new(convert::verdict(id.as_str(), &ended.verdict, Explain::Full))),
        ..bare(Job { status, code, ..pending(id) })
    }
}

const fn bare(job: Job) -> JobResponse {
    JobResponse { job, written_tokens: None, tree: None, change: None, verdict: None }
}
