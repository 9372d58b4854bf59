//! Assessments of conversations that were judged before, word for word: an exact cache, off unless the settings size it.
//!
//! Judgements are kept and not verdicts, so that every community is served by one entry and a changed profile needs none
//! to be forgotten. Neither text nor tokens are kept: a conversation is known by a digest over the model's revision and
//! what the model would read.

use assize_domain::{Assessment, Conversation, ModelIdentity, Subject, TurnText};
use assize_telemetry::{CacheLookup, InferenceMetrics};
use lru::LruCache;
use sha2::{Digest, Sha256};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a conversation is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

/// The most recently used assessments. Shared by all requests; the lock is held for one look-up.
pub(crate) struct Remembered {
    revision: [u8; 32],
    assessments: Mutex<LruCache<Key, Assessment>>,
    metrics: InferenceMetrics,
}

impl Remembered {
    /// Room for so many assessments (some 2 KB each) of one model, whose precision is settled as long as the process lives.
    pub(crate) fn new(size: NonZeroUsize, model: &ModelIdentity, metrics: InferenceMetrics) -> Self {
        let assessments = Mutex::new(LruCache::new(size));
        Self { revision: *model.revision.bytes(), assessments, metrics }
    }

    /// What the conversation is known by: two that differ in blanks around a turn, or in what the model does not read,
    /// are one.
    pub(crate) fn key(&self, conversation: &Conversation) -> Key {
        let mut digest = Sha256::new();
        digest.update(self.revision);
        digest.update(
            [Subject::Prompt, Subject::Response].map(|subject| u8::from(conversation.judges(subject))),
        );
        for turn in conversation.earlier_user_turns() {
            put(&mut digest, b'c', turn);
        }
        if let Some(turn) = conversation.prompt() {
            put(&mut digest, b'p', turn);
        }
        for turn in conversation.response() {
            put(&mut digest, b'r', turn);
        }
        Key(digest.finalize().into())
    }

    /// The assessment of an equal conversation, if it is still here. Counts a hit or a miss.
    pub(crate) fn find(&self, key: &Key) -> Option<Assessment> {
        let found = self.lock().get(key).cloned();
        self.metrics.cache_lookup(if found.is_some() { CacheLookup::Hit } else { CacheLookup::Miss });
        found
    }

    /// Keeps an assessment; the one that was asked for longest ago goes where there is no room.
    pub(crate) fn keep(&self, key: Key, assessment: Assessment) {
        let gone = self.lock().push(key, assessment);
        // Outside the lock.
        drop(gone);
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<Key, Assessment>> {
        self.assessments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Part and length first, so that no two lists of turns look alike.
fn put(digest: &mut Sha256, part: u8, turn: &TurnText) {
    let text = turn.reveal().trim();
    digest.update([part]);
    digest.update((text.len() as u64).to_le_bytes());
    digest.update(text);
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").field("kept", &self.lock().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_domain::{Digest as Revision, JudgeRequest, Limits, Role, Turn};
    use assize_telemetry::{Metrics, MetricsConfig};
    use std::sync::Arc;

    fn remembered(revision: u8) -> Remembered {
        let metrics =
            Metrics::new(&MetricsConfig { communities: &[], routes: &[], error_codes: &[] }).unwrap();
        let model = ModelIdentity { name: Arc::from("guard"), revision: Revision::new([revision; 32]) };
        Remembered::new(NonZeroUsize::MIN, &model, metrics.inference)
    }

    fn conversation(judge: JudgeRequest, turns: &[(Role, &str)]) -> Conversation {
        let turn =
            |(role, text): &(Role, &str)| Turn { role: *role, text: TurnText::new((*text).to_owned()) };
        Conversation::new(
            turns.iter().map(turn).collect(),
            judge,
            Limits { max_turns: 10, max_turn_bytes: 100 },
        )
        .unwrap()
    }

    #[test]
    fn conversations_are_one_only_where_the_model_reads_the_same() {
        use Role::{Assistant, System, User};
        let known = remembered(1);
        let key = |turns: &[(Role, &str)]| known.key(&conversation(JudgeRequest::WhatIsThere, turns));
        let one = key(&[(User, "how are you"), (Assistant, "fine")]);
        assert_eq!(one, key(&[(User, " how are you\n"), (Assistant, "fine ")]), "blanks around a turn");
        assert_eq!(one, key(&[(System, "be kind"), (User, "how are you"), (Assistant, "fine")]), "unread");
        let others = [
            key(&[(User, "how are you")]),
            key(&[(User, "how are you"), (Assistant, "Fine")]),
            key(&[(User, "how"), (User, "are you"), (Assistant, "fine")]),
            key(&[(User, "how are you"), (User, "fine")]),
            key(&[(User, "fine"), (Assistant, "how are you")]),
            remembered(2)
                .key(&conversation(JudgeRequest::WhatIsThere, &[(User, "how are you"), (Assistant, "fine")])),
            known.key(&conversation(JudgeRequest::Response, &[(User, "how are you"), (Assistant, "fine")])),
        ];
        assert!(others.iter().all(|other| *other != one), "{others:?}");
    }
}
