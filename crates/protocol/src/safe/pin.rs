//! The pinned identity of a contact.
//!
//! Specification: `docs/protocol/accounts.md#pins`.

use std::collections::BTreeSet;

use super::Stamped;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::Fingerprint;

/// Most fingerprints that a conflict holds.
const MAX_CONFLICT: usize = 64;

/// Two tabs pinned different keys for one contact; a person has to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("two different keys were pinned for this contact; compare safety numbers and choose")]
pub struct PinConflict;

/// Pinned identity, verified mark and, after a merge, conflicting identities.
///
/// Every deliberate replacement raises the generation, and the higher generation wins. Under
/// the same generation different pins are all kept and shown, never chosen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    generation: u32,
    fingerprints: BTreeSet<Fingerprint>,
    verified: Stamped<bool>,
}

impl Pin {
    /// Pins an identity at first contact.
    pub fn new(fingerprint: Fingerprint) -> Self {
        Self {
            generation: 0,
            fingerprints: BTreeSet::from([fingerprint]),
            verified: Stamped::default(),
        }
    }

    /// The pinned identity, unless a merge left a conflict.
    pub fn fingerprint(&self) -> Result<&Fingerprint, PinConflict> {
        match (self.fingerprints.len(), self.fingerprints.first()) {
            (1, Some(fingerprint)) => Ok(fingerprint),
            _ => Err(PinConflict),
        }
    }

    /// All identities that were pinned under the present generation.
    pub fn candidates(&self) -> impl Iterator<Item = &Fingerprint> {
        self.fingerprints.iter()
    }

    /// How often a person replaced the pin.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether somebody compared safety numbers for the one pinned identity.
    pub fn is_verified(&self) -> bool {
        self.verified.value && self.fingerprints.len() == 1
    }

    /// Sets or clears the verified mark.
    pub fn set_verified(&mut self, verified: bool, now: u64) {
        self.verified.set(now, verified);
    }

    /// Replaces the pin, or settles a conflict, by a person's decision.
    pub fn replace(&mut self, fingerprint: Fingerprint, now: u64) {
        self.generation = self.generation.saturating_add(1);
        self.fingerprints = BTreeSet::from([fingerprint]);
        self.verified = Stamped::new(now, false);
    }

    /// Joins two pins.
    pub fn merge(&mut self, other: Self) {
        match other.generation.cmp(&self.generation) {
            core::cmp::Ordering::Less => {}
            core::cmp::Ordering::Greater => *self = other,
            core::cmp::Ordering::Equal => {
                self.fingerprints.extend(other.fingerprints);
                // As many as a reader takes. The least of all are the same in whatever order they met.
                while self.fingerprints.len() > MAX_CONFLICT {
                    self.fingerprints.pop_last();
                }
                self.verified.merge(other.verified);
            }
        }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u32(self.generation).len16(self.fingerprints.len());
        for fingerprint in &self.fingerprints {
            writer.raw(fingerprint.as_bytes());
        }
        self.verified.write(writer, |value, writer| {
            writer.bool(*value);
        });
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let generation = reader.u32()?;
        let count = reader.count16(MAX_CONFLICT, Fingerprint::LEN)?;
        let mut fingerprints = BTreeSet::new();
        for _ in 0..count {
            let fingerprint = Fingerprint::from_bytes(*reader.array()?);
            if fingerprints.last().is_some_and(|last| *last >= fingerprint) {
                return Err(DecodeError::NotCanonical);
            }
            fingerprints.insert(fingerprint);
        }
        if fingerprints.is_empty() {
            return Err(DecodeError::InvalidValue("pin"));
        }
        let verified = Stamped::read(reader, |reader| reader.bool("verified mark"))?;
        Ok(Self {
            generation,
            fingerprints,
            verified,
        })
    }
}
