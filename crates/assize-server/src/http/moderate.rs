//! `POST /moderate`: conversations in, verdicts out.

use super::body::JsonBytes;
use super::error::ApiError;
use super::middleware::Client;
use crate::jobs::TreeWish;
use crate::pipeline::{Case, Given, ModerateError};
use crate::state::AppState;
use assize_api::{
    Body, ErrorCode, Explain, FieldError, ModerateRequest, Problem, VerdictResponse, convert, parse_body,
};
use assize_domain::CommunityId;
use assize_preferences::{FailureMode, Profile};
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use tokio::time::Instant;
use utoipa::ToSchema;

/// One conversation, or a list of them.
#[derive(Debug, ToSchema)]
#[schema(as = ModerateBody)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the body for the API document; `parse_body` reads it")]
pub(crate) enum ModerateBody {
    One(ModerateRequest),
    Many(Vec<ModerateRequest>),
}

/// A verdict, or a list of verdicts and problems in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ModerateAnswer {
    One(Box<VerdictResponse>),
    Many(Vec<ListItem>),
}

/// What came of one conversation in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ListItem {
    Verdict(Box<VerdictResponse>),
    Problem(Problem),
}

/// Judges one conversation or a list, and decides by a community's values
///
/// A block is an ordinary answer with status 200. A list is admitted as a whole or not at all.
#[utoipa::path(
    post,
    path = "/moderate",
    tag = "moderation",
    request_body = ModerateBody,
    responses(
        (status = 200, description = "A verdict, or one for each conversation of a list", body = ModerateAnswer),
        (status = 400, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such community", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "Body sent too slowly", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not application/json", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "JSON of the wrong shape; `errors` says where", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Quota used up; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The model failed; `on_failure` says what the community wants", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Saturated, not ready or too late; see Retry-After and `on_failure`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn moderate(
    State(state): State<Arc<AppState>>,
    Extension(client): Extension<Client>,
    JsonBytes { bytes, share: _share }: JsonBytes,
) -> Response {
    let deadline = Instant::now() + state.config.inference.deadline;
    let parsed = parse_body(&bytes, state.config.max_conversations);
    // The text is held once from here on, however long the model takes.
    drop(bytes);
    let count = match &parsed {
        Ok(Body::Many(requests)) => requests.len(),
        Ok(Body::One(_)) | Err(_) => 1,
    };
    // What can't be read costs as much as one conversation, or garbage would be free.
    let headers = match state.charge(&client, count) {
        Ok(headers) => headers,
        Err(error) => return error.into_response(),
    };
    let answer = match parsed {
        Ok(body) => answer(&state, body, deadline).await,
        Err(error) => Err(unreadable(error)),
    };
    (headers, answer.map(Json)).into_response()
}

pub(super) fn unreadable(error: assize_api::ParseError) -> ApiError {
    match error.field {
        Some(field) => ApiError::at(error.code, field),
        None => ApiError::new(error.code, error.detail),
    }
}

async fn answer(state: &AppState, body: Body, deadline: Instant) -> Result<ModerateAnswer, ApiError> {
    match body {
        Body::One(request) => {
            let explain = request.explain;
            let case = case(state, *request, "")?;
            let profile = Arc::clone(&case.profile);
            let mut verdicts = moderate_all(state, vec![case], deadline).await?;
            let verdict = verdicts.pop().ok_or_else(|| ApiError::new(ErrorCode::Internal, "no verdict"))?;
            let given = verdict.map_err(|error| failed(&error, &profile))?;
            Ok(ModerateAnswer::One(Box::new(shown(&given, explain))))
        }
        Body::Many(requests) => {
            let explains: Vec<Explain> = requests.iter().map(|request| request.explain).collect();
            let cases = requests
                .into_iter()
                .enumerate()
                .map(|(index, request)| case(state, request, &format!("/{index}")));
            let cases = cases.collect::<Result<Vec<_>, _>>()?;
            let profiles: Vec<Arc<Profile>> = cases.iter().map(|case| Arc::clone(&case.profile)).collect();
            let verdicts = moderate_all(state, cases, deadline).await?;
            if let Some(error) = none_in_time(&verdicts, &profiles) {
                return Err(error);
            }
            let items = verdicts.into_iter().zip(explains).zip(profiles);
            Ok(ModerateAnswer::Many(
                items.map(|((verdict, explain), profile)| item(state, verdict, explain, &profile)).collect(),
            ))
        }
    }
}

fn shown(given: &Given, explain: Explain) -> VerdictResponse {
    let job = super::jobs::named(given);
    VerdictResponse { job, ..convert::verdict(given.id.as_str(), &given.verdict, explain) }
}

fn item(
    state: &AppState,
    verdict: Result<Given, ModerateError>,
    explain: Explain,
    profile: &Profile,
) -> ListItem {
    match verdict {
        Ok(given) => ListItem::Verdict(Box::new(shown(&given, explain))),
        Err(error) => {
            let error = failed(&error, profile);
            // The outermost layer counts only errors that are a whole answer.
            state.metrics.http.error(error.code().id());
            ListItem::Problem(error.problem(None))
        }
    }
}

/// The error of a list without any verdict for which the service had no time: as a 200 full of problems it would
/// hide from every client and proxy that looks at the status and at `Retry-After`. The pipeline has counted the
/// conversations.
fn none_in_time(verdicts: &[Result<Given, ModerateError>], profiles: &[Arc<Profile>]) -> Option<ApiError> {
    if verdicts.iter().any(Result::is_ok) {
        return None;
    }
    let error = verdicts.first()?.as_ref().err()?.to_api_error();
    let is_unavailable = error.code().status() == StatusCode::SERVICE_UNAVAILABLE.as_u16();
    is_unavailable.then_some(error.on_failure(strictest(profiles)?.on_failure()))
}

/// The strictest community of a list speaks for it.
fn strictest(profiles: &[Arc<Profile>]) -> Option<&Profile> {
    let closed = profiles.iter().find(|profile| profile.on_failure() == FailureMode::Closed);
    closed.or_else(|| profiles.first()).map(Arc::as_ref)
}

async fn moderate_all(
    state: &AppState,
    cases: Vec<Case>,
    deadline: Instant,
) -> Result<Vec<Result<Given, ModerateError>>, ApiError> {
    let profiles: Vec<Arc<Profile>> = cases.iter().map(|case| Arc::clone(&case.profile)).collect();
    state.pipeline.moderate(cases, deadline).await.map_err(|error| match strictest(&profiles) {
        Some(profile) => refused(state, &error, profile, &profiles),
        None => error.to_api_error(),
    })
}

/// A request that failed as a whole: each conversation's community is counted.
fn refused(state: &AppState, error: &ModerateError, speaks: &Profile, all: &[Arc<Profile>]) -> ApiError {
    let answer = error.to_api_error();
    if !answer.code().is_failure() {
        return answer;
    }
    all.iter().for_each(|profile| state.pipeline.count_failure(profile));
    answer.on_failure(speaks.on_failure())
}

/// One conversation that failed alone; the pipeline has counted it.
fn failed(error: &ModerateError, profile: &Profile) -> ApiError {
    error.to_api_error().on_failure(profile.on_failure())
}

fn case(state: &AppState, request: ModerateRequest, place: &str) -> Result<Case, ApiError> {
    let (profile, candidate) = profile(state, request.community.as_deref(), place)?;
    let wish = match request.explain {
        Explain::Full => TreeWish::Asked,
        Explain::Reasons | Explain::None => TreeWish::IfClose,
    };
    let conversation = convert::conversation(request, state.config.limits).map_err(|field| {
        let pointer = format!("#{place}{}", field.pointer);
        ApiError::at(ErrorCode::InvalidRequest, FieldError { pointer, ..field })
    })?;
    Ok(Case { conversation, profile, candidate, wish })
}

/// The profile in force, and the candidate that is tried beside it.
fn profile(
    state: &AppState,
    wanted: Option<&str>,
    place: &str,
) -> Result<(Arc<Profile>, Option<Arc<Profile>>), ApiError> {
    let in_force = state.communities.in_force();
    let id: Option<CommunityId> = match wanted {
        None => Some(state.config.communities.default.clone()),
        Some(wanted) => wanted.parse().ok(),
    };
    let found = id.and_then(|id| {
        let profile = in_force.catalog.get(&id).cloned()?;
        Some((profile, in_force.candidates.get(&id).cloned()))
    });
    found.ok_or_else(|| {
        let ids = in_force.catalog.ids();
        let allowed = ids.iter().map(CommunityId::as_str).collect::<Vec<_>>().join(", ");
        let detail = format!("no such community; allowed: {allowed}");
        ApiError::at(
            ErrorCode::UnknownCommunity,
            FieldError { pointer: format!("#{place}/community"), detail },
        )
    })
}
