//! The values that labels can have. Call sites pass these, never strings.

use assize_domain::{Decision, Degradation, Floor};

/// A closed set of values for one label.
pub(crate) trait Label: Copy + 'static {
    /// Every value: all of them are series from the start.
    const ALL: &'static [Self];

    /// The value as it stands in the metrics.
    fn value(self) -> &'static str;
}

/// Implements [`Label`] for an enum that has `ALL` and `id` of its own.
macro_rules! label {
    ($($name:ty),*) => {$(
        impl Label for $name {
            const ALL: &'static [Self] = &<$name>::ALL;

            fn value(self) -> &'static str {
                self.id()
            }
        }
    )*};
}

label!(
    Decision,
    Degradation,
    Floor,
    StatusClass,
    FailureMode,
    OverloadReason,
    DropReason,
    CacheLookup,
    ReloadResult,
    Change,
    CandidateState,
    HistoryResult,
    WebhookResult
);

/// What came of a further tier for one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TierOutcome {
    /// It was not asked: the tiers before it had settled the matter.
    Spared,
    /// It answered.
    Answered,
    /// It had nothing to say about what was judged.
    NotConcerned,
    /// It was too busy, or too slow.
    Busy,
    /// It failed.
    Failed,
}

impl TierOutcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [Self::Spared, Self::Answered, Self::NotConcerned, Self::Busy, Self::Failed];

    /// The stable name in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Spared => "spared",
            Self::Answered => "answered",
            Self::NotConcerned => "not_concerned",
            Self::Busy => "busy",
            Self::Failed => "failed",
        }
    }
}

/// The class of an HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusClass {
    /// Below 400: done. (The service sends no 1xx, and a 3xx is no failure.)
    Success,
    /// 400 to 499: the caller's fault.
    ClientError,
    /// 500 and above: ours.
    ServerError,
}

impl StatusClass {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Success, Self::ClientError, Self::ServerError];

    /// The class of a numeric HTTP status.
    pub const fn of(status: u16) -> Self {
        match status {
            ..=399 => Self::Success,
            400..=499 => Self::ClientError,
            500.. => Self::ServerError,
        }
    }

    /// The stable name in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Success => "2xx",
            Self::ClientError => "4xx",
            Self::ServerError => "5xx",
        }
    }
}

/// What a community told its backend to do when there is no full assessment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureMode {
    /// Let the conversation go on.
    Open,
    /// Stop it.
    Closed,
}

impl FailureMode {
    /// Every mode.
    pub const ALL: [Self; 2] = [Self::Open, Self::Closed];

    /// The stable name in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Which bound refused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverloadReason {
    /// Too many tokens admitted.
    Tokens,
    /// Too many requests admitted.
    Requests,
    /// What is admitted already takes longer than the request's deadline allows.
    Deadline,
}

impl OverloadReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Tokens, Self::Requests, Self::Deadline];

    /// The stable name in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Requests => "requests",
            Self::Deadline => "deadline",
        }
    }
}

/// Why a job left the queue without an inference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// Nobody waits for it any more.
    Abandoned,
    /// Its deadline passed while it waited.
    Expired,
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::Abandoned, Self::Expired];

    /// The stable name in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Expired => "expired",
        }
    }
}

/// Whether an equal conversation had been judged before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheLookup {
    /// It had, and the assessment was still there.
    Hit,
    /// It had not, or too long ago.
    Miss,
}

impl CacheLookup {
    /// Every outcome.
    pub const ALL: [Self; 2] = [Self::Hit, Self::Miss];

    /// The stable name in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
        }
    }
}

/// Whether a webhook took an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WebhookResult {
    /// It did, at the first try or a later one.
    Delivered,
    /// It did not, or there was no time left to try.
    Failed,
}

impl WebhookResult {
    /// Every result.
    pub const ALL: [Self; 2] = [Self::Delivered, Self::Failed];

    /// The stable name in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// How a decision differs from the one given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// It is the same.
    Same,
    /// It is stricter.
    Stricter,
    /// It is milder.
    Milder,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 3] = [Self::Same, Self::Stricter, Self::Milder];

    /// From the decision given to another one: a candidate's, or a later one.
    pub fn between(given: Decision, other: Decision) -> Self {
        match other.cmp(&given) {
            std::cmp::Ordering::Equal => Self::Same,
            std::cmp::Ordering::Greater => Self::Stricter,
            std::cmp::Ordering::Less => Self::Milder,
        }
    }

    /// The stable name in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Stricter => "stricter",
            Self::Milder => "milder",
        }
    }
}

/// What became of a record for the history on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HistoryResult {
    /// It was written.
    Written,
    /// Too many were waiting.
    Dropped,
    /// Writing failed.
    Failed,
}

impl HistoryResult {
    /// Every result.
    pub const ALL: [Self; 3] = [Self::Written, Self::Dropped, Self::Failed];

    /// The stable name in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }
}

/// What became of a candidate profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CandidateState {
    /// It is weighed beside the profile in force.
    Tried,
    /// It is faulty.
    Refused,
}

impl CandidateState {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Tried, Self::Refused];

    /// The stable name in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Tried => "tried",
            Self::Refused => "refused",
        }
    }
}

/// How reading the profiles again ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReloadResult {
    /// The new profiles are in force.
    Loaded,
    /// The new profiles are faulty; the old ones stay in force.
    Rejected,
}

impl ReloadResult {
    /// Every result.
    pub const ALL: [Self; 2] = [Self::Loaded, Self::Rejected];

    /// The stable name in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::Rejected => "rejected",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_class() {
        for (status, id) in
            [(200, "2xx"), (304, "2xx"), (400, "4xx"), (499, "4xx"), (500, "5xx"), (599, "5xx")]
        {
            assert_eq!(StatusClass::of(status).id(), id, "{status}");
        }
    }
}
