//! `assize eval`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}
pub(super) fn run(_args: &Args) -> anyhow::Result<()> {
    Ok(())
}
