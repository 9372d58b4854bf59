//! What the worker makes of a batch.

use super::fakes::{Item, Trouble, bench, demand, failure, in_millis, item};
use crate::{FailureCause, InferError, ModelError, Readiness, Step};
use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

fn trouble(id: u32, trouble: Trouble) -> Item {
    Item { trouble, ..item(id) }
}

#[tokio::test(start_paused = true)]
async fn requests_share_a_batch_and_each_gets_its_own_answers() {
    let mut bench = bench(8);
    let first = bench.ask(&[item(1), item(2)]).await;
    let second = bench.ask(&[item(3)]).await;
    assert_eq!(bench.step(), Step::Ran);
    assert_eq!(first.await.unwrap(), Ok(vec![1, 2]));
    assert_eq!(second.await.unwrap(), Ok(vec![3]));
    assert_eq!(bench.calls(), [[1, 2, 3]]);
    assert_eq!(bench.step(), Step::Idle);
    bench.check_empty();
    bench.check_metrics(&[
        "assize_ready 1",
        "assize_queue_wait_seconds_count 3",
        "assize_batch_items_sum 3",
        "assize_batch_tokens_sum 30",
        "assize_inference_duration_seconds_count 1",
        "assize_inference_failures_total 0",
    ]);
}

fn long(id: u32) -> Item {
    Item { tokens: 45, ..item(id) }
}

#[tokio::test(start_paused = true)]
async fn a_short_item_does_not_wait_for_a_long_batch() {
    let mut bench = bench(8);
    let slow = bench.ask(&[long(1)]).await;
    let quick = bench.ask(&[item(2), item(3)]).await;
    let later = bench.ask(&[item(4)]).await;
    assert_eq!(bench.step(), Step::Ran);
    assert_eq!(slow.await.unwrap(), Ok(vec![1]));
    assert_eq!(quick.await.unwrap(), Ok(vec![2, 3]));
    assert_eq!(later.await.unwrap(), Ok(vec![4]));
    // Begun first, done last: after its first step two short ones, no more than one may weigh alone; after its second the rest.
    assert_eq!(bench.calls(), [vec![2, 3], vec![4], vec![1]]);
    bench.check_metrics(&["assize_batch_items_count 3", "assize_inference_duration_seconds_count 3"]);
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn a_long_batch_lends_no_more_than_it_has() {
    let mut bench = bench(8);
    // Three steps before its last, and 30 tokens to lend; those that come are 50, two by two.
    let slow = bench.ask(&[Item { tokens: 30, ..item(1) }]).await;
    for id in [2, 4] {
        drop(bench.ask(&[item(id), item(id + 1)]).await);
    }
    let last = bench.ask(&[item(6)]).await;
    assert_eq!(bench.step(), Step::Ran);
    assert_eq!(slow.await.unwrap(), Ok(vec![1]));
    assert_eq!(bench.calls(), [vec![2, 3], vec![4, 5], vec![1]], "nothing between its last steps");
    assert_eq!(bench.step(), Step::Ran);
    assert_eq!(last.await.unwrap(), Ok(vec![6]));
}

#[tokio::test(start_paused = true)]
async fn a_short_item_that_fails_between_the_steps_of_a_long_batch_fails_alone() {
    let mut bench = bench(8);
    let slow = bench.ask(&[long(1)]).await;
    let bad = bench.ask(&[trouble(2, Trouble::Panics)]).await;
    bench.step();
    assert_eq!(slow.await.unwrap(), Ok(vec![1]));
    assert_eq!(bad.await.unwrap(), Err(InferError::ModelFailed { source: ModelError::Panicked }));
    bench.check_empty();
}

/// One bad item among good ones: it fails alone.
async fn check_poison(poison: Trouble, expected: ModelError) {
    let mut bench = bench(8);
    let good = bench.ask(&[item(1)]).await;
    let bad = bench.ask(&[trouble(2, poison)]).await;
    let also_good = bench.ask(&[item(3)]).await;
    bench.step();
    assert_eq!(good.await.unwrap(), Ok(vec![1]));
    assert_eq!(bad.await.unwrap(), Err(InferError::ModelFailed { source: expected }));
    assert_eq!(also_good.await.unwrap(), Ok(vec![3]));
    assert_eq!(bench.calls(), [vec![1, 2, 3], vec![1], vec![2], vec![3]]);
    assert_eq!(bench.handle.readiness().current(), Readiness::Ready);
    bench.check_metrics(&["assize_inference_failures_total 2", "assize_batch_items_count 1"]);
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn a_poisonous_input_fails_alone() {
    check_poison(Trouble::Fails, failure()).await;
    check_poison(Trouble::Panics, ModelError::Panicked).await;
    check_poison(Trouble::OneShort, ModelError::WrongCount { given: 0, expected: 1 }).await;
}

/// A broken model: everything fails and readiness says so, until an inference succeeds.
async fn check_broken(mood: Trouble, expected: ModelError) {
    let mut bench = bench(8);
    bench.set_mood(mood);
    let request = bench.ask(&[item(1), item(2)]).await;
    bench.step();
    assert_eq!(request.await.unwrap(), Err(InferError::ModelFailed { source: expected.clone() }));
    let why = FailureCause::Model(expected);
    assert_eq!(bench.handle.readiness().current(), Readiness::Failed { why });
    bench.check_metrics(&["assize_ready 0"]);
    bench.check_empty();

    bench.set_mood(Trouble::None);
    let request = bench.ask(&[item(3)]).await;
    bench.step();
    assert_eq!(request.await.unwrap(), Ok(vec![3]));
    assert!(bench.handle.readiness().is_ready());
    bench.check_metrics(&["assize_ready 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_fails_on_everything_is_not_ready() {
    check_broken(Trouble::Fails, failure()).await;
    check_broken(Trouble::Panics, ModelError::Panicked).await;
    check_broken(Trouble::OneShort, ModelError::WrongCount { given: 0, expected: 1 }).await;
}

#[tokio::test(start_paused = true)]
async fn one_failed_item_fails_its_list_and_spares_the_rest_of_the_batch() {
    let mut bench = bench(8);
    let list = bench.ask(&[item(1), trouble(2, Trouble::Fails), item(3)]).await;
    bench.step();
    assert_eq!(list.await.unwrap(), Err(InferError::ModelFailed { source: failure() }));
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn whoever_hangs_up_during_a_failing_batch_is_not_tried_again() {
    let mut bench = bench(8);
    let (deadline, items) = (in_millis(1000), vec![trouble(1, Trouble::Fails), item(2)]);
    let permit = bench.admission.try_admit(demand(&items), deadline).unwrap();
    let handle = bench.handle.clone();
    let mut request = Box::pin(async move { handle.infer_all(items, permit, deadline).await });
    assert!(poll_once(request.as_mut()).is_pending());
    *bench.hang_up.lock().unwrap() = Some(Box::new(request));
    assert_eq!(bench.step(), Step::Ran);
    assert_eq!(bench.calls(), [[1, 2]]);
    assert_eq!(bench.handle.readiness().current(), Readiness::Starting, "nothing was learnt");
    bench.check_metrics(&[r#"assize_jobs_dropped_total{reason="abandoned"} 2"#]);
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn a_lone_item_is_tried_twice_too() {
    let mut bench = bench(8);
    let request = bench.ask(&[trouble(1, Trouble::Fails)]).await;
    bench.step();
    assert!(request.await.unwrap().is_err());
    assert_eq!(bench.calls(), [[1], [1]]);
}

fn poll_once<F: Future>(request: Pin<&mut F>) -> Poll<F::Output> {
    request.poll(&mut Context::from_waker(Waker::noop()))
}
