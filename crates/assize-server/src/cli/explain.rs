//! `assize explain`: one conversation under one or several communities: sum, reasons, what would change it, as text, JSON and
//! picture.
#![expect(clippy::print_stdout, reason = "the explanation is this command's answer")]

use super::shared::ConfigArgs;
use super::{judged, profiles};
use crate::explanation;
use anyhow::{Context as _, bail};
use assize_api::{Explain, ModerateRequest, Role, Turn};
use assize_preferences::{Counterfactuals, Profile, counterfactuals, decide};
use assize_record::{Record, from_json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Changes that are told one by one.
const TOLD: usize = 8;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  assize explain \"How do I pick a lock?\"\n  assize explain --community default,children-education \"How do I pick a lock?\" --svg lock.svg\n  curl localhost:8080/assessments/ID > one.json; assize explain --record one.json"
)]
pub(super) struct Args {
    /// What a user says
    #[arg(conflicts_with = "record")]
    text: Option<String>,
    /// A record, as `GET /assessments/{id}` gives it, in place of a text: no model is asked
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Whose values: communities or .toml files, separated by commas [default: setting communities.default]
    #[arg(long, value_delimiter = ',')]
    community: Vec<String>,
    /// Draw the tree and the sum; with several communities each gets a file, named after it (a second of one name has a number)
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print a list of JSON objects
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let mut config = args.config.load(&[])?;
    config.inference.admission = judged::ROOM;
    // It would end before a tree is written.
    config.reporter = None;
    config.history.recent = config.history.recent.max(1);
    config.history.folder = None;
    let names = if args.community.is_empty() {
        vec![config.communities.default.to_string()]
    } else {
        args.community.clone()
    };
    let folder = config.communities.folder.clone();
    let found = names.iter().map(|name| profiles::find(&folder, name)).collect::<anyhow::Result<Vec<_>>>()?;
    let first = found.first().context("no community")?;
    let record = match (&args.text, &args.record) {
        (Some(text), _) => judged::record(&crate::start(config).await?, first, request(text)).await?,
        (None, Some(path)) => Arc::new(read(path)?),
        (None, None) => bail!("give a sentence or `--record`; see `assize explain --help`"),
    };
    let mut all = Vec::new();
    for (name, profile) in labels(&names).iter().zip(&found) {
        if let Some(path) = &args.svg {
            let path = if found.len() > 1 { beside(path, name) } else { path.clone() };
            std::fs::write(&path, explanation::as_svg(&record, profile))
                .with_context(|| format!("can't write `{}`", path.display()))?;
        }
        if args.json {
            all.push(explanation::as_json(&record, profile));
        } else {
            print(name, &record, profile);
        }
    }
    if args.json {
        println!("{}", serde_json::to_string(&all)?);
    }
    Ok(())
}

fn request(text: &str) -> ModerateRequest {
    let turns = vec![Turn { role: Role::User, content: text.to_owned() }];
    ModerateRequest { turns, community: None, judge: None, explain: Explain::Full }
}

fn read(path: &Path) -> anyhow::Result<Record> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can't read `{}`", path.display()))?;
    from_json(text.trim()).with_context(|| format!("`{}`", path.display()))
}

/// A name for each picture: a community's id, a file's without folder and ending, and a number where one comes again, as
/// for a community and its candidate.
fn labels(names: &[String]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for name in names {
        let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or("profile");
        let numbered = (2..).map(|number: usize| format!("{stem}-{number}"));
        let mut free =
            std::iter::once(stem.to_owned()).chain(numbered).filter(|label| !labels.contains(label));
        labels.extend(free.next());
    }
    labels
}

/// `lock.svg` becomes `lock-LABEL.svg`.
fn beside(path: &Path, label: &str) -> PathBuf {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("tree");
    path.with_file_name(format!("{stem}-{label}.svg"))
}

fn print(name: &str, record: &Record, profile: &Profile) {
    let verdict = decide(&record.assessment, profile);
    println!(
        "{}  harmfulness {:.3}  ({name}, {}: review from {:.2}, block from {:.2})",
        verdict.decision.id().to_uppercase(),
        verdict.harmfulness,
        profile.title(),
        profile.thresholds().review,
        profile.thresholds().block,
    );
    for reason in &verdict.reasons {
        let points = reason.points.map_or_else(String::new, |points| format!("{points:+.2}"));
        println!("  {points:>6}  {}", reason.text);
    }
    if let Some(subject) = verdict.subjects.first() {
        println!("  the sum ({}):", subject.subject.id());
        for term in subject.contributions.iter().filter(|term| term.points != 0.0) {
            println!(
                "    {:+8.3} = {:+.3} x {:.3}  {}",
                term.points,
                term.value,
                term.weight,
                term.evidence.id()
            );
        }
        println!("    {:+8.3}   log-odds, harmfulness {:.3}", subject.score, subject.harmfulness);
    }
    match counterfactuals(&record.assessment, profile) {
        Counterfactuals::NotBySum { text, .. } => println!("  {text}"),
        Counterfactuals::Found(found) => {
            found.iter().take(TOLD).for_each(|one| println!("  {}", one.text));
        }
    }
    println!();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], expected: &[&str]) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(labels(&names), expected);
    }

    #[test]
    fn no_picture_takes_the_place_of_another() {
        check(&["default", "strict"], &["default", "strict"]);
        check(&["default", "candidates/default.toml"], &["default", "default-2"]);
        check(&["a/x.toml", "b/x.toml", "x-2"], &["x", "x-2", "x-2-2"]);
    }
}
