//! Counters in the text format of Prometheus, labelled by route pattern.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use store::Statistics;

/// Upper bounds of the latency buckets in seconds.
const BUCKETS: [f64; 8] = [0.000_25, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0];

/// What one histogram of answered requests is about.
#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: &'static str,
    status: u32,
}

/// Counters of the server.
#[derive(Debug)]
pub struct Metrics {
    answered: Family<Answered, Histogram, fn() -> Histogram>,
    requests: AtomicU64,
    malformed_frames: AtomicU64,
    unreadable_requests: Arc<AtomicU64>,
    /// How many of those the log has reported.
    unreadable_told: AtomicU64,
    durable: Mutex<Statistics>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            answered: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            requests: AtomicU64::default(),
            malformed_frames: AtomicU64::default(),
            unreadable_requests: Arc::default(),
            unreadable_told: AtomicU64::default(),
            durable: Mutex::default(),
        }
    }
}

impl Metrics {
    /// Numbers the requests of this process.
    pub fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Counts one answered request; `route` is a pattern.
    pub fn count(&self, method: &'static str, route: &'static str, status: u16, elapsed: Duration) {
        let answered = Answered {
            method,
            route,
            status: status.into(),
        };
        let histogram = self.answered.get_or_create(&answered);
        histogram.observe(elapsed.as_secs_f64());
    }

    /// Counts one malformed frame.
    pub fn malformed_frame(&self) {
        self.malformed_frames.fetch_add(1, Ordering::Relaxed);
    }

    /// Stores the figures of the database, which the jobs read each minute.
    pub fn keep(&self, durable: Statistics) {
        *self.durable.lock().unwrap_or_else(PoisonError::into_inner) = durable;
    }

    /// Returns the figures of the database when they were last read.
    pub fn durable(&self) -> Statistics {
        *self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts connections that ended by a request that could not be read.
    pub fn unreadable_requests(&self) -> &Arc<AtomicU64> {
        &self.unreadable_requests
    }

    /// Returns how many requests could not be read since this was last asked.
    pub fn take_unreadable_requests(&self) -> u64 {
        let all = self.unreadable_requests.load(Ordering::Relaxed);
        all.saturating_sub(self.unreadable_told.swap(all, Ordering::Relaxed))
    }

    /// Writes everything, together with `gauges` of (name, help, value).
    pub fn render(&self, gauges: &[(&str, &str, u64)]) -> String {
        let mut registry = Registry::with_prefix("secure_messaging");
        registry.register(
            "request_duration_seconds",
            "Time from request to answer",
            self.answered.clone(),
        );
        let counters = [
            ("malformed_frames", "Frames", &self.malformed_frames),
            (
                "unreadable_requests",
                "Requests",
                &*self.unreadable_requests,
            ),
        ];
        for (name, what, count) in counters {
            let count = ConstCounter::new(count.load(Ordering::Relaxed));
            registry.register(name, format!("{what} that could not be read"), count);
        }
        for (name, help, value) in gauges {
            let help = help.trim_end_matches('.');
            registry.register(*name, help, ConstGauge::new(*value));
        }
        let mut out = String::new();
        if let Err(error) = text::encode(&mut out, &registry) {
            tracing::error!(%error, "the measurements could not be written");
        }
        out
    }
}
