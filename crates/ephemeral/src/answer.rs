//! What a backend answers: at once from memory, or later from a node elsewhere.

use std::pin::Pin;
use std::task::{Context, Poll};

/// The plane did not answer. What was asked may have been done or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ephemeral plane does not answer")]
pub struct Unreachable;

/// The future of an answer.
///
/// A backend in memory has done what was asked when its method returns, and allocates nothing for
/// the future.
#[must_use = "an answer that is not awaited may never be asked for"]
pub enum Answer<'a, T> {
    /// The answer, until it is taken.
    Ready(Option<T>),
    /// Whoever waits for a node.
    Later(Pin<Box<dyn Future<Output = Result<T, Unreachable>> + Send + 'a>>),
}

impl<T> Answer<'_, T> {
    /// Makes an answer that is there.
    pub const fn ready(value: T) -> Self {
        Self::Ready(Some(value))
    }
}

// Neither of the two is pinned in place: a value is moved out, a box is pinned by itself.
impl<T> Unpin for Answer<'_, T> {}

impl<T> Future for Answer<'_, T> {
    type Output = Result<T, Unreachable>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Ready(value) => match value.take() {
                Some(value) => Poll::Ready(Ok(value)),
                // Polled again after it was ready.
                None => Poll::Pending,
            },
            Self::Later(answer) => answer.as_mut().poll(context),
        }
    }
}
