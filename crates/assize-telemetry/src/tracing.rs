//! Log lines to stderr, as text for people or as JSON for machines.
//!
//! Installs the process's `tracing` subscriber and nothing else: no panic hook, no bridge from the `log`
//! crate.

use std::io::IsTerminal;
use tracing::{Subscriber, subscriber::SetGlobalDefaultError};
use tracing_subscriber::{EnvFilter, filter::ParseError, fmt::MakeWriter};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One readable line an event; coloured on a terminal.
    Text,
    /// One JSON object an event, its fields at the top level.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// How lines look.
    pub format: LogFormat,
    /// Which events pass, in `env_logger`'s syntax: `info,assize_inference=debug`.
    pub filter: String,
}

impl LogConfig {
    /// Finds a filter that can't be read before logging starts.
    ///
    /// # Errors
    /// [`TracingError::InvalidFilter`].
    pub fn check(&self) -> Result<(), TracingError> {
        self.env_filter().map(drop)
    }

    fn env_filter(&self) -> Result<EnvFilter, TracingError> {
        EnvFilter::builder()
            .parse(&self.filter)
            .map_err(|source| TracingError::InvalidFilter { filter: self.filter.clone(), source })
    }
}

/// Why logging can't start.
#[derive(Debug, thiserror::Error)]
pub enum TracingError {
    /// The filter can't be read.
    #[error("`{filter}` is no log filter; write e.g. `info` or `info,assize_inference=debug`")]
    InvalidFilter {
        /// The filter given.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// The process has a subscriber already.
    #[error("logging is set up already")]
    AlreadyInitialised(#[source] SetGlobalDefaultError),
}

/// Sends log lines to stderr from now on. Call once, at start-up.
///
/// # Errors
/// Every variant of [`TracingError`].
pub fn init(config: &LogConfig) -> Result<(), TracingError> {
    let subscriber = subscriber(config, std::io::stderr, std::io::stderr().is_terminal())?;
    tracing::subscriber::set_global_default(subscriber).map_err(TracingError::AlreadyInitialised)
}

fn subscriber<W>(
    config: &LogConfig,
    writer: W,
    is_terminal: bool,
) -> Result<Box<dyn Subscriber + Send + Sync>, TracingError>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_env_filter(config.env_filter()?).with_writer(writer);
    Ok(match config.format {
        LogFormat::Text => Box::new(builder.with_ansi(is_terminal).finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io,
        sync::{Arc, Mutex, PoisonError},
    };

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str) -> String {
        let lines = Lines::default();
        let sink = lines.clone();
        let config = LogConfig { format, filter: filter.to_owned() };
        let subscriber = subscriber(&config, move || sink.clone(), false).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(batch.tokens = 12, "taken");
            tracing::debug!("hidden");
        });
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_filter_decides_what_is_logged() {
        assert_eq!(logged(LogFormat::Text, "info").lines().count(), 1);
        assert_eq!(logged(LogFormat::Text, "debug").lines().count(), 2);
        assert_eq!(logged(LogFormat::Text, "off"), "");
    }

    #[test]
    fn each_format_shows_the_fields() {
        let text = logged(LogFormat::Text, "info");
        assert!(text.contains("taken batch.tokens=12"), "{text}");
        let json = logged(LogFormat::Json, "info");
        assert!(json.starts_with('{') && json.contains(r#""batch.tokens":12"#), "{json}");
    }

    #[test]
    fn a_faulty_filter_is_named() {
        let config = LogConfig { format: LogFormat::Text, filter: "info,a=verbose".to_owned() };
        for error in [config.check().unwrap_err(), init(&config).unwrap_err()] {
            assert!(error.to_string().starts_with("`info,a=verbose` is no log filter"), "{error}");
        }
    }
}
