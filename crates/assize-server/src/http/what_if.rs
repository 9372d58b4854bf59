//! `POST /what-if`: assessments in, what they would come to under one or several profiles out. No model is asked.

use super::body::JsonBytes;
use super::error::ApiError;
use super::middleware::Client;
use super::weighing;
use crate::history::History;
use crate::state::AppState;
use assize_api::{
    DecidedThen, ErrorCode, FieldError, Problem, WhatIfRequest, WhatIfResponse, WhatIfVerdict, convert,
    parse_what_if,
};
use assize_domain::Tree;
use assize_preferences::{Profile, decide};
use assize_record::{Record, RecordError, RecordId, from_json};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use std::sync::Arc;

/// Assessments times profiles: some milliseconds of work and a few megabytes of answer.
const MOST_VERDICTS: usize = 2_000;
/// Leaves of reported trees times profiles: some hundredths of a second.
const MOST_LEAVES: usize = 500_000;
/// Verdicts that cost as much of the quota as one conversation.
const VERDICTS_A_UNIT: usize = 100;

/// A profile to weigh by.
struct Values {
    profile: Arc<Profile>,
    is_candidate: bool,
}

/// Weighs assessments again under other values
///
/// Nothing is judged again and nothing is counted or kept. Candidates are profiles that are not in force yet. A profile
/// that is named twice is weighed by once. Each hundred verdicts, begun or whole, cost as much of the quota as one
/// conversation.
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
        (status = 503, description = "Too much is being weighed already; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn what_if(
    State(state): State<Arc<AppState>>,
    Extension(client): Extension<Client>,
    JsonBytes { bytes, share: _share }: JsonBytes,
) -> Response {
    let parsed = parse_what_if(&bytes);
    drop(bytes);
    let planned = match parsed {
        Ok(request) => plan(&state, request),
        Err(error) => Err(super::moderate::unreadable(error)),
    };
    // What can't be read costs as much as one conversation, or garbage would be free.
    let cost = planned.as_ref().map_or(1, |plan| plan.verdicts().div_ceil(VERDICTS_A_UNIT));
    let headers = match state.charge(&client, cost) {
        Ok(headers) => headers,
        Err(error) => return error.into_response(),
    };
    let plan = match planned {
        Ok(plan) => plan,
        Err(error) => return (headers, error).into_response(),
    };
    let history = Arc::clone(&state.history);
    // The answer is made into bytes there too: it can be large.
    let answered = weighing::weigh(&state, move || answer(&history, &plan).map(Json).into_response()).await;
    (headers, answered).into_response()
}

/// What is asked for, within bounds.
struct Plan {
    request: WhatIfRequest,
    values: Vec<Values>,
}

impl Plan {
    fn verdicts(&self) -> usize {
        let assessments = self.request.ids.len() + self.request.assessments.len();
        assessments.saturating_mul(self.values.len())
    }
}

fn plan(state: &AppState, request: WhatIfRequest) -> Result<Plan, ApiError> {
    let values = values(state, &request)?;
    let plan = Plan { request, values };
    let count = plan.verdicts();
    if !(1..=MOST_VERDICTS).contains(&count) {
        let detail = format!(
            "asks for {count} verdicts; allowed: 1 to {MOST_VERDICTS} (`ids` and `assessments` times `communities` and `candidates`)"
        );
        return Err(invalid("#", detail));
    }
    Ok(plan)
}

fn answer(history: &History, plan: &Plan) -> Result<WhatIfResponse, ApiError> {
    let Plan { request, values } = plan;
    let (mut records, mut unknown) = (Vec::new(), Vec::new());
    for (index, id) in request.ids.iter().enumerate() {
        let id: RecordId =
            id.parse().map_err(|error: RecordError| invalid(&format!("#/ids/{index}"), error.to_string()))?;
        match history.find(&id) {
            Some(record) => records.push(record),
            None => unknown.push(id.to_string()),
        }
    }
    for (index, given) in request.assessments.iter().enumerate() {
        records.push(Arc::new(read(index, given)?));
    }
    let leaves: usize = records.iter().map(|record| leaves(record)).sum();
    let leaves = leaves.saturating_mul(values.len());
    if leaves > MOST_LEAVES {
        let detail =
            format!("asks to weigh {leaves} leaves of trees (each by each profile); allowed: {MOST_LEAVES}");
        return Err(invalid("#/assessments", detail));
    }
    let verdicts =
        records.iter().flat_map(|record| values.iter().map(move |values| verdict(record, values, request)));
    Ok(WhatIfResponse { verdicts: verdicts.collect(), unknown })
}

/// Those of a reported tree; an expected one has a bounded number of branches.
fn leaves(record: &Record) -> usize {
    let reported = record.assessment.tree.tree().and_then(Tree::reported);
    reported.map_or(0, |tree| tree.harms.len() + tree.benefits.len())
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
    let mut found: Vec<Values> = Vec::new();
    let mut add = |profile: Arc<Profile>, is_candidate| {
        let is_known =
            |known: &Values| known.is_candidate == is_candidate && known.profile.id() == profile.id();
        if !found.iter().any(is_known) {
            found.push(Values { profile, is_candidate });
        }
    };
    for (index, id) in request.communities.iter().enumerate() {
        let profile = id.parse().ok().and_then(|id| in_force.catalog.get(&id).cloned());
        let profile = profile.ok_or_else(|| {
            unknown(&format!("#/communities/{index}"), "community", in_force.catalog.ids().iter())
        })?;
        add(profile, false);
    }
    for (index, id) in request.candidates.iter().enumerate() {
        let profile = id.parse().ok().and_then(|id| in_force.candidates.get(&id).cloned());
        let profile = profile.ok_or_else(|| {
            unknown(&format!("#/candidates/{index}"), "candidate", in_force.candidates.ids())
        })?;
        add(profile, true);
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
