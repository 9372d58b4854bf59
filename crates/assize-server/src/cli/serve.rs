//! `assize serve`: run until told to stop; end at once when told twice.

use super::shared::ConfigArgs;
use crate::StopSignals;
use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What shells give for a command that Ctrl-C ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port; port 0 takes a free one [setting: server.listen] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let config = args.config.load(&[("server.listen", args.listen.as_ref())])?;
    assize_telemetry::init_tracing(&config.log).context("setting `telemetry.log_filter`")?;
    report_panics_without_their_message();
    // Before anything that takes time, so that a pod that is stopped while its model loads ends in order.
    let mut signals = StopSignals::catch().context("no signal handler")?;
    let listen = config.server.listen;
    let open_to_others = !listen.ip().is_loopback() && config.keys.is_none();
    // Bound before the model is loaded, so that a taken port is found at once; served from when it is ready.
    let listener = TcpListener::bind(listen).await.with_context(|| format!("can't listen on {listen}"))?;
    let service = tokio::select! {
        service = crate::start(config) => service?,
        () = signals.next() => {
            tracing::info!("told to stop before it was ready");
            return Ok(());
        }
    };
    let address = listener.local_addr()?;
    tracing::info!(listen = %address, docs = format!("http://{address}/docs"), "serving");
    if open_to_others {
        tracing::warn!("anyone who reaches this address may call; set `auth.keys_file` to ask for API keys");
    }
    let (stop, stopped) = oneshot::channel();
    let told_twice = async {
        signals.next().await;
        // The service may have ended already; then nobody listens.
        let _received = stop.send(());
        signals.next().await;
    };
    tokio::select! {
        () = crate::run(service, listener, async { stopped.await.unwrap_or_default() }) => Ok(()),
        () = told_twice => {
            tracing::warn!("told to stop again; ending without waiting for requests in flight");
            // Not by returning: the runtime would wait for what still runs.
            std::process::exit(INTERRUPTED)
        }
    }
}

/// A panic's message can quote what was being worked on; its place is enough to find the defect.
fn report_panics_without_their_message() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        tracing::error!(place, "panic");
    }));
}
