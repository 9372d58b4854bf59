//! `/livez`, `/readyz` and `/metrics`: what orchestrators and dashboards ask.

use super::error::ApiError;
use crate::state::AppState;
use assize_api::{ErrorCode, Readiness};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Says that the process runs
///
/// Never touches the model: restarting doesn't cure a slow one.
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 200, description = "The process runs", body = String)))]
pub(crate) async fn livez() -> &'static str {
    "ok\n"
}

/// Says whether the service can judge, from a real inference
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    params(("verbose" = Option<String>, Query, description = "Say what each part reports")),
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "Starting, failed or draining", body = Readiness),
    )
)]
pub(crate) async fn readyz(
    State(state): State<Arc<AppState>>,
    Query(query): Query<HashMap<String, String>>,
) -> (StatusCode, Json<Readiness>) {
    let readiness = state.readiness();
    let status = if readiness == crate::state::Status::Ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let checks = if query.contains_key("verbose") { state.checks() } else { BTreeMap::new() };
    (status, Json(Readiness { status: readiness.id().to_owned(), checks }))
}

/// Gives every metric in Prometheus' text format
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, description = "Prometheus text format 0.0.4", body = String)))]
pub(crate) async fn metrics(State(state): State<Arc<AppState>>) -> Response {
    match state.metrics.encode() {
        Ok(text) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Err(error) => {
            tracing::error!(error = assize_telemetry::error_chain(&error), "metrics can't be encoded");
            ApiError::new(ErrorCode::Internal, "metrics can't be encoded").into_response()
        }
    }
}
