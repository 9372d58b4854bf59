//! `assize profile`: help for those who write profiles, and a community's file through time: tried, put into force,
//! taken back.
#![expect(clippy::print_stdout, reason = "what was done is this command's answer")]

use super::profiles;
use super::shared::ConfigArgs;
use crate::communities::{ExampleRunner, Files, RolledBack, Versions, is_changed, load};
use crate::config::Config;
use crate::startup;
use anyhow::{Context as _, bail};
use assize_domain::CommunityId;
use assize_preferences::{Catalog, Finding, FindingSeverity, ProfileSource, lint, reference};

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
    /// in `history/COMMUNITY/`. A running service takes the change up by itself. Findings of `profile lint` are told, and
    /// keep nothing from coming into force.
    Promote(Args),
    /// Put the version before into force again
    ///
    /// What was in force is kept as `history/COMMUNITY/left-0001.toml`, and becomes the candidate where there is none.
    Rollback(RollbackArgs),
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
pub(super) struct RollbackArgs {
    #[command(flatten)]
    args: Args,
    /// For emergencies: load no model and run no examples. A running service still runs them when it takes the change up
    #[arg(long)]
    no_examples: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct LintArgs {
    /// Whose profiles: communities, or .toml files [default: all in force]
    #[arg(value_name = "PROFILE")]
    profiles: Vec<String>,
    /// The candidates, too
    #[arg(long)]
    candidates: bool,
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
    const REFUSED: &str = "the candidate is not put into force";
    let config = args.config.load(&[])?;
    let versions = Versions::new(&config.communities.folder, &args.community);
    let change = versions.candidate()?;
    let plan = Plan::of(&config, &args.community, change.text.clone()).context(REFUSED)?;
    tell(&format!("candidates/{}.toml", args.community), &lint(&plan.catalog, &args.community));
    plan.run_examples(&config).await.context(REFUSED)?;
    let kept = match versions.promote(&change)? {
        Some(number) => format!("what was in force is version {number} of its history"),
        None => "nothing was in force before".to_owned(),
    };
    println!("{} promoted; {kept}; it changes {}", args.community, plan.changed());
    Ok(())
}

async fn roll_back(args: &RollbackArgs) -> anyhow::Result<()> {
    const REFUSED: &str = "the version before is not put into force";
    let RollbackArgs { args, no_examples } = args;
    let config = args.config.load(&[])?;
    let versions = Versions::new(&config.communities.folder, &args.community);
    let change = versions.previous()?;
    let plan = Plan::of(&config, &args.community, change.text.clone()).context(REFUSED)?;
    if !no_examples {
        plan.run_examples(&config).await.context(REFUSED)?;
    }
    let kept = match versions.roll_back(&change)? {
        RolledBack::IsCandidate => "is the candidate now, and kept in its history",
        RolledBack::CandidateStays => "is kept in its history; another candidate is in place and stays",
    };
    println!("{} rolled back; what was in force {kept}; it changes {}", args.community, plan.changed());
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

/// A text in place of a community's profile.
struct Plan {
    files: Files,
    before: Catalog,
    catalog: Catalog,
}

impl Plan {
    /// Checks what needs no model, and so takes no time: every profile with this text in place.
    fn of(config: &Config, community: &CommunityId, text: String) -> anyhow::Result<Self> {
        let mut files = Files::read(&config.communities.folder)?;
        // Where those in force are faulty themselves, all of them count as changed.
        let before = Catalog::parse(&files.profiles.0).unwrap_or_default();
        let file = format!("{community}.toml");
        files.profiles.0.retain(|source| source.file != file);
        files.profiles.0.push(ProfileSource { file, text });
        files.candidates = Vec::new();
        let catalog = Catalog::parse(&files.profiles.0)?;
        Ok(Self { files, before, catalog })
    }

    /// Checks what a reload would, the examples of all profiles included.
    async fn run_examples(&self, config: &Config) -> anyhow::Result<()> {
        let judge = startup::start_judge(&config.inference, &startup::new_metrics()?).await?;
        load(&self.files, &config.communities, &mut ExampleRunner::new(judge.assessor)).await?;
        Ok(())
    }

    /// The communities whose values change: those that extend this one, too.
    fn changed(&self) -> String {
        let changed = self.catalog.iter().filter(|new| is_changed(&self.before, new));
        let changed: Vec<&str> = changed.map(|profile| profile.id().as_str()).collect();
        if changed.is_empty() { "nobody's values".to_owned() } else { changed.join(", ") }
    }
}

fn lint_all(args: &LintArgs) -> anyhow::Result<()> {
    let config = args.config.load(&[])?;
    let folder = &config.communities.folder;
    let files = Files::read(folder)?;
    let in_force = Catalog::parse(&files.profiles.0)?;
    let mut wanted = args.profiles.clone();
    if wanted.is_empty() {
        wanted.extend(in_force.ids().iter().map(ToString::to_string));
    }
    if args.candidates {
        let names = files.candidates.iter().map(|candidate| format!("candidates/{}", candidate.file));
        wanted.extend(names.map(|name| folder.join(name).display().to_string()));
    }
    let mut warnings = 0_usize;
    for name in &wanted {
        warnings += if profiles::is_file(name) {
            let (catalog, id) = profiles::with_file(folder, &files.profiles.0, name)?;
            tell(name, &lint(&catalog, &id))
        } else {
            let id = name.parse().ok().filter(|id| in_force.get(id).is_some()).with_context(|| {
                let allowed = in_force.ids().iter().map(CommunityId::as_str).collect::<Vec<_>>().join(", ");
                format!("`{name}` is no community in `{}`; allowed: {allowed}", folder.display())
            })?;
            tell(&format!("{id}.toml"), &lint(&in_force, &id))
        };
    }
    println!("{} profiles, {warnings} warnings", wanted.len());
    if args.strict && warnings > 0 {
        bail!("{warnings} warnings");
    }
    Ok(())
}

/// Prints what was found, and gives how many warnings there are.
fn tell(file: &str, findings: &[Finding]) -> usize {
    for finding in findings {
        let severity = match finding.severity {
            FindingSeverity::Warning => "warning",
            FindingSeverity::Note => "note",
        };
        println!("{file}: {severity}: `{}` {} [{}]", finding.key, finding.problem, finding.code);
        println!("    {}", finding.advice);
    }
    findings.iter().filter(|finding| finding.severity == FindingSeverity::Warning).count()
}
