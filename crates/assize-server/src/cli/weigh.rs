//! `assize weigh`: what a harm-benefit tree comes to under a community's values; no model is asked.
#![expect(clippy::print_stdout, reason = "the weighing is this command's answer")]

use super::profiles;
use super::shared::ConfigArgs;
use anyhow::{Context as _, bail};
use assize_domain::{
    Assessment, Digest, GuardScores, ModelIdentity, OperatingPoints, PromptScores, ReportedTree, Score,
    TopicSignals, Tree, TreeOutcome, UnusableTree,
};
use assize_preferences::{Outcome, Profile, weigh};
use assize_record::reporter::{self, TreeError};
use assize_telemetry::error_chain;
use serde::Serialize;
use std::io::Read as _;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("source").args(["tree", "harms"]).required(true),
    after_help = "TREE is SafetyAnalyst's layout: {\"harms\":[{\"stakeholder\",\"harms\":[{\"action\",\"effects\":[{\"effect\",\"immediacy\",\"extent\",\n\"likelihood\"}]}]}],\"benefits\":[...]}. Broken JSON is mended where that is safe. The guard's scores count nothing here: the\ntree alone is weighed. A tree that can't be used is told as such, with the decision that the community wants then.\n\nExamples:\n  assize weigh tree.json --profile safetyanalyst --json\n  assize weigh --harms harms.txt --benefits benefits.txt --profile my-draft.toml"
)]
pub(super) struct Args {
    /// File with both lists of a tree; `-` reads stdin
    tree: Option<PathBuf>,
    /// File with the text that the harm reporter wrote; `-` reads stdin
    #[arg(long, value_name = "FILE", requires = "benefits", conflicts_with = "tree")]
    harms: Option<PathBuf>,
    /// File with the text that the benefit reporter wrote; `-` reads stdin
    #[arg(long, value_name = "FILE", requires = "harms")]
    benefits: Option<PathBuf>,
    /// A community, or a profile file that ends in .toml [default: setting communities.default]
    #[arg(long)]
    profile: Option<String>,
    /// Print the weighing as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Weighing {
    /// `None`, like all that follows from it, where the tree can't be used: that is no zero.
    score: Option<f64>,
    /// The logistic function of `score`.
    probability: Option<f64>,
    /// The same number, by the name that it has in verdicts.
    harmfulness: Option<f64>,
    decision: &'static str,
    decided_by: String,
    /// Why the tree can't be used.
    unusable: Option<String>,
    /// Leaves that could not be read.
    unreadable: usize,
    contributions: Vec<Term>,
}

#[derive(Serialize)]
struct Term {
    code: String,
    value: f64,
    weight: f64,
    contribution: f64,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let config = args.config.load(&[])?;
    let name = args.profile.clone().unwrap_or_else(|| config.communities.default.to_string());
    let profile = profiles::find(&config.communities.folder, &name)?;
    let tree = tree(args)?;
    let outcome = match &tree {
        Ok(tree) => TreeOutcome::Weighed(Tree::Reported(tree.clone())),
        Err(_) => TreeOutcome::Unusable(UnusableTree::Unreadable),
    };
    let outcome = weigh(&assessment(outcome)?, &profile);
    let weighing = match &tree {
        Ok(tree) => weighing(&outcome, tree.unreadable())?,
        Err(why) => unusable(&outcome, why),
    };
    if args.json {
        println!("{}", serde_json::to_string(&weighing)?);
    } else {
        print(&weighing, &profile);
    }
    Ok(())
}

/// What the reporters wrote, or why it is no tree.
fn tree(args: &Args) -> anyhow::Result<Result<ReportedTree, TreeError>> {
    Ok(match (&args.tree, &args.harms, &args.benefits) {
        (Some(tree), _, _) => reporter::tree_file(&text(tree)?),
        (None, Some(harms), Some(benefits)) => {
            if is_stdin(harms) && is_stdin(benefits) {
                bail!(
                    "`--harms` and `--benefits` are both `-`, which reads stdin; write one of them into a file"
                );
            }
            reporter::tree(&text(harms)?, &text(benefits)?)
        }
        (None, _, _) => bail!("give TREE, or `--harms` and `--benefits`; see `assize weigh --help`"),
    })
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A model may stop in the middle of a letter: what is no UTF-8 is an unknown word, not the end.
fn text(path: &Path) -> anyhow::Result<String> {
    let bytes = if is_stdin(path) {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("can't read stdin")?;
        bytes
    } else {
        std::fs::read(path).with_context(|| format!("can't read `{}`", path.display()))?
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn print(weighing: &Weighing, profile: &Profile) {
    let (decision, by) = (weighing.decision.to_uppercase(), &weighing.decided_by);
    match (weighing.harmfulness, weighing.score) {
        (Some(harmfulness), Some(score)) => println!(
            "{decision}  harmfulness {harmfulness:.6}  score {score:+.6}  ({}, decided by {by})",
            profile.id()
        ),
        _ => println!(
            "{decision}  no harmfulness, because the tree can't be used  ({}, decided by {by})",
            profile.id()
        ),
    }
    for term in weighing.contributions.iter().filter(|term| term.contribution != 0.0) {
        println!("  {:+10.6} = {:.6} x {:+.6}  {}", term.contribution, term.value, term.weight, term.code);
    }
    if let Some(why) = &weighing.unusable {
        println!("  unusable: {why}");
    }
    if weighing.unreadable > 0 {
        println!("  {} leaves can't be read and are not weighed", weighing.unreadable);
    }
}

/// A tree and nothing else: the guard stands exactly at its operating point, where it adds nothing.
fn assessment(tree: TreeOutcome) -> anyhow::Result<Assessment> {
    let (half, zero) = (Score::new(0.5)?, Score::new(0.0)?);
    let prompt = PromptScores { harmful: half, adversarial: zero, risk: [zero; 13] };
    Ok(Assessment {
        guard: GuardScores { prompt: Some(prompt), response: None },
        operating_points: OperatingPoints::new([half; 4]),
        tree,
        topics: TopicSignals::default(),
        prompt_coverage: None,
        response_coverage: None,
        model: ModelIdentity { name: "tree file".into(), revision: Digest::new([0; 32]) },
        precision: None,
        consulted: Vec::new(),
    })
}

fn weighing(outcome: &Outcome, unreadable: usize) -> anyhow::Result<Weighing> {
    let subject = outcome.subjects.first().context("nothing was weighed")?;
    let term = |c: &assize_domain::Contribution| Term {
        code: c.evidence.id(),
        value: c.value,
        weight: c.weight,
        contribution: c.points,
    };
    Ok(Weighing {
        score: Some(subject.score),
        probability: Some(subject.harmfulness),
        harmfulness: Some(outcome.harmfulness),
        decision: outcome.decision.id(),
        decided_by: assize_api::convert::decided_by(outcome.decided_by),
        unusable: None,
        unreadable,
        contributions: subject.contributions.iter().map(term).collect(),
    })
}

/// What the community decides without a tree. The reason holds no word of the tree.
fn unusable(outcome: &Outcome, why: &TreeError) -> Weighing {
    Weighing {
        score: None,
        probability: None,
        harmfulness: None,
        decision: outcome.decision.id(),
        decided_by: assize_api::convert::decided_by(outcome.decided_by),
        unusable: Some(error_chain(why)),
        unreadable: 0,
        contributions: Vec::new(),
    }
}
