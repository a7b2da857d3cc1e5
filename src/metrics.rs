//! Counters in the text format that Prometheus reads, labelled by route pattern.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use store::Statistics;

/// Upper bounds of the latency buckets in microseconds.
const BUCKETS: [u64; 8] = [
    250, 1_000, 5_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000,
];

/// What the server counts.
#[derive(Debug, Default)]
pub struct Metrics {
    routes: DashMap<(&'static str, &'static str, u16), Route>,
    requests: AtomicU64,
    malformed_frames: AtomicU64,
    unreadable_requests: Arc<AtomicU64>,
    /// How many of those a line of the log has told of.
    unreadable_told: AtomicU64,
    durable: Mutex<Statistics>,
}

#[derive(Debug, Default)]
struct Route {
    count: u64,
    micros: u64,
    buckets: [u64; BUCKETS.len()],
}

impl Metrics {
    /// Numbers the requests of this process.
    pub fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Counts one answered request; `route` is a pattern.
    pub fn count(&self, method: &'static str, route: &'static str, status: u16, elapsed: Duration) {
        let mut row = self.routes.entry((method, route, status)).or_default();
        let micros = elapsed.as_micros() as u64;
        row.count += 1;
        row.micros += micros;
        for (bucket, bound) in row.buckets.iter_mut().zip(BUCKETS) {
            if micros <= bound {
                *bucket += 1;
            }
        }
    }

    /// Counts one frame that could not be read.
    pub fn malformed_frame(&self) {
        self.malformed_frames.fetch_add(1, Ordering::Relaxed);
    }

    /// Keeps what the database holds, as the jobs read it each minute.
    pub fn keep(&self, durable: Statistics) {
        *self.durable.lock().unwrap_or_else(PoisonError::into_inner) = durable;
    }

    /// Returns what the database held when that was last read.
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
        let mut out = String::new();
        let mut rows: Vec<_> = self
            .routes
            .iter()
            .map(|row| {
                let (method, route, status) = row.key();
                let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
                (labels, row.count, row.micros, row.buckets)
            })
            .collect();
        rows.sort();
        let name = "secure_messaging_request_duration_seconds";
        let _ = writeln!(out, "# HELP {name} Time from request to answer.");
        let _ = writeln!(out, "# TYPE {name} histogram");
        for (labels, count, micros, buckets) in rows {
            for (bucket, bound) in buckets.iter().zip(BUCKETS) {
                let bound = bound as f64 / 1e6;
                let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {bucket}");
            }
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
            let _ = writeln!(out, "{name}_sum{{{labels}}} {}", micros as f64 / 1e6);
            let _ = writeln!(out, "{name}_count{{{labels}}} {count}");
        }
        let counters = [
            ("malformed_frames", "Frames", &self.malformed_frames),
            (
                "unreadable_requests",
                "Requests",
                &*self.unreadable_requests,
            ),
        ];
        for (name, what, count) in counters {
            let name = format!("secure_messaging_{name}_total");
            let count = count.load(Ordering::Relaxed);
            let _ = writeln!(out, "# HELP {name} {what} that could not be read.");
            let _ = writeln!(out, "# TYPE {name} counter\n{name} {count}");
        }
        for (name, help, value) in gauges {
            let name = format!("secure_messaging_{name}");
            let _ = writeln!(out, "# HELP {name} {help}");
            let _ = writeln!(out, "# TYPE {name} gauge\n{name} {value}");
        }
        out
    }
}
