//! The number of rows in one chunk of work that alternates with requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ambient::Stopwatch;

const LARGEST: usize = 512;
/// The longest time for which one chunk occupies the writer.
const BUDGET: Duration = Duration::from_millis(10);

/// The size of the next chunk; adapts to the machine.
#[derive(Clone)]
pub(crate) struct ChunkSize {
    rows: Arc<AtomicUsize>,
    smallest: usize,
}

impl ChunkSize {
    /// Begins with `first` rows and never goes below `smallest`.
    pub(crate) fn new(first: usize, smallest: usize) -> Self {
        Self {
            rows: Arc::new(AtomicUsize::new(first)),
            smallest,
        }
    }

    /// Rows of the next chunk.
    pub(crate) fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// Takes note that a chunk of `size` rows kept the writer by this watch.
    pub(crate) fn took(&self, size: usize, watch: &Stopwatch) {
        self.adapt(size, watch.elapsed());
    }

    /// Moves the size towards half the budget, so that a slow moment stays within it.
    fn adapt(&self, size: usize, took: Duration) {
        let next = if took > BUDGET / 2 {
            size / 2
        } else if took < BUDGET / 5 {
            size * 2
        } else {
            size
        };
        let next = next.clamp(self.smallest, LARGEST);
        self.rows.store(next, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_chunk_halves_the_next_and_a_fast_one_doubles_it() {
        let chunk = ChunkSize::new(64, 8);
        chunk.adapt(64, Duration::from_millis(9));
        assert_eq!(chunk.rows(), 32);
        chunk.adapt(32, Duration::from_millis(3));
        assert_eq!(chunk.rows(), 32);
        chunk.adapt(32, Duration::from_micros(100));
        assert_eq!(chunk.rows(), 64);
        chunk.adapt(8, Duration::from_secs(1));
        assert_eq!(chunk.rows(), 8);
        chunk.adapt(512, Duration::ZERO);
        assert_eq!(chunk.rows(), LARGEST);
    }
}
