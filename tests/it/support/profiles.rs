//! Profiles of the tests' own, so that a change of the shipped ones breaks no test here.

use std::path::Path;
use tempfile::TempDir;

/// A community that weighs everything alike and fails closed.
pub(crate) const DEFAULT: &str = r#"
title = "Default"
on_failure = "closed"
[thresholds]
review = 0.5
block = 0.8
[weights]
bias = -1.0
guard = 0.7
response = 0.7
adversarial = 0.5
refusal = 3.0
benefit = 0.5
[weights.harm]
security_risks = 1.0
operational_misuses = 1.0
violence_extremism = 1.0
hate_toxicity = 1.0
sexual_content = 1.0
child_harm = 1.0
self_harm = 1.0
political_usage = 1.0
economic_harm = 1.0
deception = 1.0
manipulation = 1.0
defamation = 1.0
fundamental_rights = 1.0
discrimination_bias = 1.0
privacy = 1.0
criminal_activities = 1.0
"#;

/// A community that blocks what the default one lets pass, and fails open.
pub(crate) const STRICT: &str = r#"
title = "Strict"
extends = "default"
on_failure = "open"
[thresholds]
review = 0.1
block = 0.15
"#;

/// A folder with the two communities above; gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        write_profile(folder.path(), "default", DEFAULT);
        write_profile(folder.path(), "strict", STRICT);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Writes beside the target and renames, so that no reader sees half a file.
pub(crate) fn write_profile(folder: &Path, id: &str, text: &str) {
    let draft = folder.join(format!(".{id}.draft"));
    std::fs::write(&draft, text).unwrap();
    std::fs::rename(&draft, folder.join(format!("{id}.toml"))).unwrap();
}
