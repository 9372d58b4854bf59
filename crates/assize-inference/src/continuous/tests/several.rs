//! Several workers behind one inbox.

use super::fakes::{Bench, bench_of, demand, in_millis, item, large};
use crate::{
    FailureCause, InferError, Readiness, Step, WorkerThreads,
    inbox::AnyInbox,
    tests::fakes::{EMPTY, check_metrics},
};
use std::{sync::mpsc, thread, time::Duration};
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn two_workers_share_the_queue_and_the_readiness() {
    let mut bench = bench_of(2, 8);
    let first = bench.ask(&[item(1, 2)]).await;
    assert_eq!([bench.step(), bench.other_step()], [Step::Ran, Step::Idle]);
    let second = bench.ask(&[item(2, 1)]).await;
    assert_eq!([bench.other_step(), bench.step()], [Step::Ran, Step::Ran]);
    assert_eq!(first.await.unwrap(), Ok(vec![1]));
    assert_eq!(second.await.unwrap(), Ok(vec![2]));
    assert_eq!(bench.steps(), [[1], [2], [1]], "each job with one of them");
    bench.check_metrics(&["assize_ready 1", "assize_queue_wait_seconds_count 2"]);
    bench.check_empty();

    bench.set_broken(true);
    let failed = bench.ask(&[item(3, 1)]).await;
    while bench.other_step() == Step::Ran {}
    assert!(failed.await.unwrap().is_err());
    assert!(!bench.handle.readiness().is_ready());
    bench.set_broken(false);
    let good = bench.ask(&[item(4, 1)]).await;
    bench.step();
    assert_eq!(good.await.unwrap(), Ok(vec![4]));
    assert!(bench.handle.readiness().is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_room_leaves_the_job_to_the_other() {
    let mut bench = bench_of(2, 2);
    let running = bench.ask(&[item(1, 3)]).await;
    bench.step();
    let waiting = bench.ask(&[large(2, 1), item(3, 1)]).await;
    bench.step();
    bench.check_metrics(&["assize_queue_items 2"]);
    assert_eq!([bench.other_step(), bench.step()], [Step::Ran, Step::Ran]);
    assert_eq!(bench.steps(), [vec![1], vec![1], vec![2], vec![1, 3]]);
    assert_eq!(running.await.unwrap(), Ok(vec![1]));
    assert_eq!(waiting.await.unwrap(), Ok(vec![2, 3]));
    assert_eq!([bench.step(), bench.other_step()], [Step::Idle, Step::Idle]);
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn jobs_that_two_workers_put_back_keep_their_order() {
    let mut bench = bench_of(2, 1);
    let inbox = bench.worker.place.inbox.clone();
    for id in 1..4 {
        drop(bench.ask(&[item(id, 1)]).await);
        advance(Duration::from_millis(1)).await;
    }
    for is_swapped in [false, true] {
        let mut both = [inbox.pop().unwrap(), inbox.pop().unwrap()];
        if is_swapped {
            both.reverse();
        }
        both.into_iter().for_each(|job| inbox.put_back(job));
    }
    while bench.step() == Step::Ran {}
    assert_eq!(bench.steps(), [[1], [2], [3]]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_put_back_wakes_a_worker_that_sleeps() {
    let bench = bench_of(2, 1);
    drop(bench.ask(&[item(1, 1)]).await);
    for _ in 0..20 {
        let (inbox, (signal, signalled)) = (bench.worker.place.inbox.clone(), mpsc::channel());
        let job = inbox.pop().unwrap();
        thread::spawn({
            let inbox = inbox.clone();
            move || {
                signal.send(()).unwrap();
                inbox.wait();
                signal.send(()).unwrap();
            }
        });
        signalled.recv().unwrap();
        // Time to fall asleep; that it is put back before that must do no harm either.
        (0..100).for_each(|_| thread::yield_now());
        inbox.put_back(job);
        assert_eq!(signalled.recv_timeout(Duration::from_secs(20)), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_dropped_ends_the_other() {
    let mut bench = bench_of(2, 1);
    let first = bench.ask(&[item(1, 9)]).await;
    let second = bench.ask(&[item(2, 9)]).await;
    let waiting = bench.ask(&[item(3, 9)]).await;
    assert_eq!([bench.step(), bench.other_step()], [Step::Ran, Step::Ran]);
    bench.others.clear();
    let why = FailureCause::WorkerEnded;
    assert_eq!(bench.handle.readiness().current(), Readiness::Failed { why });
    assert_eq!([bench.step(), bench.step()], [Step::Stopped, Step::Stopped]);
    let late = bench.ask(&[item(4, 1)]).await;
    for request in [first, second, waiting, late] {
        assert_eq!(request.await.unwrap(), Err(InferError::ShuttingDown));
    }
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_has_nothing_left_to_drain_lets_the_other_finish() {
    let mut bench = bench_of(2, 1);
    let running = bench.ask(&[item(1, 3)]).await;
    bench.step();
    bench.worker.place.inbox.drain(in_millis(500));
    assert_eq!(bench.other_step(), Step::Stopped);
    bench.others.clear();
    assert_eq!([bench.step(), bench.step(), bench.step()], [Step::Ran, Step::Ran, Step::Stopped]);
    assert_eq!(running.await.unwrap(), Ok(vec![1]));
    bench.check_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_on_real_threads_are_all_answered_and_drained() {
    let Bench { worker, mut others, handle, admission, metrics, .. } = bench_of(3, 2);
    others.push(worker);
    let threads = WorkerThreads::spawn(others).unwrap();
    let ask = |id: u32| {
        let (handle, admission) = (handle.clone(), admission.clone());
        let items = [item(id, 1 + id as usize % 4), large(id + 1, 1 + id as usize % 3)];
        async move {
            let permit = loop {
                match admission.try_admit(demand(&items), in_millis(60_000)) {
                    Ok(permit) => break permit,
                    Err(_overloaded) => tokio::task::yield_now().await,
                }
            };
            handle.infer_all(items.to_vec(), permit, in_millis(60_000)).await
        }
    };
    let requests: Vec<_> = (0..500).map(|id| tokio::spawn(ask(2 * id))).collect();
    for (id, request) in (0..).zip(requests) {
        assert_eq!(request.await.unwrap(), Ok(vec![2 * id, 2 * id + 1]));
    }
    threads.shutdown(in_millis(60_000));
    threads.join(in_millis(60_000)).await.unwrap();
    check_metrics(&metrics, &EMPTY);
}
