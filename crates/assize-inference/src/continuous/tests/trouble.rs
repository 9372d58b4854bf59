//! What fails alone, and what fails all.

use super::fakes::{Trouble, bench, failure, item, large, settle, trouble};
use crate::{FailureCause, InferError, ModelError, Readiness, Step};

fn failed(source: ModelError) -> Result<Vec<u32>, InferError> {
    Err(InferError::ModelFailed { source })
}

/// A job that makes each step fail, among two good ones.
async fn check_poison(poison: Trouble, expected: ModelError) {
    let mut bench = bench(8);
    let good = bench.ask(&[item(1, 2)]).await;
    let bad = bench.ask(&[trouble(2, poison)]).await;
    bench.step();
    let later = bench.ask(&[item(3, 1)]).await;
    while bench.step() == Step::Ran {}
    assert_eq!(good.await.unwrap(), Ok(vec![1]));
    assert_eq!(bad.await.unwrap(), failed(expected));
    assert_eq!(later.await.unwrap(), Ok(vec![3]));
    // The good one from the beginning, the bad one once, and only then whoever came later.
    assert_eq!(bench.steps(), [vec![1, 2], vec![1], vec![1], vec![2], vec![3]]);
    assert_eq!(bench.left(), [1, 2, 2]);
    assert_eq!(bench.handle.readiness().current(), Readiness::Ready);
    bench.check_metrics(&["assize_inference_failures_total 2"]);
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn a_job_that_makes_steps_fail_fails_alone() {
    check_poison(Trouble::StepFails, failure()).await;
    check_poison(Trouble::StepPanics, ModelError::Panicked).await;
}

#[tokio::test(start_paused = true)]
async fn a_model_that_fails_every_step_fails_all_and_is_not_ready() {
    let mut bench = bench(8);
    bench.set_broken(true);
    let request = bench.ask(&[item(1, 1)]).await;
    let other = bench.ask(&[item(2, 1)]).await;
    while bench.step() == Step::Ran {}
    assert_eq!(request.await.unwrap(), failed(failure()));
    assert_eq!(other.await.unwrap(), failed(failure()));
    let why = FailureCause::Model(failure());
    assert_eq!(bench.handle.readiness().current(), Readiness::Failed { why });
    bench.check_empty();

    bench.set_broken(false);
    let request = bench.ask(&[item(3, 1)]).await;
    bench.step();
    assert_eq!(request.await.unwrap(), Ok(vec![3]));
    assert!(bench.handle.readiness().is_ready());
}

/// A job that fails without a step failing, beside a good one.
async fn check_fails_beside(poison: Trouble, expected: ModelError) {
    let mut bench = bench(8);
    let good = bench.ask(&[item(1, 2)]).await;
    let bad = bench.ask(&[trouble(2, poison)]).await;
    while bench.step() == Step::Ran {}
    assert_eq!(good.await.unwrap(), Ok(vec![1]));
    assert_eq!(bad.await.unwrap(), failed(expected));
    assert_eq!(bench.steps().len(), 2, "nothing is done twice");
    assert_eq!(bench.handle.readiness().current(), Readiness::Ready);
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn a_job_that_can_not_join_or_ends_badly_fails_beside_the_others() {
    check_fails_beside(Trouble::Refused, failure()).await;
    check_fails_beside(Trouble::PanicsJoining, ModelError::Panicked).await;
    check_fails_beside(Trouble::EndsBadly, failure()).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_never_finds_room_does_not_block_the_others() {
    let mut bench = bench(1);
    let never = bench.ask(&[large(1, 1)]).await;
    let next = bench.ask(&[item(2, 1)]).await;
    bench.step();
    let detail = "no room, though nothing runs".to_owned();
    assert_eq!(never.await.unwrap(), failed(ModelError::Failed { detail }));
    assert_eq!(next.await.unwrap(), Ok(vec![2]));
}

#[tokio::test(start_paused = true)]
async fn whoever_hangs_up_after_a_failed_step_is_not_tried_again() {
    let mut bench = bench(8);
    let gone = bench.ask(&[item(1, 1)]).await;
    let bad = bench.ask(&[trouble(2, Trouble::StepFails)]).await;
    bench.step();
    gone.abort();
    settle().await;
    while bench.step() == Step::Ran {}
    assert_eq!(bad.await.unwrap(), failed(failure()));
    assert_eq!(bench.steps(), [vec![1, 2], vec![2]]);
    bench.check_empty();
}
