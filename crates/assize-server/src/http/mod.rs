//! The HTTP side: one resource a file, one router, one document.

mod assessments;
mod body;
mod communities;
mod document;
pub(crate) mod error;
mod health;
pub(crate) mod jobs;
pub mod listener;
mod middleware;
mod moderate;
pub mod routes;
pub(crate) mod weighing;
mod what_if;

pub(crate) use body::BodyBudget;
pub(crate) use middleware::{Client, Quota};

use crate::state::AppState;
use assize_api::ErrorCode;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use error::ApiError;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

/// The API as an OpenAPI document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    document::complete(guarded_at_both_places().merge(open()).split_for_parts().1)
}

/// What needs an API key, where keys are in use.
fn guarded() -> OpenApiRouter<Arc<AppState>> {
    OpenApiRouter::new()
        .routes(routes!(moderate::moderate))
        .routes(routes!(what_if::what_if))
        .routes(routes!(assessments::get_assessment))
        .routes(routes!(assessments::explain_assessment))
        .routes(routes!(jobs::get_job))
        .routes(routes!(communities::list_communities))
        .routes(routes!(communities::get_community))
}

/// What orchestrators and dashboards ask, without a key.
fn open() -> OpenApiRouter<Arc<AppState>> {
    OpenApiRouter::new()
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
}

/// Both versions of the guarded paths: `/v1/...` for those who pin, the bare ones for those who follow.
fn guarded_at_both_places() -> OpenApiRouter<Arc<AppState>> {
    OpenApiRouter::with_openapi(document::declared()).merge(guarded()).nest("/v1", guarded())
}

/// The whole service as a router.
pub fn router(state: &Arc<AppState>) -> Router {
    let authenticate = from_fn_with_state(Arc::clone(state), middleware::authenticate);
    let (guarded, _) = guarded_at_both_places().split_for_parts();
    let (open, _) = open().split_for_parts();
    guarded
        .layer(authenticate)
        .merge(open)
        .merge(SwaggerUi::new("/docs").url("/openapi.json", openapi()))
        .fallback(|| async { ApiError::new(ErrorCode::NotFound, "`GET /docs` shows every path") })
        .method_not_allowed_fallback(|| async {
            ApiError::new(ErrorCode::MethodNotAllowed, "`GET /docs` shows every path with its methods")
        })
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(middleware::catch_panic))
        .layer(from_fn_with_state(Arc::clone(state), middleware::observe))
        .with_state(Arc::clone(state))
}
