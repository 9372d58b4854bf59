//! Weighing again is sums, not inference, and can be a lot of them: they run on threads of their own, few at a time, so that
//! no other request waits for them.

use super::error::ApiError;
use crate::state::AppState;
use assize_api::ErrorCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Requests that are weighed at a time: the model needs the other cores.
pub(crate) const AT_ONCE: usize = 2;

/// When to come back: what is before takes some hundredths of a second each.
const RETRY: Duration = Duration::from_secs(1);

/// Does the work on a thread that serves nobody else, when it is its turn; 503 where that takes longer than a verdict may.
pub(super) async fn weigh<T: Send + 'static>(
    state: &AppState,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let turn = timeout(state.config.inference.deadline, Arc::clone(&state.weighing).acquire_owned()).await;
    let Ok(Ok(permit)) = turn else {
        let detail = "too much is being weighed already";
        return Err(ApiError::new(ErrorCode::Overloaded, detail).retry_after(RETRY));
    };
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    });
    done.await.map_err(|_panic| ApiError::new(ErrorCode::Internal, "the weighing broke off"))
}
