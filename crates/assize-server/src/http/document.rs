//! The API as an OpenAPI document: what the handlers declare, plus what they can't know.

use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Assize",
        description = "Judges chat turns and decides by a community's values: allow, review or block, with reasons.\n\nJudging (the assessment) is the same for everyone; valuing (the profile) is each community's own. Errors are RFC 9457 problem details with a stable `code`. Every answer carries `x-request-id` and `traceparent`. Paths under `/v1` are the same operations, for those who pin a version.",
        license(name = "Apache-2.0")
    ),
    components(schemas(assize_api::JobEvent)),
    tags(
        (name = "moderation", description = "Verdicts on conversations"),
        (name = "communities", description = "Whose values decide"),
        (name = "health", description = "For orchestrators and dashboards"),
    )
)]
struct Declared;

/// Title, description and tags, before any path.
pub(super) fn declared() -> utoipa::openapi::OpenApi {
    Declared::openapi()
}

/// What needs no key, where keys are in use.
const OPEN: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// Makes operation ids unique (both versions of a path share a handler) and says how keys are sent.
pub(super) fn complete(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    for (path, item) in &mut document.paths.paths {
        let is_versioned = path.starts_with("/v1/");
        let needs_key = !OPEN.contains(&path.as_str());
        for operation in operations(item) {
            if is_versioned && let Some(id) = &mut operation.operation_id {
                id.push_str("_v1");
            }
            if needs_key {
                operation.security = Some(key_or_none());
            }
        }
    }
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    let header = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key")));
    components.add_security_scheme("api_key", header);
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post].into_iter().flatten()
}

/// Keys are asked for only where the operator has set some.
fn key_or_none() -> Vec<SecurityRequirement> {
    let none: [&str; 0] = [];
    vec![
        SecurityRequirement::default(),
        SecurityRequirement::new("bearer", none),
        SecurityRequirement::new("api_key", none),
    ]
}
