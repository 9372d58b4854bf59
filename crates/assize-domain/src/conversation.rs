//! Conversations: what is judged, and in which context.
//!
//! The *prompt* is the last user turn; the *response* is what the assistant says after it. What came before is
//! context: it can change what the prompt means, but it is not judged again.

use crate::TurnText;
use std::fmt;

/// Who spoke. The order is the order in which peers' APIs list them and carries no meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The operator's instructions. Trusted: used by no model today, kept for those that read it.
    System,
    /// The person talking to the chatbot.
    User,
    /// The chatbot.
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who spoke.
    pub role: Role,
    /// What was said.
    pub text: TurnText,
}

/// What can be judged in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// What the chatbot was asked: the last user turn, in its context.
    Prompt,
    /// What the chatbot answered, or is about to answer.
    Response,
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 2] = [Self::Prompt, Self::Response];

    /// The stable name on the wire and in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Response => "response",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// Which subjects a caller wants judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JudgeRequest {
    /// Whatever the conversation holds.
    WhatIsThere,
    /// The prompt only.
    Prompt,
    /// The response only (read together with its prompt).
    Response,
    /// Both; an error where one is missing.
    Both,
}

/// Upper bounds for one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most turns in one conversation.
    pub max_turns: usize,
    /// Most bytes of UTF-8 in one turn.
    pub max_turn_bytes: usize,
}

/// Why some turns are no conversation that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConversation {
    /// There are no turns.
    #[error("a conversation needs at least one turn")]
    NoTurns,
    /// There are more turns than allowed.
    #[error("{given} turns are over the limit of {max}; send the latest ones")]
    TooManyTurns {
        /// Turns given.
        given: usize,
        /// Turns allowed.
        max: usize,
    },
    /// One turn is longer than allowed.
    #[error("turn {index} holds {given} bytes, over the limit of {max}")]
    TurnTooLong {
        /// Index of the turn.
        index: usize,
        /// Bytes given.
        given: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// There is no user turn to judge as the prompt.
    #[error("there is no user turn to judge; add one, or ask to judge only the `response`")]
    NoPrompt,
    /// There is no assistant turn after the last user turn.
    #[error(
        "there is no assistant turn after the last user turn to judge; add it, or ask to judge only the `prompt`"
    )]
    NoResponse,
    /// The turn to be judged holds nothing to read.
    #[error("turn {index} is to be judged but holds no visible character")]
    BlankSubject {
        /// Index of the turn.
        index: usize,
    },
}

impl InvalidConversation {
    /// Index of the turn that is at fault, where it is one.
    pub const fn turn(&self) -> Option<usize> {
        match self {
            Self::TurnTooLong { index, .. } | Self::BlankSubject { index } => Some(*index),
            Self::NoTurns | Self::TooManyTurns { .. } | Self::NoPrompt | Self::NoResponse => None,
        }
    }
}

/// A bounded conversation with something in it to judge.
///
/// INVARIANT: at least one of prompt and response is judged, and each judged subject has visible text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    turns: Vec<Turn>,
    /// Index of the last user turn, where there is one.
    prompt_index: Option<usize>,
    judges_prompt: bool,
    judges_response: bool,
}

impl Conversation {
    /// Checks the turns against the limits and finds what is to be judged.
    ///
    /// # Errors
    /// Every variant of [`InvalidConversation`].
    pub fn new(turns: Vec<Turn>, judge: JudgeRequest, limits: Limits) -> Result<Self, InvalidConversation> {
        check_bounds(&turns, limits)?;
        let prompt_index = turns.iter().rposition(|turn| turn.role == Role::User);
        let has_prompt = prompt_index.is_some();
        let has_response = turns.iter().skip(after(prompt_index)).any(|turn| turn.role == Role::Assistant);
        let (judges_prompt, judges_response) = match judge {
            JudgeRequest::WhatIsThere => (has_prompt, has_response),
            JudgeRequest::Prompt => (true, false),
            JudgeRequest::Response => (false, true),
            JudgeRequest::Both => (true, true),
        };
        if judges_response && !has_response {
            return Err(InvalidConversation::NoResponse);
        }
        if (judges_prompt || !judges_response) && !has_prompt {
            return Err(InvalidConversation::NoPrompt);
        }
        let conversation = Self { turns, prompt_index, judges_prompt, judges_response };
        conversation.check_visible()?;
        Ok(conversation)
    }

    /// Whether `subject` is to be judged.
    pub const fn judges(&self, subject: Subject) -> bool {
        match subject {
            Subject::Prompt => self.judges_prompt,
            Subject::Response => self.judges_response,
        }
    }

    /// Bytes of UTF-8 over all turns.
    pub fn len_bytes(&self) -> usize {
        self.turns.iter().map(|turn| turn.text.len_bytes()).sum()
    }

    /// The last user turn; `None` where the chatbot speaks first.
    pub fn prompt(&self) -> Option<&TurnText> {
        self.prompt_index.and_then(|index| self.turns.get(index)).map(|turn| &turn.text)
    }

    /// The assistant turns that make the response, oldest first; empty where there is none.
    pub fn response(&self) -> impl Iterator<Item = &TurnText> {
        let turns = self.turns.iter().skip(after(self.prompt_index));
        turns.filter(|turn| turn.role == Role::Assistant).map(|turn| &turn.text)
    }

    /// What the user said before the prompt, oldest first.
    pub fn earlier_user_turns(&self) -> impl DoubleEndedIterator<Item = &TurnText> {
        let turns = self.turns.iter().take(self.prompt_index.unwrap_or(0));
        turns.filter(|turn| turn.role == Role::User).map(|turn| &turn.text)
    }

    fn check_visible(&self) -> Result<(), InvalidConversation> {
        if self.judges_prompt && self.prompt().is_none_or(TurnText::is_blank) {
            return Err(InvalidConversation::BlankSubject { index: self.prompt_index.unwrap_or(0) });
        }
        if self.judges_response && self.response().all(TurnText::is_blank) {
            return Err(InvalidConversation::BlankSubject { index: self.turns.len().saturating_sub(1) });
        }
        Ok(())
    }
}

fn check_bounds(turns: &[Turn], limits: Limits) -> Result<(), InvalidConversation> {
    if turns.is_empty() {
        return Err(InvalidConversation::NoTurns);
    }
    if turns.len() > limits.max_turns {
        return Err(InvalidConversation::TooManyTurns { given: turns.len(), max: limits.max_turns });
    }
    for (index, turn) in turns.iter().enumerate() {
        let given = turn.text.len_bytes();
        if given > limits.max_turn_bytes {
            return Err(InvalidConversation::TurnTooLong { index, given, max: limits.max_turn_bytes });
        }
    }
    Ok(())
}

/// Index of the first turn after the prompt.
fn after(prompt_index: Option<usize>) -> usize {
    prompt_index.map_or(0, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_turns: 6, max_turn_bytes: 32 };

    fn turns(spec: &[(Role, &str)]) -> Vec<Turn> {
        spec.iter().map(|(role, text)| Turn { role: *role, text: TurnText::new(*text) }).collect()
    }

    fn check(spec: &[(Role, &str)], expected: (&[&str], Option<&str>, &[&str])) {
        let conversation = Conversation::new(turns(spec), JudgeRequest::WhatIsThere, LIMITS).unwrap();
        let texts =
            |i: &mut dyn Iterator<Item = &TurnText>| i.map(|t| t.reveal().to_owned()).collect::<Vec<_>>();
        assert_eq!(texts(&mut conversation.earlier_user_turns()), expected.0, "context");
        assert_eq!(conversation.prompt().map(TurnText::reveal), expected.1, "prompt");
        assert_eq!(texts(&mut conversation.response()), expected.2, "response");
    }

    #[test]
    fn the_last_user_turn_is_the_prompt_and_the_reply_after_it_the_response() {
        use Role::{Assistant as A, System as S, User as U};
        check(&[(U, "a")], (&[], Some("a"), &[]));
        check(&[(U, "a"), (A, "b"), (U, "c")], (&["a"], Some("c"), &[]));
        check(&[(S, "s"), (U, "a"), (A, "b"), (U, "c"), (A, "d")], (&["a"], Some("c"), &["d"]));
        check(&[(U, "a"), (U, "b"), (A, "c")], (&["a"], Some("b"), &["c"]));
        check(&[(A, "hi")], (&[], None, &["hi"]));
        check(&[(U, "a"), (A, "b"), (A, "c")], (&[], Some("a"), &["b", "c"]));
    }

    fn check_error(spec: &[(Role, &str)], judge: JudgeRequest, expected: &InvalidConversation) {
        assert_eq!(Conversation::new(turns(spec), judge, LIMITS).as_ref(), Err(expected));
    }

    #[test]
    fn what_cannot_be_judged_is_a_named_error() {
        use InvalidConversation as E;
        use Role::{Assistant as A, System as S, User as U};
        check_error(&[], JudgeRequest::WhatIsThere, &E::NoTurns);
        check_error(&[(U, "x"); 7], JudgeRequest::WhatIsThere, &E::TooManyTurns { given: 7, max: 6 });
        let long = "x".repeat(33);
        let too_long = E::TurnTooLong { index: 1, given: 33, max: 32 };
        check_error(&[(U, "x"), (A, &long)], JudgeRequest::WhatIsThere, &too_long);
        check_error(&[(S, "s")], JudgeRequest::WhatIsThere, &E::NoPrompt);
        check_error(&[(A, "a")], JudgeRequest::Prompt, &E::NoPrompt);
        check_error(&[(A, "a")], JudgeRequest::Both, &E::NoPrompt);
        check_error(&[(A, "a"), (U, "u")], JudgeRequest::Response, &E::NoResponse);
        check_error(&[(U, "\u{200b} ")], JudgeRequest::WhatIsThere, &E::BlankSubject { index: 0 });
        check_error(&[(U, "u"), (A, "")], JudgeRequest::WhatIsThere, &E::BlankSubject { index: 1 });
    }

    #[test]
    fn a_blank_turn_in_the_context_is_no_error() {
        let spec = [(Role::User, "u"), (Role::Assistant, ""), (Role::User, "v")];
        assert!(Conversation::new(turns(&spec), JudgeRequest::WhatIsThere, LIMITS).is_ok());
    }
}
