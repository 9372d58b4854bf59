//! `GET /communities` and `GET /communities/{id}`: whose values the service knows, and what they are.

use super::error::ApiError;
use crate::state::AppState;
use assize_api::{CommunityDetail, CommunitySummary, ErrorCode, Problem};
use assize_domain::{CommunityId, Floor};
use assize_preferences::Profile;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Lists the communities
#[utoipa::path(
    get,
    path = "/communities",
    tag = "communities",
    responses((status = 200, description = "Every community in force", body = Vec<CommunitySummary>))
)]
pub(crate) async fn list_communities(State(state): State<Arc<AppState>>) -> Json<Vec<CommunitySummary>> {
    let in_force = state.communities.in_force();
    let default = &state.config.communities.default;
    Json(in_force.catalog.iter().map(|profile| summary(profile, default)).collect())
}

fn summary(profile: &Profile, default: &CommunityId) -> CommunitySummary {
    CommunitySummary {
        id: profile.id().to_string(),
        title: profile.title().to_owned(),
        digest: profile.digest().to_string(),
        default: profile.id() == default,
    }
}

/// Shows one community's values
#[utoipa::path(
    get,
    path = "/communities/{id}",
    tag = "communities",
    params(("id" = String, Path, description = "The community's id")),
    responses(
        (status = 200, description = "Its profile in force", body = CommunityDetail),
        (status = 404, description = "No such community", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_community(
    State(state): State<Arc<AppState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<CommunityDetail>, ApiError> {
    let id = id.ok().and_then(|Path(id)| id.parse().ok());
    Ok(Json(detail(&*in_force(&state, id)?)))
}

/// The profile in force of the community that a path or a query names; `None` is no name of one.
pub(super) fn in_force(state: &AppState, id: Option<CommunityId>) -> Result<Arc<Profile>, ApiError> {
    let in_force = state.communities.in_force();
    id.and_then(|id| in_force.catalog.get(&id).cloned()).ok_or_else(|| {
        ApiError::new(ErrorCode::UnknownCommunity, "no such community; `GET /communities` lists them")
    })
}

fn detail(profile: &Profile) -> CommunityDetail {
    let thresholds = profile.thresholds();
    CommunityDetail {
        id: profile.id().to_string(),
        title: profile.title().to_owned(),
        description: profile.description().to_owned(),
        extends: profile.extends().map(ToString::to_string),
        digest: profile.digest().to_string(),
        on_failure: profile.on_failure().id().to_owned(),
        thresholds: BTreeMap::from([
            ("review".to_owned(), thresholds.review),
            ("block".to_owned(), thresholds.block),
        ]),
        aggregation: profile.aggregation().id().to_owned(),
        weights: profile.aggregation().by_key().into_iter().map(within_table).collect(),
        floors: Floor::ALL.iter().map(|floor| floor.id().to_owned()).collect(),
        examples: profile.examples().len(),
    }
}

/// A number's key without the table that all of an aggregation's numbers share.
fn within_table((key, number): (String, f64)) -> (String, f64) {
    (key.split_once('.').map_or_else(|| key.clone(), |(_, rest)| rest.to_owned()), number)
}
