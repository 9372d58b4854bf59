//! `assize check-config`: everything that could go wrong at start-up, before it does.
#![expect(clippy::print_stdout, reason = "the report is this command's answer")]

use super::shared::ConfigArgs;
use crate::communities::{ExampleRunner, Files, load};
use crate::startup;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let config = args.config.load(&[])?;
    println!("settings     ok");
    let metrics = startup::new_metrics()?;
    let judge = startup::start_judge(&config.inference, &metrics).await?;
    println!("model        ok   {} {}", judge.identity.name, judge.identity.revision);
    if let Some(guard) = startup::start_guard(&config, &metrics)? {
        let identity = guard.tier.identity();
        println!("guard        ok   {} {}", identity.name, identity.revision);
    }
    if let Some(reporter) = startup::start_reporter(&config, &metrics).await? {
        let identity = reporter.tier.identity();
        println!("reporter     ok   {} {}", identity.name, identity.revision);
    }
    let files = Files::read(&config.communities.folder)?;
    let mut runner = ExampleRunner::new(judge.assessor.clone());
    let loaded = load(&files, &config.communities, &mut runner).await?;
    for profile in loaded.catalog.iter() {
        println!(
            "community    ok   {} ({} examples) {}",
            profile.id(),
            profile.examples().len(),
            profile.digest()
        );
    }
    for why in loaded.candidates.refused() {
        println!("candidate    left out   {why}");
    }
    Ok(())
}
