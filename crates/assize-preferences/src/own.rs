//! Which keys a profile file sets itself, as opposed to what it inherits or leaves to the defaults.

use crate::catalog::ProfileSource;
use assize_domain::CommunityId;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// Keys as in [`crate::ProfileError::key`]: dotted, reason codes in quotation marks; an array is one key.
pub(crate) type OwnKeys = BTreeSet<String>;

/// The keys of every file that can be read.
pub(crate) fn of_all(sources: &[ProfileSource]) -> BTreeMap<CommunityId, OwnKeys> {
    let of_one = |source: &ProfileSource| {
        let stem = source.file.strip_suffix(".toml").unwrap_or(&source.file);
        let mut keys = OwnKeys::new();
        collect("", &source.text.parse().ok()?, &mut keys);
        Some((stem.parse().ok()?, keys))
    };
    sources.iter().filter_map(of_one).collect()
}

fn collect(path: &str, table: &Table, keys: &mut OwnKeys) {
    for (name, value) in table {
        let name = if path == "reasons" { format!("\"{name}\"") } else { name.clone() };
        let key = if path.is_empty() { name } else { format!("{path}.{name}") };
        match value {
            Value::Table(table) => collect(&key, table, keys),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => drop(keys.insert(key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_dotted_however_they_are_written() {
        let text = "title = \"T\"\nthresholds.review = 0.5\n[weights]\nbias = 1\nharm = { privacy = 2.0 }\n\
                    [reasons]\nbenefit = \"b\"\n\"harm.privacy\" = \"p\"\n[[examples]]\ntext = \"Hi.\"\n";
        let source = |file: &str, text: &str| ProfileSource { file: file.to_owned(), text: text.to_owned() };
        let all = of_all(&[source("a.toml", text), source("b.toml", "title ="), source("No Id.toml", "")]);
        assert_eq!(all.len(), 1);
        let expected = [
            "examples",
            "reasons.\"benefit\"",
            "reasons.\"harm.privacy\"",
            "thresholds.review",
            "title",
            "weights.bias",
            "weights.harm.privacy",
        ];
        let (id, keys) = all.iter().next().unwrap();
        assert_eq!(
            (id.as_str(), keys.iter().map(String::as_str).collect::<Vec<_>>()),
            ("a", expected.to_vec())
        );
    }
}
