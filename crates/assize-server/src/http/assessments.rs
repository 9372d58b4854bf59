//! `GET /assessments/{id}`: what was judged, without a word of it, for as long as it is in memory.

use super::error::ApiError;
use crate::state::AppState;
use assize_api::{ErrorCode, Problem};
use assize_record::to_json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

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
        (status = 404, description = "Not kept (any more)", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_assessment(
    State(state): State<Arc<AppState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let id = id.ok().and_then(|Path(id)| id.parse().ok());
    let record = id.and_then(|id| state.history.find(&id)).ok_or_else(|| {
        let detail = "no assessment of this id is in memory; `history.recent` says how many are kept";
        ApiError::new(ErrorCode::UnknownAssessment, detail)
    })?;
    let json = to_json(&record).map_err(|error| {
        tracing::error!(error = assize_telemetry::error_chain(&error), "a record can't be written");
        ApiError::new(ErrorCode::Internal, "the record can't be written")
    })?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}
