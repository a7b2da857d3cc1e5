//! A change whose answer was not heard, because this browser locked, closed or lost the connection. The person
//! is told at the next unlock what became of it.
//!
//! Specification: `docs/protocol/accounts.md#changes-without-an-answer`.

use protocol::safe::{SafeKey, proof_hash};
use zeroize::Zeroizing;

use crate::core::Core;
use crate::failure::Failure;
use crate::id::UserId;
use crate::output::Output;

/// Where this browser keeps it.
pub(super) const UNHEARD_KEY: &str = "change";

const TRY_BOTH: &str = "Try the passphrase of before and that of after it.";

/// The changes: their commands, what they are called, and what to do if the sign-in after one fails.
const CHANGES: [(&str, &str, &str); 5] = [
    (
        "change_passphrase",
        "your passphrase was being changed",
        TRY_BOTH,
    ),
    ("recover", "your account was being recovered", TRY_BOTH),
    (
        "delete_account",
        "your account was being deleted",
        "It may be gone.",
    ),
    (
        "revoke_other_sessions",
        "your other sessions were being signed out",
        "",
    ),
    ("new_identity", "your identity was being renewed", ""),
];

/// How the person knows the moment: the text goes on with what was being changed.
const WHEN: &str = "This browser locked, closed or lost the connection while";

/// A change that the server was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unheard {
    user: UserId,
    /// Its place in [`CHANGES`].
    change: u8,
    /// Hash of the write proof of the safe key that the change makes; zeros where it makes none.
    proof: [u8; 32],
}

impl Unheard {
    fn encode(&self) -> Vec<u8> {
        [&self.user.as_bytes()[..], &[self.change], &self.proof].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (user, rest) = bytes.split_first_chunk::<16>()?;
        let (change, proof) = rest.split_first()?;
        Some(Self {
            user: UserId::from_bytes(*user),
            change: *change,
            proof: proof.try_into().ok()?,
        })
    }

    /// What it is called, and what to do if a sign-in fails.
    fn words(&self) -> (&'static str, &'static str) {
        let change = CHANGES.get(usize::from(self.change));
        change.map_or(
            ("your account was being changed", ""),
            |(_, doing, hint)| (doing, hint),
        )
    }
}

/// What tells the safe key that a change makes.
pub(super) fn proof_of(key: &SafeKey) -> [u8; 32] {
    proof_hash(key.write_proof().expose())
}

impl Core {
    /// The server is about to be asked for the change under way.
    pub(super) fn note_unheard(&mut self, user: UserId, proof: [u8; 32]) {
        let during = self.flow.as_ref().map_or("", |flow| flow.during());
        let change = CHANGES.iter().position(|(name, ..)| *name == during);
        let unheard = Unheard {
            user,
            change: change
                .and_then(|at| u8::try_from(at).ok())
                .unwrap_or(u8::MAX),
            proof,
        };
        self.io.out.push(Output::Store {
            key: UNHEARD_KEY.to_owned(),
            value: Zeroizing::new(unheard.encode()),
            sealed: true,
        });
        self.unheard = Some(unheard);
    }

    /// The server answered.
    pub(super) fn heard(&mut self) {
        if self.unheard.take().is_some() {
            self.io.out.push(Output::Erase {
                key: UNHEARD_KEY.to_owned(),
            });
        }
    }

    /// What an earlier core noted.
    pub(super) fn unheard_came(&mut self, value: Option<Zeroizing<Vec<u8>>>) {
        if self.unheard.is_none() {
            self.unheard = value.and_then(|bytes| Unheard::decode(&bytes));
            self.tell_unheard();
        }
    }

    /// Tells the owner of the unlocked account what became of the change.
    pub(super) fn tell_unheard(&mut self) {
        let (Some(open), Some(unheard)) = (&self.unlocked, &self.unheard) else {
            return;
        };
        if open.user != unheard.user {
            return;
        }
        let made = unheard.proof == proof_of(open.safe.key());
        let (code, outcome) = match made {
            true => ("change-made", "It was done"),
            false => (
                "change-not-made",
                "It was not done, and everything is as it was. Begin again if you still want it",
            ),
        };
        let text = format!("{WHEN} {}. {outcome}.", unheard.words().0);
        self.io.notice(code, &text, None);
        self.heard();
    }

    /// A passphrase that fails may be that of before the change, or that of after it.
    pub(super) fn mention_unheard(&self, failure: &mut Failure) {
        if let Some((doing, hint)) = self.unheard.as_ref().map(Unheard::words)
            && !hint.is_empty()
        {
            failure.text.push_str(&format!(" {WHEN} {doing}. {hint}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_of_a_change_reads_as_it_was_written() {
        let unheard = Unheard {
            user: UserId::from_bytes([7; 16]),
            change: 2,
            proof: [9; 32],
        };
        let bytes = unheard.encode();
        assert_eq!(Unheard::decode(&bytes), Some(unheard));
        assert_eq!(Unheard::decode(&bytes[1..]), None);
        assert_eq!(Unheard::decode(&[]), None);
    }
}
