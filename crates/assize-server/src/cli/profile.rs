//! `assize profile`: help for those who write profiles, and a community's file through time: tried, put into force,
//! taken back.
#![expect(clippy::print_stdout, reason = "what was done is this command's answer")]

use super::shared::ConfigArgs;
use crate::communities::{ExampleRunner, Files, Snapshot, Versions, load};
use crate::config::Config;
use crate::startup;
use anyhow::{Context as _, bail};
use assize_domain::CommunityId;
use assize_preferences::{Catalog, FindingSeverity, ProfileSource, lint, reference};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Tell what in a profile does nothing, or not what it seems to; no model is needed
    Lint(LintArgs),
    /// Print every key of a profile file with unit, range and default, as Markdown
    Reference,
    /// Put the candidate of a community into force, after the checks that a reload makes
    ///
    /// The candidate is `candidates/COMMUNITY.toml` in the profiles' folder. A running service weighs it beside the
    /// profile in force and counts how its decisions differ (assize_shadow_verdicts_total). What was in force is kept
    /// in `history/COMMUNITY/`. A running service takes the change up by itself.
    Promote(Args),
    /// Put the version before into force again; the one in force becomes the candidate
    Rollback(Args),
    /// List the earlier versions of a community's profile
    History(Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whose profile
    community: CommunityId,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct LintArgs {
    /// Whose profiles [default: all]
    community: Vec<CommunityId>,
    /// Fail where there are warnings, as for a pipeline
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Lint(args) => lint_all(&args),
        Command::Reference => {
            print!("{}", reference());
            Ok(())
        }
        Command::Promote(args) => promote(&args).await,
        Command::Rollback(args) => roll_back(&args).await,
        Command::History(args) => history(&args),
    }
}

async fn promote(args: &Args) -> anyhow::Result<()> {
    let config = args.config.load(&[])?;
    let versions = Versions::new(&config.communities.folder, &args.community);
    check(&config, args, versions.candidate()?).await.context("the candidate is not put into force")?;
    let number = versions.promote()?;
    println!("{} promoted; what was in force is version {number} of its history", args.community);
    Ok(())
}

async fn roll_back(args: &Args) -> anyhow::Result<()> {
    let config = args.config.load(&[])?;
    let versions = Versions::new(&config.communities.folder, &args.community);
    let (_, text) = versions.previous()?;
    check(&config, args, text).await.context("the version before is not put into force")?;
    let number = versions.roll_back()?;
    println!("{} rolled back to version {number}; what was in force is the candidate now", args.community);
    Ok(())
}

fn history(args: &Args) -> anyhow::Result<()> {
    let config = args.config.load(&[])?;
    let versions = Versions::new(&config.communities.folder, &args.community);
    for version in versions.history()? {
        println!("{:>4}  {}", version.number, version.path.display());
    }
    Ok(())
}

/// What a reload would check: every profile with this text in place, their examples included.
async fn check(config: &Config, args: &Args, text: String) -> anyhow::Result<()> {
    let mut files = Files::read(&config.communities.folder)?;
    let file = format!("{}.toml", args.community);
    files.profiles.0.retain(|source| source.file != file);
    files.profiles.0.push(ProfileSource { file, text });
    files.candidates = Snapshot(Vec::new());
    let judge = startup::start_judge(&config.inference, &startup::new_metrics()?).await?;
    load(&files, &config.communities, &mut ExampleRunner::new(judge.assessor)).await?;
    Ok(())
}

fn lint_all(args: &LintArgs) -> anyhow::Result<()> {
    let config = args.config.load(&[])?;
    let catalog = Catalog::parse(&Files::read(&config.communities.folder)?.profiles.0)?;
    let wanted = if args.community.is_empty() { catalog.ids() } else { args.community.clone() };
    let mut warnings = 0_usize;
    for id in &wanted {
        if catalog.get(id).is_none() {
            let allowed = catalog.ids().iter().map(CommunityId::as_str).collect::<Vec<_>>().join(", ");
            bail!("`{id}` is no community in `{}`; allowed: {allowed}", config.communities.folder.display());
        }
        for finding in lint(&catalog, id) {
            let severity = match finding.severity {
                FindingSeverity::Warning => "warning",
                FindingSeverity::Note => "note",
            };
            warnings += usize::from(finding.severity == FindingSeverity::Warning);
            println!("{id}.toml: {severity}: `{}` {} [{}]", finding.key, finding.problem, finding.code);
            println!("    {}", finding.advice);
        }
    }
    println!("{} profiles, {warnings} warnings", wanted.len());
    if args.strict && warnings > 0 {
        bail!("{warnings} warnings");
    }
    Ok(())
}
