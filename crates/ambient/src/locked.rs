//! Memory for keys, locked so that the system does not swap it out.
//!
//! Locks go by whole pages and do not nest: a lock of its own for every key would end with the
//! first neighbour that is dropped. So keys live in pages that are used for nothing else, are
//! locked once, and are kept for the life of the process; a dropped key's place is wiped and given
//! to the next key. There is one set of pages for the process, as there is one limit
//! (`RLIMIT_MEMLOCK`) for it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::{Zeroize, Zeroizing};

/// Bytes of a key.
pub const LOCKED_KEY_LEN: usize = 32;

/// Bytes of a page; where the system's pages are larger, its neighbours are locked with it.
const PAGE_LEN: usize = 4_096;

#[repr(align(4096))]
struct Page([[u8; LOCKED_KEY_LEN]; PAGE_LEN / LOCKED_KEY_LEN]);

/// A place for one key: a slice of one, because an empty slice can be left behind.
type Place = &'static mut [[u8; LOCKED_KEY_LEN]];

struct Places {
    free: Vec<Place>,
    /// Addresses of the pages, and how many of them are locked.
    pages: Vec<usize>,
    locked: usize,
}

static PLACES: Mutex<Places> = Mutex::new(Places {
    free: Vec::new(),
    pages: Vec::new(),
    locked: 0,
});

impl Places {
    fn grow(&mut self) {
        let page = Box::leak(Box::new(Page(
            [[0; LOCKED_KEY_LEN]; PAGE_LEN / LOCKED_KEY_LEN],
        )));
        self.pages.push(page.0.as_ptr() as usize);
        if let Ok(guard) = region::lock(page.0.as_ptr(), PAGE_LEN) {
            self.locked += 1;
            // The page is never given back, and so neither is its lock.
            std::mem::forget(guard);
        }
        self.free.extend(page.0.chunks_mut(1));
    }
}

fn places() -> MutexGuard<'static, Places> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether every key so far lies in memory that the system does not swap.
///
/// `false` where `RLIMIT_MEMLOCK` is too small; the keys are then in ordinary memory and are wiped
/// all the same.
pub fn memory_locked() -> bool {
    let mut places = places();
    if places.pages.is_empty() {
        places.grow();
    }
    places.locked == places.pages.len()
}

/// The bytes of one key, wiped when dropped, in locked memory where the system allows it.
pub struct LockedKey(Place);

impl LockedKey {
    /// A place that holds zeros, to be filled in place.
    pub fn zeroed() -> Self {
        let mut places = places();
        loop {
            if let Some(place) = places.free.pop() {
                return Self(place);
            }
            places.grow();
        }
    }

    /// A copy of a key's bytes.
    pub fn copy_of(bytes: &[u8; LOCKED_KEY_LEN]) -> Self {
        let mut key = Self::zeroed();
        key.bytes_mut().copy_from_slice(bytes);
        key
    }

    /// Returns the key.
    pub fn bytes(&self) -> &[u8; LOCKED_KEY_LEN] {
        &self.0[0]
    }

    /// Returns the key, to be filled in place.
    pub fn bytes_mut(&mut self) -> &mut [u8; LOCKED_KEY_LEN] {
        &mut self.0[0]
    }
}

impl std::fmt::Debug for LockedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LockedKey(..)")
    }
}

impl Drop for LockedKey {
    fn drop(&mut self) {
        let place = std::mem::take(&mut self.0);
        place.iter_mut().zeroize();
        places().free.push(place);
    }
}

/// A secret of several keys' length, each in a place of its own.
#[derive(Debug)]
pub struct LockedSecret(Vec<LockedKey>);

impl LockedSecret {
    /// A copy of a secret, whose length is a multiple of [`LOCKED_KEY_LEN`]; the caller wipes its own.
    pub fn copy_of(bytes: &[u8]) -> Self {
        let (keys, rest) = bytes.as_chunks();
        debug_assert!(rest.is_empty());
        Self(keys.iter().map(LockedKey::copy_of).collect())
    }

    /// Returns the secret in ordinary memory, for as long as it is used; zeros where it is shorter than `N`.
    pub fn bytes<const N: usize>(&self) -> Zeroizing<[u8; N]> {
        let mut bytes = Zeroizing::new([0; N]);
        let parts = bytes.chunks_mut(LOCKED_KEY_LEN);
        for (part, key) in parts.zip(&self.0) {
            part.copy_from_slice(&key.bytes()[..part.len()]);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KiB that are locked around an address, by the kernel's own account.
    fn locked_kib(address: usize) -> u64 {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        for line in maps.lines() {
            let range = line.split(' ').next().and_then(|range| {
                let (from, to) = range.split_once('-')?;
                let from = usize::from_str_radix(from, 16).ok()?;
                Some(from..usize::from_str_radix(to, 16).ok()?)
            });
            if let Some(range) = range {
                inside = range.contains(&address);
            } else if let (true, Some(kib)) = (inside, line.strip_prefix("Locked:")) {
                return kib.trim().trim_end_matches(" kB").parse().unwrap();
            }
        }
        panic!("no mapping holds the address");
    }

    #[test]
    fn what_is_said_of_locked_memory_is_what_the_kernel_says() {
        let key = LockedKey::copy_of(&[7; LOCKED_KEY_LEN]);
        let places = places();
        let page = key.bytes().as_ptr() as usize / PAGE_LEN * PAGE_LEN;
        assert!(places.pages.contains(&page));
        let locked = |page: &&usize| locked_kib(**page) > 0;
        assert_eq!(places.pages.iter().filter(locked).count(), places.locked);
        let all = places.locked == places.pages.len();
        drop(places);
        // Pages come and do not go: what was not so for all cannot have become so.
        assert!(all || !memory_locked());
        // The control: an ordinary allocation is not.
        let ordinary = vec![7_u8; 1 << 20];
        assert_eq!(locked_kib(ordinary.as_ptr() as usize), 0);
    }

    #[test]
    fn a_place_that_was_used_holds_zeros_again() {
        let keys: Vec<_> = (0..300)
            .map(|_| LockedKey::copy_of(&[7; LOCKED_KEY_LEN]))
            .collect();
        assert!(keys.iter().all(|key| key.bytes() == &[7; LOCKED_KEY_LEN]));
        let used: Vec<_> = keys.iter().map(|key| key.bytes().as_ptr()).collect();
        drop(keys);
        let again: Vec<_> = (0..300).map(|_| LockedKey::zeroed()).collect();
        assert!(again.iter().all(|key| key.bytes() == &[0; LOCKED_KEY_LEN]));
        let reused = again
            .iter()
            .filter(|key| used.contains(&key.bytes().as_ptr()))
            .count();
        assert!(reused > 0, "the control: places are used again");
    }

    #[test]
    fn a_longer_secret_comes_back_as_it_was() {
        let bytes: [u8; 96] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let secret = LockedSecret::copy_of(&bytes);
        assert_eq!(*secret.bytes::<96>(), bytes);
    }
}
