//! A client's quota: conversations a minute. A list costs as many as it holds.

use super::Client;
use crate::http::error::ApiError;
use assize_api::ErrorCode;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota as Rate, RateLimiter};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

type Limiter = RateLimiter<Arc<str>, DashMapStateStore<Arc<str>>, DefaultClock, StateInformationMiddleware>;

/// The window of the quota, in seconds.
const WINDOW_SECONDS: u32 = 60;

/// Counts what each client uses. Refills evenly; the whole minute's worth may come at once.
pub(crate) struct Quota {
    per_minute: NonZeroU32,
    limiter: Limiter,
    clock: DefaultClock,
}

impl std::fmt::Debug for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quota").field("per_minute", &self.per_minute).finish_non_exhaustive()
    }
}

impl Quota {
    /// Conversations a minute.
    pub(crate) fn new(per_minute: NonZeroU32) -> Self {
        let limiter = RateLimiter::keyed(Rate::per_minute(per_minute)).with_middleware();
        Self { per_minute, limiter, clock: DefaultClock::default() }
    }

    /// Takes `conversations` from the client's quota; gives the headers that say what is left.
    pub(crate) fn charge(&self, client: &Client, conversations: usize) -> Result<HeaderMap, ApiError> {
        let wanted = u32::try_from(conversations).unwrap_or(u32::MAX);
        let wanted = NonZeroU32::new(wanted).unwrap_or(NonZeroU32::MIN);
        match self.limiter.check_key_n(&client.0, wanted) {
            Ok(Ok(state)) => Ok(self.headers(state.remaining_burst_capacity())),
            Ok(Err(not_until)) => Err(self.exceeded(wanted, not_until.wait_time_from(self.clock.now()))),
            Err(_too_many) => {
                let detail = format!(
                    "a list of {wanted} can never pass a quota of {} a minute; split it",
                    self.per_minute
                );
                Err(ApiError::new(ErrorCode::InvalidRequest, detail))
            }
        }
    }

    /// Forgets clients whose quota is whole again, so that the table stays as small as the traffic.
    pub(crate) fn forget_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    /// `wait` is the time until `wanted` are there: what is missing refills evenly until then.
    fn exceeded(&self, wanted: NonZeroU32, wait: Duration) -> ApiError {
        let missing = (wait.as_millis() * u128::from(self.per_minute.get()))
            .div_ceil(u128::from(WINDOW_SECONDS) * 1000);
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        let remaining = wanted.get().saturating_sub(missing);
        let detail = format!("{} conversations a minute are allowed; wait and try again", self.per_minute);
        let error = ApiError::new(ErrorCode::QuotaExceeded, detail).retry_after(wait);
        self.headers(remaining).into_iter().fold(error, |error, (name, value)| match name {
            Some(name) => error.header(name, value),
            None => error,
        })
    }

    /// SOURCE: draft-ietf-httpapi-ratelimit-headers-11: what is allowed, what remains, and when all is back.
    fn headers(&self, remaining: u32) -> HeaderMap {
        let missing = u64::from(self.per_minute.get().saturating_sub(remaining));
        let seconds = (missing * u64::from(WINDOW_SECONDS)).div_ceil(u64::from(self.per_minute.get()));
        let policy = format!("\"default\";q={};w={WINDOW_SECONDS}", self.per_minute);
        let state = format!("\"default\";r={remaining};t={seconds}");
        let named = [("ratelimit-policy", policy), ("ratelimit", state)];
        let parsed = named.into_iter().filter_map(|(name, value)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
        });
        parsed.collect()
    }
}
