//! Settings: defaults, then the file, then the environment, then flags; read once, validated, never read again.

mod keys;
mod load;
mod raw;
mod reporter;
mod tiers;

pub use keys::ApiKeys;
pub use load::{ConfigError, Overrides, load};
pub use raw::RawConfig;
pub use reporter::{ReporterConfig, WebhookConfig, WebhookSecret};
pub use tiers::{CandleConfig, EngineConfig, GuardConfig, Key, OnSilence};

use assize_candle::{DeviceChoice, PrecisionChoice};
use assize_domain::{CommunityId, Limits};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Every setting, validated.
#[derive(Debug, Clone)]
pub struct Config {
    /// The HTTP side.
    pub server: ServerConfig,
    /// What one conversation may hold.
    pub limits: Limits,
    /// Most conversations in a list.
    pub max_conversations: usize,
    /// The model and its queue.
    pub inference: InferenceConfig,
    /// The guard that is asked after it; `None` asks none.
    pub guard: Option<GuardConfig>,
    /// The reporter that writes full trees; `None` has none written.
    pub reporter: Option<ReporterConfig>,
    /// The communities' profiles.
    pub communities: CommunitiesConfig,
    /// What is kept of what was judged.
    pub history: HistoryConfig,
    /// Who may call; `None` is everyone.
    pub keys: Option<ApiKeys>,
    /// Conversations a minute for one client; `None` is any number.
    pub conversations_per_minute: Option<std::num::NonZeroU32>,
    /// What is logged, and how.
    pub log: assize_telemetry::LogConfig,
}

/// The HTTP side.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Largest body in bytes.
    pub max_body_bytes: usize,
    /// Most open connections.
    pub max_connections: usize,
    /// Most bytes of bodies in memory at a time.
    pub max_buffered_bytes: usize,
    /// Longest time for a request's head.
    pub header_read_timeout: Duration,
    /// Longest time for a request's body.
    pub body_read_timeout: Duration,
    /// From SIGTERM to the last accepted connection.
    pub drain_delay: Duration,
    /// From there to the last answer.
    pub drain_timeout: Duration,
}

/// The model and its queue.
#[derive(Debug, Clone)]
pub struct InferenceConfig {
    /// The model's folder.
    pub model: PathBuf,
    /// Where it runs.
    pub device: DeviceChoice,
    /// How its encoder computes.
    pub precision: PrecisionChoice,
    /// Threads that take batches, and together work on a lone one; at least 1.
    pub threads: usize,
    /// Assessments that are kept for equal conversations; 0 for none.
    pub cached_assessments: usize,
    /// From a request's arrival to its verdict.
    pub deadline: Duration,
    /// What may be in the house at a time.
    pub admission: assize_inference::AdmissionLimits,
    /// What goes into one model call.
    pub batch: assize_inference::BatchPolicy,
}

/// What is kept of what was judged.
#[derive(Debug, Clone)]
pub struct HistoryConfig {
    /// Most records in memory.
    pub recent: usize,
    /// Where files are written; `None` writes none.
    pub folder: Option<PathBuf>,
    /// Size at which a new file is begun.
    pub max_file_bytes: u64,
    /// Most files; 0 is any number.
    pub max_files: usize,
}

/// The communities' profiles.
#[derive(Debug, Clone)]
pub struct CommunitiesConfig {
    /// Folder with one file per community.
    pub folder: PathBuf,
    /// Who decides where none is named.
    pub default: CommunityId,
    /// How often to look for changes; `None` never looks.
    pub reload_interval: Option<Duration>,
}
