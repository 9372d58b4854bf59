//! The schema of a harm-benefit tree, as SafetyAnalyst's reporters write it and `assize-record` reads it.
//!
//! SOURCE: arXiv 2410.16665, section 2 and appendix; jl3676/SafetyAnalyst 21287d2, `src/utils.py`: a list of stakeholders,
//! each with harmful or beneficial actions, each with effects. One space after a comma and a colon, as Python writes JSON and
//! as the reporters were trained.

use assize_domain::{Effect, HarmAction};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a tree tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TreeSide {
    /// Harmful actions.
    Harms,
    /// Beneficial actions.
    Benefits,
}

impl TreeSide {
    /// Both, in their usual order.
    pub const ALL: [Self; 2] = [Self::Harms, Self::Benefits];

    /// The key of a stakeholder's actions.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Harms => "harms",
            Self::Benefits => "benefits",
        }
    }
}

/// Which words may name actions and effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TreeWords {
    /// Any; for a model that was trained to name them.
    #[default]
    Free,
    /// Those of the taxonomies; only beneficial actions have none.
    Taxonomy,
}

/// How large a tree may be, so that every text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
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
pub fn tree_schema(side: TreeSide, limits: TreeLimits, words: TreeWords) -> Value {
    let name = json!({ "type": "string", "minLength": 1, "maxLength": limits.name_letters });
    let (action, effect) = match words {
        TreeWords::Free => (name.clone(), name.clone()),
        TreeWords::Taxonomy => match side {
            TreeSide::Harms => {
                (one_of(HarmAction::ALL.map(action_name)), one_of(Effect::ALL.map(Effect::harm_title)))
            }
            TreeSide::Benefits => (name.clone(), one_of(Effect::ALL.map(Effect::benefit_title))),
        },
    };
    let list = |item: &Value, least: usize, most: usize| json!({ "type": "array", "items": item, "minItems": least, "maxItems": most });
    let effect = object(&[
        ("effect", effect),
        ("immediacy", json!({ "type": "boolean" })),
        ("extent", json!({ "enum": ["minor", "significant", "substantial", "major"] })),
        ("likelihood", json!({ "enum": ["low", "medium", "high"] })),
    ]);
    let action = object(&[("action", action), ("effects", list(&effect, 1, limits.effects))]);
    let stakeholder = object(&[("stakeholder", name), (side.id(), list(&action, 0, limits.actions))]);
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

/// As the reader of trees knows a harmful action: its category's heading, and its name.
fn action_name(action: HarmAction) -> String {
    format!("#{}# {}", action.category().title(), action.title())
}

fn one_of<T: Into<Value>, const N: usize>(words: [T; N]) -> Value {
    let words: Vec<Value> = words.map(Into::into).into();
    json!({ "enum": words })
}

/// An object with exactly these keys, written in this order.
fn object(members: &[(&str, Value)]) -> Value {
    let keys: Vec<&str> = members.iter().map(|(key, _)| *key).collect();
    let members: serde_json::Map<String, Value> =
        members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    json!({ "type": "object", "properties": members, "required": keys, "additionalProperties": false })
}
