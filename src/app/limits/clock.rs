//! Adapts the injected clock to the limiters.

use std::time::Duration;

use governor::clock::Clock;

use ambient::Ambient;

/// Tells the limiters the server's time.
#[derive(Debug, Clone)]
pub(super) struct Injected(Ambient);

impl Injected {
    pub(super) fn new(ambient: Ambient) -> Self {
        Self(ambient)
    }
}

impl Clock for Injected {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.now_ms())
    }
}
