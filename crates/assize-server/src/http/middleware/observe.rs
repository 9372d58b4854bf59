//! The outermost layer: ids, one log line, the metrics of each request, and the bodies of errors. It sees no text.

use super::RequestContext;
use crate::http::error::ApiError;
use crate::http::routes;
use crate::state::AppState;
use assize_api::ErrorCode;
use assize_telemetry::StatusClass;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::any::Any;
use std::sync::Arc;
use tokio::time::Instant;

/// Wraps a request in its context and reports how it went.
pub(crate) async fn observe(
    State(state): State<Arc<AppState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let context = RequestContext::from_headers(request.headers());
    let route = routes::label(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    let method = method_label(request.method());
    request.extensions_mut().insert(context.clone());
    let in_flight = state.metrics.http.request_started();
    let started = Instant::now();
    let mut response = next.run(request).await;
    drop(in_flight);
    let error = response.extensions_mut().remove::<ApiError>();
    if let Some(error) = &error {
        state.metrics.http.error(error.code().id());
        write_problem(&mut response, error, &context);
    }
    context.write(response.headers_mut());
    let status = response.status().as_u16();
    let class = StatusClass::of(status);
    state.metrics.http.request_finished(route, class, started.elapsed());
    let code = error.as_ref().map_or("", |error| error.code().id());
    let duration_ms = started.elapsed().as_secs_f64() * 1e3;
    tracing::info!(
        request.id = context.request_id,
        trace.id = context.trace_id,
        http.method = method,
        http.route = route,
        http.status = status,
        error.code = code,
        duration_ms,
        "request"
    );
    response
}

/// A client may invent a method; only known ones are repeated.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

fn write_problem(response: &mut Response, error: &ApiError, context: &RequestContext) {
    let problem = error.problem(Some(&context.request_id));
    // A struct of strings and numbers can always be written.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
    *response.body_mut() = Body::from(body);
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
}

/// A panicking handler is a defect and answers as one; what it said may hold anything, so it goes nowhere.
pub(crate) fn catch_panic(_panic: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::new(ErrorCode::Internal, "the request could not be handled; please report it with its id")
        .into_response()
}
