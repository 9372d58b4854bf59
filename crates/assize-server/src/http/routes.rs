//! Paths and their names in metrics: a fixed list, so that labels stay bounded whatever clients ask for.

/// Every route's label.
pub const LABELS: [&str; 13] = [
    "moderate",
    "what_if",
    "assessment",
    "explanation",
    "job",
    "communities",
    "community",
    "livez",
    "readyz",
    "metrics",
    "openapi",
    "docs",
    "other",
];

/// The label of a matched path.
pub(crate) fn label(matched: Option<&str>) -> &'static str {
    match matched.map(|path| path.strip_prefix("/v1").unwrap_or(path)) {
        Some("/moderate") => "moderate",
        Some("/what-if") => "what_if",
        Some("/assessments/{id}") => "assessment",
        Some("/assessments/{id}/explanation") => "explanation",
        Some("/jobs/{id}") => "job",
        Some("/communities") => "communities",
        Some("/communities/{id}") => "community",
        Some("/livez") => "livez",
        Some("/readyz") => "readyz",
        Some("/metrics") => "metrics",
        Some("/openapi.json") => "openapi",
        Some(path) if path.starts_with("/docs") => "docs",
        Some(_) | None => "other",
    }
}
