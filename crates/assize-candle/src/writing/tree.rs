//! The schema of a harm-benefit tree, as SafetyAnalyst's reporters write it and `assize-record` reads it.
//!
//! SOURCE: arXiv 2410.16665, section 2 and appendix; jl3676/SafetyAnalyst 21287d2, `src/utils.py`: a list of stakeholders,
//! each with harmful or beneficial actions, each with effects. One space after a comma and a colon, as Python writes JSON and
//! as the reporters were trained.

use serde_json::{Value, json};

/// What a tree tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TreeSide {
    /// Harmful actions.
    Harms,
    /// Beneficial actions.
    Benefits,
}

/// How large a tree may be, so that every text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeLimits {
    /// Most stakeholders; at least one is always written.
    pub stakeholders: usize,
    /// Most actions of a stakeholder; none is allowed.
    pub actions: usize,
    /// Most effects of an action; at least one is always written.
    pub effects: usize,
    /// Most letters of a name: of a stakeholder, an action or an effect.
    pub name_letters: usize,
}

impl TreeLimits {
    /// What published reporters stay below, by their authors: 10 stakeholders and more, 3 to 10 actions, 3 to 7 effects. The
    /// longest name of their taxonomy of harmful actions, three levels in one, has 96 letters; a beneficial action is free text.
    pub const PUBLISHED: Self = Self { stakeholders: 24, actions: 12, effects: 10, name_letters: 160 };
}

/// The JSON schema of a reporter's text.
pub fn tree_schema(side: TreeSide, limits: TreeLimits) -> Value {
    let key = match side {
        TreeSide::Harms => "harms",
        TreeSide::Benefits => "benefits",
    };
    let name = json!({ "type": "string", "minLength": 1, "maxLength": limits.name_letters });
    let list = |item: &Value, least: usize, most: usize| json!({ "type": "array", "items": item, "minItems": least, "maxItems": most });
    let effect = object(&[
        ("effect", name.clone()),
        ("immediacy", json!({ "type": "boolean" })),
        ("extent", json!({ "enum": ["minor", "significant", "substantial", "major"] })),
        ("likelihood", json!({ "enum": ["low", "medium", "high"] })),
    ]);
    let action = object(&[("action", name.clone()), ("effects", list(&effect, 1, limits.effects))]);
    let stakeholder = object(&[("stakeholder", name), (key, list(&action, 0, limits.actions))]);
    let mut schema = list(&stakeholder, 1, limits.stakeholders);
    if let Some(schema) = schema.as_object_mut() {
        // The layout is fixed, or white space without end would be allowed; names need no other escapes.
        let layout = json!({
            "whitespace_flexible": false,
            "item_separator": ", ",
            "key_separator": ": ",
            "json_allowed_escapes": "\"\\",
        });
        schema.insert("x-guidance".to_owned(), layout);
    }
    schema
}

/// An object with exactly these keys, written in this order.
fn object(members: &[(&str, Value)]) -> Value {
    let keys: Vec<&str> = members.iter().map(|(key, _)| *key).collect();
    let members: serde_json::Map<String, Value> =
        members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    json!({ "type": "object", "properties": members, "required": keys, "additionalProperties": false })
}
