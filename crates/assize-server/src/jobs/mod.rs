//! Full trees, after the verdict: a job has the reporter write one, decides again with it, and tells what came of it.
//!
//! ```text
//! Pipeline ─► Desk::plan, the verdict, Desk::start ─► a task: ReporterTier::report ─► decide ─► History, Kept, Webhook
//! ```
//!
//! Owner: the desk owns its tasks; [`Desk::finish`] ends them. How many write is bounded by the reporter's admission, how many
//! tell a webhook by the webhook. A job holds its conversation until its tree is written, and nothing of it after that; its
//! record goes to the history however it ends.

mod kept;
mod webhook;

pub(crate) use kept::{Ended, State};
pub(crate) use webhook::Webhook;

use crate::config::OnSilence;
use crate::history::{Held, History};
use crate::http::jobs::event;
use crate::tiers::{Reported, ReporterTier, decides};
use assize_api::ErrorCode;
use assize_candle::guard::Context;
use assize_candle::writing::Progress;
use assize_domain::{Assessment, Conversation, DecidedBy, Verdict};
use assize_inference::Permit;
use assize_preferences::{Profile, decide, weigh};
use assize_record::{Decided, Record, RecordId, UnixMillis};
use assize_telemetry::{Change, ModerationMetrics};
use kept::{Handle, Kept};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};

/// Whether a full tree is wanted of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TreeWish {
    /// Somebody asked for it.
    Asked,
    /// Only where the decision is close without it.
    IfClose,
}

/// What is to be done for a full tree.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Nothing: nobody wants one, or there is no prompt to write of.
    Nothing,
    /// There is no room for one more.
    Refused(ErrorCode),
    /// A job, when the verdict is given.
    Job(Box<Planned>),
}

/// A job that was let in.
#[derive(Debug)]
pub(crate) struct Planned {
    conversation: Conversation,
    permit: Permit,
    /// Of those that were asked for.
    place: Option<OwnedSemaphorePermit>,
    /// What it does to the verdict where no tree comes of it.
    on_silence: OnSilence,
}

/// What came of the wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// A job runs.
    Pending,
    /// It can't be begun now.
    Refused(ErrorCode),
}

/// Begins jobs and knows what came of them. Shared by all requests.
#[derive(Debug)]
pub(crate) struct Desk {
    tier: ReporterTier,
    kept: Arc<Kept>,
    history: Arc<History>,
    metrics: ModerationMetrics,
    webhook: Option<Webhook>,
    /// Where jobs are begun unasked too: a place for each that may have been asked for at a time; never closed.
    asked: Option<Arc<Semaphore>>,
    /// `None` from the end of the service on. Never held across an await.
    tasks: Mutex<Option<JoinSet<()>>>,
}

impl Desk {
    /// # Errors
    /// When no client for the webhook can be made.
    pub(crate) fn new(
        tier: ReporterTier,
        history: Arc<History>,
        metrics: ModerationMetrics,
    ) -> Result<Self, reqwest::Error> {
        let config = tier.config();
        let webhook = config.webhook.clone().map(|webhook| Webhook::new(webhook, metrics.clone()));
        // Who asks must not take all places from those where a tree is to decide.
        let asked =
            config.margin.map(|_| Arc::new(Semaphore::new(config.max_jobs - reserved(config.max_jobs))));
        let kept = Arc::new(Kept::new(config.kept_jobs));
        Ok(Self {
            tier,
            kept,
            history,
            metrics,
            webhook: webhook.transpose()?,
            asked,
            tasks: Mutex::new(Some(JoinSet::new())),
        })
    }

    /// The reporter that it asks.
    pub(crate) const fn tier(&self) -> &ReporterTier {
        &self.tier
    }

    /// Whether a conversation may be needed again after its assessment.
    pub(crate) fn may_want(&self, profile: &Profile, wish: TreeWish) -> bool {
        wish == TreeWish::Asked || (self.tier.config().margin.is_some() && decides(profile))
    }

    /// Lets a job in where a tree is wanted; none where [`Self::may_want`] said that the conversation is not needed. Where a tree
    /// was to decide and there is no room for it, the assessment says so.
    pub(crate) fn plan(
        &self,
        conversation: Option<&Conversation>,
        assessment: &mut Assessment,
        (profile, wish): (&Profile, TreeWish),
    ) -> Plan {
        let Some(conversation) = conversation else {
            self.tier.spared();
            return Plan::Nothing;
        };
        let is_contested = self.tier.is_contested(assessment, profile);
        // Who wants to know more must not get another verdict for want of it, nor a place of those where a tree is to decide.
        let (on_silence, place) = match (is_contested, wish) {
            (false, TreeWish::IfClose) => {
                self.tier.spared();
                return Plan::Nothing;
            }
            (false, TreeWish::Asked) => (OnSilence::Open, self.asked.as_ref()),
            (true, TreeWish::Asked | TreeWish::IfClose) => (self.tier.config().on_silence, None),
        };
        if !self.tier.concerns(conversation) {
            return Plan::Nothing;
        }
        let place = place.map(|asked| Arc::clone(asked).try_acquire_owned()).transpose();
        let admitted = match place {
            Ok(place) => self.tier.admit().ok().map(|permit| (permit, place)),
            Err(_none_left) => {
                self.tier.refuse();
                None
            }
        };
        if let Some((permit, place)) = admitted {
            let conversation = conversation.clone();
            return Plan::Job(Box::new(Planned { conversation, permit, place, on_silence }));
        }
        self.tier.note_silence(assessment, on_silence);
        Plan::Refused(ErrorCode::Overloaded)
    }

    /// Begins a job; `record` is what its verdict was given on, and goes to the disk when the job has ended.
    pub(crate) fn start(self: &Arc<Self>, planned: Planned, record: Record, profile: Arc<Profile>) {
        let progress = <[Progress; 2]>::default();
        let handle = self.kept.begin(record.id.clone(), progress.clone());
        let held = self.history.hold(record.clone());
        let first = First { record, profile, held };
        let job = Arc::clone(self).run(planned, first, (progress, handle));
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Dropped where the service has ended: its record is written as it is.
        let Some(tasks) = tasks.as_mut() else { return };
        while let Some(ended) = tasks.try_join_next() {
            log_defect(&ended);
        }
        tasks.spawn(job);
    }

    /// What is known of a job; changes when it ends.
    pub(crate) fn find(&self, id: &RecordId) -> Option<watch::Receiver<State>> {
        self.kept.find(id)
    }

    /// Waits until the jobs have ended, at most until `by`; the reporter was told to stop before. What still runs then is given
    /// up; its record goes to the history as it was.
    pub(crate) async fn finish(&self, by: Instant) {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut tasks) = tasks else { return };
        let all = async {
            while let Some(ended) = tasks.join_next().await {
                log_defect(&ended);
            }
        };
        if timeout_at(by, all).await.is_err() {
            tracing::warn!(jobs = tasks.len(), "jobs given up at shutdown");
            tasks.shutdown().await;
        }
    }

    async fn run(
        self: Arc<Self>,
        planned: Planned,
        first: First,
        (progress, handle): ([Progress; 2], Handle),
    ) {
        let Planned { conversation, permit, place, on_silence } = planned;
        let context = Context::of(&conversation);
        let reported = self.tier.report(conversation, permit, progress).await;
        drop(place);
        let First { record, profile, mut held } = first;
        let next = match &reported {
            Ok(reported) => self.with_tree(&record, &profile, (reported, context)),
            // The service ends: that says nothing about the conversation.
            Err(silence) if silence.is_shutdown() => None,
            Err(_) => {
                let mut assessment = record.assessment.clone();
                self.tier.note_silence(&mut assessment, on_silence).then_some(assessment)
            }
        };
        let is_new = next.is_some();
        let assessment = next.unwrap_or_else(|| record.assessment.clone());
        let verdict = decide(&assessment, &profile);
        let given = record.decided.as_ref().map_or(verdict.decision, |decided| decided.decision);
        let change = Change::between(given, verdict.decision);
        let Record { id, at, .. } = record;
        if is_new {
            self.metrics.verdict_update(&verdict.community, change);
            held.replace(self::record(id.clone(), at, assessment, &verdict));
        }
        drop(held);
        let (outcome, tree) = match reported {
            Ok(reported) => (Ok(()), Some(reported.tree)),
            Err(silence) => (Err(silence.code()), None),
        };
        let ended = Arc::new(Ended { outcome, change, verdict, tree });
        handle.end(Arc::clone(&ended));
        if let Some(webhook) = &self.webhook {
            webhook.send(id.as_str(), &event(&id, &ended)).await;
        }
    }

    /// The assessment with the tree in it; `None` where the first one stands. A tree of a part of what was said, a part of a
    /// tree, or any tree against a floor can make a verdict stricter, never milder.
    fn with_tree(
        &self,
        record: &Record,
        profile: &Profile,
        (reported, context): (&Reported, Context),
    ) -> Option<Assessment> {
        let first = weigh(&record.assessment, profile);
        let is_whole =
            reported.tree.unreadable() == 0 && reported.coverage.is_whole() && context == Context::Seen;
        // Where it does not decide, nobody would see in the record that it is of a part.
        if !is_whole && !decides(profile) {
            return None;
        }
        let mut assessment = record.assessment.clone();
        self.tier.note(&mut assessment, reported, decides(profile));
        let is_sure = is_whole && !matches!(first.decided_by, DecidedBy::Floor(_));
        let is_milder = weigh(&assessment, profile).decision < first.decision;
        (is_sure || !is_milder).then_some(assessment)
    }
}

/// Places for jobs where a tree is to decide, out of so many.
fn reserved(max_jobs: usize) -> usize {
    (max_jobs / 4).max(usize::from(max_jobs > 1))
}

/// A job that panicked has told its client and written its record; its message could quote what was said.
fn log_defect(ended: &Result<(), JoinError>) {
    if ended.as_ref().is_err_and(JoinError::is_panic) {
        tracing::error!("a job broke off by a defect");
    }
}

/// A verdict that was given: what it was given on, whose values decided, and its record for the disk.
#[derive(Debug)]
struct First {
    record: Record,
    profile: Arc<Profile>,
    held: Held,
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
