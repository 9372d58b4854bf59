//! Stopping in order: say so, finish what is in flight, take nothing new, end in time.

use crate::support::{PATIENCE, TestService, eventually, user, wire};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

const DRAIN_DELAY: Duration = Duration::from_millis(600);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(4);
/// What the machine may add.
const SLACK: Duration = Duration::from_secs(3);

async fn draining_service() -> TestService {
    TestService::start(&[
        ("server.drain_delay", "600ms"),
        ("server.drain_timeout", "4s"),
        ("inference.max_batch_items", "1"),
        ("inference.deadline", "60s"),
    ])
    .await
}

async fn until_refused(address: SocketAddr) {
    eventually("no new connections", async || TcpStream::connect(address).await.is_err()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_flight_gets_its_answer_and_readyz_says_draining() {
    let service = draining_service().await;
    let api = service.api.clone();
    let long = user(&"My garden has roses, beans and a small pond with two frogs in it. ".repeat(90));
    let in_flight = tokio::spawn({
        let api = api.clone();
        async move { api.post(long.to_string()).await }
    });
    eventually("a request is at work", async || api.scrape().await.get("assize_admitted_requests") == 1.0)
        .await;
    let started = Instant::now();
    let ended = service.stop();
    eventually("draining", async || {
        let ready = api.get("/readyz").await;
        ready.status == 503 && ready.json()["status"] == "draining"
    })
    .await;
    assert_eq!(api.get("/livez").await.status, 200, "draining is no reason to be killed");
    let answer = in_flight.await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    until_refused(api.address()).await;
    timeout(PATIENCE, ended).await.expect("it ends").unwrap();
    assert!(started.elapsed() >= DRAIN_DELAY, "it ended before load balancers could notice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_does_not_delay_the_end() {
    let service = draining_service().await;
    let mut idle = wire::open(service.api.address(), b"GET /livez HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert!(wire::read_answer(&mut idle).await.starts_with("HTTP/1.1 200 "));
    let started = Instant::now();
    timeout(PATIENCE, service.stop()).await.expect("it ends").unwrap();
    assert!(started.elapsed() < DRAIN_DELAY + SLACK, "{:?}", started.elapsed());
    assert_eq!(wire::read_to_end(&mut idle).await.0, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuck_requests_delay_the_end_by_no_more_than_the_drain_timeout() {
    let service = draining_service().await;
    let address = service.api.address();
    let head =
        "POST /moderate HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 99";
    let _half_a_head = wire::open(address, b"POST /moderate HTTP/1.1\r\nhos").await;
    let _half_a_body = wire::open(address, format!("{head}\r\n\r\n{{").as_bytes()).await;
    let started = Instant::now();
    timeout(PATIENCE, service.stop()).await.expect("it ends").unwrap();
    assert!(started.elapsed() < DRAIN_DELAY + DRAIN_TIMEOUT + SLACK, "{:?}", started.elapsed());
}
