//! The schema, the table of keys and the resolver say the same of every number.

use super::*;
use crate::{Catalog, Profile, ProfileErrors, ProfileSource};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far beyond a range the resolver is asked.
const BEYOND: f64 = 0.001;

/// What a file with one of the aggregations can set.
struct Kind {
    aggregation: &'static str,
    keys: &'static [Key],
}

const KINDS: [Kind; 2] = [
    Kind { aggregation: "assize", keys: &KEYS },
    // Thresholds are those of both.
    Kind { aggregation: "safetyanalyst", keys: &SAFETYANALYST_KEYS },
];

/// The dotted names below a key, itself where it is no table.
fn names(key: &Key) -> Vec<String> {
    match key.entries {
        [] => vec![key.name.to_owned()],
        entries => entries.iter().map(|entry| format!("{}.{entry}", key.name)).collect(),
    }
}

/// Every number of a file that is right, in the middle of its range.
fn numbers(kind: &Kind) -> BTreeMap<String, f64> {
    let middle = |key: &Key| f64::midpoint(key.range.0, key.range.1);
    let all = kind.keys.iter().flat_map(|key| names(key).into_iter().map(move |name| (name, middle(key))));
    let thresholds = [("thresholds.review", 0.001), ("thresholds.block", 1.0)];
    all.chain(thresholds.map(|(name, value)| (name.to_owned(), value))).collect()
}

fn resolve(kind: &Kind, numbers: &BTreeMap<String, f64>) -> Result<Arc<Profile>, ProfileErrors> {
    let head = format!("title = \"T\"\non_failure = \"open\"\naggregation = \"{}\"\n", kind.aggregation);
    let lines = numbers.iter().map(|(name, value)| format!("{name} = {value:?}\n"));
    let text = lines.fold(head, |text, line| text + &line);
    let catalog = Catalog::parse(&[ProfileSource { file: "a.toml".to_owned(), text }])?;
    Ok(Arc::clone(catalog.iter().next().unwrap()))
}

/// The schema's sub-schema for a key or one of its entries.
fn described(name: &str) -> Schema {
    let (table, rest) = name.split_once('.').unwrap();
    let table = ["Thresholds", "Weights", "SafetyAnalyst"].into_iter().find(|it| it.to_lowercase() == table);
    let path = rest.replace('.', "/properties/");
    let pointer = format!("/$defs/Raw{}/properties/{path}", table.unwrap());
    let schema = schema();
    let found = schema.pointer(&pointer).unwrap_or_else(|| panic!("nothing at {pointer}"));
    found.clone().try_into().unwrap()
}

fn number_at(schema: &Schema, key: &str) -> Option<f64> {
    schema.get(key).and_then(|value| value.as_f64())
}

#[test]
fn the_schema_says_of_every_number_what_the_table_says() {
    for key in KINDS.iter().flat_map(|kind| kind.keys) {
        for (place, name) in names(key).iter().enumerate() {
            let schema = described(name);
            assert_eq!(number_at(&schema, "minimum"), Some(key.range.0), "{name}");
            assert_eq!(number_at(&schema, "maximum"), Some(key.range.1), "{name}");
            assert_eq!(number_at(&schema, "default"), key.default_at(place), "{name}");
        }
        if !key.entries.is_empty() {
            let table = described(key.name);
            assert_eq!(table.get("additionalProperties"), Some(&false.into()), "{}", key.name);
            assert_eq!(table.pointer("/properties").unwrap().as_object().unwrap().len(), key.entries.len());
        }
        assert!(described(key.name).get("description").is_some(), "{}", key.name);
    }
}

#[test]
fn the_table_lacks_no_number_of_a_file() {
    let schema = schema();
    for (table, keys) in
        [("Thresholds", 2), ("Weights", KEYS.len() - 2), ("SafetyAnalyst", SAFETYANALYST_KEYS.len())]
    {
        let properties = schema.pointer(&format!("/$defs/Raw{table}/properties")).unwrap();
        assert_eq!(properties.as_object().unwrap().len(), keys, "{table}");
    }
}

#[test]
fn the_resolver_accepts_the_range_and_nothing_beyond() {
    for kind in &KINDS {
        for key in kind.keys {
            // A whole table at once, so that what must rise doesn't fall.
            let with = |value: f64| {
                let mut numbers = numbers(kind);
                numbers.extend(names(key).into_iter().map(|name| (name, value)));
                resolve(kind, &numbers)
            };
            for inside in [key.range.0, key.range.1] {
                with(inside).unwrap_or_else(|errors| panic!("{errors}"));
            }
            for beyond in [key.range.0 - BEYOND, key.range.1 + BEYOND] {
                let errors = with(beyond).expect_err(key.name).to_string();
                for name in names(key) {
                    assert!(
                        errors.contains(&format!("`{name}`: is `{beyond}`; allowed: ")),
                        "{name}: {errors}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_resolver_fills_in_the_defaults() {
    let mut set = numbers(&KINDS[0]);
    for key in KEYS.iter().filter(|key| key.default != Defaults::Required) {
        set.retain(|name, _| !names(key).contains(name));
    }
    let profile = resolve(&KINDS[0], &set).unwrap_or_else(|errors| panic!("{errors}"));
    let found: BTreeMap<_, _> = profile.aggregation().by_key().into_iter().collect();
    for key in KEYS {
        for (place, name) in names(&key).iter().enumerate() {
            if let Some(default) = key.default_at(place) {
                assert_eq!(found.get(name), Some(&default), "{name}");
            }
        }
    }
}

#[test]
fn the_resolver_misses_what_the_schema_requires_of_a_file_that_extends_nothing() {
    let schema = schema();
    for (kind, rule) in KINDS.iter().zip(["/allOf/0/then/else", "/allOf/0/then/then"]) {
        for key in kind.keys {
            let (table, last) = key.name.split_once('.').unwrap();
            let rule = if table == "thresholds" { "/allOf/0/then" } else { rule };
            let table = format!("{rule}/properties/{table}");
            let list = |pointer: &str| schema.pointer(pointer).and_then(|list| list.as_array()).cloned();
            let is_required = list(&format!("{table}/required")).unwrap().contains(&last.into());
            assert_eq!(is_required, key.default == Defaults::Required, "{}", key.name);
            if !is_required {
                continue;
            }
            let of_table = list(&format!("{table}/properties/{last}/required")).unwrap();
            let of_table: Vec<&str> = of_table.iter().filter_map(|entry| entry.as_str()).collect();
            assert_eq!(of_table, key.entries);
            for name in names(key) {
                let mut set = numbers(kind);
                set.remove(&name);
                let errors = resolve(kind, &set).expect_err(&name).to_string();
                assert!(errors.contains(&format!("`{name}`: is missing")), "{errors}");
            }
        }
    }
}

#[test]
fn reasons_are_described_one_by_one() {
    let schema = schema();
    let reasons = schema.pointer("/properties/reasons/properties").unwrap().as_object().unwrap();
    // Which order they stand in depends on whether serde_json keeps it, and means nothing.
    let mut described: Vec<(&str, Option<&str>)> =
        reasons.iter().map(|(code, schema)| (code.as_str(), schema["default"].as_str())).collect();
    described.sort_unstable();
    let mut expected = codes::open();
    expected.sort();
    assert_eq!(
        described,
        expected.iter().map(|(code, text)| (code.as_str(), Some(*text))).collect::<Vec<_>>()
    );
}

#[test]
fn nothing_may_be_null() {
    assert!(!profile_schema().contains("null"));
}
