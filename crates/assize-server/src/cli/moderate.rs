//! `assize moderate`: verdicts without a service, through the same pipeline.
#![expect(clippy::print_stdout, reason = "verdicts are this command's answer")]

use super::shared::{ConfigArgs, progress};
use crate::pipeline::Case;
use anyhow::{Context as _, bail};
use assize_api::{Body, Explain, ModerateRequest, Role, Turn, VerdictResponse, convert, parse_body};
use assize_domain::CommunityId;
use futures_util::stream::{self, StreamExt as _};
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// A person's machine may be slow and nobody else waits.
const PATIENCE: Duration = Duration::from_secs(600);
/// Enough to fill batches, few enough to stay within the admission.
const AT_ONCE: usize = 16;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  assize moderate \"How do I pick a lock?\"\n  assize moderate --community children-education --json \"How do I pick a lock?\"\n  assize moderate --file conversations.jsonl > verdicts.jsonl\n\nA line of JSON Lines is a request of POST /moderate, {\"turns\":[{\"role\":\"user\",\"content\":\"...\"}]},\nor a JSON string, which is a prompt."
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

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let (requests, is_list) = requests(&args)?;
    let config = args.config.load(&[("communities.default", args.community.as_ref())])?;
    let service = crate::start(config).await?;
    let bar = progress(u64::try_from(requests.len()).unwrap_or(u64::MAX), "moderating");
    let verdicts = stream::iter(requests).map(|request| moderate(&service, &args, request)).buffered(AT_ONCE);
    let mut verdicts = std::pin::pin!(verdicts);
    while let Some(verdict) = verdicts.next().await {
        let verdict = verdict?;
        bar.suspend(|| {
            if args.json || is_list {
                print_json(&verdict)
            } else {
                print_for_people(&verdict);
                Ok(())
            }
        })?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

fn print_json(verdict: &VerdictResponse) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(verdict)?);
    Ok(())
}

/// The requests, and whether they came as a list.
fn requests(args: &Args) -> anyhow::Result<(Vec<ModerateRequest>, bool)> {
    if let Some(text) = &args.text {
        return Ok((vec![prompt(text.clone())], false));
    }
    let Some(file) = &args.file else {
        if std::io::stdin().is_terminal() {
            bail!("give a sentence, `--file`, or JSON Lines on stdin; see `assize moderate --help`");
        }
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("stdin is not UTF-8")?;
        return Ok((lines(&text)?, true));
    };
    let text = std::fs::read_to_string(file).with_context(|| format!("can't read `{}`", file.display()))?;
    if file.extension().is_some_and(|extension| extension == "jsonl") {
        Ok((lines(&text)?, true))
    } else {
        Ok((vec![prompt(text)], false))
    }
}

fn lines(text: &str) -> anyhow::Result<Vec<ModerateRequest>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| parse_line(line).with_context(|| format!("line {}", index + 1))).collect()
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
    let id: CommunityId = match &request.community {
        Some(id) => id.parse()?,
        None => state.config.communities.default.clone(),
    };
    let profile = state.communities.in_force().catalog.get(&id).cloned();
    let profile = profile.with_context(|| format!("no such community: `{id}`"))?;
    let conversation = convert::conversation(request, state.config.limits)
        .map_err(|field| anyhow::anyhow!("{}: {}", field.pointer, field.detail))?;
    let verdicts =
        state.pipeline.moderate(vec![Case { conversation, profile }], Instant::now() + PATIENCE).await;
    let verdict =
        verdicts.and_then(|mut verdicts| verdicts.pop().transpose()).map_err(|error| error.into_anyhow())?;
    Ok(convert::verdict(&verdict.context("no verdict")?, explain))
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
    println!("  model {} {}", provenance.model, provenance.model_revision);
}
