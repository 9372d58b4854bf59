//! A bounded load generator for a running service on this machine:
//!
//! ```sh
//! cargo run --release -p assize-e2e --example load -- 127.0.0.1:8080            # the whole mix, benches/mix.toml
//! cargo run --release -p assize-e2e --example load -- 127.0.0.1:8080 64 30      # 64 connections for 30 s
//! ```
//!
//! sends chat turns over so many connections for so many seconds and prints how many came back and how fast.
#![expect(clippy::print_stdout, reason = "the figures are this program's answer")]

mod mix;
mod report;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use mix::Mix;
use report::{HEADING, Outcome, csv, rows};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// One connection. Bare, because the client works on the same processors as the service.
type Sender = hyper::client::conn::http1::SendRequest<Full<Bytes>>;

/// After this an answer counts as none.
const LONGEST: Duration = Duration::from_secs(60);

type Anyhow<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "\
load ADDRESS [CONNECTIONS [SECONDS [WORDS]]] [--mix FILE] [--csv FILE]

  ADDRESS       of the service, on this machine: 127.0.0.1:8080
  CONNECTIONS   how many send at once; several one after the other: 1,8,64; `mix` for the mix's own
  SECONDS       for each number of connections, 600 at most (10)
  WORDS         in each turn, instead of the lengths of the mix
  --mix FILE    another mix than benches/mix.toml, laid out as that
  --csv FILE    write the table there, too

As: load 127.0.0.1:8080 64 30";

struct Settings {
    address: SocketAddr,
    connections: Vec<usize>,
    seconds: u64,
    words: Option<usize>,
    mix: Mix,
    csv: Option<PathBuf>,
}

impl Settings {
    fn of(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut places, mut mix, mut csv): (Vec<String>, Option<PathBuf>, Option<PathBuf>) =
            (Vec::new(), None, None);
        while let Some(argument) = given.next() {
            let mut value = || given.next().ok_or(format!("{argument} wants a file\n\n{USAGE}"));
            match argument.as_str() {
                "--mix" => mix = Some(value()?.into()),
                "--csv" => csv = Some(value()?.into()),
                "--help" | "-h" => return Err(USAGE.to_owned()),
                flag if flag.starts_with('-') => return Err(format!("`{flag}` is unknown\n\n{USAGE}")),
                _ => places.push(argument),
            }
        }
        let mix = Mix::read(mix.as_deref())?;
        let mut places = places.iter().map(String::as_str);
        let address = places.next().ok_or(format!("an address is missing\n\n{USAGE}"))?;
        let settings = Self {
            address: number("ADDRESS", address)?,
            connections: match places.next() {
                None | Some("mix") => mix.connections.clone(),
                Some(list) => {
                    list.split(',').map(|count| number("CONNECTIONS", count)).collect::<Result<_, _>>()?
                }
            },
            seconds: places.next().map_or(Ok(10), |seconds| number("SECONDS", seconds))?.min(600),
            words: places.next().map(|words| number("WORDS", words)).transpose()?,
            mix,
            csv,
        };
        if let Some(more) = places.next() {
            return Err(format!("`{more}` is one too many\n\n{USAGE}"));
        }
        if !settings.address.ip().is_loopback() {
            return Err("only a service on this machine may be loaded".to_owned());
        }
        Ok(settings)
    }
}

fn number<T: std::str::FromStr<Err: std::fmt::Display>>(what: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{what} can't be `{text}`: {error}\n\n{USAGE}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Anyhow<ExitCode> {
    let settings = match Settings::of(std::env::args().skip(1)) {
        Ok(settings) => settings,
        Err(mistake) => {
            println!("{mistake}");
            return Ok(ExitCode::from(2));
        }
    };
    let bodies = Arc::new(settings.mix.bodies(settings.words));
    let (mut table, mut lost) = (Vec::new(), 0);
    println!("{HEADING}");
    for connections in &settings.connections {
        let started = Instant::now();
        let outcomes = send(&settings, *connections, &bodies).await?;
        let rows = rows(*connections, &outcomes, started.elapsed());
        rows.iter().for_each(|row| println!("{}", row.text()));
        lost += outcomes.iter().filter(|outcome| !outcome.is_honest).count();
        table.extend(rows);
    }
    if lost > 0 {
        println!("\n{lost} requests got neither 200 nor 503 with Retry-After; status 0 is no answer at all");
    }
    if let Some(file) = &settings.csv {
        std::fs::write(file, csv(&table))
            .map_err(|error| format!("can't write `{}`: {error}", file.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Loads the service over so many connections for the time that is set.
async fn send(settings: &Settings, connections: usize, bodies: &Arc<Vec<String>>) -> Anyhow<Vec<Outcome>> {
    let until = Instant::now() + Duration::from_secs(settings.seconds);
    let next = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(client(settings.address, until, Arc::clone(bodies), Arc::clone(&next))))
        .collect();
    let mut outcomes = Vec::new();
    for client in clients {
        outcomes.extend(client.await?);
    }
    Ok(outcomes)
}

async fn client(
    address: SocketAddr,
    until: Instant,
    bodies: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
) -> Vec<Outcome> {
    let (mut outcomes, mut connection) = (Vec::new(), None);
    while Instant::now() < until {
        let place = next.fetch_add(1, Ordering::Relaxed) % bodies.len().max(1);
        let body = bodies.get(place).cloned().unwrap_or_default();
        let started = Instant::now();
        let answer = tokio::time::timeout(LONGEST, ask(&mut connection, address, body)).await;
        // A connection that failed, or that still waits for an answer, is of no more use.
        let (status, is_honest) = answer.ok().and_then(Result::ok).unwrap_or_else(|| {
            connection = None;
            (0, false)
        });
        outcomes.push(Outcome { status, latency: started.elapsed(), is_honest });
        if status == 503 {
            // A client that is told to come back does not hammer; a tenth of the second keeps the storm on.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    outcomes
}

/// Sends one request over the connection, which is made where there is none; its status, and whether the answer is whole
/// and one that the service may give.
async fn ask(connection: &mut Option<Sender>, address: SocketAddr, body: String) -> Anyhow<(u16, bool)> {
    let mut sender = match connection.take().filter(|sender| !sender.is_closed()) {
        Some(sender) => sender,
        None => connect(address).await?,
    };
    let request = Request::post("/moderate")
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    sender.ready().await?;
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    let says_when = answer.headers().contains_key("retry-after");
    answer.into_body().collect().await?;
    *connection = Some(sender);
    Ok((status, status == 200 || status == 503 && says_when))
}

async fn connect(address: SocketAddr) -> Anyhow<Sender> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}
