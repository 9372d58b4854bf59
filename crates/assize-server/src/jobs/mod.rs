//! Full trees, after the verdict: a job has the reporter write one, decides again with it, and tells what came of it.
//!
//! ```text
//! Pipeline ─► Desk::begin ─► a task: ReporterTier::report ─► decide ─► History, Kept (GET /jobs/{id}), Webhook
//! ```
//!
//! Owner: the desk owns its tasks; [`Desk::finish`] ends them. How many there are is bounded by the reporter's admission. A
//! job holds its conversation until its tree is written, and nothing of it after that.

mod kept;
mod webhook;

pub(crate) use kept::{Ended, State};
pub(crate) use webhook::Webhook;

use crate::config::OnSilence;
use crate::history::History;
use crate::http::jobs::event;
use crate::tiers::{Reported, ReporterTier};
use assize_api::ErrorCode;
use assize_candle::writing::Progress;
use assize_domain::{Assessment, Conversation, Decision, Verdict};
use assize_inference::Permit;
use assize_preferences::{Profile, decide};
use assize_record::{Decided, Record, RecordId, UnixMillis};
use assize_telemetry::{Change, ModerationMetrics};
use futures_util::FutureExt as _;
use kept::{Handle, Kept};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Whether a full tree is wanted of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TreeWish {
    /// Somebody asked for it.
    Asked,
    /// Only where the decision is close without it.
    IfClose,
}

/// What came of the wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// A job runs.
    Pending,
    /// It can't be begun now.
    Refused(ErrorCode),
}

/// A verdict that was given, and what it was given on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct First<'a> {
    pub(crate) id: &'a RecordId,
    pub(crate) at: UnixMillis,
    pub(crate) assessment: &'a Assessment,
    pub(crate) decision: Decision,
}

/// What a job works on.
struct Job {
    id: RecordId,
    at: UnixMillis,
    conversation: Conversation,
    assessment: Assessment,
    decision: Decision,
    profile: Arc<Profile>,
    on_silence: OnSilence,
}

/// Begins jobs and knows what came of them. Shared by all requests.
#[derive(Debug)]
pub(crate) struct Desk {
    tier: ReporterTier,
    kept: Arc<Kept>,
    history: Arc<History>,
    metrics: ModerationMetrics,
    webhook: Option<Webhook>,
    /// Never held across an await.
    tasks: Mutex<JoinSet<()>>,
}

impl Desk {
    pub(crate) fn new(tier: ReporterTier, history: Arc<History>, metrics: ModerationMetrics) -> Self {
        let kept = Arc::new(Kept::new(tier.config().kept_jobs));
        let webhook = tier.config().webhook.clone().map(|config| Webhook::new(config, metrics.clone()));
        Self { tier, kept, history, metrics, webhook, tasks: Mutex::default() }
    }

    /// The reporter that it asks.
    pub(crate) const fn tier(&self) -> &ReporterTier {
        &self.tier
    }

    /// Begins a job where a tree is wanted and there is a prompt to write of; `None` where there is nothing to do.
    pub(crate) fn begin(
        self: &Arc<Self>,
        conversation: &Conversation,
        first: First<'_>,
        (profile, wish): (&Arc<Profile>, TreeWish),
    ) -> Option<Begun> {
        let on_silence = match wish {
            // Who wants to know more must not get another verdict for want of it.
            TreeWish::Asked => OnSilence::Open,
            TreeWish::IfClose if self.tier.is_contested(first.assessment, profile) => {
                self.tier.config().on_silence
            }
            TreeWish::IfClose => {
                self.tier.spared();
                return None;
            }
        };
        let permit = match self.tier.admit(conversation) {
            Ok(permit) => permit?,
            Err(_refused) => return Some(Begun::Refused(ErrorCode::Overloaded)),
        };
        let First { id, at, assessment, decision } = first;
        let job = Job {
            id: id.clone(),
            at,
            conversation: conversation.clone(),
            assessment: assessment.clone(),
            decision,
            profile: Arc::clone(profile),
            on_silence,
        };
        let progress = <[Progress; 2]>::default();
        let handle = self.kept.begin(id.clone(), progress.clone());
        let job = Arc::clone(self).run(job, (permit, progress), handle);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(job);
        Some(Begun::Pending)
    }

    /// What is known of a job; changes when it ends.
    pub(crate) fn find(&self, id: &RecordId) -> Option<watch::Receiver<State>> {
        self.kept.find(id)
    }

    /// Waits until the jobs have ended, at most until `by`; the reporter was told to stop before. What still runs then, an
    /// event on its way, is given up.
    pub(crate) async fn finish(&self, by: Instant) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while tasks.join_next().await.is_some() {} };
        if timeout_at(by, all).await.is_err() {
            tracing::warn!(jobs = tasks.len(), "jobs given up at shutdown");
        }
    }

    async fn run(self: Arc<Self>, job: Job, (permit, progress): (Permit, [Progress; 2]), handle: Handle) {
        let Job { id, at, conversation, mut assessment, decision, profile, on_silence } = job;
        // A panic is a defect; the record must not be lost by it, nor anybody wait for ever.
        let reported =
            AssertUnwindSafe(self.tier.report(conversation, permit, progress)).catch_unwind().await;
        let (outcome, reported): (_, Result<Reported, OnSilence>) = match reported {
            Ok(Ok(reported)) => (Ok(()), Ok(reported)),
            Ok(Err(silence)) => (Err(silence.code()), Err(on_silence)),
            Err(_panic) => (Err(ErrorCode::Internal), Err(on_silence)),
        };
        self.tier.note(&mut assessment, reported);
        let verdict = decide(&assessment, &profile);
        let change = Change::between(decision, verdict.decision);
        self.metrics.verdict_update(&verdict.community, change);
        self.history.keep(record(id.clone(), at, assessment, &verdict));
        let ended = Arc::new(Ended { outcome, change, verdict });
        handle.end(Arc::clone(&ended));
        if let Some(webhook) = &self.webhook {
            webhook.send(id.as_str(), &event(&id, &ended)).await;
        }
    }
}

/// What was judged and decided, without its text.
pub(crate) fn record(id: RecordId, at: UnixMillis, assessment: Assessment, verdict: &Verdict) -> Record {
    let decided = Decided {
        community: verdict.community.clone(),
        profile: verdict.provenance.profile,
        decision: verdict.decision,
    };
    Record { id, at, decided: Some(decided), assessment }
}
