//! Plain progress lines and the closing table of times.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Collects how long each step took.
pub(crate) struct Report {
    started: Instant,
    steps: Vec<(String, Duration, Ending)>,
    /// What was not tried, and why.
    not_tried: BTreeMap<String, String>,
}

enum Ending {
    Done,
    Failed,
    Skipped,
}

impl Report {
    /// An empty report; the total runs from now.
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            steps: Vec::new(),
            not_tried: BTreeMap::new(),
        }
    }

    /// Runs one step between two lines that say what and how long.
    pub(crate) fn step<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        println!("==> {name}");
        let begun = Instant::now();
        let outcome = work();
        let took = begun.elapsed();
        let (word, ending) = match &outcome {
            Ok(_) => ("done", Ending::Done),
            Err(_) => ("FAILED", Ending::Failed),
        };
        println!("    {name}: {word} in {}", seconds(took));
        self.steps.push((name.to_owned(), took, ending));
        outcome
    }

    /// Notes a step that had nothing to do.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("==> {name}: {why}");
        self.steps
            .push((name.to_owned(), Duration::ZERO, Ending::Skipped));
    }

    /// Notes what this machine did not let the tests try; the summary says it aloud, each once with
    /// the first reason.
    pub(crate) fn not_tried(&mut self, what: &str, why: &str) {
        println!("    NOT TRIED: {what}: {why}");
        let known = self.not_tried.entry(what.to_owned());
        known.or_insert_with(|| why.to_owned());
    }

    /// What was not tried, and why.
    pub(crate) fn left_out(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        let all = self.not_tried.iter();
        all.map(|(what, why)| (what.as_str(), why.as_str()))
    }

    /// Prints the table of times; nothing when there was no step.
    pub(crate) fn summary(&self) {
        if self.steps.is_empty() {
            return;
        }
        println!("\n    time  step");
        for (name, took, ending) in &self.steps {
            let note = match ending {
                Ending::Done => "",
                Ending::Failed => "  FAILED",
                Ending::Skipped => "  (nothing to do)",
            };
            println!("{:>8}  {name}{note}", seconds(*took));
        }
        println!("{:>8}  in all", seconds(self.started.elapsed()));
        let left_out = self.left_out();
        if left_out.len() > 0 {
            println!("\nNOT TRIED on this machine: {}", left_out.len());
            for (what, why) in left_out {
                println!("  - {what}: {why}");
            }
        }
    }
}

/// A duration as people read it: `4.2 s`, `3 m 05 s`.
pub(crate) fn seconds(took: Duration) -> String {
    let whole = took.as_secs();
    if whole >= 60 {
        format!("{} m {:02} s", whole / 60, whole % 60)
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(4_240)), "4.2 s");
        assert_eq!(seconds(Duration::from_secs(185)), "3 m 05 s");
    }

    #[test]
    fn a_failed_step_passes_its_error_on() {
        let mut report = Report::new();
        let outcome: anyhow::Result<()> = report.step("x", || anyhow::bail!("why"));
        assert_eq!(
            outcome.map_err(|error| error.to_string()),
            Err("why".into())
        );
    }
}
