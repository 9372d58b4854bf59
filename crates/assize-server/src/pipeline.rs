//! The whole service on one screen. Whoever knows [`Pipeline::moderate`] knows where to go for every change.

use crate::assessor::{AssessError, Assessor};
use crate::history::{History, ids};
use crate::http::error::ApiError;
use crate::jobs::{self, Begun, Desk, Plan, TreeWish};
use crate::tiers::GuardTier;
use assize_api::ErrorCode;
use assize_domain::{Assessment, Conversation, DecidedBy, Decision, Degradation, Verdict};
use assize_inference::{InferError, Refused};
use assize_preferences::{FailureMode, Profile, decide, weigh};
use assize_record::{Record, RecordId};
use assize_telemetry::{Change, ModerationMetrics, error_chain};
use std::sync::Arc;
use tokio::time::Instant;

/// One conversation, and whose values decide about it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// What is judged.
    pub(crate) conversation: Conversation,
    /// What it is valued by: the profile that was in force when the request came.
    pub(crate) profile: Arc<Profile>,
    /// What is tried beside it: weighed and counted, never answered with.
    pub(crate) candidate: Option<Arc<Profile>>,
    /// Whether a full tree is wanted of it.
    pub(crate) wish: TreeWish,
}

/// Whose values a case is weighed by, and whether a full tree is wanted.
struct Values {
    profile: Arc<Profile>,
    candidate: Option<Arc<Profile>>,
    wish: TreeWish,
}

/// Judges and decides.
#[derive(Debug)]
pub(crate) struct Pipeline {
    assessor: Assessor,
    /// Asked where the assessor leaves it close.
    guard: Option<GuardTier>,
    /// Has full trees written after the verdict.
    desk: Option<Arc<Desk>>,
    metrics: ModerationMetrics,
    history: Arc<History>,
}

/// A verdict, and the name under which its assessment can be found.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) id: RecordId,
    pub(crate) verdict: Verdict,
    /// What became of the wish for a full tree; `None` where there was none.
    pub(crate) job: Option<Begun>,
}

impl Pipeline {
    pub(crate) fn new(
        assessor: Assessor,
        (guard, desk): (Option<GuardTier>, Option<Arc<Desk>>),
        metrics: ModerationMetrics,
        history: Arc<History>,
    ) -> Self {
        Self { assessor, guard, desk, metrics, history }
    }

    /// Moderates conversations for their communities.
    ///
    /// Steps: gain admission and assess (models, community-free), ask the guard where that leaves it close, decide (pure), begin
    /// a full tree where one is wanted, record, answer. The profiles were found before, by whoever read the request.
    ///
    /// # Errors
    /// When the cases are refused as a whole; what fails for one of them only is in its place.
    pub(crate) async fn moderate(
        &self,
        cases: Vec<Case>,
        deadline: Instant,
    ) -> Result<Vec<Result<Given, ModerateError>>, ModerateError> {
        let (conversations, values): (Vec<Conversation>, Vec<Values>) = cases
            .into_iter()
            .map(|Case { conversation, profile, candidate, wish }| {
                (conversation, Values { profile, candidate, wish })
            })
            .unzip();
        let again: Vec<Option<Conversation>> = conversations
            .iter()
            .zip(&values)
            .map(|(conversation, values)| self.needs_text(values).then(|| conversation.clone()))
            .collect();
        let mut assessments = self.assessor.assess(conversations, deadline).await.map_err(ModerateError)?;
        if let Some(guard) = &self.guard {
            consult(guard, (&again, &mut assessments), &values, deadline).await;
        }
        let judged = assessments.into_iter().zip(values).zip(again);
        Ok(judged
            .map(|((assessment, values), again)| self.value(assessment, &values, again.as_ref()))
            .collect())
    }

    /// Whether the models after the first may need a conversation again.
    fn needs_text(&self, values: &Values) -> bool {
        let by_desk = self.desk.as_ref().is_some_and(|desk| desk.may_want(&values.profile, values.wish));
        self.guard.is_some() || by_desk
    }

    /// Decides and records one case.
    fn value(
        &self,
        assessment: Result<Assessment, AssessError>,
        values: &Values,
        conversation: Option<&Conversation>,
    ) -> Result<Given, ModerateError> {
        let profile = values.profile.as_ref();
        let given = assessment.map(|mut assessment| {
            let plan = self.desk.as_ref().map_or(Plan::Nothing, |desk| {
                desk.plan(conversation, &mut assessment, (profile, values.wish))
            });
            let verdict = decide(&assessment, profile);
            self.try_candidate(&assessment, values, verdict.decision);
            let id = ids::record();
            let record = jobs::record(id.clone(), ids::now(), assessment, &verdict);
            Given { id, verdict, job: self.keep(record, plan, values) }
        });
        match &given {
            Ok(given) => self.record(&given.verdict, profile),
            Err(error) => {
                tracing::warn!(error = error_chain(error), "no verdict");
                self.count_failure(profile);
            }
        }
        given.map_err(ModerateError)
    }

    /// Keeps what was judged, and begins the job that keeps it again with its tree.
    fn keep(&self, record: Record, plan: Plan, values: &Values) -> Option<Begun> {
        let job = match (plan, &self.desk) {
            (Plan::Job(planned), Some(desk)) => {
                desk.start(*planned, record, Arc::clone(&values.profile));
                return Some(Begun::Pending);
            }
            (Plan::Refused(code), _) => Some(Begun::Refused(code)),
            (Plan::Nothing | Plan::Job(_), _) => None,
        };
        if self.history.is_kept() {
            self.history.keep(record);
        }
        job
    }

    /// Weighs the assessment under the candidate too, and counts how its decision differs.
    fn try_candidate(&self, assessment: &Assessment, values: &Values, given: Decision) {
        if let Some(candidate) = &values.candidate {
            let change = Change::between(given, weigh(assessment, candidate).decision);
            self.metrics.shadow_verdict(values.profile.id(), change);
        }
    }

    /// Counts a verdict. No count holds text.
    fn record(&self, verdict: &Verdict, profile: &Profile) {
        self.metrics.verdict(&verdict.community, verdict.decision);
        verdict.degraded.iter().for_each(|degradation| self.metrics.degradation(*degradation));
        // A text too long to be read as a whole is the client's doing and has its own count: it must page nobody.
        if verdict.degraded.contains(&Degradation::TreeUnusable) {
            self.count_failure(profile);
        }
        if let DecidedBy::Floor(floor) = verdict.decided_by {
            self.metrics.floor(floor);
        }
    }

    /// Counts a conversation without a verdict, or with one that lacks the tree, by what its community wants then.
    pub(crate) fn count_failure(&self, profile: &Profile) {
        let mode = match profile.on_failure() {
            FailureMode::Open => assize_telemetry::FailureMode::Open,
            FailureMode::Closed => assize_telemetry::FailureMode::Closed,
        };
        self.metrics.failure(profile.id(), mode);
    }
}

/// Asks the guard about all of them at a time.
async fn consult(
    guard: &GuardTier,
    (conversations, assessments): (&[Option<Conversation>], &mut [Result<Assessment, AssessError>]),
    values: &[Values],
    deadline: Instant,
) {
    let judged = conversations.iter().zip(assessments).zip(values);
    let asked = judged.filter_map(|((conversation, assessment), values)| {
        let (conversation, assessment) = (conversation.as_ref()?, assessment.as_mut().ok()?);
        Some(guard.consult(conversation, assessment, (&values.profile, deadline)))
    });
    futures_util::future::join_all(asked).await;
}

/// Why there is no verdict.
#[derive(Debug)]
pub(crate) struct ModerateError(AssessError);

impl ModerateError {
    /// What a person at the command line is told.
    pub(crate) fn into_anyhow(self) -> anyhow::Error {
        anyhow::Error::new(self.0)
    }

    /// What the client is told.
    pub(crate) fn to_api_error(&self) -> ApiError {
        match &self.0 {
            AssessError::Unreadable(_) | AssessError::ReadBrokeOff => ApiError::new(
                ErrorCode::Internal,
                "the conversation could not be read; please report it with its id",
            ),
            AssessError::Refused(Refused::TooLarge { tokens, limit }) => {
                let detail =
                    format!("the request holds {tokens} tokens, over the limit of {limit}; send less");
                ApiError::new(ErrorCode::TooManyTokens, detail)
            }
            AssessError::Refused(Refused::TooMany { requests, limit }) => {
                let detail =
                    format!("the list holds {requests} conversations, over the limit of {limit}; split it");
                ApiError::new(ErrorCode::InvalidRequest, detail)
            }
            AssessError::Refused(Refused::Overloaded { retry_after, .. }) => {
                ApiError::new(ErrorCode::Overloaded, "too much is waiting already").retry_after(*retry_after)
            }
            AssessError::Infer(InferError::DeadlineExceeded) => {
                ApiError::new(ErrorCode::DeadlineExceeded, "the model was busy for too long")
                    .retry_after(RETRY)
            }
            AssessError::Infer(InferError::ShuttingDown) => {
                ApiError::new(ErrorCode::NotReady, "the service is ending; ask another one")
                    .retry_after(RETRY)
            }
            AssessError::Infer(InferError::ModelFailed { .. }) | AssessError::Unusable(_) => {
                ApiError::new(ErrorCode::ModelFailed, "the model gave no usable answer for this conversation")
            }
        }
    }
}

/// When nothing better is known: the next second may find another worker or an empty queue.
const RETRY: std::time::Duration = std::time::Duration::from_secs(1);
