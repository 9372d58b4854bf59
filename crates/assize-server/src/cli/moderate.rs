//! `assize moderate`: verdicts without a service, through the same pipeline.
#![expect(clippy::print_stdout, reason = "verdicts are this command's answer")]

use super::judged::{AT_ONCE, PATIENCE, ROOM};
use super::shared::{ConfigArgs, progress};
use crate::jobs::TreeWish;
use crate::pipeline::Case;
use anyhow::{Context as _, bail};
use assize_api::{Body, Explain, ModerateRequest, Role, Turn, VerdictResponse, convert, parse_body};
use assize_domain::CommunityId;
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;
use tokio::time::Instant;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  assize moderate \"How do I pick a lock?\"\n  assize moderate --community children-education --json \"How do I pick a lock?\"\n  assize moderate --file conversations.jsonl > verdicts.jsonl\n\nA line of JSON Lines is a request of POST /moderate, {\"turns\":[{\"role\":\"user\",\"content\":\"...\"}]},\nor a JSON string, which is a prompt. A line that fails gives {\"line\":n,\"error\":\"...\"} in its place.\nWith ASSIZE__HISTORY__FOLDER set, records without text are written there, for `assize replay` and `assize diff`."
)]
pub(super) struct Args {
    /// What a user says; JSON Lines are read from stdin where it is absent
    text: Option<String>,
    /// File to read: JSON Lines where its name ends in .jsonl, one prompt otherwise
    #[arg(long, conflicts_with = "text")]
    file: Option<PathBuf>,
    /// Whose values decide [default: setting communities.default]
    #[arg(long)]
    community: Option<String>,
    /// Print the verdict as JSON (always so for JSON Lines)
    #[arg(long)]
    json: bool,
    /// Give every contribution
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What to judge.
enum Input {
    /// What fails ends the command.
    One(ModerateRequest),
    /// What fails is told in its place.
    Lines(Vec<Line>),
}

struct Line {
    /// In the file, from 1.
    number: usize,
    request: anyhow::Result<ModerateRequest>,
}

/// Stands where the verdict of a line would. Holds no text of the line.
#[derive(Serialize)]
struct FailedLine {
    line: usize,
    error: String,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let input = input(&args)?;
    let mut config = args.config.load(&[("communities.default", args.community.as_ref())])?;
    config.inference.admission = ROOM;
    // It would end before a tree is written.
    config.reporter = None;
    let mut service = crate::start(config).await?;
    let done = judge(&service, &args, input).await;
    service.finish_history();
    done
}

async fn judge(service: &crate::Service, args: &Args, input: Input) -> anyhow::Result<()> {
    match input {
        Input::One(request) => {
            let verdict = moderate(service, args, request).await?;
            if args.json {
                return print_json(&verdict);
            }
            print_for_people(&verdict);
            Ok(())
        }
        Input::Lines(lines) => moderate_lines(service, args, lines).await,
    }
}

async fn moderate_lines(service: &crate::Service, args: &Args, lines: Vec<Line>) -> anyhow::Result<()> {
    let count = lines.len();
    let bar = progress(u64::try_from(count).unwrap_or(u64::MAX), "moderating");
    let verdicts = stream::iter(lines).map(async |Line { number, request }| match request {
        Ok(request) => (number, moderate(service, args, request).await),
        Err(error) => (number, Err(error)),
    });
    let mut verdicts = std::pin::pin!(verdicts.buffered(AT_ONCE));
    let mut failed = 0_usize;
    while let Some((line, verdict)) = verdicts.next().await {
        failed += usize::from(verdict.is_err());
        bar.suspend(|| match verdict {
            Ok(verdict) => print_json(&verdict),
            Err(error) => print_json(&FailedLine { line, error: format!("{error:#}") }),
        })?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    if failed > 0 {
        bail!("{failed} of {count} lines have no verdict; the `error` in their place says why");
    }
    Ok(())
}

fn print_json(answer: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(answer)?);
    Ok(())
}

fn input(args: &Args) -> anyhow::Result<Input> {
    if let Some(text) = &args.text {
        return Ok(Input::One(prompt(text.clone())));
    }
    let Some(file) = &args.file else {
        if std::io::stdin().is_terminal() {
            bail!("give a sentence, `--file`, or JSON Lines on stdin; see `assize moderate --help`");
        }
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("stdin is not UTF-8")?;
        return Ok(Input::Lines(lines(&text)));
    };
    let text = std::fs::read_to_string(file).with_context(|| format!("can't read `{}`", file.display()))?;
    if file.extension().is_some_and(|extension| extension == "jsonl") {
        Ok(Input::Lines(lines(&text)))
    } else {
        Ok(Input::One(prompt(text)))
    }
}

fn lines(text: &str) -> Vec<Line> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| Line { number: index + 1, request: parse_line(line) }).collect()
}

fn parse_line(line: &str) -> anyhow::Result<ModerateRequest> {
    if let Ok(text) = serde_json::from_str::<String>(line) {
        return Ok(prompt(text));
    }
    match parse_body(line.as_bytes(), 1) {
        Ok(Body::One(request)) => Ok(*request),
        Ok(Body::Many(_)) => bail!("is a list; write one conversation a line"),
        Err(error) => bail!(
            "{}{}",
            error.field.map_or_else(String::new, |field| format!("{}: ", field.pointer)),
            error.detail
        ),
    }
}

fn prompt(content: String) -> ModerateRequest {
    let turns = vec![Turn { role: Role::User, content }];
    ModerateRequest { turns, community: None, judge: None, explain: Explain::Reasons }
}

async fn moderate(
    service: &crate::Service,
    args: &Args,
    request: ModerateRequest,
) -> anyhow::Result<VerdictResponse> {
    let state = &service.state;
    let explain = if args.full { Explain::Full } else { request.explain };
    let id: Option<CommunityId> = match &request.community {
        Some(id) => id.parse().ok(),
        None => Some(state.config.communities.default.clone()),
    };
    let in_force = std::sync::Arc::clone(&state.communities.in_force().catalog);
    let profile = id.and_then(|id| in_force.get(&id).cloned()).with_context(|| {
        // Without the one that was asked for: an answer for a line holds none of its text.
        let allowed = in_force.ids().iter().map(CommunityId::as_str).collect::<Vec<_>>().join(", ");
        format!("no such community; allowed: {allowed}")
    })?;
    let conversation = convert::conversation(request, state.config.limits)
        .map_err(|field| anyhow::anyhow!("{}: {}", field.pointer, field.detail))?;
    let verdicts = state
        .pipeline
        .moderate(
            vec![Case { conversation, profile, candidate: None, wish: TreeWish::IfClose }],
            Instant::now() + PATIENCE,
        )
        .await;
    let verdict =
        verdicts.and_then(|mut verdicts| verdicts.pop().transpose()).map_err(|error| error.into_anyhow())?;
    let given = verdict.context("no verdict")?;
    Ok(convert::verdict(given.id.as_str(), &given.verdict, explain))
}

fn print_for_people(verdict: &VerdictResponse) {
    let decision = serde_json::to_value(verdict.decision).unwrap_or_default();
    let decision = decision.as_str().unwrap_or_default().to_uppercase();
    let provenance = &verdict.provenance;
    println!(
        "{decision}  harmfulness {:.3}  ({}, decided by {})",
        verdict.harmfulness, provenance.community, verdict.decided_by
    );
    for reason in verdict.reasons.iter().flatten() {
        let points = reason.contribution.map_or_else(String::new, |points| format!("{points:+.2}"));
        println!("  {points:>6}  {}", reason.text);
    }
    for subject in verdict.subjects.iter().flatten() {
        println!("  {:?}: score {:+.3}", subject.subject, subject.score);
        for term in subject.contributions.iter().filter(|term| term.contribution != 0.0) {
            println!(
                "    {:+8.3} = {:+.3} x {:.3}  {}",
                term.contribution, term.value, term.weight, term.code
            );
        }
    }
    let precision = provenance.precision.as_deref().map_or_else(String::new, |name| format!(" in {name}"));
    println!("  model {} {}{precision}", provenance.model, provenance.model_revision);
    for asked in &provenance.consulted {
        let silent = if asked.answered { "" } else { ", which gave no answer" };
        println!("  {} {} {}{silent}", asked.tier, asked.model, asked.model_revision);
    }
}
