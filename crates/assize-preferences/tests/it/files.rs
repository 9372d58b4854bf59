//! Profile files as text, and the catalog that they make.

use assize_domain::ActionCategory;
use assize_preferences::{Catalog, Profile, ProfileErrors, ProfileSource};
use std::sync::Arc;

/// A file in which nothing is missing, but for the weights of harm.
const WITHOUT_HARM: &str = r#"title = "Base"
description = "For tests."
on_failure = "closed"
thresholds.review = 0.5
thresholds.block = 0.8
weights.bias = -1.0
weights.guard = 1.0
weights.response = 1.0
weights.adversarial = 1.0
weights.refusal = 1.0
weights.benefit = 1.0
"#;

/// A file in which nothing is missing: every key on its own line, written with all its tables.
pub(crate) fn complete() -> String {
    let harm = |category: ActionCategory| format!("weights.harm.{} = 1.0\n", category.id());
    WITHOUT_HARM.to_owned() + &ActionCategory::ALL.map(harm).concat()
}

/// [`complete`] with the line that begins with `key` replaced; an empty `line` deletes it.
pub(crate) fn complete_but(key: &str, line: &str) -> String {
    let file = complete();
    let is_it = |given: &&str| given.split(" = ").next() == Some(key);
    assert!(file.lines().any(|given| is_it(&given)), "no line begins with {key}");
    file.lines().map(|given| if is_it(&given) { line } else { given }).collect::<Vec<_>>().join("\n")
}

/// Parses files, each a name and a text.
pub(crate) fn parse(files: &[(&str, &str)]) -> Result<Catalog, ProfileErrors> {
    let source =
        |(file, text): &(&str, &str)| ProfileSource { file: (*file).to_owned(), text: (*text).to_owned() };
    Catalog::parse(&files.iter().map(source).collect::<Vec<_>>())
}

/// One profile of files that are all right.
pub(crate) fn profile(id: &str, files: &[(&str, &str)]) -> Arc<Profile> {
    let catalog = parse(files).unwrap_or_else(|errors| panic!("{errors}"));
    Arc::clone(catalog.get(&id.parse().unwrap()).unwrap())
}
