//! Tries whether a part that the server needs works, such as the keys or the database, at most every few
//! seconds.

use std::fmt::Display;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

/// Milliseconds for which an answer is cached, so that health requests cannot load a token or a disk.
const FRESH: u64 = 5_000;
/// Time limit of an answer, shorter than that of `healthcheck`.
const PATIENCE: Duration = Duration::from_secs(3);

/// A question in progress, for which all callers wait.
type Question = Shared<BoxFuture<'static, bool>>;

/// The last answer, and the question in progress.
pub struct Probe {
    /// Subject of the question, for the log.
    what: &'static str,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When it was asked, in unix milliseconds, and whether it worked.
    last: Option<(u64, bool)>,
    open: Option<Question>,
}

impl Probe {
    /// Nothing was asked yet.
    pub fn new(what: &'static str) -> Self {
        Self {
            what,
            state: Mutex::default(),
        }
    }

    /// Whether it works. Many who ask at once get one answer; `ask` is called where the
    /// last one is no longer fresh, and not while a question is open. The log has the cause.
    pub async fn usable<F, E>(&self, now_ms: u64, ask: impl FnOnce() -> F) -> bool
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send + 'static,
    {
        self.within(PATIENCE, now_ms, ask).await
    }

    async fn within<F, E>(&self, patience: Duration, now_ms: u64, ask: impl FnOnce() -> F) -> bool
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send + 'static,
    {
        let question = {
            let mut state = self.state();
            if let Some((at, usable)) = state.last
                && now_ms.abs_diff(at) < FRESH
            {
                return usable;
            }
            state
                .open
                .get_or_insert_with(|| put(self.what, ask()))
                .clone()
        };
        let answer = tokio::time::timeout(patience, question.clone()).await;
        let mut state = self.state();
        if !state
            .open
            .as_ref()
            .is_some_and(|open| open.ptr_eq(&question))
        {
            // Somebody else who waited was told first.
            return answer.unwrap_or(false);
        }
        if answer.is_ok() {
            state.open = None;
        } else {
            let seconds = patience.as_secs();
            tracing::error!(seconds, "the {} did not answer", self.what);
        }
        let usable = answer.unwrap_or(false);
        state.last = Some((now_ms, usable));
        usable
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks on a separate task, which continues if no caller waits any more.
fn put<E: Display + Send + 'static>(
    what: &'static str,
    asking: impl Future<Output = Result<(), E>> + Send + 'static,
) -> Question {
    let task = tokio::spawn(asking);
    let answer = async move {
        match task.await {
            Ok(Ok(())) => true,
            Ok(Err(cause)) => {
                tracing::error!(%cause, "the {what} cannot be used");
                false
            }
            Err(cause) => {
                tracing::error!(%cause, "asking the {what} ended in an error");
                false
            }
        }
    };
    answer.boxed().shared()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use store::Fault;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn an_answer_counts_for_some_seconds_whatever_it_is() {
        let health = Probe::new("keys");
        let asked = AtomicU32::new(0);
        let ask = |works: bool| {
            asked.fetch_add(1, Ordering::Relaxed);
            async move {
                if works {
                    Ok(())
                } else {
                    Err(Fault::Unavailable("the token is gone".to_owned()))
                }
            }
        };
        assert!(health.usable(10_000, || ask(true)).await);
        assert!(health.usable(10_000 + FRESH - 1, || ask(false)).await);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert!(!health.usable(10_000 + FRESH, || ask(false)).await);
        assert!(!health.usable(10_000 + FRESH, || ask(true)).await);
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        assert!(health.usable(10_000 + 2 * FRESH, || ask(true)).await);
        // A clock that was set back does not keep an old answer.
        assert!(!health.usable(10_000, || ask(false)).await);
    }

    #[tokio::test]
    async fn a_provider_that_does_not_answer_is_not_asked_again_meanwhile() {
        let health = Probe::new("keys");
        let asked = Arc::new(AtomicU32::new(0));
        let answer = Arc::new(Notify::new());
        let ask = || {
            let answer = Arc::clone(&answer);
            asked.fetch_add(1, Ordering::Relaxed);
            async move {
                answer.notified().await;
                Ok::<_, Fault>(())
            }
        };
        let mut now = 0;
        for _ in 0..3 {
            now += FRESH;
            assert!(!health.within(Duration::ZERO, now, ask).await);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        answer.notify_one();
        now += FRESH;
        assert!(health.usable(now, ask).await, "what it said at last");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}
