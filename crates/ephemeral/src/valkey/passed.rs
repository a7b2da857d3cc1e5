//! How much has passed through this process, so that its memory is returned.

use std::sync::atomic::{AtomicU64, Ordering};

use ambient::alloc::trim;

/// Bytes after which memory is returned although the plane is busy.
const MUCH: u64 = 64 * 1024 * 1024;

/// Counts requests and bytes of bodies.
#[derive(Default)]
pub(super) struct Passed {
    requests: AtomicU64,
    seen_at_last_call: AtomicU64,
    bytes: AtomicU64,
}

impl Passed {
    /// Counts a request that carries so many bytes of a body.
    pub(super) fn note(&self, bytes: usize) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Returns memory to the operating system if it is worth it; returns whether it did.
    pub(super) fn give_back_when_idle(&self) -> bool {
        let requests = self.requests.load(Ordering::Relaxed);
        let idle = self.seen_at_last_call.swap(requests, Ordering::Relaxed) == requests;
        let bytes = self.bytes.load(Ordering::Relaxed);
        let worth_it = bytes > MUCH || (idle && bytes > 0);
        if worth_it {
            self.bytes.store(0, Ordering::Relaxed);
            trim();
        }
        worth_it
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_returned_when_nothing_passes_or_much_has() {
        let passed = Passed::default();
        assert!(!passed.give_back_when_idle(), "nothing has passed");
        passed.note(10);
        assert!(!passed.give_back_when_idle(), "it is busy");
        assert!(passed.give_back_when_idle());
        assert!(!passed.give_back_when_idle());
        passed.note(MUCH as usize + 1);
        assert!(passed.give_back_when_idle());
    }
}
