//! Files that are generated from the code and checked into the repository: `cargo xtask gen` writes them.

/// The OpenAPI document, as `openapi.yaml` holds it.
///
/// # Errors
/// When the document can't be written as YAML, which would be a defect.
pub fn openapi_yaml() -> Result<String, String> {
    crate::http::openapi().to_yaml().map_err(|error| error.to_string())
}

/// The JSON schema of the settings file.
///
/// # Errors
/// None today; a signature shared with its siblings.
pub fn config_schema() -> Result<String, String> {
    Ok(format!("{:#}\n", schemars::schema_for!(crate::config::RawConfig).as_value()))
}

/// The JSON schema of a community's profile.
///
/// # Errors
/// None today; a signature shared with its siblings.
pub fn profile_schema() -> Result<String, String> {
    Ok(assize_preferences::profile_schema())
}

/// The reference of every key of a profile file, as Markdown.
///
/// # Errors
/// None today; a signature shared with its siblings.
pub fn profile_reference() -> Result<String, String> {
    Ok(assize_preferences::reference())
}
