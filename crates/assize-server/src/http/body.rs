//! Reads a request's body: bounded in bytes and in time, and only where it says that it is JSON.

use super::error::ApiError;
use assize_api::ErrorCode;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::state::AppState;

/// How much of a body over the limit is still read and thrown away, in multiples of the limit: a client that is busy
/// sending doesn't read, so that an answer given at once would be lost with the connection.
const DRAINED_LIMITS: usize = 32;

/// The unit in which bodies in memory are counted.
const BUDGET_UNIT_BYTES: usize = 1024;
/// When there should be room for bodies again: the time that a batch takes.
const RETRY: Duration = Duration::from_secs(1);

/// The bytes of a JSON body.
#[derive(Debug)]
pub(crate) struct JsonBytes {
    pub(crate) bytes: Bytes,
    /// The body's share of what may be in memory; kept for as long as its request is, whose turns are as large.
    pub(crate) share: Share,
}

/// Counts bodies in memory by what has really arrived, so that nobody reserves room by announcing a large one.
#[derive(Debug)]
pub(crate) struct BodyBudget(Arc<Semaphore>);

/// A body's part of the budget; given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Share(Option<OwnedSemaphorePermit>);

impl BodyBudget {
    /// Room for so many bytes over all requests.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.div_ceil(BUDGET_UNIT_BYTES))))
    }

    /// Makes a body's share as large as the body has become, or says that there is no room.
    fn grow(&self, share: &mut Share, bytes: usize) -> Result<(), ApiError> {
        let held = share.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let units = bytes.div_ceil(BUDGET_UNIT_BYTES).saturating_sub(held);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let more = Arc::clone(&self.0).try_acquire_many_owned(units);
        let more = more.map_err(|_| {
            ApiError::new(ErrorCode::Overloaded, "too many bodies are in memory already").retry_after(RETRY)
        })?;
        match &mut share.0 {
            Some(held) => held.merge(more),
            None => share.0 = Some(more),
        }
        Ok(())
    }
}

impl FromRequest<Arc<AppState>> for JsonBytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<Self, ApiError> {
        let server = &state.config.server;
        let is_json = is_json(request.headers());
        let reading = read(request.into_body(), server.max_body_bytes, &state.bodies);
        let read = match tokio::time::timeout(server.body_read_timeout, reading).await {
            Ok(read) => read?,
            Err(_elapsed) => return Err(too_slow(server.body_read_timeout)),
        };
        if is_json {
            return Ok(read);
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

async fn read(mut body: Body, limit: usize, budget: &BodyBudget) -> Result<JsonBytes, ApiError> {
    let (mut bytes, mut share) = (Vec::new(), Share::default());
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::new(ErrorCode::MalformedJson, "the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen > limit.saturating_mul(DRAINED_LIMITS) {
            break;
        }
        if seen <= limit {
            budget.grow(&mut share, seen)?;
            bytes.extend_from_slice(&data);
        } else {
            (bytes, share) = (Vec::new(), Share::default());
        }
    }
    if seen > limit {
        let detail = format!("the limit is {limit} bytes; send fewer or shorter turns");
        return Err(ApiError::new(ErrorCode::BodyTooLarge, detail));
    }
    Ok(JsonBytes { bytes: bytes.into(), share })
}
