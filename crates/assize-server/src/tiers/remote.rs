//! Guards that another server runs: vLLM, asked for one token's log-probabilities at a time, and text-embeddings-inference,
//! asked for a classifier's scores.
//!
//! vLLM is sent tokens, not text, so that what a user typed can't become a control token there either. A classifier's server
//! is sent text, and what its tokenizer makes of `[SEP]` is its own matter.

use crate::config::Key;
use assize_candle::guard::{
    Choices, Classify, GuardReader, GuardReading, GuardSpec, Opinion, OpinionError, Reads,
};
use assize_domain::{Conversation, Subject, TurnText};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Alternatives that vLLM tells, unless its operator allows more (`--max-logprobs`).
const MOST_ALTERNATIVES: usize = 20;

/// Why another server gave no answer. Holds no text of a conversation: bodies are not repeated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteError {
    /// It could not be reached, or broke off.
    #[error("the server can't be reached")]
    Unreachable(#[source] reqwest::Error),
    /// It refused.
    #[error("the server answered {0}")]
    Status(StatusCode),
    /// Its answer has another shape.
    #[error("the server's answer can't be read: {0}")]
    Shape(&'static str),
    /// Its scores are none.
    #[error("the server's scores can't be used")]
    Unusable(#[source] OpinionError),
}

impl RemoteError {
    /// Whether it says no more than that there is too much to do.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Self::Unreachable(error) => error.is_timeout(),
            Self::Status(status) => {
                matches!(*status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::Shape(_) | Self::Unusable(_) => false,
        }
    }
}

/// Another server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    client: Client,
    url: Url,
    key: Option<Key>,
}

impl Server {
    /// `url` is the endpoint itself.
    pub(crate) fn new(url: Url, key: Option<Key>) -> Self {
        // A conversation goes where the settings say, and nowhere else.
        let client = Client::builder().redirect(Policy::none()).no_proxy().build();
        Self { client: client.unwrap_or_default(), url, key }
    }

    async fn ask<A: for<'de> Deserialize<'de>>(&self, body: &impl Serialize) -> Result<A, RemoteError> {
        let request = self.with_key(self.client.post(self.url.clone())).json(body);
        let answer = request.send().await.map_err(|error| RemoteError::Unreachable(error.without_url()))?;
        if !answer.status().is_success() {
            return Err(RemoteError::Status(answer.status()));
        }
        answer.json().await.map_err(|error| {
            if error.is_decode() {
                RemoteError::Shape("it is not the JSON that this engine gives")
            } else {
                RemoteError::Unreachable(error.without_url())
            }
        })
    }

    fn with_key(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.key {
            Some(key) => request.bearer_auth(key.reveal()),
            None => request,
        }
    }
}

/// vLLM's OpenAI-compatible `/v1/completions`.
#[derive(Debug)]
pub(crate) struct Completions {
    pub(crate) server: Server,
    /// The model's name there.
    pub(crate) model: String,
    pub(crate) reader: Arc<GuardReader>,
}

#[derive(Debug, Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    logprobs: Option<LogProbabilities>,
}

#[derive(Debug, Deserialize)]
struct LogProbabilities {
    /// For each token written, the likeliest ones.
    top_logprobs: Vec<BTreeMap<String, f32>>,
}

impl Completions {
    /// What the guard says of a reading, whose questions it takes.
    pub(crate) async fn opinion(&self, reading: &mut GuardReading) -> Result<Opinion, RemoteError> {
        let questions = reading.take_questions();
        let asked = questions.into_iter().map(|question| async {
            let foreign = RemoteError::Shape("the question is none of this guard's");
            let mut inquiry = self.reader.inquire(question).ok_or(foreign)?;
            while let Some(labels) = inquiry.labels() {
                let told = self.next_token(inquiry.tokens()).await?;
                let of = |label: &u32| told.get(&format!("token_id:{label}")).copied();
                let known: Vec<Option<f32>> = labels.iter().map(of).collect();
                inquiry.choose(&known);
            }
            Ok(inquiry.finish())
        });
        let choices: Vec<Choices> = futures_util::future::try_join_all(asked).await?;
        self.reader.opinion(reading, &choices).map_err(RemoteError::Unusable)
    }

    /// The likeliest next tokens with their log-probabilities.
    async fn next_token(&self, prompt: &[u32]) -> Result<BTreeMap<String, f32>, RemoteError> {
        let body = json!({
            "model": self.model,
            "prompt": prompt,
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": MOST_ALTERNATIVES,
            "return_tokens_as_token_ids": true,
        });
        let Completion { choices } = self.server.ask(&body).await?;
        let first = choices.into_iter().next().and_then(|choice| choice.logprobs);
        let told = first.and_then(|told| told.top_logprobs.into_iter().next());
        told.ok_or(RemoteError::Shape("it has no log-probabilities"))
    }
}

/// text-embeddings-inference's `/predict`.
#[derive(Debug)]
pub(crate) struct Predict {
    pub(crate) server: Server,
    pub(crate) spec: GuardSpec,
}

#[derive(Debug, Deserialize)]
struct Scored {
    label: String,
    score: f32,
}

impl Predict {
    /// What the classifier says of what is judged; `None` where it has nothing to say about it.
    pub(crate) async fn opinion(&self, conversation: &Conversation) -> Result<Option<Opinion>, RemoteError> {
        let prompt = said(conversation.prompt().into_iter());
        let response = said(conversation.response());
        let wanted = self.spec.classify.iter().filter(|classify| {
            conversation.judges(match classify.reads {
                Reads::Prompt => Subject::Prompt,
                Reads::Response => Subject::Response,
            })
        });
        let mut answers: Vec<(&Classify, BTreeMap<String, f32>)> = Vec::new();
        for classify in wanted {
            let inputs = match classify.reads {
                Reads::Prompt => json!(prompt),
                Reads::Response => json!([[prompt, response]]),
            };
            // Cut by the server, nobody would know how much was read: too long a text is refused, and the guard silent.
            let body = json!({ "inputs": inputs, "raw_scores": false, "truncate": false });
            let scores = match classify.reads {
                Reads::Prompt => self.server.ask::<Vec<Scored>>(&body).await?,
                Reads::Response => {
                    let batch: Vec<Vec<Scored>> = self.server.ask(&body).await?;
                    batch.into_iter().next().ok_or(RemoteError::Shape("it has no scores"))?
                }
            };
            if !classify.classes.iter().any(|class| scores.iter().any(|scored| scored.label == class.label)) {
                return Err(RemoteError::Shape("it names none of the classes in the guard's file"));
            }
            answers.push((classify, scores.into_iter().map(|scored| (scored.label, scored.score)).collect()));
        }
        if answers.is_empty() {
            return Ok(None);
        }
        Opinion::of_classes(&self.spec, &answers).map(Some).map_err(RemoteError::Unusable)
    }
}

fn said<'a>(turns: impl Iterator<Item = &'a TurnText>) -> String {
    turns.map(TurnText::reveal).collect::<Vec<_>>().join("\n")
}
