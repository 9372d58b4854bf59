//! What happens around every request, one concern a file. Outermost first: observe (id, trace, metrics, error
//! bodies), then panics, then authentication.

mod auth;
mod observe;
mod quota;
mod trace;

pub(crate) use auth::{Client, authenticate};
pub(crate) use observe::{catch_panic, observe};
pub(crate) use quota::Quota;
pub(crate) use trace::RequestContext;
