//! The wire and nothing else: what clients send, what they get, and the errors in between.
//!
//! Conversions to and from the domain are all in [`convert`]; bodies are read by [`parse_body`], which never repeats
//! what a client wrote in an error.

pub mod convert;
mod error;
mod parse;
mod request;
mod response;

pub use error::{ErrorCode, FieldError, Problem};
pub use parse::{Body, ParseError, parse_body, parse_what_if};
pub use request::{Explain, Judge, ModerateRequest, Role, Turn, WhatIfRequest};
pub use response::{
    CommunityDetail, CommunitySummary, Contribution, Coverage, DecidedThen, Decision, Job, JobEvent,
    JobResponse, JobStatus, Margin, Provenance, Readiness, Reason, Scores, SubjectVerdict, VerdictResponse,
    WhatIfResponse, WhatIfVerdict,
};
