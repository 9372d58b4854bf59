//! How it ends: who waits is served or told, and nothing stays counted.

use super::fakes::{EMPTY, bench, check_metrics, demand, in_millis, item, metrics};
use crate::{
    Admission, AdmissionLimits, BatchModel, BatchPolicy, InferError, ModelError, Readiness, Step, Worker,
    WorkerError, WorkerThreads, inbox::AnyInbox, pair,
};
use std::sync::mpsc;

#[tokio::test(start_paused = true)]
async fn what_waits_is_worked_off_and_nothing_new_is_taken() {
    let mut bench = bench(1);
    let first = bench.ask(&[item(1)]).await;
    let second = bench.ask(&[item(2)]).await;
    bench.worker.place.inbox.drain(in_millis(500));
    let late = bench.ask(&[item(3)]).await;
    assert_eq!(late.await.unwrap(), Err(InferError::ShuttingDown));
    assert_eq!([bench.step(), bench.step(), bench.step()], [Step::Ran, Step::Ran, Step::Stopped]);
    assert_eq!(first.await.unwrap(), Ok(vec![1]));
    assert_eq!(second.await.unwrap(), Ok(vec![2]));
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn after_the_deadline_of_the_drain_the_rest_is_told() {
    let mut bench = bench(1);
    let first = bench.ask(&[item(1)]).await;
    let second = bench.ask(&[item(2)]).await;
    bench.worker.place.inbox.drain(in_millis(500));
    assert_eq!(bench.step(), Step::Ran);
    assert_eq!(bench.worker.step(in_millis(500)), Step::Stopped);
    assert_eq!(first.await.unwrap(), Ok(vec![1]));
    assert_eq!(second.await.unwrap(), Err(InferError::ShuttingDown));
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_worker_that_is_gone() {
    let bench = bench(1);
    let request = bench.ask(&[item(1)]).await;
    let super::fakes::Bench { worker, metrics, handle, .. } = bench;
    drop(worker);
    assert_eq!(request.await.unwrap(), Err(InferError::ShuttingDown));
    check_metrics(&metrics, &EMPTY);
    assert!(!handle.readiness().is_ready());
}

#[tokio::test]
async fn a_thread_serves_drains_and_is_joined() {
    let bench = bench(8);
    let super::fakes::Bench { worker, metrics, handle, admission, .. } = bench;
    let threads = WorkerThreads::spawn(vec![worker]).unwrap();
    let permit = admission.try_admit(demand(&[item(1)]), in_millis(60_000)).unwrap();
    assert_eq!(handle.infer_all(vec![item(1)], permit, in_millis(60_000)).await, Ok(vec![1]));
    assert!(handle.readiness().is_ready());
    threads.shutdown(in_millis(60_000));
    assert_eq!(handle.readiness().current(), Readiness::Draining);
    threads.join(in_millis(60_000)).await.unwrap();
    let permit = admission.try_admit(demand(&[item(2)]), in_millis(60_000)).unwrap();
    let late = handle.infer_all(vec![item(2)], permit, in_millis(60_000)).await;
    assert_eq!(late, Err(InferError::ShuttingDown));
    check_metrics(&metrics, &EMPTY);
}

#[tokio::test]
async fn a_dropped_thread_handle_closes_the_queue() {
    let bench = bench(8);
    drop(WorkerThreads::spawn(vec![bench.worker]).unwrap());
    let permit = bench.admission.try_admit(demand(&[item(1)]), in_millis(60_000)).unwrap();
    let answer = bench.handle.infer_all(vec![item(1)], permit, in_millis(60_000)).await;
    assert_eq!(answer, Err(InferError::ShuttingDown));
}

/// Says when it begins and then blocks until it is let go.
struct Stuck {
    begun: mpsc::Sender<()>,
    go_on: mpsc::Receiver<()>,
}

impl BatchModel for Stuck {
    type Input = super::fakes::Item;
    type Output = ();
    type Run = usize;

    fn begin(&mut self, inputs: &[&Self::Input]) -> Result<usize, ModelError> {
        // Both end with the test.
        let _both = (self.begun.send(()), self.go_on.recv());
        Ok(inputs.len())
    }

    fn advance(&mut self, count: &mut usize) -> Result<Option<Vec<()>>, ModelError> {
        Ok(Some(vec![(); *count]))
    }
}

#[tokio::test(start_paused = true)]
async fn a_stuck_model_does_not_hold_up_the_end_and_its_tokens_stay_counted() {
    let metrics = metrics();
    let ((begun, has_begun), (let_go, go_on)) = (mpsc::channel(), mpsc::channel());
    let limits = AdmissionLimits { max_requests: 1, max_tokens: 10 };
    let admission = Admission::new(limits, metrics.inference.clone());
    let policy = BatchPolicy { max_items: 1, max_tokens: 10, short_tokens: 10 };
    let models = vec![Stuck { begun, go_on }];
    let (handle, workers) = pair(models, policy, &admission, &metrics.inference);
    let threads = WorkerThreads::spawn(workers).unwrap();
    let permit = admission.try_admit(demand(&[item(1)]), in_millis(1000)).unwrap();
    let request = tokio::spawn(async move { handle.infer_all(vec![item(1)], permit, in_millis(1000)).await });
    super::fakes::settle().await;
    has_begun.recv().unwrap();
    assert_eq!(request.await.unwrap(), Err(InferError::DeadlineExceeded));
    check_metrics(&metrics, &["assize_admitted_tokens 10"]);
    threads.shutdown(in_millis(0));
    assert!(matches!(threads.join(in_millis(100)).await, Err(WorkerError::Stuck)));
    drop(let_go);
}

#[tokio::test]
async fn what_one_worker_can_not_take_another_does() {
    let metrics = metrics();
    let (begun, has_begun) = mpsc::channel();
    let (let_go, go_on): (Vec<_>, Vec<_>) = (0..2).map(|_| mpsc::channel()).unzip();
    let models: Vec<Stuck> = go_on.into_iter().map(|go_on| Stuck { begun: begun.clone(), go_on }).collect();
    let limits = AdmissionLimits { max_requests: 2, max_tokens: 20 };
    let admission = Admission::new(limits, metrics.inference.clone());
    let policy = BatchPolicy { max_items: 1, max_tokens: 10, short_tokens: 10 };
    let (handle, workers) = pair(models, policy, &admission, &metrics.inference);
    let threads = WorkerThreads::spawn(workers).unwrap();
    // Requests of two items, each a batch: nobody pushes a second time. Not only one: the first finds threads that have not
    // begun to wait.
    for _ in 0..5 {
        let items = vec![item(1), item(2)];
        let permit = admission.try_admit(demand(&items), in_millis(60_000)).unwrap();
        let request = tokio::spawn({
            let handle = handle.clone();
            async move { handle.infer_all(items, permit, in_millis(60_000)).await }
        });
        super::fakes::settle().await;
        let limit = std::time::Duration::from_secs(20);
        let both = [has_begun.recv_timeout(limit), has_begun.recv_timeout(limit)];
        assert_eq!(both, [Ok(()), Ok(())], "both at once, or the first would be waited for");
        let_go.iter().for_each(|let_go| let_go.send(()).unwrap());
        assert_eq!(request.await.unwrap(), Ok(vec![(), ()]));
    }
    drop(let_go);
    threads.shutdown(in_millis(60_000));
    threads.join(in_millis(60_000)).await.unwrap();
    check_metrics(&metrics, &EMPTY);
}

#[test]
fn no_worker_is_none_to_start() {
    assert!(matches!(WorkerThreads::spawn(Vec::<Worker<Stuck>>::new()), Err(WorkerError::NoWorker)));
}
