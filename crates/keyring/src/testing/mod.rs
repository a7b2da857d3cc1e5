//! What tests of this crate and of its users share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod conformance;
pub mod places;
#[cfg(feature = "pkcs11")]
pub mod softhsm;

use std::sync::atomic::{AtomicBool, Ordering};

static SEALING_IS_OFF: AtomicBool = AtomicBool::new(false);

/// Leaves every value as it is from now on, in this whole process: the control of the proofs that
/// search a database for plaintext.
pub fn turn_sealing_off() {
    SEALING_IS_OFF.store(true, Ordering::SeqCst);
}

pub(crate) fn sealing_is_off() -> bool {
    SEALING_IS_OFF.load(Ordering::SeqCst)
}
