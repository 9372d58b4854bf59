//! What can be wrong with a profile, said so that an operator can mend it: file, key, what is there, what is allowed.

use std::fmt;

/// One mistake in one profile file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {place}{problem}", place = place(.key, *.line))]
pub struct ProfileError {
    /// The file's name.
    pub file: String,
    /// The key, dotted, as `weights.harm.privacy`; empty where the file as a whole is at fault.
    pub key: String,
    /// The line, where it is known.
    pub line: Option<usize>,
    /// What is there, and what is allowed instead.
    pub problem: String,
}

fn place(key: &str, line: Option<usize>) -> String {
    let line = line.map_or_else(String::new, |line| format!("line {line}: "));
    if key.is_empty() { line } else { format!("{line}`{key}`: ") }
}

/// Every mistake found in a set of profile files; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileErrors(pub Vec<ProfileError>);

impl fmt::Display for ProfileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ProfileErrors {}
