//! Errors on their way out: handlers return an [`ApiError`]; the outermost middleware gives it its body.

use assize_api::{ErrorCode, FieldError, Problem};
use assize_preferences::FailureMode;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// A request that ends without a verdict. Holds no text of the client's.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    code: ErrorCode,
    detail: String,
    errors: Vec<FieldError>,
    on_failure: Option<FailureMode>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    /// An error with what happened and what to do.
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), on_failure: None, headers: Vec::new() }
    }

    /// An error at one place of the body.
    pub(crate) fn at(code: ErrorCode, field: FieldError) -> Self {
        let mut error = Self::new(code, field.detail.clone());
        error.errors.push(field);
        error
    }

    /// Says when to come back, in whole seconds and, for clients that read it, in milliseconds.
    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.header(header::RETRY_AFTER, seconds.max(1).into())
            .header(HeaderName::from_static("retry-after-ms"), milliseconds.into())
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says what the community wants its backend to do now.
    pub(crate) const fn on_failure(mut self, mode: FailureMode) -> Self {
        self.on_failure = Some(mode);
        self
    }

    /// Which kind of error.
    pub(crate) const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The body, for the answer as a whole or for one item of a list.
    pub(crate) fn problem(&self, request_id: Option<&str>) -> Problem {
        let mut problem = Problem::new(self.code, self.detail.clone());
        problem.errors.clone_from(&self.errors);
        problem.on_failure = self.on_failure.map(|mode| mode.id().to_owned());
        problem.request_id = request_id.map(str::to_owned);
        problem
    }
}

impl IntoResponse for ApiError {
    /// Status, headers and the error itself as an extension; [`super::middleware::observe`] writes the body.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.headers_mut().extend(self.headers.iter().cloned());
        response.extensions_mut().insert(self);
        response
    }
}
