//! `assize fit`: a community's weights from its own labels.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the file on stdout, the report on stderr")]

use super::histories::HistoryArgs;
use super::shared::{ConfigArgs, progress};
use super::{judged, profiles};
use crate::communities::Snapshot;
use crate::config::Config;
use anyhow::{Context as _, bail};
use assize_api::{Explain, ModerateRequest, Role, Turn};
use assize_domain::{Assessment, Decision, Digest};
use assize_preferences::{
    Fit, FitProvenance, FitSettings, FitStage, Label, Labelled, Profile, ProfileSource, fit,
};
use assize_record::RecordId;
use serde::Deserialize;
use sha2::Digest as _;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "A line of LABELS is {\"prompt\": \"...\", \"rating\": 35} or {\"turns\": [...], \"decision\": \"block\"}: a rating from 0 (harmless)\nto 100, or a decision, and all lines the same kind. With `--history` a line may name a past verdict by its `id` in\nplace of the text. The profile is printed on stdout: the community's own file with the learnt numbers in it, or for a new\ncommunity one that extends the parent. Put it into candidates/ to try it.\n\nExamples:\n  assize fit --community our-forum --labels labels.jsonl > config/communities/candidates/our-forum.toml\n  assize fit --community our-forum --parent default --labels reviewed.jsonl --history history/"
)]
pub(super) struct Args {
    /// Whose values to learn
    #[arg(long)]
    community: String,
    /// Labelled conversations, in JSON Lines
    #[arg(long, value_name = "LABELS")]
    labels: PathBuf,
    /// The profile that a new community begins from and extends [default: communities.default]; a community that
    /// has a profile begins from its own
    #[arg(long)]
    parent: Option<String>,
    /// How far to go at most: parent, bias, strength, weights or effects. `effects` is not validated
    #[arg(long, default_value = "weights", value_parser = stage)]
    stage: FitStage,
    /// Multiplies how far from the profile it begins from a community is expected to be; above 1 the labels count
    /// for more. Above 0, up to 100
    #[arg(long, default_value_t = 1.0)]
    spread: f64,
    /// Title of the profile [default: that of the community's profile, or else its id]
    #[arg(long)]
    title: Option<String>,
    /// Histories in which ids are looked up
    #[arg(long, value_name = "HISTORY")]
    history: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// A line of the labels. Holds text: never printed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    prompt: Option<String>,
    #[serde(default)]
    turns: Vec<Turn>,
    id: Option<String>,
    rating: Option<f64>,
    decision: Option<String>,
}

/// What is to be judged or looked up, and the label.
struct Task {
    /// Counted from 1.
    line: usize,
    of: Of,
    label: Label,
}

enum Of {
    Turns(Vec<Turn>),
    Id(RecordId),
}

/// Where a fit begins.
struct Base {
    profile: Arc<Profile>,
    /// The new profile's title.
    title: String,
    /// The community's file as it is; `None` for a new community.
    present: Option<String>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let config = args.config.load(&[])?;
    let text = std::fs::read_to_string(&args.labels)
        .with_context(|| format!("can't read `{}`", args.labels.display()))?;
    let tasks = tasks(&text)?;
    let base = base(&args, &config)?;
    let known = look_up(&args, &tasks)?;
    let labelled = judge(&config, &base.profile, tasks, &known).await?;
    let fit = fit(&base.profile, &labelled, &FitSettings { highest: args.stage, spread: args.spread })?;
    report(&fit);
    let provenance = FitProvenance {
        title: base.title,
        labels: Digest::new(sha2::Sha256::digest(text.as_bytes()).into()),
        date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string().chars().take(10).collect(),
    };
    match base.present {
        Some(present) => print!("{}", fit.over(&present, &provenance)?),
        None => print!("{}", fit.to_toml(&provenance)),
    }
    Ok(())
}

fn stage(id: &str) -> Result<FitStage, String> {
    let allowed = FitStage::ALL.map(FitStage::id).join(", ");
    FitStage::ALL.into_iter().find(|stage| stage.id() == id).ok_or_else(|| format!("allowed: {allowed}"))
}

/// The community's own values where it has a file, or else those of the parent.
fn base(args: &Args, config: &Config) -> anyhow::Result<Base> {
    let (folder, community) = (&config.communities.folder, args.community.as_str());
    if let Some(present) = present(folder, community)? {
        if args.parent.is_some() {
            bail!(
                "`{community}` has a profile and begins from its own values; `--parent` is for a new community"
            );
        }
        let profile = profiles::find(folder, community)?;
        let title = args.title.clone().unwrap_or_else(|| profile.title().to_owned());
        return Ok(Base { profile, title, present: Some(present) });
    }
    let parent = args.parent.clone().unwrap_or_else(|| config.communities.default.to_string());
    let title = args.title.clone().unwrap_or_else(|| community.to_owned());
    Ok(Base { profile: profiles::find(folder, &parent)?, title, present: None })
}

/// The text of the community's file, in the folder or, for a path, there; `None` where there is none.
fn present(folder: &Path, community: &str) -> anyhow::Result<Option<String>> {
    let path = Path::new(community);
    if path.extension().is_some_and(|extension| extension == "toml") {
        let text = std::fs::read_to_string(path);
        return Ok(Some(text.with_context(|| format!("can't read `{community}`"))?));
    }
    let sources = Snapshot::read(folder)?.0;
    let is_it = |source: &ProfileSource| source.file.strip_suffix(".toml") == Some(community);
    Ok(sources.into_iter().find(is_it).map(|source| source.text))
}

fn tasks(text: &str) -> anyhow::Result<Vec<Task>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| task(index + 1, line).with_context(|| format!("line {}", index + 1))).collect()
}

/// Errors never repeat the line, which holds text.
fn task(number: usize, line: &str) -> anyhow::Result<Task> {
    let allowed = "`prompt`, `turns` or `id`, and `rating` (0 to 100) or `decision` (allow, review, block)";
    let Ok(line) = serde_json::from_str::<Line>(line) else {
        bail!("is no labelled conversation; allowed: {allowed}");
    };
    let of = match (line.prompt, line.turns, line.id) {
        (Some(content), turns, None) if turns.is_empty() => {
            Of::Turns(vec![Turn { role: Role::User, content }])
        }
        (None, turns, None) if !turns.is_empty() => Of::Turns(turns),
        (None, turns, Some(id)) if turns.is_empty() => Of::Id(id.parse()?),
        _ => bail!("needs one of `prompt`, `turns` and `id`"),
    };
    let label = match (line.rating, line.decision) {
        (Some(rating), None) if (0.0..=100.0).contains(&rating) => Label::Rating(rating),
        (Some(rating), None) => bail!("`rating` is `{rating}`; allowed: 0 to 100"),
        (None, Some(word)) => {
            let found = Decision::ALL.into_iter().find(|decision| decision.id() == word);
            Label::Decision(found.context("`decision` is unknown; allowed: allow, review, block")?)
        }
        _ => bail!("needs one of `rating` and `decision`"),
    };
    Ok(Task { line: number, of, label })
}

/// The assessments of past verdicts that labels name.
fn look_up(args: &Args, tasks: &[Task]) -> anyhow::Result<BTreeMap<RecordId, Assessment>> {
    let wanted: Vec<&RecordId> =
        tasks.iter().filter_map(|task| if let Of::Id(id) = &task.of { Some(id) } else { None }).collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    if args.history.is_empty() {
        bail!("labels name past verdicts; say with `--history` where they are");
    }
    let add = |found: &mut Vec<(RecordId, Assessment)>, record: &assize_record::Record| {
        if wanted.contains(&&record.id) {
            found.push((record.id.clone(), record.assessment.clone()));
        }
    };
    let (found, reading) = HistoryArgs::of(args.history.clone()).fold(Vec::new, add)?;
    reading.report();
    Ok(found.into_iter().flatten().collect())
}

async fn judge(
    config: &Config,
    parent: &Arc<Profile>,
    tasks: Vec<Task>,
    known: &BTreeMap<RecordId, Assessment>,
) -> anyhow::Result<Vec<Labelled>> {
    let mut config = config.clone();
    config.inference.admission = judged::ROOM;
    // It would end before a tree is written.
    config.reporter = None;
    config.history.recent = 1;
    config.history.folder = None;
    let needs_model = tasks.iter().any(|task| matches!(task.of, Of::Turns(_)));
    let service = if needs_model { Some(crate::start(config).await?) } else { None };
    let bar = progress(u64::try_from(tasks.len()).unwrap_or(u64::MAX), "judging");
    let mut labelled = Vec::new();
    for task in tasks {
        let line = || format!("line {}", task.line);
        let assessment = match (task.of, &service) {
            (Of::Turns(turns), Some(service)) => {
                let request = ModerateRequest { turns, community: None, judge: None, explain: Explain::None };
                let record = judged::record(service, parent, request).await.with_context(line)?;
                record.assessment.clone()
            }
            (Of::Id(id), _) => {
                let found = known.get(&id).cloned();
                found.with_context(|| format!("no history holds `{id}`")).with_context(line)?
            }
            (Of::Turns(_), None) => bail!("no model was started"),
        };
        labelled.push(Labelled { assessment, label: task.label });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(labelled)
}

fn report(fit: &Fit) {
    eprintln!("{} labels of {} conversations, {} set aside", fit.labels, fit.conversations, fit.set_aside);
    eprintln!("{:<9} {:>9} {:>9}  gain in log loss [95 %]", "stage", "log loss", "error");
    for stage in &fit.stages {
        let gain = stage.gain;
        eprintln!(
            "{:<9} {:>9.4} {:>9.4}  {:+.4} [{:+.4} {:+.4}]",
            stage.stage.id(),
            stage.log_loss,
            stage.error,
            gain.estimate,
            gain.low,
            gain.high
        );
    }
    if fit.is_distinguishable() {
        eprintln!("chosen: {}", fit.chosen.id());
    } else {
        eprintln!("not distinguishable from `{}`: its values are kept", fit.parent);
    }
}
