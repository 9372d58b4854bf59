//! Readiness from real inferences.

use super::fakes::{Bench, Trouble, bench, failure, item, settle};
use crate::{FailureCause, Probe, ProbePolicy, Readiness, Step};
use std::time::Duration;
use tokio::{task::JoinHandle, time::advance};

const POLICY: ProbePolicy = ProbePolicy {
    idle_after: Duration::from_secs(10),
    timeout: Duration::from_secs(5),
    retry_after: Duration::from_secs(1),
};

/// A bench whose probe has queued its warm-up.
async fn probed() -> (Bench, JoinHandle<()>) {
    let bench = bench(8);
    let probe = Probe::new(bench.handle.clone(), bench.admission.clone(), POLICY, || item(0));
    let task = tokio::spawn(probe.run());
    settle().await;
    (bench, task)
}

async fn pass(seconds: u64) {
    advance(Duration::from_secs(seconds)).await;
    settle().await;
}

impl Bench {
    async fn step_and_settle(&mut self) -> Step {
        let step = self.step();
        settle().await;
        step
    }

    fn check_readiness(&self, expected: &Readiness) {
        assert_eq!(&self.handle.readiness().current(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_warm_up_makes_the_service_ready() {
    let (mut bench, _task) = probed().await;
    bench.check_readiness(&Readiness::Starting);
    assert_eq!(bench.handle.readiness().last_success(), None);
    let mut readiness = bench.handle.readiness();
    let started = tokio::spawn(async move { readiness.started().await });
    settle().await;
    assert!(!started.is_finished());
    assert_eq!(bench.step_and_settle().await, Step::Ran);
    assert_eq!(started.await.unwrap(), Readiness::Ready);
    bench.check_metrics(&["assize_ready 1"]);
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn an_idle_model_is_probed_and_a_busy_one_is_not() {
    let (mut bench, _task) = probed().await;
    bench.step_and_settle().await;
    pass(9).await;
    assert_eq!(bench.step_and_settle().await, Step::Idle);
    let request = bench.ask(&[item(1)]).await;
    bench.step_and_settle().await;
    assert_eq!(request.await.unwrap(), Ok(vec![1]));
    pass(9).await;
    assert_eq!(bench.step_and_settle().await, Step::Idle, "the request was proof of life");
    pass(1).await;
    assert_eq!(bench.step_and_settle().await, Step::Ran);
    assert_eq!(bench.calls(), [[0], [1], [0]]);
}

#[tokio::test(start_paused = true)]
async fn a_recovered_model_becomes_ready_by_itself() {
    let (mut bench, _task) = probed().await;
    bench.step_and_settle().await;
    bench.set_mood(Trouble::Fails);
    let request = bench.ask(&[item(1)]).await;
    bench.step_and_settle().await;
    assert!(request.await.unwrap().is_err());
    let failed = Readiness::Failed { why: FailureCause::Model(failure()) };
    bench.check_readiness(&failed);

    assert_eq!(bench.step_and_settle().await, Step::Ran, "probed at once");
    bench.check_readiness(&failed);
    assert_eq!(bench.step_and_settle().await, Step::Idle, "then after a pause");
    bench.set_mood(Trouble::None);
    pass(1).await;
    assert_eq!(bench.step_and_settle().await, Step::Ran);
    bench.check_readiness(&Readiness::Ready);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_hangs_is_not_ready() {
    let (mut bench, _task) = probed().await;
    bench.step_and_settle().await;
    // Nobody steps the worker any more.
    pass(10).await;
    bench.check_readiness(&Readiness::Ready);
    pass(5).await;
    bench.check_readiness(&Readiness::Failed { why: FailureCause::NoAnswer });
    pass(1).await;
    assert_eq!(bench.step_and_settle().await, Step::Ran, "the next probe waits");
    bench.check_readiness(&Readiness::Ready);
    bench.check_empty();
}

#[tokio::test(start_paused = true)]
async fn a_model_that_hangs_with_a_full_house_is_not_ready() {
    let (mut bench, _task) = probed().await;
    bench.step_and_settle().await;
    let items: Vec<_> = (1..=8).map(item).collect();
    let permit = bench.admission.try_admit(super::fakes::demand(&items), super::fakes::in_millis(1)).unwrap();
    pass(11).await;
    bench.check_readiness(&Readiness::Ready);
    for _ in 0..6 {
        pass(1).await;
    }
    bench.check_readiness(&Readiness::Failed { why: FailureCause::NoAnswer });
    drop(permit);
}

#[tokio::test(start_paused = true)]
async fn the_probe_ends_with_the_service() {
    let (mut bench, task) = probed().await;
    bench.step_and_settle().await;
    bench.handle.publisher().draining();
    settle().await;
    assert!(task.is_finished());
    bench.handle.publisher().succeeded(tokio::time::Instant::now());
    bench.check_readiness(&Readiness::Draining);
}

#[tokio::test(start_paused = true)]
async fn the_probe_ends_with_the_worker() {
    let (bench, task) = probed().await;
    let Bench { worker, handle, .. } = bench;
    drop(worker);
    settle().await;
    assert!(task.is_finished());
    assert_eq!(handle.readiness().current(), Readiness::Failed { why: FailureCause::WorkerEnded });
}
