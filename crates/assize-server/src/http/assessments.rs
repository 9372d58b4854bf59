//! `GET /assessments/{id}`: what was judged, without a word of it, for as long as it is in memory; and
//! `GET /assessments/{id}/explanation`: why that is a verdict.

use super::communities;
use super::error::ApiError;
use super::middleware::Client;
use super::weighing;
use crate::explanation;
use crate::state::AppState;
use assize_api::{ErrorCode, Problem};
use assize_preferences::Profile;
use assize_record::{Record, to_json};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Gives an assessment as a record
///
/// Scores, harm-benefit tree, coverage, and what was decided; no text. `POST /what-if` takes it back.
#[utoipa::path(
    get,
    path = "/assessments/{id}",
    tag = "values",
    params(("id" = String, Path, description = "The `id` of a recent verdict")),
    responses(
        (status = 200, description = "The record", body = Object),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not kept (any more)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Quota used up; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_assessment(
    State(state): State<Arc<AppState>>,
    Extension(client): Extension<Client>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let headers = state.charge(&client, LOOK_UP)?;
    let given = find(&state, id).and_then(|record| {
        to_json(&record).map_err(|error| {
            tracing::error!(error = assize_telemetry::error_chain(&error), "a record can't be written");
            ApiError::new(ErrorCode::Internal, "the record can't be written")
        })
    });
    Ok((headers, given.map(|json| ([(header::CONTENT_TYPE, "application/json")], json))).into_response())
}

/// What looking up an id costs, found or not: ids must not be guessed for free.
pub(super) const LOOK_UP: usize = 1;

fn find(state: &AppState, id: Result<Path<String>, PathRejection>) -> Result<Arc<Record>, ApiError> {
    let id = id.ok().and_then(|Path(id)| id.parse().ok());
    id.and_then(|id| state.history.find(&id)).ok_or_else(|| {
        let detail = "no assessment of this id is in memory; `history.recent` says how many are kept";
        ApiError::new(ErrorCode::UnknownAssessment, detail)
    })
}

/// What to explain by, and how.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Whose values; without it those that decided.
    community: Option<String>,
    /// `json` or `svg`.
    #[serde(default)]
    format: Form,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// Verdict with its sum, tree, and what would change the decision.
    #[default]
    Json,
    /// Tree and sum as a picture.
    Svg,
}

/// Explains a verdict
///
/// The whole sum, the harm-benefit tree as the community weighs it, and which single numbers of its profile would
/// change the decision; or a picture of tree and sum. By the profile in force, which need not be that of the verdict.
#[utoipa::path(
    get,
    path = "/assessments/{id}/explanation",
    tag = "values",
    params(("id" = String, Path, description = "The `id` of a recent verdict"), Wanted),
    responses(
        (status = 200, description = "`verdict`, `tree` and `counterfactuals`; with `format=svg` a picture", content((Object = "application/json"), (String = "image/svg+xml"))),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not kept (any more), or no such community", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "An unknown parameter or format", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Quota used up; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too much is being weighed already; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn explain_assessment(
    State(state): State<Arc<AppState>>,
    Extension(client): Extension<Client>,
    id: Result<Path<String>, PathRejection>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, ApiError> {
    let headers = state.charge(&client, LOOK_UP)?;
    Ok((headers, explained(&state, id, wanted).await).into_response())
}

async fn explained(
    state: &AppState,
    id: Result<Path<String>, PathRejection>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(wanted) = wanted.map_err(|_unreadable| {
        ApiError::new(
            ErrorCode::InvalidRequest,
            "allowed are `community` and `format`, which is `json` or `svg`",
        )
    })?;
    let record = find(state, id)?;
    let profile = profile(state, &record, wanted.community.as_deref())?;
    // Some milliseconds of sums.
    weighing::weigh(state, move || match wanted.format {
        Form::Json => Json(explanation::as_json(&record, &profile)).into_response(),
        Form::Svg => ([(header::CONTENT_TYPE, "image/svg+xml")], explanation::as_svg(&record, &profile))
            .into_response(),
    })
    .await
}

fn profile(state: &AppState, record: &Record, wanted: Option<&str>) -> Result<Arc<Profile>, ApiError> {
    let then = record.decided.as_ref().map(|decided| &decided.community);
    let id = wanted.map_or_else(
        || Some(then.unwrap_or(&state.config.communities.default).clone()),
        |wanted| wanted.parse().ok(),
    );
    communities::in_force(state, id)
}
