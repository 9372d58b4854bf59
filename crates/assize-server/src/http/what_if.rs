//! `POST /what-if`: assessments in, what they would come to under one or several profiles out. No model is asked.

use super::body::JsonBytes;
use super::error::ApiError;
use super::middleware::Client;
use crate::state::AppState;
use assize_api::{
    DecidedThen, ErrorCode, FieldError, Problem, WhatIfRequest, WhatIfResponse, WhatIfVerdict, convert,
    parse_what_if,
};
use assize_preferences::{Profile, decide};
use assize_record::{Record, RecordError, RecordId, from_json};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use std::sync::Arc;

/// Assessments times profiles: some milliseconds of work and a few megabytes of answer.
const MOST_VERDICTS: usize = 2_000;

/// A profile to weigh by.
struct Values {
    profile: Arc<Profile>,
    is_candidate: bool,
}

/// Weighs assessments again under other values
///
/// Nothing is judged again and nothing is counted or kept. Candidates are profiles that are not in force yet.
#[utoipa::path(
    post,
    path = "/what-if",
    tag = "values",
    request_body = WhatIfRequest,
    responses(
        (status = 200, description = "A verdict for each assessment and profile", body = WhatIfResponse),
        (status = 400, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such community or candidate", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not application/json", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "JSON of the wrong shape; `errors` says where", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Quota used up; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn what_if(
    State(state): State<Arc<AppState>>,
    Extension(client): Extension<Client>,
    JsonBytes { bytes, share: _share }: JsonBytes,
) -> Response {
    let parsed = parse_what_if(&bytes);
    drop(bytes);
    // Costs as much as one conversation, however many are weighed: no model is asked.
    let headers = match state.quota.as_ref().map(|quota| quota.charge(&client, 1)).transpose() {
        Ok(headers) => headers.unwrap_or_default(),
        Err(error) => return error.into_response(),
    };
    let answer = match parsed {
        Ok(request) => answer(&state, &request),
        Err(error) => Err(super::moderate::unreadable(error)),
    };
    (headers, answer.map(Json)).into_response()
}

fn answer(state: &AppState, request: &WhatIfRequest) -> Result<WhatIfResponse, ApiError> {
    let values = values(state, request)?;
    let count = (request.ids.len() + request.assessments.len()).saturating_mul(values.len());
    if values.is_empty() || count == 0 || count > MOST_VERDICTS {
        let detail = format!(
            "asks for {count} verdicts; allowed: 1 to {MOST_VERDICTS} (`ids` and `assessments` times `communities` and `candidates`)"
        );
        return Err(invalid("#", detail));
    }
    let (mut records, mut unknown) = (Vec::new(), Vec::new());
    for (index, id) in request.ids.iter().enumerate() {
        let id: RecordId =
            id.parse().map_err(|error: RecordError| invalid(&format!("#/ids/{index}"), error.to_string()))?;
        match state.history.find(&id) {
            Some(record) => records.push(record),
            None => unknown.push(id.to_string()),
        }
    }
    for (index, given) in request.assessments.iter().enumerate() {
        records.push(Arc::new(read(index, given)?));
    }
    let verdicts =
        records.iter().flat_map(|record| values.iter().map(move |values| verdict(record, values, request)));
    Ok(WhatIfResponse { verdicts: verdicts.collect(), unknown })
}

/// The error names places and rules and repeats nothing of what was given.
fn read(index: usize, given: &serde_json::Value) -> Result<Record, ApiError> {
    from_json(&given.to_string()).map_err(|error| {
        let detail = match error {
            RecordError::UnknownVersion { .. } | RecordError::UnknownTaxonomy { .. } => {
                "is a record of another version; use the release that wrote it"
            }
            _ => "is no record of an assessment; `GET /assessments/{id}` gives them",
        };
        invalid(&format!("#/assessments/{index}"), detail.to_owned())
    })
}

fn invalid(pointer: &str, detail: String) -> ApiError {
    ApiError::at(ErrorCode::InvalidRequest, FieldError { pointer: pointer.to_owned(), detail })
}

fn values(state: &AppState, request: &WhatIfRequest) -> Result<Vec<Values>, ApiError> {
    let in_force = state.communities.in_force();
    let mut found = Vec::new();
    for (index, id) in request.communities.iter().enumerate() {
        let profile = id.parse().ok().and_then(|id| in_force.catalog.get(&id).cloned());
        let profile = profile.ok_or_else(|| {
            unknown(&format!("#/communities/{index}"), "community", in_force.catalog.ids().iter())
        })?;
        found.push(Values { profile, is_candidate: false });
    }
    for (index, id) in request.candidates.iter().enumerate() {
        let profile = id.parse().ok().and_then(|id| in_force.candidates.get(&id).cloned());
        let profile = profile.ok_or_else(|| {
            unknown(&format!("#/candidates/{index}"), "candidate", in_force.candidates.ids())
        })?;
        found.push(Values { profile, is_candidate: true });
    }
    Ok(found)
}

fn unknown<'a>(
    pointer: &str,
    what: &str,
    allowed: impl Iterator<Item = &'a assize_domain::CommunityId>,
) -> ApiError {
    let allowed: Vec<&str> = allowed.map(assize_domain::CommunityId::as_str).collect();
    let allowed = if allowed.is_empty() { "none is there".to_owned() } else { allowed.join(", ") };
    let detail = format!("no such {what}; allowed: {allowed}");
    ApiError::at(ErrorCode::UnknownCommunity, FieldError { pointer: pointer.to_owned(), detail })
}

fn verdict(record: &Record, values: &Values, request: &WhatIfRequest) -> WhatIfVerdict {
    let verdict = decide(&record.assessment, &values.profile);
    let then = record.decided.as_ref().map(|decided| DecidedThen {
        community: decided.community.to_string(),
        profile_digest: decided.profile.to_string(),
        decision: decided.decision.into(),
    });
    WhatIfVerdict {
        candidate: values.is_candidate,
        then,
        verdict: convert::verdict(record.id.as_str(), &verdict, request.explain),
    }
}
