//! What a client sends.

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use utoipa::ToSchema;

/// One conversation to moderate.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"turns": [{"role": "user", "content": "How do I pick a lock?"}], "community": "default"}))]
pub struct ModerateRequest {
    /// The conversation, oldest turn first. Judged are the last user turn (in the context of what came before) and
    /// the assistant's reply after it, where there is one.
    pub turns: Vec<Turn>,
    /// Whose values decide; the service's default community where absent. See `GET /communities`.
    #[serde(default)]
    pub community: Option<String>,
    /// What to judge; whatever the conversation holds, where absent.
    #[serde(default)]
    pub judge: Option<Vec<Judge>>,
    /// How much to explain.
    #[serde(default)]
    pub explain: Explain,
}

/// One message.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Turn {
    /// Who spoke.
    pub role: Role,
    /// What was said, as plain text.
    pub content: String,
}

impl std::fmt::Debug for Turn {
    /// Never shows the content.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("role", &self.role).finish_non_exhaustive()
    }
}

/// Who spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The operator's instructions; never judged.
    System,
    /// The person talking to the chatbot.
    User,
    /// The chatbot.
    Assistant,
}

/// What to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Judge {
    /// The last user turn.
    Prompt,
    /// The assistant's reply after it.
    Response,
}

/// How much to explain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Explain {
    /// Decision, scores and provenance.
    None,
    /// The strongest reasons too.
    #[default]
    Reasons,
    /// Every contribution of every judged subject too; and where the service has a reporter, the full harm-benefit tree as a
    /// `job`. `GET /assessments/{id}/explanation` tells still more.
    Full,
}

/// Assessments to be weighed again: by the ids of recent verdicts, or as records.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default, remote = "Self")]
#[schema(example = json!({"ids": ["0199c1f2a4b87c5e8f0a1b2c3d4e5f60"], "communities": ["default", "children-education"]}))]
pub struct WhatIfRequest {
    /// Ids of recent verdicts.
    pub ids: Vec<String>,
    /// Records, as `GET /assessments/{id}` and histories in JSON give them.
    #[schema(value_type = Vec<Object>)]
    pub assessments: Vec<serde_json::Value>,
    /// Whose profiles in force to weigh by.
    pub communities: Vec<String>,
    /// Whose candidate profiles to weigh by.
    pub candidates: Vec<String>,
    /// How much to explain.
    pub explain: Explain,
}

/// Reads a type from a JSON object only. What serde derives takes arrays too, field by field, so that
/// `["user", "hi"]` would pass for a turn.
struct ObjectOnly<T>(PhantomData<T>, &'static str);

/// Implements `Deserialize` by way of the derived `Self::deserialize` (`remote = "Self"`), for objects only.
macro_rules! object_only {
    ($name:ty, $expected:literal) => {
        impl<'de> Visitor<'de> for ObjectOnly<$name> {
            type Value = $name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.1)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                <$name>::deserialize(MapAccessDeserializer::new(map))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map(ObjectOnly(PhantomData::<$name>, $expected))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$name>::serialize(self, serializer)
            }
        }
    };
}

object_only!(ModerateRequest, "a conversation object with `turns`");
object_only!(Turn, "a turn object with `role` and `content`");
object_only!(WhatIfRequest, "an object with `ids` or `assessments`, and `communities` or `candidates`");

/// Reads one of a few words. What serde derives calls `7` in place of a word malformed JSON.
struct Word<T: 'static>(&'static [&'static str], &'static [T]);

impl<T: Copy> Visitor<'_> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of `{}`", self.0.join("`, `"))
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<T, E> {
        let found = self.0.iter().zip(self.1).find(|(known, _)| **known == word);
        found.map(|(_, value)| *value).ok_or_else(|| E::unknown_variant(word, self.0))
    }
}

/// Implements `Deserialize` for an enum of words.
macro_rules! word {
    ($name:ident, [$($word:literal => $variant:ident),*]) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Word(&[$($word),*], &[$(Self::$variant),*]))
            }
        }
    };
}

word!(Role, ["system" => System, "user" => User, "assistant" => Assistant]);
word!(Judge, ["prompt" => Prompt, "response" => Response]);
word!(Explain, ["none" => None, "reasons" => Reasons, "full" => Full]);
