//! `assize serve`: run until told to stop.

use super::shared::ConfigArgs;
use anyhow::Context as _;
use tokio::net::TcpListener;

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
    let listen = config.server.listen;
    let open_to_others = !listen.ip().is_loopback() && config.keys.is_none();
    // Bound before the model is loaded, so that a taken port is found at once; served from when it is ready.
    let listener = TcpListener::bind(listen).await.with_context(|| format!("can't listen on {listen}"))?;
    let service = crate::start(config).await?;
    let address = listener.local_addr()?;
    tracing::info!(listen = %address, docs = format!("http://{address}/docs"), "serving");
    if open_to_others {
        tracing::warn!("anyone who reaches this address may call; set `auth.keys_file` to ask for API keys");
    }
    let stop = async {
        if let Err(error) = crate::stop_signal().await {
            tracing::error!(error = %error, "no signal handler; stopping");
        }
    };
    crate::run(service, listener, stop).await;
    Ok(())
}

/// A panic's message can quote what was being worked on; its place is enough to find the defect.
fn report_panics_without_their_message() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        tracing::error!(place, "panic");
    }));
}
