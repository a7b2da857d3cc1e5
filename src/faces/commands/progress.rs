//! A bar on the terminal; elsewhere a line for each thing that is begun.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use backup::{Phase, Progress, Standing};

/// Columns of the bar itself.
const WIDTH: u64 = 32;
/// Time between two drawings.
const EVERY: Duration = Duration::from_millis(100);

/// Draws a progress on the standard error stream until it is dropped.
pub struct Bar {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Bar {
    /// Starts drawing.
    pub fn follow(progress: &Progress) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (ended, progress) = (Arc::clone(&over), progress.clone());
        // Without a thread nothing is drawn, and the work goes on.
        let thread = std::thread::Builder::new()
            .name("bar".to_owned())
            .spawn(move || draw(&progress, &ended))
            .ok();
        Self { over, thread }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn draw(progress: &Progress, over: &AtomicBool) {
    let terminal = std::io::stderr().is_terminal();
    let mut phase = Phase::Waiting;
    loop {
        let ended = over.load(Ordering::Acquire);
        let standing = progress.look();
        let mut out = std::io::stderr().lock();
        // A terminal that is gone stops no work.
        let _ = match (terminal, standing.phase == phase) {
            (true, same) => {
                let next = if same || phase == Phase::Waiting {
                    ""
                } else {
                    "\n"
                };
                write!(out, "{next}\r{}", line(standing))
            }
            (false, false) => writeln!(out, "{}", standing.phase.as_str()),
            (false, true) => Ok(()),
        };
        phase = standing.phase;
        if ended {
            if terminal && phase != Phase::Waiting {
                let _ = writeln!(out);
            }
            return;
        }
        drop(out);
        std::thread::sleep(EVERY);
    }
}

/// How much of something is done.
pub(super) struct Part {
    /// Never less than what is done, and never zero.
    pub total: u64,
    pub percent: u64,
    /// The bar itself.
    pub bar: String,
}

impl Part {
    pub(super) fn of(done: u64, total: u64) -> Self {
        let total = total.max(done).max(1);
        let full = done * WIDTH / total;
        Self {
            total,
            percent: done * 100 / total,
            bar: (0..WIDTH)
                .map(|column| if column < full { '█' } else { '░' })
                .collect(),
        }
    }
}

fn line(standing: Standing) -> String {
    let Part { percent, bar, .. } = Part::of(standing.done, standing.total);
    format!("{:<10} {bar} {percent:3} %", standing.phase.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_how_far_it_is() {
        let at = |done, total| {
            line(Standing {
                phase: Phase::Writing,
                done,
                total,
            })
        };
        assert!(at(0, 0).ends_with("  0 %"));
        assert!(at(5, 10).contains(&format!("{}{}", "█".repeat(16), "░".repeat(16))));
        assert!(at(10, 10).starts_with("writing    ████"));
        assert!(at(11, 10).ends_with("100 %"));
    }
}
