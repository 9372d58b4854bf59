//! Every metric once: name, kind, labels, help. Registration and docs/METRICS.md both read this table.

/// How a metric behaves over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// Only grows; starts at 0 with the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations in buckets.
    Histogram,
}

/// One metric, as documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricDescription {
    /// Full name, with its unit.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: MetricKind,
    /// Label names, in the order of registration; a histogram's `le` is not listed.
    pub labels: &'static [&'static str],
    /// What it counts, in one line.
    pub help: &'static str,
}

/// Every metric that `/metrics` shows, in the order of the documentation.
pub fn describe() -> Vec<MetricDescription> {
    OWN.iter().chain(PROCESS).copied().collect()
}

/// Declares each metric as a constant and all of them as the table `OWN`.
macro_rules! metrics {
    ($($id:ident = $kind:ident $name:literal $labels:expr, $help:literal;)*) => {
        $(pub(crate) const $id: MetricDescription =
            MetricDescription { name: $name, kind: MetricKind::$kind, labels: &$labels, help: $help };)*
        const OWN: &[MetricDescription] = &[$($id),*];
    };
}

metrics! {
    REQUESTS = Counter "assize_requests_total" ["route", "status"],
        "HTTP requests answered, by route and status class.";
    REQUEST_DURATION = Histogram "assize_request_duration_seconds" ["route"],
        "Time from the request's head to the answer's head.";
    REQUESTS_IN_FLIGHT = Gauge "assize_requests_in_flight" [],
        "HTTP requests being worked on.";
    ERRORS = Counter "assize_errors_total" ["code"],
        "Error answers, by error code.";
    VERDICTS = Counter "assize_verdicts_total" ["community", "decision"],
        "Verdicts given, by community and decision.";
    FLOORS = Counter "assize_floors_total" ["floor"],
        "Verdicts decided by a line that no community can move.";
    DEGRADATIONS = Counter "assize_degradations_total" ["degradation"],
        "Ways in which assessments fell short.";
    FAILURES = Counter "assize_failures_total" ["community", "mode"],
        "Conversations without a verdict, or judged without a usable tree, by what the community told its backend to do.";
    SHADOW_VERDICTS = Counter "assize_shadow_verdicts_total" ["community", "change"],
        "Verdicts weighed again under the community's candidate profile, by how its decision differs from the one given.";
    VERDICT_UPDATES = Counter "assize_verdict_updates_total" ["community", "change"],
        "Verdicts decided again with a reporter's tree, or for want of one, by how the decision differs from the one given.";
    WEBHOOKS = Counter "assize_webhooks_total" ["result"],
        "Events about verdicts that were decided again, by whether the webhook took them.";
    QUEUE_ITEMS = Gauge "assize_queue_items" ["tier"],
        "Items waiting for the model.";
    QUEUE_TOKENS = Gauge "assize_queue_tokens" ["tier"],
        "Tokens of the items waiting for the model.";
    ADMITTED_TOKENS = Gauge "assize_admitted_tokens" ["tier"],
        "Tokens admitted and not yet done, waiting or on the device.";
    ADMITTED_REQUESTS = Gauge "assize_admitted_requests" ["tier"],
        "Conversations admitted and not yet done.";
    QUEUE_WAIT = Histogram "assize_queue_wait_seconds" ["tier"],
        "Time an item waited before its batch was taken.";
    BATCH_ITEMS = Histogram "assize_batch_items" ["tier"],
        "Items in a batch; of a reporter, texts that it has taken in, once a step.";
    BATCH_TOKENS = Histogram "assize_batch_tokens" ["tier"],
        "Tokens in a batch, without padding; of a reporter, all that the texts it has taken in may come to.";
    INFERENCE_DURATION = Histogram "assize_inference_duration_seconds" ["tier"],
        "Time of one call of the model, failed calls included.";
    INFERENCE_FAILURES = Counter "assize_inference_failures_total" ["tier"],
        "Calls of the model that failed, panicked or gave a wrong number of outputs.";
    BATCH_SPLITS = Counter "assize_batch_splits_total" ["tier"],
        "Times that a batch was parted, or a reporter's step made smaller, because the device had no room for it.";
    TOKENISATION_DURATION = Histogram "assize_tokenisation_duration_seconds" ["tier"],
        "Time to turn one conversation into tokens.";
    OVERLOADS = Counter "assize_overloads_total" ["tier", "reason"],
        "Admissions refused, by the bound that refused them (probes and profiles' examples included).";
    JOBS_DROPPED = Counter "assize_jobs_dropped_total" ["tier", "reason"],
        "Items that left the queue without an inference.";
    CACHE_LOOKUPS = Counter "assize_cache_lookups_total" ["tier", "result"],
        "Look-ups for an equal conversation judged before; 0 where `inference.cached_assessments` is 0.";
    TIER_CONVERSATIONS = Counter "assize_tier_conversations_total" ["tier", "outcome"],
        "Conversations that a further tier was asked about, or spared because the tiers before it had settled them, by what came of it.";
    TIER_DURATION = Histogram "assize_tier_duration_seconds" ["tier"],
        "Time that a further tier took for one conversation, its queue included.";
    HISTORY_RECORDS = Counter "assize_history_records_total" ["result"],
        "Records of assessments for the history on disk, by what became of them.";
    PROFILE_RELOADS = Counter "assize_profile_reloads_total" ["result"],
        "Times the profiles were read again, by result.";
    PROFILES_LOADED = Gauge "assize_profiles_loaded_timestamp_seconds" [],
        "Unix time at which the profiles in force were loaded.";
    PROFILES_STALE = Gauge "assize_profiles_stale" [],
        "1 while the profiles on disk are faulty and older ones stay in force.";
    CANDIDATES = Gauge "assize_candidate_profiles" ["state"],
        "Candidate profiles on disk: tried beside those in force, or refused as faulty.";
    MODEL_INFO = Gauge "assize_model_info" ["model", "revision", "kernel", "taxonomy"],
        "Always 1; its labels name the model in use.";
    BUILD_INFO = Gauge "assize_build_info" ["version"],
        "Always 1; its label is the version of the service.";
    READY = Gauge "assize_ready" ["tier"],
        "1 while the model answers, otherwise 0.";
}

/// What the process collector adds (Linux only). SOURCE: prometheus 0.14, `process_collector.rs`.
const PROCESS: &[MetricDescription] = &[
    process(
        "process_cpu_seconds_total",
        MetricKind::Counter,
        "Total user and system CPU time spent in seconds.",
    ),
    process("process_open_fds", MetricKind::Gauge, "Number of open file descriptors."),
    process("process_max_fds", MetricKind::Gauge, "Maximum number of open file descriptors."),
    process("process_virtual_memory_bytes", MetricKind::Gauge, "Virtual memory size in bytes."),
    process("process_resident_memory_bytes", MetricKind::Gauge, "Resident memory size in bytes."),
    process(
        "process_start_time_seconds",
        MetricKind::Gauge,
        "Start time of the process since unix epoch in seconds.",
    ),
    process("process_threads", MetricKind::Gauge, "Number of OS threads in the process."),
];

const fn process(name: &'static str, kind: MetricKind, help: &'static str) -> MetricDescription {
    MetricDescription { name, kind, labels: &[], help }
}
