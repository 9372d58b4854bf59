//! Errors on the wire: RFC 9457 problem details with a stable code, and never a word of a user's text.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every way in which a request can end without a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The body is no JSON.
    MalformedJson,
    /// The body is JSON of the wrong shape.
    InvalidRequest,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The body is over the size limit.
    BodyTooLarge,
    /// The text holds more tokens than one request may.
    TooManyTokens,
    /// No such community.
    UnknownCommunity,
    /// No assessment of this id is kept.
    UnknownAssessment,
    /// No job of this id is kept.
    UnknownJob,
    /// No such path.
    NotFound,
    /// The path exists, the method doesn't.
    MethodNotAllowed,
    /// No valid API key.
    Unauthorized,
    /// The client's quota is used up.
    QuotaExceeded,
    /// The service is saturated.
    Overloaded,
    /// The verdict would have come too late.
    DeadlineExceeded,
    /// The client sent its body too slowly.
    RequestTimeout,
    /// The service is starting, draining or its model has failed.
    NotReady,
    /// The model failed on this input.
    ModelFailed,
    /// A defect.
    Internal,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 18] = [
        Self::MalformedJson,
        Self::InvalidRequest,
        Self::UnsupportedMediaType,
        Self::BodyTooLarge,
        Self::TooManyTokens,
        Self::UnknownCommunity,
        Self::UnknownAssessment,
        Self::UnknownJob,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Unauthorized,
        Self::QuotaExceeded,
        Self::Overloaded,
        Self::DeadlineExceeded,
        Self::RequestTimeout,
        Self::NotReady,
        Self::ModelFailed,
        Self::Internal,
    ];

    /// Stable code, HTTP status and title.
    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::MalformedJson => ("malformed_json", 400, "The body is not valid JSON"),
            Self::InvalidRequest => ("invalid_request", 422, "The request has the wrong shape"),
            Self::UnsupportedMediaType => {
                ("unsupported_media_type", 415, "The body must be application/json")
            }
            Self::BodyTooLarge => ("body_too_large", 413, "The body is too large"),
            Self::TooManyTokens => ("too_many_tokens", 413, "The text is too long"),
            Self::UnknownCommunity => ("unknown_community", 404, "There is no such community"),
            Self::UnknownAssessment => ("unknown_assessment", 404, "There is no such assessment (any more)"),
            Self::UnknownJob => ("unknown_job", 404, "There is no such job (any more)"),
            Self::NotFound => ("not_found", 404, "There is nothing at this path"),
            Self::MethodNotAllowed => ("method_not_allowed", 405, "The path does not take this method"),
            Self::Unauthorized => ("unauthorized", 401, "A valid API key is needed"),
            Self::QuotaExceeded => ("quota_exceeded", 429, "The client's quota is used up"),
            Self::Overloaded => ("overloaded", 503, "The service is saturated"),
            Self::DeadlineExceeded => ("deadline_exceeded", 503, "The verdict would come too late"),
            Self::RequestTimeout => ("request_timeout", 408, "The body came too slowly"),
            Self::NotReady => ("not_ready", 503, "The service is not ready"),
            Self::ModelFailed => ("model_failed", 500, "The model failed on this input"),
            Self::Internal => ("internal", 500, "Something is broken here"),
        }
    }

    /// Stable code.
    pub const fn id(self) -> &'static str {
        self.row().0
    }

    /// HTTP status.
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// One sentence that is the same for every occurrence.
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// Whether the service, not the request, is the cause, so that the community's failure mode applies.
    pub const fn is_failure(self) -> bool {
        matches!(
            self,
            Self::Overloaded | Self::DeadlineExceeded | Self::NotReady | Self::ModelFailed | Self::Internal
        )
    }
}

/// One place in the body that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer into the body, as `#/turns/0/role`.
    pub pointer: String,
    /// What is wrong and what is allowed.
    pub detail: String,
}

/// An error as RFC 9457 problem details (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Problem {
    /// Stable URI of the kind of error.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of error, in a sentence.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened this time and what to do.
    pub detail: String,
    /// Stable code of the kind of error.
    pub code: String,
    /// Where in the body, for errors of shape.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What the community wants its backend to do without a verdict: `open` (go on) or `closed` (hold back).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
    /// The request's id, as in `x-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    /// A problem without place, community or request.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:assize:error:{}", code.id()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code: code.id().to_owned(),
            errors: Vec::new(),
            on_failure: None,
            request_id: None,
        }
    }
}
