//! What ciphertext must not be able to do. A type that could would not compile here.

use crate::{Ciphertext, Claim, ClaimToken, NewMessage, NewSlot};

/// Compiles only when `$type` does not implement `$trait`: otherwise two impls of `Probe` fit and
/// the inference of `_` is ambiguous.
macro_rules! assert_lacks {
    ($type:ty: $($trait:path),+) => {$({
        trait Probe<Marker> {
            fn holds() {}
        }
        impl<T: ?Sized> Probe<()> for T {}
        struct Implements;
        impl<T: ?Sized + $trait> Probe<Implements> for T {}
        <$type as Probe<_>>::holds();
    })+};
}

#[test]
fn ciphertext_can_be_neither_printed_nor_cloned_nor_written_as_text() {
    assert_lacks!(Ciphertext: std::fmt::Debug, std::fmt::Display, Clone, AsRef<[u8]>);
    assert_lacks!(Ciphertext: std::ops::Deref, std::io::Read, std::hash::Hash, PartialEq);
    assert_lacks!(NewSlot: std::fmt::Debug, Clone);
    assert_lacks!(NewMessage: std::fmt::Debug, Clone);
    assert_lacks!(Claim: std::fmt::Debug, Clone);
    assert_lacks!(ClaimToken: std::fmt::Display, Copy, PartialEq);
}

#[test]
fn a_claim_token_is_redacted() {
    let token = ClaimToken::from_bytes(*b"0123456789abcdef");
    assert_eq!(format!("{token:?}"), "ClaimToken([redacted])");
}
