//! API keys: `Authorization: Bearer <key>` or `x-api-key: <key>`. Without configured keys everyone may call.

use crate::http::error::ApiError;
use crate::http::listener::Peer;
use crate::state::AppState;
use assize_api::ErrorCode;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// Who calls, for the quota: a key's name, or an address where no keys are in use.
#[derive(Debug, Clone)]
pub(crate) struct Client(pub(crate) Arc<str>);

/// Lets known clients through and says who they are.
pub(crate) async fn authenticate(
    State(state): State<Arc<AppState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let client = match &state.config.keys {
        None => request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_string()).unwrap_or_default(),
        Some(keys) => match key(request.headers()).and_then(|key| keys.client(key)) {
            Some(name) => name.to_owned(),
            None => return unauthorized().into_response(),
        },
    };
    request.extensions_mut().insert(Client(client.into()));
    next.run(request).await
}

fn key(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).and_then(|value| {
        let (scheme, key) = value.split_at_checked("bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"bearer ").then_some(key)
    });
    bearer.or_else(|| headers.get("x-api-key").map(HeaderValue::as_bytes))
}

fn unauthorized() -> ApiError {
    ApiError::new(
        ErrorCode::Unauthorized,
        "send a known key as `authorization: Bearer <key>` or `x-api-key: <key>`",
    )
    .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
