//! Runs a started service on a listener until it is told to stop, and ends it in order.

use crate::config::ServerConfig;
use crate::history::LAST_RECORDS;
use crate::http::{listener, router};
use crate::startup::Service;
use assize_telemetry::error_chain;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

/// How long a batch that has begun may take to end: no new one is begun once requests are answered or given up.
const LAST_BATCH: Duration = Duration::from_secs(5);

/// How long jobs that were broken off may take to say so.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// Serves until `stop` resolves, then drains: say "draining", go on for the drain delay, close the listener, let
/// requests in flight finish, end the workers' threads.
pub async fn run(service: Service, listener: TcpListener, stop: impl Future<Output = ()>) {
    let Service { state, threads, history, tasks } = service;
    let server: ServerConfig = state.config.server.clone();
    let stopping = async {
        stop.await;
        state.draining.store(true, Ordering::Relaxed);
        tracing::info!(delay_ms = millis(server.drain_delay), "draining");
        tokio::time::sleep(server.drain_delay).await;
    };
    let all_done = listener::serve(listener, router(&state), &server, stopping).await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    let drained = Instant::now();
    threads.iter().for_each(|(_, threads)| threads.shutdown(drained));
    for (tier, threads) in threads {
        // Later than that, because a batch on the device can't be stopped.
        if let Err(error) = threads.join(drained + LAST_BATCH).await {
            tracing::warn!(error = error_chain(&error), tier = tier.id(), "the model's threads did not end");
        }
    }
    if let Some(desk) = &state.desk {
        // What they have to say goes into the history.
        desk.finish(Instant::now() + LAST_EVENTS).await;
    }
    state.history.close();
    if let Some(history) = history {
        let _ = tokio::task::spawn_blocking(move || history.join(LAST_RECORDS)).await;
    }
    tracing::info!(all_requests_answered = all_done, "stopped");
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// SIGTERM and Ctrl-C, caught from the moment this is made: none that comes later is lost or kills the process.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Catches both from now on. Needs a runtime.
    ///
    /// # Errors
    /// When the system gives no signal handler.
    pub fn catch() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Resolves on the next of either.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
