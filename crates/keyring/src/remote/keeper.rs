//! Asks the service for a KEK again before its time in memory is over.

use std::sync::{Arc, Weak};
use std::time::Duration;

use ambient::Clock;

use crate::remote::error::RemoteError;
use crate::remote::held::Held;
use crate::remote::http::slow;
use crate::remote::service::{Service, WrappedKek};
use crate::secret::Kek;
use crate::stanza::KekId;

/// Pause after the first refusal.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
/// Longest pause between two questions while the service refuses.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A KEK of a service, and how long an answer may take.
pub(super) struct Keeper {
    pub(super) service: Arc<dyn Service>,
    pub(super) kek_id: KekId,
    pub(super) wrapped: WrappedKek,
    pub(super) limit: Duration,
    pub(super) clock: Arc<dyn Clock>,
}

impl Keeper {
    /// Asks the service for the key.
    pub(super) async fn ask(&self) -> Result<Kek, RemoteError> {
        let answer = self.service.unwrap(self.kek_id, &self.wrapped);
        within(&*self.service, self.limit, answer).await
    }

    /// Keeps the key fresh until nobody holds it: asks again when half of its life is over, and after a
    /// refusal in growing pauses. A key whose time is over is wiped, whether it is used or not.
    pub(super) async fn keep(self, held: Weak<Held>, life: Duration) {
        let mut pause = SHORTEST_PAUSE;
        let mut next = self.clock.monotonic().saturating_add(life / 2);
        loop {
            let Some(held) = held.upgrade() else { return };
            let now = self.clock.monotonic();
            let end = held.sweep();
            if now < next {
                let wake = end.map_or(next, |end| end.min(next));
                // While it sleeps, it does not keep the key.
                drop(held);
                tokio::time::sleep(wake.saturating_sub(now)).await;
                continue;
            }
            match self.ask().await.and_then(|kek| held.opened(kek, now)) {
                Ok(()) => {
                    if pause > SHORTEST_PAUSE {
                        tracing::info!(kek = %self.kek_id, "the key service opens the key again");
                    }
                    pause = SHORTEST_PAUSE;
                    next = now.saturating_add(life / 2);
                }
                Err(error) => {
                    let words = error.to_string();
                    if held.refused(error) {
                        let seconds = held
                            .sweep()
                            .map_or(0, |end| end.saturating_sub(now).as_secs());
                        tracing::warn!(
                            cause = words,
                            kek = %self.kek_id,
                            seconds_left = seconds,
                            "the key service does not open the key; it is asked again"
                        );
                    }
                    next = self.clock.monotonic().saturating_add(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

/// Limits the time of an answer.
pub(super) async fn within<T>(
    service: &dyn Service,
    limit: Duration,
    answer: impl Future<Output = Result<T, RemoteError>>,
) -> Result<T, RemoteError> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(slow(service.tag(), limit)),
    }
}
