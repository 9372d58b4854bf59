//! The whole of the metrics, seen as a scraper sees them.

use crate::{
    DropReason, FailureMode, MetricDescription, MetricKind, Metrics, MetricsConfig, OverloadReason,
    ReloadResult, StatusClass, TierOutcome, describe,
};
use assize_domain::{CommunityId, Decision, Degradation, Digest, Floor, ModelIdentity, Tier};
use prometheus::proto::{MetricFamily, MetricType};
use std::{
    collections::BTreeSet,
    time::{Duration, UNIX_EPOCH},
};

fn metrics() -> Metrics {
    let config = MetricsConfig {
        communities: &["default".parse().unwrap()],
        routes: &["/v1/moderations"],
        error_codes: &["overloaded"],
    };
    Metrics::new(&config).unwrap()
}

fn model() -> ModelIdentity {
    ModelIdentity { name: "guard".into(), revision: Digest::new([7; 32]) }
}

/// Name, kind, sorted label names, help.
type Seen = (String, &'static str, Vec<String>, String);

fn described(metric: &MetricDescription) -> Seen {
    let kind = match metric.kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
    };
    let mut labels: Vec<String> = metric.labels.iter().map(ToString::to_string).collect();
    labels.sort();
    (metric.name.to_owned(), kind, labels, metric.help.to_owned())
}

fn registered(family: &MetricFamily) -> Seen {
    let kind = match family.get_field_type() {
        MetricType::COUNTER => "counter",
        MetricType::GAUGE => "gauge",
        MetricType::HISTOGRAM => "histogram",
        other => panic!("unexpected type {other:?}"),
    };
    let mut labels: Vec<String> =
        family.get_metric()[0].get_label().iter().map(|label| label.name().to_owned()).collect();
    labels.sort();
    (family.name().to_owned(), kind, labels, family.help().to_owned())
}

#[test]
#[cfg(target_os = "linux")]
fn the_description_and_the_registry_agree() {
    let metrics = metrics();
    metrics.service.set_model(&model(), "int8-avx512-vnni");
    let expected: BTreeSet<Seen> = describe().iter().map(described).collect();
    let given: BTreeSet<Seen> = metrics.registry.gather().iter().map(registered).collect();
    assert_eq!(given, expected);
    assert_eq!(expected.len(), describe().len(), "a name stands twice in the table");
}

fn check(metrics: &Metrics, line: &str) {
    let text = metrics.encode().unwrap();
    assert!(text.lines().any(|found| found == line), "`{line}` is not in\n{text}");
}

#[test]
fn every_series_is_there_before_the_first_request() {
    let metrics = metrics();
    for line in [
        r#"assize_requests_total{route="/v1/moderations",status="5xx"} 0"#,
        r#"assize_requests_total{route="_other",status="2xx"} 0"#,
        r#"assize_request_duration_seconds_count{route="/v1/moderations"} 0"#,
        r#"assize_errors_total{code="overloaded"} 0"#,
        r#"assize_verdicts_total{community="default",decision="block"} 0"#,
        r#"assize_failures_total{community="default",mode="closed"} 0"#,
        r#"assize_floors_total{floor="mass_harm_weapons"} 0"#,
        r#"assize_degradations_total{degradation="tree_unusable"} 0"#,
        r#"assize_overloads_total{reason="deadline",tier="encoder"} 0"#,
        r#"assize_jobs_dropped_total{reason="abandoned",tier="encoder"} 0"#,
        r#"assize_profile_reloads_total{result="rejected"} 0"#,
        r#"assize_queue_wait_seconds_count{tier="encoder"} 0"#,
        r#"assize_inference_failures_total{tier="encoder"} 0"#,
        r#"assize_ready{tier="encoder"} 0"#,
    ] {
        check(&metrics, line);
    }
    check(&metrics, &format!("assize_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")));
}

#[test]
fn what_is_counted_is_shown() {
    let metrics = metrics();
    let default: CommunityId = "default".parse().unwrap();
    metrics.http.request_finished("/v1/moderations", StatusClass::Success, Duration::from_millis(3));
    metrics.http.error("overloaded");
    metrics.moderation.verdict(&default, Decision::Review);
    metrics.moderation.floor(Floor::MassHarmWeapons);
    metrics.moderation.degradation(Degradation::PartialCoverage);
    metrics.moderation.failure(&default, FailureMode::Open);
    metrics.inference.overloaded(OverloadReason::Tokens);
    metrics.inference.dropped(DropReason::Expired);
    metrics.inference.batch_taken(3, 70);
    metrics.inference.set_queue(2, 9);
    metrics.service.set_model(&model(), "int8-avx512-vnni");
    for line in [
        r#"assize_requests_total{route="/v1/moderations",status="2xx"} 1"#,
        r#"assize_request_duration_seconds_bucket{route="/v1/moderations",le="0.0025"} 0"#,
        r#"assize_request_duration_seconds_bucket{route="/v1/moderations",le="0.005"} 1"#,
        r#"assize_errors_total{code="overloaded"} 1"#,
        r#"assize_verdicts_total{community="default",decision="review"} 1"#,
        r#"assize_floors_total{floor="mass_harm_weapons"} 1"#,
        r#"assize_degradations_total{degradation="partial_coverage"} 1"#,
        r#"assize_failures_total{community="default",mode="open"} 1"#,
        r#"assize_overloads_total{reason="tokens",tier="encoder"} 1"#,
        r#"assize_jobs_dropped_total{reason="expired",tier="encoder"} 1"#,
        r#"assize_batch_items_bucket{tier="encoder",le="4"} 1"#,
        r#"assize_batch_tokens_bucket{tier="encoder",le="64"} 0"#,
        r#"assize_queue_items{tier="encoder"} 2"#,
        r#"assize_queue_tokens{tier="encoder"} 9"#,
    ] {
        check(&metrics, line);
    }
    assert!(
        metrics
            .encode()
            .unwrap()
            .contains(r#"assize_model_info{kernel="int8-avx512-vnni",model="guard",revision="sha256:0707"#)
    );
}

#[test]
fn a_further_tier_has_series_of_its_own() {
    let metrics = metrics();
    let guard = metrics.of_tier(Tier::Guard).unwrap();
    guard.set_queue(5, 700);
    metrics.inference.set_queue(2, 9);
    metrics.tiers.conversation(Tier::Guard, TierOutcome::Spared);
    metrics.tiers.took(Tier::Guard, Duration::from_millis(30));
    for line in [
        r#"assize_queue_items{tier="guard"} 5"#,
        r#"assize_queue_items{tier="encoder"} 2"#,
        r#"assize_tier_conversations_total{outcome="spared",tier="guard"} 1"#,
        r#"assize_tier_conversations_total{outcome="answered",tier="guard"} 0"#,
        r#"assize_tier_duration_seconds_bucket{tier="guard",le="0.05"} 1"#,
    ] {
        check(&metrics, line);
    }
    assert!(metrics.of_tier(Tier::Guard).is_err(), "registered twice");
}

#[test]
fn no_request_can_make_a_new_series() {
    let metrics = metrics();
    let lines = |metrics: &Metrics| metrics.encode().unwrap().lines().count();
    let before = lines(&metrics);
    metrics.http.request_finished("/etc/passwd", StatusClass::ClientError, Duration::ZERO);
    metrics.http.error("no_such_code");
    metrics.moderation.verdict(&"unknown".parse().unwrap(), Decision::Allow);
    assert_eq!(lines(&metrics), before);
    check(&metrics, r#"assize_requests_total{route="_other",status="4xx"} 1"#);
    check(&metrics, r#"assize_verdicts_total{community="_other",decision="allow"} 1"#);
}

#[test]
fn a_reload_brings_series_for_new_communities() {
    let metrics = metrics();
    let fresh: CommunityId = "fresh".parse().unwrap();
    metrics.register_communities(std::slice::from_ref(&fresh)).unwrap();
    check(&metrics, r#"assize_verdicts_total{community="fresh",decision="allow"} 0"#);
    metrics.moderation.verdict(&fresh, Decision::Allow);
    check(&metrics, r#"assize_verdicts_total{community="fresh",decision="allow"} 1"#);
}

#[test]
fn rejected_profiles_are_stale_until_good_ones_come() {
    let metrics = metrics();
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    metrics.service.profiles_loaded(at(5));
    metrics.service.profiles_reloaded(ReloadResult::Rejected, at(6));
    check(&metrics, "assize_profiles_stale 1");
    check(&metrics, "assize_profiles_loaded_timestamp_seconds 5");
    metrics.service.profiles_reloaded(ReloadResult::Loaded, at(7));
    check(&metrics, "assize_profiles_stale 0");
    check(&metrics, "assize_profiles_loaded_timestamp_seconds 7");
}

#[test]
fn a_request_is_in_flight_until_its_guard_is_dropped() {
    let metrics = metrics();
    let guard = metrics.http.request_started();
    check(&metrics, "assize_requests_in_flight 1");
    drop(guard);
    check(&metrics, "assize_requests_in_flight 0");
}
