//! Who gets in, who doesn't, and what they are told.

use super::fakes::{EMPTY, LIMITS, check_metrics, in_millis, metrics};
use crate::{Admission, Demand, Permit, Refused, speed::MeasuredBatch};
use assize_telemetry::{Metrics, OverloadReason};
use std::time::Duration;
use tokio::time::Instant;

fn room() -> (Admission, Metrics) {
    let metrics = metrics();
    (Admission::new(LIMITS, metrics.inference.clone()), metrics)
}

fn ask(admission: &Admission, requests: usize, tokens: usize) -> Result<Permit, Refused> {
    admission.try_admit(Demand { requests, tokens }, in_millis(2000))
}

fn overloaded(reason: OverloadReason, seconds: u64) -> Refused {
    Refused::Overloaded { reason, retry_after: Duration::from_secs(seconds) }
}

/// 10 tokens a second, measured under load.
fn slow(admission: &Admission) {
    admission.observe(MeasuredBatch {
        tokens: 10,
        elapsed: Duration::from_secs(1),
        had_backlog: true,
        workers: 1,
    });
}

#[tokio::test(start_paused = true)]
async fn there_is_room_up_to_the_limits_and_again_after_a_drop() {
    let (admission, metrics) = room();
    let whole = ask(&admission, 8, 100).unwrap();
    assert_eq!(whole.demand(), Demand { requests: 8, tokens: 100 });
    check_metrics(&metrics, &["assize_admitted_requests 8", "assize_admitted_tokens 100"]);
    drop(whole);
    check_metrics(&metrics, &EMPTY);
    drop(ask(&admission, 8, 100).unwrap());
}

#[tokio::test(start_paused = true)]
async fn over_a_bound_nothing_of_a_list_is_admitted() {
    let (admission, metrics) = room();
    let held = ask(&admission, 6, 60).unwrap();
    assert_eq!(ask(&admission, 3, 10).unwrap_err(), overloaded(OverloadReason::Requests, 1));
    assert_eq!(ask(&admission, 2, 41).unwrap_err(), overloaded(OverloadReason::Tokens, 1));
    check_metrics(
        &metrics,
        &[
            "assize_admitted_requests 6",
            "assize_admitted_tokens 60",
            r#"assize_overloads_total{reason="requests"} 1"#,
            r#"assize_overloads_total{reason="tokens"} 1"#,
        ],
    );
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn what_never_fits_is_no_overload() {
    let (admission, metrics) = room();
    assert_eq!(ask(&admission, 1, 101).unwrap_err(), Refused::TooLarge { tokens: 101, limit: 100 });
    assert_eq!(ask(&admission, 9, 9).unwrap_err(), Refused::TooMany { requests: 9, limit: 8 });
    check_metrics(&metrics, &[r#"assize_overloads_total{reason="tokens"} 0"#]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_cannot_be_met_is_refused_at_once() {
    let (admission, _metrics) = room();
    let held = ask(&admission, 1, 30).unwrap();
    drop(ask(&admission, 1, 1).unwrap());
    slow(&admission);
    // 30 tokens take 3 s, the deadline is in 2.
    assert_eq!(ask(&admission, 1, 1).unwrap_err(), overloaded(OverloadReason::Deadline, 3));
    assert_eq!(admission.check_saturated(in_millis(2999)), Err(overloaded(OverloadReason::Deadline, 3)));
    assert_eq!(admission.check_saturated(in_millis(3000)), Ok(()));
    drop(held);
    // With nothing before it a request is always tried, however slow the device seems.
    drop(ask(&admission, 1, 100).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_the_past_is_refused() {
    let (admission, _metrics) = room();
    let refused = admission.try_admit(Demand { requests: 1, tokens: 1 }, Instant::now()).unwrap_err();
    assert_eq!(refused, overloaded(OverloadReason::Deadline, 1));
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_the_time_to_drain_within_bounds() {
    for (tokens, seconds) in [(1, 1), (15, 2), (99, 10)] {
        let (admission, _metrics) = room();
        slow(&admission);
        let held = ask(&admission, 8, tokens).unwrap();
        assert_eq!(ask(&admission, 1, 1).unwrap_err(), overloaded(OverloadReason::Requests, seconds));
        drop(held);
    }
    let (admission, _metrics) = room();
    admission.observe(MeasuredBatch {
        tokens: 1,
        elapsed: Duration::from_secs(1),
        had_backlog: true,
        workers: 1,
    });
    let _held = ask(&admission, 8, 99).unwrap();
    assert_eq!(ask(&admission, 1, 1).unwrap_err(), overloaded(OverloadReason::Requests, 30));
}

#[tokio::test(start_paused = true)]
async fn saturation_is_known_before_anything_is_weighed() {
    let (admission, _metrics) = room();
    assert_eq!(admission.check_saturated(in_millis(1)), Ok(()));
    let _held = ask(&admission, 1, 100).unwrap();
    assert_eq!(admission.check_saturated(in_millis(1)), Err(overloaded(OverloadReason::Tokens, 1)));
}
