//! How fast the devices work together, as far as they have been seen to.

use std::time::Duration;

/// Weight of the newest batch in the moving average: about the last six batches count. High enough to follow
/// a device that throttles within a second, low enough that one odd batch doesn't refuse requests.
const NEWEST: f64 = 0.3;

/// One batch that the model answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MeasuredBatch {
    /// Its tokens.
    pub(crate) tokens: usize,
    /// How long the model took.
    pub(crate) elapsed: Duration,
    /// Whether more was waiting, so that the batch was as large as the policy allows.
    pub(crate) had_backlog: bool,
    /// How many batches ran at this speed at once: all workers where there was a backlog, otherwise nobody knows of more
    /// than one.
    pub(crate) workers: usize,
}

/// Tokens per second under load; unknown until a batch was measured under load.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Speed(Option<f64>);

impl Speed {
    /// Takes a batch into account.
    ///
    /// Only full batches say how fast a backlog drains: a batch of one short item is mostly overhead, and
    /// taking it at its word would refuse the first burst after a quiet hour. So a batch without backlog can
    /// only raise the estimate.
    pub(crate) fn observe(&mut self, batch: MeasuredBatch) {
        let seconds = batch.elapsed.as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let measured = approximate(batch.tokens) * approximate(batch.workers) / seconds;
        self.0 = match self.0 {
            None => batch.had_backlog.then_some(measured),
            Some(known) if !batch.had_backlog && measured <= known => Some(known),
            Some(known) => Some(known + NEWEST * (measured - known)),
        };
    }

    /// How long `tokens` take; `None` while the speed is unknown.
    pub(crate) fn time_for(self, tokens: usize) -> Option<Duration> {
        let seconds = approximate(tokens) / self.0?;
        // Not finite or out of range: a speed of 0 tokens per second, as good as never.
        Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }
}

/// Saturates at 4 billion, far above any bound of ours.
fn approximate(tokens: usize) -> f64 {
    u32::try_from(tokens).unwrap_or(u32::MAX).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(batches: &[(usize, u64, bool)]) -> Option<Duration> {
        let mut speed = Speed::default();
        for &(tokens, millis, had_backlog) in batches {
            let elapsed = Duration::from_millis(millis);
            speed.observe(MeasuredBatch { tokens, elapsed, had_backlog, workers: 1 });
        }
        speed.time_for(1000)
    }

    #[test]
    fn batches_at_once_drain_the_queue_together() {
        let mut speed = Speed::default();
        let elapsed = Duration::from_secs(1);
        speed.observe(MeasuredBatch { tokens: 500, elapsed, had_backlog: true, workers: 4 });
        assert_eq!(speed.time_for(1000), Some(Duration::from_millis(500)));
    }

    #[test]
    fn speed_is_what_batches_under_load_show() {
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(after(&[]), None, "unknown at first");
        assert_eq!(after(&[(10, 1000, false)]), None, "a lone item says nothing");
        assert_eq!(after(&[(1000, 1000, true)]), seconds(1));
        assert_eq!(after(&[(1000, 1000, true), (10, 1000, false)]), seconds(1), "a lone item can't lower it");
        assert_eq!(after(&[(500, 1000, true), (500, 0, true)]), seconds(2), "no time, no measure");
        let faster = after(&[(1000, 1000, true), (2000, 1000, false)]).unwrap();
        assert!(faster < Duration::from_secs(1), "a lone item can raise it: {faster:?}");
        let slower = after(&[(1000, 1000, true), (500, 1000, true)]).unwrap();
        assert!(slower > Duration::from_secs(1) && slower < Duration::from_secs(2), "{slower:?}");
    }
}
