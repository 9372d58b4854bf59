//! `assize weigh`: what a harm-benefit tree comes to under a community's values; no model is asked.
#![expect(clippy::print_stdout, reason = "the weighing is this command's answer")]

use super::profiles;
use super::shared::ConfigArgs;
use anyhow::Context as _;
use assize_domain::{
    Assessment, Digest, GuardScores, ModelIdentity, OperatingPoints, PromptScores, Score, TopicSignals, Tree,
    TreeOutcome,
};
use assize_preferences::{Outcome, weigh};
use assize_record::reporter;
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "TREE is SafetyAnalyst's layout: {\"harms\":[{\"stakeholder\",\"harms\":[{\"action\",\"effects\":[{\"effect\",\"immediacy\",\"extent\",\n\"likelihood\"}]}]}],\"benefits\":[...]}. The guard's scores count nothing here: the tree alone is weighed.\n\nExamples:\n  assize weigh tree.json --profile safetyanalyst --json\n  assize weigh tree.json --profile my-draft.toml"
)]
pub(super) struct Args {
    /// File with the tree
    tree: PathBuf,
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
    score: f64,
    /// The logistic function of `score`.
    probability: f64,
    /// The same number, by the name that it has in verdicts.
    harmfulness: f64,
    decision: &'static str,
    decided_by: String,
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
    let path = args.tree.display();
    let text = std::fs::read_to_string(&args.tree).with_context(|| format!("can't read `{path}`"))?;
    let tree = reporter::tree_file(&text).with_context(|| format!("`{path}`"))?;
    let unreadable = tree.unreadable();
    let outcome = weigh(&assessment(Tree::Reported(tree))?, &profile);
    let weighing = weighing(&outcome, unreadable)?;
    if args.json {
        println!("{}", serde_json::to_string(&weighing)?);
        return Ok(());
    }
    println!(
        "{}  harmfulness {:.6}  score {:+.6}  ({}, decided by {})",
        weighing.decision.to_uppercase(),
        weighing.harmfulness,
        weighing.score,
        profile.id(),
        weighing.decided_by
    );
    for term in weighing.contributions.iter().filter(|term| term.contribution != 0.0) {
        println!("  {:+10.6} = {:.6} x {:+.6}  {}", term.contribution, term.value, term.weight, term.code);
    }
    if unreadable > 0 {
        println!("  {unreadable} leaves can't be read and are not weighed");
    }
    Ok(())
}

/// A tree and nothing else: the guard stands exactly at its operating point, where it adds nothing.
fn assessment(tree: Tree) -> anyhow::Result<Assessment> {
    let (half, zero) = (Score::new(0.5)?, Score::new(0.0)?);
    let prompt = PromptScores { harmful: half, adversarial: zero, risk: [zero; 13] };
    Ok(Assessment {
        guard: GuardScores { prompt: Some(prompt), response: None },
        operating_points: OperatingPoints::new([half; 4]),
        tree: TreeOutcome::Weighed(tree),
        topics: TopicSignals::default(),
        prompt_coverage: None,
        response_coverage: None,
        model: ModelIdentity { name: "tree file".into(), revision: Digest::new([0; 32]) },
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
        score: subject.score,
        probability: subject.harmfulness,
        harmfulness: outcome.harmfulness,
        decision: outcome.decision.id(),
        decided_by: assize_api::convert::decided_by(outcome.decided_by),
        unreadable,
        contributions: subject.contributions.iter().map(term).collect(),
    })
}
