//! Reads a request's body: bounded in bytes and in time, and only where it says that it is JSON.

use super::error::ApiError;
use assize_api::ErrorCode;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;

use crate::state::AppState;

/// How much of a body over the limit is still read and thrown away, in multiples of the limit: a client that is busy
/// sending doesn't read, so that an answer given at once would be lost with the connection.
const DRAINED_LIMITS: usize = 32;

/// The bytes of a JSON body.
#[derive(Debug)]
pub(crate) struct JsonBytes(pub(crate) Bytes);

impl FromRequest<Arc<AppState>> for JsonBytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<Self, ApiError> {
        let server = &state.config.server;
        let is_json = is_json(request.headers());
        let reading = read(request.into_body(), server.max_body_bytes);
        let bytes = match tokio::time::timeout(server.body_read_timeout, reading).await {
            Ok(bytes) => bytes?,
            Err(_elapsed) => return Err(too_slow(server.body_read_timeout)),
        };
        if is_json {
            return Ok(Self(bytes));
        }
        Err(ApiError::new(ErrorCode::UnsupportedMediaType, "set the header `content-type: application/json`"))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
}

fn too_slow(limit: Duration) -> ApiError {
    ApiError::new(ErrorCode::RequestTimeout, format!("the body took longer than {} ms", limit.as_millis()))
}

async fn read(mut body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let mut bytes = Vec::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::new(ErrorCode::MalformedJson, "the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen > limit.saturating_mul(DRAINED_LIMITS) {
            break;
        }
        if seen <= limit {
            bytes.extend_from_slice(&data);
        }
    }
    if seen > limit {
        let detail = format!("the limit is {limit} bytes; send fewer or shorter turns");
        return Err(ApiError::new(ErrorCode::BodyTooLarge, detail));
    }
    Ok(bytes.into())
}
