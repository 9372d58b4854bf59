//! Tells a backend when a job has ended: an event by `POST`, signed, tried again where it was not taken.
//!
//! SOURCE: Standard Webhooks 1.0.0 (standardwebhooks.com): the headers `webhook-id`, `webhook-timestamp` and
//! `webhook-signature`, the signature `v1,` and HMAC-SHA256 in base64 over `id.timestamp.body`.

use crate::config::{WebhookConfig, WebhookSecret};
use assize_api::JobEvent;
use assize_telemetry::{ModerationMetrics, WebhookResult};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::redirect::Policy;
use reqwest::{Client, header};
use sha2::Sha256;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Semaphore;

/// How long one try may take.
const TRY: Duration = Duration::from_secs(10);
/// What goes before each further try: long enough for a restart of the backend, short enough to be of use.
const WAITS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(25)];

/// Events on their way at a time: a backend that hangs must not take all of the service's sockets. More are not sent, and counted.
const AT_ONCE: usize = 64;

/// Where events go.
#[derive(Debug)]
pub(crate) struct Webhook {
    client: Client,
    config: WebhookConfig,
    metrics: ModerationMetrics,
    /// A place for each event on its way; never closed.
    sending: Semaphore,
}

impl Webhook {
    /// # Errors
    /// When no client can be made.
    pub(crate) fn new(config: WebhookConfig, metrics: ModerationMetrics) -> Result<Self, reqwest::Error> {
        // An event goes where the settings say, and nowhere else.
        let client = Client::builder().redirect(Policy::none()).no_proxy().timeout(TRY).build()?;
        Ok(Self { client, config, metrics, sending: Semaphore::new(AT_ONCE) })
    }

    /// Sends an event; the same `id` comes with each try, so that who takes it twice can tell.
    pub(crate) async fn send(&self, id: &str, event: &JobEvent) {
        let counted = Counted { metrics: &self.metrics, result: WebhookResult::Failed };
        let Ok(_place) = self.sending.try_acquire() else {
            return tracing::warn!(assessment.id = id, "too many events are on their way to the webhook");
        };
        let Ok(body) = serde_json::to_string(event) else { return };
        for wait in WAITS.into_iter().map(Some).chain([None]) {
            match self.try_once(id, &body).await {
                Ok(()) => return counted.delivered(),
                Err(problem) => {
                    tracing::warn!(assessment.id = id, problem, "the webhook did not take an event")
                }
            }
            let Some(wait) = wait else { return };
            tokio::time::sleep(wait).await;
        }
    }

    async fn try_once(&self, id: &str, body: &str) -> Result<(), String> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let signature = sign(&self.config.secret, &format!("{id}.{seconds}.{body}"));
        let request = self.client.post(self.config.url.clone()).body(body.to_owned());
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", format!("v1,{signature}"));
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status())) }
    }
}

/// Counts an event once, also where the service ends before it is delivered.
struct Counted<'a> {
    metrics: &'a ModerationMetrics,
    result: WebhookResult,
}

impl Counted<'_> {
    fn delivered(mut self) {
        self.result = WebhookResult::Delivered;
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.metrics.webhook(self.result);
    }
}

fn sign(secret: &WebhookSecret, signed: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.reveal()) else { return String::new() };
    STANDARD.encode(mac.chain_update(signed).finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standard() {
        // SOURCE: the example of the reference libraries' tests (standard-webhooks, `libraries/`).
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        assert_eq!(sign(&secret, signed), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
