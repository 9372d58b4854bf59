//! The worker stepped by hand, on a paused clock, with a fake model; at the end real threads.

mod fakes;
mod several;
mod trouble;

use crate::{InferError, Probe, ProbePolicy, Readiness, Step, WorkerThreads, inbox::AnyInbox};
use fakes::{bench, in_millis, item, large, settle};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn jobs_join_between_steps_and_are_answered_as_each_ends() {
    let mut bench = bench(8);
    let long = bench.ask(&[item(1, 3)]).await;
    assert_eq!(bench.step(), Step::Ran);
    let short = bench.ask(&[item(2, 1)]).await;
    assert_eq!(bench.step(), Step::Ran);
    assert_eq!(short.await.unwrap(), Ok(vec![2]), "before the longer one that came first");
    assert!(!long.is_finished());
    assert_eq!(bench.step(), Step::Ran);
    assert_eq!(long.await.unwrap(), Ok(vec![1]));
    assert_eq!(bench.steps(), [vec![1], vec![1, 2], vec![1]]);
    assert_eq!(bench.step(), Step::Idle);
    bench.check_empty();
    bench.check_metrics(&[
        "assize_ready 1",
        "assize_queue_wait_seconds_count 2",
        "assize_inference_duration_seconds_count 3",
    ]);
}

#[tokio::test(start_paused = true)]
async fn without_room_jobs_wait_in_the_order_of_arrival() {
    let mut bench = bench(2);
    let first = bench.ask(&[item(1, 1)]).await;
    let second = bench.ask(&[large(2, 1)]).await;
    let third = bench.ask(&[item(3, 1)]).await;
    bench.step();
    bench.check_metrics(&["assize_queue_items 2", "assize_queue_tokens 30"]);
    bench.step();
    bench.step();
    assert_eq!(bench.steps(), [[1], [2], [3]], "the small one does not overtake the large one");
    for (request, id) in [(first, 1), (second, 2), (third, 3)] {
        assert_eq!(request.await.unwrap(), Ok(vec![id]));
    }
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn the_jobs_of_a_request_share_its_permit_until_the_last_has_ended() {
    let mut bench = bench(8);
    let list = bench.ask(&[item(1, 1), item(2, 2)]).await;
    bench.step();
    bench.check_metrics(&["assize_admitted_tokens 20"]);
    bench.step();
    bench.check_empty();
    assert_eq!(list.await.unwrap(), Ok(vec![1, 2]));
}

#[tokio::test(start_paused = true)]
async fn whoever_hangs_up_leaves_before_the_next_step() {
    let mut bench = bench(2);
    let running = bench.ask(&[item(1, 9)]).await;
    bench.step();
    let waiting = bench.ask(&[large(2, 9)]).await;
    let last = bench.ask(&[item(3, 1)]).await;
    bench.step();
    running.abort();
    waiting.abort();
    settle().await;
    assert_eq!(bench.step(), Step::Ran);
    assert_eq!(bench.steps(), [[1], [1], [3]]);
    assert_eq!(bench.left(), [1], "what waited has never joined");
    assert_eq!(last.await.unwrap(), Ok(vec![3]));
    bench.check_empty();
    bench.check_metrics(&[r#"assize_jobs_dropped_total{reason="abandoned"} 2"#]);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_a_job_leaves_waiting_or_running() {
    let mut bench = bench(1);
    let running = bench.ask(&[item(1, 9)]).await;
    bench.step();
    let waiting = bench.ask(&[item(2, 9)]).await;
    assert_eq!(bench.worker.step(in_millis(1000)), Step::Idle);
    assert_eq!(bench.left(), [1]);
    assert_eq!(running.await.unwrap(), Err(InferError::DeadlineExceeded));
    assert_eq!(waiting.await.unwrap(), Err(InferError::DeadlineExceeded));
    bench.check_empty();
    bench.check_metrics(&[r#"assize_jobs_dropped_total{reason="expired"} 2"#]);
}

#[tokio::test(start_paused = true)]
async fn shutdown_works_off_what_waits_and_runs_and_takes_nothing_new() {
    let mut bench = bench(1);
    let running = bench.ask(&[item(1, 2)]).await;
    let waiting = bench.ask(&[item(2, 1)]).await;
    bench.step();
    bench.worker.place.inbox.drain(in_millis(500));
    let late = bench.ask(&[item(3, 1)]).await;
    assert_eq!(late.await.unwrap(), Err(InferError::ShuttingDown));
    assert_eq!([bench.step(), bench.step(), bench.step()], [Step::Ran, Step::Ran, Step::Stopped]);
    assert_eq!(running.await.unwrap(), Ok(vec![1]));
    assert_eq!(waiting.await.unwrap(), Ok(vec![2]));
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn when_the_drain_is_over_the_rest_is_told() {
    let mut bench = bench(1);
    let running = bench.ask(&[item(1, 9)]).await;
    let waiting = bench.ask(&[item(2, 1)]).await;
    bench.step();
    bench.worker.place.inbox.drain(in_millis(500));
    assert_eq!(bench.step(), Step::Ran);
    assert_eq!(bench.worker.step(in_millis(500)), Step::Stopped);
    assert_eq!(bench.left(), [1]);
    assert_eq!(running.await.unwrap(), Err(InferError::ShuttingDown));
    assert_eq!(waiting.await.unwrap(), Err(InferError::ShuttingDown));
    bench.check_empty();
    assert_eq!(bench.step(), Step::Stopped);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_worker_that_is_gone() {
    let mut bench = bench(1);
    let running = bench.ask(&[item(1, 9)]).await;
    let waiting = bench.ask(&[item(2, 9)]).await;
    bench.step();
    let fakes::Bench { worker, metrics, handle, .. } = bench;
    drop(worker);
    assert_eq!(running.await.unwrap(), Err(InferError::ShuttingDown));
    assert_eq!(waiting.await.unwrap(), Err(InferError::ShuttingDown));
    assert!(!handle.readiness().is_ready());
    crate::tests::fakes::check_metrics(&metrics, &crate::tests::fakes::EMPTY);
}

#[tokio::test(start_paused = true)]
async fn a_probe_warms_the_model_up() {
    let mut bench = bench(1);
    let idle_after = Duration::from_secs(10);
    let policy = ProbePolicy { idle_after, timeout: idle_after, retry_after: idle_after };
    let probe = Probe::new(bench.handle.clone(), bench.admission.clone(), policy, || item(0, 1));
    let _task = tokio::spawn(probe.run());
    settle().await;
    assert_eq!(bench.step(), Step::Ran);
    assert!(bench.handle.readiness().is_ready());
    bench.check_empty();
}

#[tokio::test]
async fn a_thread_serves_drains_and_is_joined() {
    let fakes::Bench { worker, metrics, handle, admission, .. } = bench(4);
    let threads = WorkerThreads::spawn(vec![worker]).unwrap();
    let items = [item(1, 3), item(2, 1)];
    let permit = admission.try_admit(fakes::demand(&items), in_millis(60_000)).unwrap();
    assert_eq!(handle.infer_all(items.to_vec(), permit, in_millis(60_000)).await, Ok(vec![1, 2]));
    assert!(handle.readiness().is_ready());
    threads.shutdown(in_millis(60_000));
    assert_eq!(handle.readiness().current(), Readiness::Draining);
    threads.join(in_millis(60_000)).await.unwrap();
    let permit = admission.try_admit(fakes::demand(&items), in_millis(60_000)).unwrap();
    let late = handle.infer_all(items.to_vec(), permit, in_millis(60_000)).await;
    assert_eq!(late, Err(InferError::ShuttingDown));
    crate::tests::fakes::check_metrics(&metrics, &crate::tests::fakes::EMPTY);
    assert!(Instant::now() < in_millis(1));
}
