//! The JSON schema of a profile file, for editors and pipelines. The shape comes from the types in [`crate::raw`];
//! which entries a table has, and each number's range, default and meaning, from the one table in [`crate::keys`].
//!
//! It refuses nothing that the resolver accepts. What only the resolver can tell stays with it: what a parent gives,
//! and numbers that must rise or stay below others.

use crate::codes;
use crate::keys::{Defaults, KEYS, Key, SAFETYANALYST_KEYS};
use crate::raw::RawProfile;
use crate::resolve::{MAX_EXAMPLES, MAX_TITLE_CHARS};
use crate::template::MAX_SENTENCE_BYTES;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, json_schema};

/// The JSON schema (draft 2020-12) of a profile file, indented, with a line break at its end.
pub fn profile_schema() -> String {
    format!("{:#}\n", schema().as_value())
}

fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(without_null));
    settings.into_generator().into_root_schema_for::<RawProfile>()
}

/// TOML has no null. With it, all that an editor could say of a mistake in a table is that it is none of two things.
fn without_null(schema: &mut Schema) {
    let other = |list: &str| {
        let list = schema.get(list)?.as_array()?;
        let is_null = |one: &str| one == "null";
        let kept = list
            .iter()
            .filter(|one| !one.as_str().or_else(|| one.get("type")?.as_str()).is_some_and(is_null));
        let kept: Vec<_> = kept.cloned().collect();
        (kept.len() < list.len()).then(|| kept.first().cloned()).flatten()
    };
    let (kind, choice) = (other("type"), other("anyOf"));
    let of_nothing = schema.get("default").and_then(|default| default.as_object());
    if of_nothing.is_some_and(|default| default.values().all(|value| value.is_null())) {
        schema.remove("default");
    }
    if let Some(kind) = kind {
        schema.insert("type".to_owned(), kind);
    }
    if let Some(reference) = choice.as_ref().and_then(|choice| choice.get("$ref")) {
        schema.remove("anyOf");
        schema.insert("$ref".to_owned(), reference.clone());
    }
}

/// Says what `[thresholds]` may hold.
pub(crate) fn thresholds(schema: &mut Schema) {
    describe(schema, "thresholds", &KEYS);
}

/// Says what `[weights]` may hold.
pub(crate) fn weights(schema: &mut Schema) {
    describe(schema, "weights", &KEYS);
}

/// Says what `[safetyanalyst]` may hold.
pub(crate) fn safetyanalyst(schema: &mut Schema) {
    describe(schema, "safetyanalyst", &SAFETYANALYST_KEYS);
}

/// Says what the file as a whole must and may hold.
pub(crate) fn profile(schema: &mut Schema) {
    let others = MAX_TITLE_CHARS - 2;
    let title = json_schema!({
        "type": "string",
        "description": format!("A short name for people: 1 to {MAX_TITLE_CHARS} characters, no braces."),
        "pattern": format!(r"^\s*[^{{}}\s]([^{{}}]{{0,{others}}}[^{{}}\s])?\s*$"),
    });
    put(schema, "title", title);
    put(schema, "reasons", reasons());
    if let Some(examples) =
        schema.pointer_mut("/properties/examples").and_then(|examples| examples.as_object_mut())
    {
        examples.insert("maxItems".to_owned(), MAX_EXAMPLES.into());
    }
    schema.insert("required".to_owned(), vec!["title"].into());
    let rules = [without_parent(), excludes("assize", "safetyanalyst"), excludes("safetyanalyst", "weights")];
    schema.insert("allOf".to_owned(), rules.map(Schema::to_value).to_vec().into());
}

/// One property for each key below `table`.
fn describe(schema: &mut Schema, table: &str, keys: &[Key]) {
    let of_table =
        keys.iter().filter_map(|key| Some((key.name.strip_prefix(table)?.strip_prefix('.')?, key)));
    for (name, key) in of_table {
        let described = if key.entries.is_empty() { number(key, 0) } else { entries(key) };
        put(schema, name, described);
    }
}

/// Describes a property, in the place of what the type alone says of it.
fn put(schema: &mut Schema, name: &str, described: Schema) {
    if let Some(properties) = schema.get_mut("properties").and_then(|properties| properties.as_object_mut()) {
        properties.insert(name.to_owned(), described.to_value());
    }
}

/// A number, or one entry of a table of numbers.
fn number(key: &Key, place: usize) -> Schema {
    let (minimum, maximum) = key.range;
    let mut schema = json_schema!({ "type": "number", "minimum": minimum, "maximum": maximum });
    if key.entries.is_empty() {
        schema.insert("description".to_owned(), meaning(key).into());
    }
    if let Some(default) = key.default_at(place) {
        schema.insert("default".to_owned(), default.into());
    }
    schema
}

fn entries(key: &Key) -> Schema {
    let mut properties = json_schema!({});
    for (place, name) in key.entries.iter().enumerate() {
        properties.insert((*name).to_owned(), number(key, place).to_value());
    }
    json_schema!({
        "type": "object",
        "description": meaning(key),
        "properties": properties,
        "additionalProperties": false,
    })
}

fn meaning(key: &Key) -> String {
    format!("{} Unit: {}.", key.meaning, key.unit)
}

fn reasons() -> Schema {
    let mut properties = json_schema!({});
    for (code, sentence) in codes::open() {
        let reason = json_schema!({
            "type": "string", "pattern": r"\S", "maxLength": MAX_SENTENCE_BYTES, "default": sentence,
        });
        properties.insert(code, reason.to_value());
    }
    json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// A file that extends nothing gives every number that has no default.
fn without_parent() -> Schema {
    let table = |name: &str, keys: &[Key]| {
        let own = |key: &&Key| key.default == Defaults::Required && key.name.split('.').next() == Some(name);
        let mut properties = json_schema!({});
        let mut names = Vec::new();
        for key in keys.iter().filter(own) {
            let Some((_, last)) = key.name.split_once('.') else { continue };
            names.push(last);
            properties.insert(last.to_owned(), json_schema!({ "required": key.entries }).to_value());
        }
        json_schema!({ "required": names, "properties": properties })
    };
    let published = json_schema!({
        "required": ["safetyanalyst"],
        "properties": { "safetyanalyst": table("safetyanalyst", &SAFETYANALYST_KEYS) },
    });
    let ours =
        json_schema!({ "required": ["weights"], "properties": { "weights": table("weights", &KEYS) } });
    json_schema!({
        "if": { "not": { "required": ["extends"] } },
        "then": {
            "required": ["on_failure", "thresholds"],
            "properties": { "thresholds": table("thresholds", &KEYS) },
            "if": names_aggregation("safetyanalyst"),
            "then": published,
            "else": ours,
        },
    })
}

/// A table that the named aggregation doesn't read is refused.
fn excludes(aggregation: &str, table: &str) -> Schema {
    json_schema!({ "if": names_aggregation(aggregation), "then": { "not": { "required": [table] } } })
}

fn names_aggregation(aggregation: &str) -> Schema {
    json_schema!({ "required": ["aggregation"], "properties": { "aggregation": { "const": aggregation } } })
}

#[cfg(test)]
mod tests;
