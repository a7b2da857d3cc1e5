//! What a browser profile would keep: cookies and stored values.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::jar::Jar;

#[derive(Default)]
struct Inner {
    jar: Jar,
    stored: BTreeMap<String, Zeroizing<Vec<u8>>>,
}

/// Cookies and stored values, shared by all tabs of one browser and surviving a reload.
#[derive(Clone, Default)]
pub struct Profile(Arc<Mutex<Inner>>);

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile(..)")
    }
}

impl Profile {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `Cookie` header, if there is any cookie.
    #[must_use]
    pub fn cookie_header(&self) -> Option<String> {
        self.lock().jar.header()
    }

    pub(crate) fn take_cookie(&self, header: &str) {
        self.lock().jar.take(header);
    }

    pub(crate) fn store(&self, key: String, value: Zeroizing<Vec<u8>>) {
        self.lock().stored.insert(key, value);
    }

    pub(crate) fn load(&self, key: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.lock().stored.get(key).cloned()
    }

    pub(crate) fn erase(&self, key: &str) {
        self.lock().stored.remove(key);
    }
}
