//! Reads the settings from where they may stand and validates them.

use super::{ApiKeys, CommunitiesConfig, Config, HistoryConfig, InferenceConfig, RawConfig, ServerConfig};
use assize_candle::{DeviceChoice, PrecisionChoice};
use assize_domain::Limits;
use assize_inference::{AdmissionLimits, BatchPolicy};
use assize_telemetry::{LogConfig, LogFormat};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the settings file is looked for when none is named; it may be absent there.
const DEFAULT_FILE: &str = "config/assize.toml";

/// More than one process can hold open; a semaphore takes no more than 2^61.
const MOST_CONNECTIONS: usize = 1_000_000;
/// Far above what any machine holds, and sums and products of two fit into 64 bits.
const MOST: usize = 1_000_000_000;
/// Far above any sensible wait; a moment in the future can always be computed from it.
/// More than any machine of today has; a typing error otherwise.
const MOST_THREADS: usize = 1024;
/// Some 2 GB.
const MOST_CACHED: usize = 1_000_000;
pub(super) const LONGEST: Duration = Duration::from_hours(24);
/// No client waits that long for a verdict.
pub(super) const LONGEST_DEADLINE: Duration = Duration::from_hours(1);

/// What the command line sets.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The settings file.
    pub file: Option<PathBuf>,
    /// Dotted keys and their values, as `("server.listen", "0.0.0.0:80")`.
    pub values: Vec<(&'static str, String)>,
}

/// A setting that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file or the environment can't be read into settings.
    #[error("{place}{problem}")]
    Unreadable {
        /// The key, where it is known.
        place: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// A value is out of range.
    #[error("`{key}` is `{given}`; allowed: {allowed}")]
    OutOfRange {
        /// The dotted key.
        key: &'static str,
        /// What is there.
        given: String,
        /// What is allowed.
        allowed: String,
    },
    /// The API keys can't be used.
    #[error("`{key}`: {problem}")]
    Keys {
        /// The dotted key.
        key: &'static str,
        /// What is wrong; never the key itself.
        problem: String,
    },
}

/// Reads defaults, file, environment (`ASSIZE__SECTION__KEY`) and overrides, the later ones winning.
///
/// # Errors
/// For unknown keys, wrong types, values out of range, unreadable files.
pub fn load(overrides: &Overrides) -> Result<Config, ConfigError> {
    validate(&read(overrides)?)
}

fn read(overrides: &Overrides) -> Result<RawConfig, ConfigError> {
    let file = overrides.file.as_deref().unwrap_or_else(|| Path::new(DEFAULT_FILE));
    let source = config::File::from(file).format(config::FileFormat::Toml).required(overrides.file.is_some());
    let environment =
        config::Environment::with_prefix("ASSIZE").prefix_separator("__").separator("__").try_parsing(true);
    let unreadable = |error: &config::ConfigError| ConfigError::Unreadable {
        place: String::new(),
        problem: format!("{error}; see `assize check-config --help`"),
    };
    let mut builder = config::Config::builder().add_source(source).add_source(environment);
    for (key, value) in &overrides.values {
        builder = builder.set_override(*key, value.clone()).map_err(|error| unreadable(&error))?;
    }
    let merged = builder.build().map_err(|error| unreadable(&error))?;
    serde_path_to_error::deserialize(merged).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { String::new() } else { format!("`{path}`: ") };
        ConfigError::Unreadable { place, problem: error.inner().to_string() }
    })
}

fn validate(raw: &RawConfig) -> Result<Config, ConfigError> {
    Ok(Config {
        server: server(raw)?,
        limits: Limits {
            max_turns: at_least_one("limits.max_turns", raw.limits.max_turns)?,
            max_turn_bytes: at_least_one("limits.max_turn_bytes", raw.limits.max_turn_bytes)?,
        },
        max_conversations: at_least_one("limits.max_conversations", raw.limits.max_conversations)?,
        inference: inference(raw)?,
        guard: super::tiers::guard(raw)?,
        reporter: super::reporter::reporter(raw)?,
        communities: communities(raw)?,
        history: history(raw)?,
        keys: keys(raw)?,
        conversations_per_minute: std::num::NonZeroU32::new(raw.quota.conversations_per_minute),
        log: log(raw)?,
    })
}

pub(super) fn at_least_one(key: &'static str, value: usize) -> Result<usize, ConfigError> {
    count(key, value, MOST)
}

fn count(key: &'static str, value: usize, most: usize) -> Result<usize, ConfigError> {
    if (1..=most).contains(&value) {
        Ok(value)
    } else {
        Err(out_of_range(key, &value, &format!("1 to {most}")))
    }
}

pub(super) fn out_of_range(key: &'static str, given: &dyn Display, allowed: &dyn Display) -> ConfigError {
    ConfigError::OutOfRange { key, given: given.to_string(), allowed: allowed.to_string() }
}

fn server(raw: &RawConfig) -> Result<ServerConfig, ConfigError> {
    let server = &raw.server;
    let listen = server.listen.parse().map_err(|_| {
        out_of_range(
            "server.listen",
            &server.listen,
            &"an address and a port, as `127.0.0.1:8080` or `[::1]:8080`",
        )
    })?;
    Ok(ServerConfig {
        listen,
        max_body_bytes: at_least_one("server.max_body_bytes", server.max_body_bytes)?,
        max_buffered_bytes: at_least_one("server.max_buffered_bytes", server.max_buffered_bytes)?,
        max_connections: count("server.max_connections", server.max_connections, MOST_CONNECTIONS)?,
        header_read_timeout: positive("server.header_read_timeout", server.header_read_timeout, LONGEST)?,
        body_read_timeout: positive("server.body_read_timeout", server.body_read_timeout, LONGEST)?,
        drain_delay: at_most("server.drain_delay", server.drain_delay, LONGEST)?,
        drain_timeout: at_most("server.drain_timeout", server.drain_timeout, LONGEST)?,
    })
}

pub(super) fn positive(
    key: &'static str,
    value: Duration,
    longest: Duration,
) -> Result<Duration, ConfigError> {
    if value.is_zero() {
        return Err(out_of_range(key, &"0s", &"more than 0s, as `500ms` or `10s`"));
    }
    at_most(key, value, longest)
}

fn at_most(key: &'static str, value: Duration, longest: Duration) -> Result<Duration, ConfigError> {
    if value <= longest {
        return Ok(value);
    }
    let seconds = |duration: Duration| format!("{}s", duration.as_secs());
    Err(out_of_range(key, &seconds(value), &format!("up to {}", seconds(longest))))
}

fn inference(raw: &RawConfig) -> Result<InferenceConfig, ConfigError> {
    let inference = &raw.inference;
    Ok(InferenceConfig {
        model: PathBuf::from(&inference.model),
        device: device("inference.device", &inference.device)?,
        precision: precision(&inference.precision)?,
        threads: threads(inference.threads)?,
        cached_assessments: cached(inference.cached_assessments)?,
        deadline: positive("inference.deadline", inference.deadline, LONGEST_DEADLINE)?,
        admission: AdmissionLimits {
            max_requests: at_least_one("inference.max_requests", inference.max_requests)?,
            max_tokens: at_least_one("inference.max_tokens", inference.max_tokens)?,
        },
        batch: BatchPolicy {
            max_items: at_least_one("inference.max_batch_items", inference.max_batch_items)?,
            max_tokens: at_least_one("inference.max_batch_tokens", inference.max_batch_tokens)?,
            // A chat turn; longer ones are windows of documents.
            short_tokens: 128,
        },
    })
}

pub(super) fn device(key: &'static str, given: &str) -> Result<DeviceChoice, ConfigError> {
    let cuda = given.strip_prefix("cuda:").map(str::parse);
    match (given, cuda) {
        ("cpu", _) => Ok(DeviceChoice::Cpu),
        (_, Some(Ok(ordinal))) => Ok(DeviceChoice::Cuda(ordinal)),
        _ => Err(out_of_range(key, &given, &"`cpu` or `cuda:0`, `cuda:1` and so on")),
    }
}

fn precision(given: &str) -> Result<PrecisionChoice, ConfigError> {
    given.parse().map_err(|_unknown| out_of_range("inference.precision", &given, &PrecisionChoice::ALLOWED))
}

/// 0 asks for what the process may use: its affinity and its control group's limit.
fn threads(given: usize) -> Result<usize, ConfigError> {
    match given {
        0 => Ok(std::thread::available_parallelism().map_or(1, std::num::NonZero::get)),
        1..=MOST_THREADS => Ok(given),
        _ => Err(out_of_range("inference.threads", &given, &format!("0 to {MOST_THREADS}"))),
    }
}

/// A typing error must not reserve the memory of a machine.
fn cached(given: usize) -> Result<usize, ConfigError> {
    if given <= MOST_CACHED {
        return Ok(given);
    }
    Err(out_of_range("inference.cached_assessments", &given, &format!("0 to {MOST_CACHED}")))
}

fn communities(raw: &RawConfig) -> Result<CommunitiesConfig, ConfigError> {
    let communities = &raw.communities;
    let default = &communities.default;
    let interval = at_most("communities.reload_interval", communities.reload_interval, LONGEST)?;
    Ok(CommunitiesConfig {
        folder: PathBuf::from(&communities.folder),
        default: default.parse().map_err(|error| out_of_range("communities.default", default, &error))?,
        reload_interval: Some(interval).filter(|interval| !interval.is_zero()),
    })
}

fn history(raw: &RawConfig) -> Result<HistoryConfig, ConfigError> {
    let history = &raw.history;
    if history.recent > MOST {
        return Err(out_of_range("history.recent", &history.recent, &format!("0 to {MOST}")));
    }
    if history.max_file_bytes == 0 {
        return Err(out_of_range("history.max_file_bytes", &0, &"1 or more"));
    }
    Ok(HistoryConfig {
        recent: history.recent,
        folder: history.folder.as_deref().filter(|folder| !folder.is_empty()).map(PathBuf::from),
        max_file_bytes: history.max_file_bytes,
        max_files: history.max_files,
    })
}

fn keys(raw: &RawConfig) -> Result<Option<ApiKeys>, ConfigError> {
    let auth = &raw.auth;
    let (key, text) = match (&auth.keys_file, &auth.keys) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            let problem = "is set together with `auth.keys`; set only one of them".to_owned();
            return Err(ConfigError::Keys { key: "auth.keys_file", problem });
        }
        (None, Some(keys)) => ("auth.keys", keys.clone()),
        (Some(file), None) => {
            let text = std::fs::read_to_string(file).map_err(|error| ConfigError::Keys {
                key: "auth.keys_file",
                problem: format!("can't read `{file}`: {error}"),
            })?;
            ("auth.keys_file", text)
        }
    };
    ApiKeys::parse(&text).map(Some).map_err(|problem| ConfigError::Keys { key, problem })
}

fn log(raw: &RawConfig) -> Result<LogConfig, ConfigError> {
    let format = match raw.telemetry.log_format.as_str() {
        "text" => LogFormat::Text,
        "json" => LogFormat::Json,
        other => return Err(out_of_range("telemetry.log_format", &other, &"`text` or `json`")),
    };
    let log = LogConfig { format, filter: raw.telemetry.log_filter.clone() };
    log.check().map_err(|_unreadable| {
        let allowed = "a log filter, as `info` or `info,assize_server=debug`";
        out_of_range("telemetry.log_filter", &log.filter, &allowed)
    })?;
    Ok(log)
}
