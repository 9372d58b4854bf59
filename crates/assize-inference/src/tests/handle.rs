//! What a request sees, and what becomes of it when it leaves early.

use super::fakes::{Item, bench, demand, in_millis, item, settle};
use crate::{InferError, Step};
use std::time::Duration;
use tokio::time::{Instant, advance};

#[tokio::test(start_paused = true)]
async fn a_hung_up_client_costs_no_inference() {
    let mut bench = bench(8);
    let gone = bench.ask(&[item(1), item(2)]).await;
    let there = bench.ask(&[item(3)]).await;
    gone.abort();
    settle().await;
    bench.check_metrics(&["assize_admitted_tokens 30"]);
    assert_eq!(bench.step(), Step::Ran);
    assert_eq!(there.await.unwrap(), Ok(vec![3]));
    assert_eq!(bench.calls(), [[3]]);
    bench.check_empty();
    bench.check_metrics(&[r#"assize_jobs_dropped_total{reason="abandoned"} 2"#]);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_answer_comes_whatever_the_model_does() {
    let mut bench = bench(8);
    let begin = Instant::now();
    // Nobody steps the worker: to the request it is stuck.
    let answer = bench.ask(&[item(1)]).await.await.unwrap();
    assert_eq!(answer, Err(InferError::DeadlineExceeded));
    assert_eq!(begin.elapsed().as_secs(), 1);
    assert_eq!(bench.step(), Step::Idle);
    assert!(bench.calls().is_empty());
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn an_item_that_expired_in_the_queue_never_reaches_the_model() {
    let mut bench = bench(8);
    let request = bench.ask(&[item(1)]).await;
    assert_eq!(bench.worker.step(in_millis(1000)), Step::Idle);
    assert_eq!(request.await.unwrap(), Err(InferError::DeadlineExceeded));
    assert!(bench.calls().is_empty());
    bench.check_empty();
    bench.check_metrics(&[r#"assize_jobs_dropped_total{reason="expired"} 1"#]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_the_past_queues_nothing() {
    let bench = bench(8);
    let permit = bench.admission.try_admit(demand(&[item(1)]), in_millis(1)).unwrap();
    advance(Duration::from_millis(1)).await;
    let answer = bench.handle.infer_all(vec![item(1)], permit, Instant::now()).await;
    assert_eq!(answer, Err(InferError::DeadlineExceeded));
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn a_list_stays_counted_until_its_last_item_is_done() {
    let mut bench = bench(1);
    let list = bench.ask(&[item(1), item(2)]).await;
    bench.step();
    bench.check_metrics(&["assize_admitted_tokens 20", "assize_admitted_requests 2", "assize_queue_items 1"]);
    bench.step();
    bench.check_empty();
    assert_eq!(list.await.unwrap(), Ok(vec![1, 2]));
}

#[tokio::test(start_paused = true)]
async fn no_inputs_need_no_model() {
    let bench = bench(1);
    assert_eq!(bench.ask(&[]).await.await.unwrap(), Ok(vec![]));
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn an_item_heavier_than_a_batch_goes_alone() {
    let mut bench = bench(8);
    let heavy = Item { tokens: 61, ..item(1) };
    let request = bench.ask(&[heavy, item(2)]).await;
    assert_eq!([bench.step(), bench.step(), bench.step()], [Step::Ran, Step::Ran, Step::Idle]);
    assert_eq!(bench.calls(), [[1], [2]], "the small one is of a long request, and waits for its turn");
    assert_eq!(request.await.unwrap(), Ok(vec![1, 2]));
}
