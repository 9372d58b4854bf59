//! The settings as they are written: in `config/assize.toml`, in the environment and on the command line.
//!
//! Every key has its default here, with the reason for the number.

use super::{reporter::RawReporter, tiers::RawGuard};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// All settings. Each key can also be given as `ASSIZE__SECTION__KEY` in the environment.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawConfig {
    /// The HTTP side.
    pub server: RawServer,
    /// What one request may hold.
    pub limits: RawLimits,
    /// The model and its queue.
    pub inference: RawInference,
    /// A large guard that is asked about what the model leaves close.
    pub guard: RawGuard,
    /// A reporter that writes full harm-benefit trees, as jobs.
    pub reporter: RawReporter,
    /// The communities' profiles.
    pub communities: RawCommunities,
    /// What is kept of what was judged: records without text.
    pub history: RawHistory,
    /// Who may call.
    pub auth: RawAuth,
    /// How often one client may call.
    pub quota: RawQuota,
    /// What the service says about itself.
    pub telemetry: RawTelemetry,
}

/// The HTTP side.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawServer {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
    /// Largest body in bytes.
    pub max_body_bytes: usize,
    /// Most open connections; more wait in the kernel's queue.
    pub max_connections: usize,
    /// Most bytes of bodies in memory at a time, over all requests; more get a 503.
    pub max_buffered_bytes: usize,
    /// Longest time for a client to send its request's head.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub header_read_timeout: Duration,
    /// Longest time for a client to send its body.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub body_read_timeout: Duration,
    /// After SIGTERM: how long to keep accepting while `/readyz` already says `draining`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub drain_delay: Duration,
    /// After that: how long requests in flight may take to finish.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub drain_timeout: Duration,
}

impl Default for RawServer {
    fn default() -> Self {
        Self {
            // Only this machine: whoever opens the service to others decides it.
            listen: "127.0.0.1:8080".to_owned(),
            // Four turns of the largest size; reading it costs about 60 ms of one core.
            max_body_bytes: 256 * 1024,
            // Ten times `inference.max_requests` and more: those beyond it get their honest 503, which takes a connection.
            max_connections: 4096,
            // 256 of the largest bodies, or 65,000 chat turns.
            max_buffered_bytes: 64 * 1024 * 1024,
            // Also how long an idle keep-alive connection stays open; short enough that idle sockets don't pile up.
            header_read_timeout: Duration::from_secs(30),
            body_read_timeout: Duration::from_secs(10),
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(25),
        }
    }
}

/// What one request may hold.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawLimits {
    /// Most turns in a conversation.
    pub max_turns: usize,
    /// Most bytes in a turn.
    pub max_turn_bytes: usize,
    /// Most conversations in a list.
    pub max_conversations: usize,
}

impl Default for RawLimits {
    fn default() -> Self {
        // 64 KiB are about 16,000 tokens, far beyond a chat message. The windows of the model cover about 3,100 tokens
        // of a turn; a verdict tells as coverage that it did not read the rest.
        Self { max_turns: 128, max_turn_bytes: 64 * 1024, max_conversations: 64 }
    }
}

/// The model and its queue.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawInference {
    /// The model's folder.
    pub model: String,
    /// `cpu` or `cuda:N`. A GPU that is asked for and absent is an error.
    pub device: String,
    /// `auto`, `portable`, `f32`, `bf16` or `int8`. `auto` takes the fastest that keeps the model's reference scores.
    pub precision: String,
    /// Threads that take batches, and together work on a lone one; 0: as many as this process may use processors, a
    /// container's limit respected.
    pub threads: usize,
    /// Assessments that are kept, some 2 KB each, for conversations that come again word for word; 0 keeps none.
    pub cached_assessments: usize,
    /// Longest time from a request's arrival to its verdict.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub deadline: Duration,
    /// Most conversations admitted at a time; more get a 503.
    pub max_requests: usize,
    /// Most tokens admitted at a time; more get a 503.
    pub max_tokens: usize,
    /// Most sequences in one model call.
    pub max_batch_items: usize,
    /// Most tokens in one model call.
    pub max_batch_tokens: usize,
}

impl Default for RawInference {
    fn default() -> Self {
        Self {
            model: "models/guard-v1".to_owned(),
            device: "cpu".to_owned(),
            precision: "auto".to_owned(),
            threads: 0,
            cached_assessments: 0,
            deadline: Duration::from_secs(10),
            max_requests: 256,
            // About 2 s of work for two cores (docs/performance.md has what they do in a second).
            max_tokens: 32_768,
            max_batch_items: 32,
            // A CPU gains little from larger batches, and a batch is what one worker is busy with (docs/performance.md).
            max_batch_tokens: 256,
        }
    }
}

/// The communities' profiles.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawCommunities {
    /// Folder with one `<id>.toml` per community.
    pub folder: String,
    /// Who decides where a request names no community.
    pub default: String,
    /// How often to look for changed files; `0s` never looks.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub reload_interval: Duration,
}

impl Default for RawCommunities {
    fn default() -> Self {
        Self {
            folder: "config/communities".to_owned(),
            default: "default".to_owned(),
            // Reading a folder of small files costs well under a millisecond.
            reload_interval: Duration::from_secs(1),
        }
    }
}

/// What is kept of what was judged: records without text, to be weighed again under other values.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawHistory {
    /// Most records in memory, for `POST /what-if` by id; 0 keeps none.
    pub recent: usize,
    /// Folder for files of all records; none are written where it is absent. Several processes may share it.
    pub folder: Option<String>,
    /// Size at which a new file is begun.
    pub max_file_bytes: u64,
    /// Most files; when one more is begun the oldest go, but none that another process writes. 0 keeps all.
    pub max_files: usize,
}

impl Default for RawHistory {
    fn default() -> Self {
        Self {
            // About 2 KB each.
            recent: 1_000,
            folder: None,
            // Some 100,000 records.
            max_file_bytes: 64 * 1024 * 1024,
            max_files: 0,
        }
    }
}

/// Who may call. With neither file nor keys, everyone who reaches the port may.
#[derive(Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawAuth {
    /// File with a `name=key` on each line; `#` starts a comment.
    pub keys_file: Option<String>,
    /// The same, separated by commas. For the environment (`ASSIZE__AUTH__KEYS`), not for a file in a repository.
    pub keys: Option<String>,
}

impl std::fmt::Debug for RawAuth {
    /// Never shows the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawAuth").field("keys_file", &self.keys_file).finish_non_exhaustive()
    }
}

/// How often one client may call: by API key where keys are in use, by address otherwise.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawQuota {
    /// Conversations a minute, all of which may come at once; 0 sets no quota.
    pub conversations_per_minute: u32,
}

/// What the service says about itself.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawTelemetry {
    /// `text` or `json`.
    pub log_format: String,
    /// What to log, as `info` or `assize_server=debug,info`.
    pub log_filter: String,
}

impl Default for RawTelemetry {
    fn default() -> Self {
        Self { log_format: "text".to_owned(), log_filter: "info".to_owned() }
    }
}
