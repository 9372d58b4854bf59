//! Clients that go before their answer: what still waits for the model is never computed.

use crate::support::{TestService, eventually, user, wire};

/// They hang up before their answer.
const CLIENTS: u16 = 24;
/// Sequences of what each sends: one window and the two ends. Each is a job, and a batch with the settings below.
const JOBS: u16 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hung_up_costs_no_inference() {
    let service =
        TestService::start(&[("inference.max_batch_items", "1"), ("inference.deadline", "60s")]).await;
    let api = &service.api;
    let before = api.scrape().await;
    let page =
        wire::post(&user(&"My garden has roses, beans and a small pond with two frogs in it. ".repeat(14)));
    let mut connections = Vec::new();
    for _ in 0..CLIENTS {
        connections.push(wire::open(api.address(), &page).await);
    }
    eventually("most of them wait", async || api.scrape().await.get("assize_queue_items") >= 12.0).await;
    drop(connections);
    eventually("nothing waits", async || {
        let scrape = api.scrape().await;
        scrape.get("assize_queue_items") == 0.0 && scrape.get("assize_admitted_requests") == 0.0
    })
    .await;
    let after = api.scrape().await;
    let gained = |name: &str| after.get(name) - before.get(name);
    let (dropped, inferred) =
        (gained(r#"assize_jobs_dropped_total{reason="abandoned"}"#), gained("assize_batch_items_sum"));
    assert!(dropped >= f64::from(8 * JOBS), "{dropped} dropped, {inferred} inferred");
    assert!(dropped + inferred <= f64::from(CLIENTS * JOBS), "{dropped} dropped, {inferred} inferred");
    let next = api.moderate(&user("hello")).await;
    assert_eq!(next["decision"], "allow");
}
