//! Runs a started service on a listener until it is told to stop, and ends it in order.

use crate::config::ServerConfig;
use crate::http::{listener, router};
use crate::startup::Service;
use assize_telemetry::error_chain;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;

/// How long the model's thread may take for its last batch once no request waits for it any more.
const LAST_BATCH: Duration = Duration::from_secs(5);

/// Serves until `stop` resolves, then drains: say "draining", go on for the drain delay, close the listener, let
/// requests in flight finish, end the model's thread.
pub async fn run(service: Service, listener: TcpListener, stop: impl Future<Output = ()>) {
    let Service { state, thread, tasks } = service;
    let server: ServerConfig = state.config.server.clone();
    let stopping = async {
        stop.await;
        state.draining.store(true, Ordering::Relaxed);
        tracing::info!(delay_ms = millis(server.drain_delay), "draining");
        tokio::time::sleep(server.drain_delay).await;
    };
    let all_done = listener::serve(listener, router(&state), &server, stopping).await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    let until = Instant::now() + LAST_BATCH;
    thread.shutdown(until);
    if let Err(error) = thread.join(until).await {
        tracing::warn!(error = error_chain(&error), "the model's thread did not end");
    }
    tracing::info!(all_requests_answered = all_done, "stopped");
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Resolves on SIGTERM or Ctrl-C.
///
/// # Errors
/// When the system gives no signal handler.
pub async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}
