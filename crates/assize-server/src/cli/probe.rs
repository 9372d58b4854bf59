//! `assize probe`: a health check for images that hold no other client.

use anyhow::{Context as _, bail};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longer than any healthy service takes for `/livez` or `/readyz`.
const PATIENCE: Duration = Duration::from_secs(5);
/// The status line stands at the very beginning.
const HEAD_BYTES: u64 = 64;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// As `http://127.0.0.1:8080/readyz`; plain HTTP only
    url: String,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    tokio::time::timeout(PATIENCE, probe(&args.url)).await.context("no answer within 5 s")?
}

async fn probe(url: &str) -> anyhow::Result<()> {
    let rest = url.strip_prefix("http://").context("the URL must begin with `http://`")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream =
        TcpStream::connect(authority).await.with_context(|| format!("can't connect to `{authority}`"))?;
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    stream.take(HEAD_BYTES).read_to_end(&mut head).await?;
    let head = String::from_utf8_lossy(&head);
    let status = head.split_ascii_whitespace().nth(1).context("the answer is no HTTP")?;
    if status == "200" { Ok(()) } else { bail!("`{url}` answered {status}") }
}
