//! What a client sends.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One conversation to moderate.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Judge {
    /// The last user turn.
    Prompt,
    /// The assistant's reply after it.
    Response,
}

/// How much to explain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Explain {
    /// Decision, scores and provenance.
    None,
    /// The strongest reasons too.
    #[default]
    Reasons,
    /// Every contribution of every judged subject too.
    Full,
}
