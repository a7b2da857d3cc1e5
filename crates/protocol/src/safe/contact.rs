//! A contact as the key safe holds it.
//!
//! Specification: `docs/protocol/accounts.md#key-safe`.

use super::{Pin, Stamped};
use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::SecretText;
use crate::identity::Fingerprint;

/// Longest name in bytes.
const MAX_NAME: usize = 256;

/// The state of a contact. Of two changes in the same second the later state in this list wins, so that
/// removing wins over everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ContactState {
    /// They wrote; nothing was decided yet.
    Incoming = 1,
    /// We wrote; they have not accepted yet.
    Outgoing = 2,
    /// Both agreed.
    Accepted = 3,
    /// Removed; the pin is kept, so that a new contact with other keys is noticed.
    Removed = 4,
}

/// A contact: pin, names and switches of its chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Pinned identity.
    pub pin: Pin,
    /// The state.
    pub state: Stamped<ContactState>,
    /// Their handle.
    pub handle: Stamped<SecretText>,
    /// Their name.
    pub alias: Stamped<SecretText>,
    /// Receipts in this chat; `None` follows the general setting.
    pub receipts: Stamped<Option<bool>>,
    /// Life of new messages in seconds; `None` follows the general setting.
    pub life_secs: Stamped<Option<u32>>,
    /// Burn after reading; `None` follows the general setting.
    pub burn_on_read: Stamped<Option<bool>>,
    /// No notices.
    pub muted: Stamped<bool>,
    /// Highest prekey batch number seen of the pinned identity.
    pub batch_seen: u32,
    /// Other keys than the pinned ones that were shown or used for them, until the person answers.
    pub other_keys: Stamped<Option<Fingerprint>>,
    /// The last message that this account sent them: its link, and when it ends. The next session goes
    /// on behind it.
    pub said: Stamped<Option<([u8; 32], u64)>>,
}

impl Contact {
    /// A contact at first sight.
    pub fn new(fingerprint: Fingerprint, state: ContactState, now: u64) -> Self {
        Self {
            pin: Pin::new(fingerprint),
            state: Stamped::new(now, state),
            handle: Stamped::default(),
            alias: Stamped::default(),
            receipts: Stamped::default(),
            life_secs: Stamped::default(),
            burn_on_read: Stamped::default(),
            muted: Stamped::default(),
            batch_seen: 0,
            other_keys: Stamped::default(),
            said: Stamped::default(),
        }
    }

    /// Whether keys other than the pinned ones were seen and the person has not answered yet.
    pub fn saw_other_keys(&self) -> bool {
        let seen = self.other_keys.value.as_ref();
        seen.is_some_and(|seen| self.pin.fingerprint() != Ok(seen))
    }

    /// Pins another identity by a person's decision; its batches are counted anew.
    pub fn accept_identity(&mut self, fingerprint: Fingerprint, now: u64) {
        self.pin.replace(fingerprint, now);
        self.batch_seen = 0;
    }

    /// Joins two views of the same contact, field by field.
    pub fn merge(&mut self, other: Self) {
        // A batch number says something about the identity that it was seen of.
        self.batch_seen = match other.pin.generation().cmp(&self.pin.generation()) {
            core::cmp::Ordering::Less => self.batch_seen,
            core::cmp::Ordering::Equal => self.batch_seen.max(other.batch_seen),
            core::cmp::Ordering::Greater => other.batch_seen,
        };
        self.pin.merge(other.pin);
        self.state.merge(other.state);
        self.handle.merge(other.handle);
        self.alias.merge(other.alias);
        self.receipts.merge(other.receipts);
        self.life_secs.merge(other.life_secs);
        self.burn_on_read.merge(other.burn_on_read);
        self.muted.merge(other.muted);
        self.other_keys.merge(other.other_keys);
        self.said.merge(other.said);
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        self.pin.write(writer);
        self.state.write(writer, |state, writer| {
            writer.u8(*state as u8);
        });
        self.handle.write(writer, SecretText::write);
        self.alias.write(writer, SecretText::write);
        self.receipts.write(writer, write_switch);
        self.life_secs.write(writer, |life, writer| {
            writer.bool(life.is_some()).u32(life.unwrap_or(0));
        });
        self.burn_on_read.write(writer, write_switch);
        self.muted.write(writer, |muted, writer| {
            writer.bool(*muted);
        });
        writer.u32(self.batch_seen);
        self.other_keys.write(writer, |other, writer| {
            writer.bool(other.is_some());
            if let Some(fingerprint) = other {
                writer.raw(fingerprint.as_bytes());
            }
        });
        self.said.write(writer, |said, writer| {
            let (link, end) = said.unwrap_or_default();
            writer.bool(said.is_some()).raw(&link).u64(end);
        });
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            pin: Pin::read(reader)?,
            state: Stamped::read(reader, ContactState::read)?,
            handle: Stamped::read(reader, |reader| SecretText::read(reader, MAX_NAME))?,
            alias: Stamped::read(reader, |reader| SecretText::read(reader, MAX_NAME))?,
            receipts: Stamped::read(reader, read_switch)?,
            life_secs: Stamped::read(reader, |reader| {
                match (reader.bool("life")?, reader.u32()?) {
                    (true, life) => Ok(Some(life)),
                    (false, 0) => Ok(None),
                    (false, _) => Err(DecodeError::NotCanonical),
                }
            })?,
            burn_on_read: Stamped::read(reader, read_switch)?,
            muted: Stamped::read(reader, |reader| reader.bool("muted"))?,
            batch_seen: reader.u32()?,
            other_keys: Stamped::read(reader, |reader| {
                Ok(if reader.bool("other keys")? {
                    Some(Fingerprint::from_bytes(*reader.array()?))
                } else {
                    None
                })
            })?,
            said: Stamped::read(reader, |reader| {
                let said = (reader.bool("said")?, *reader.array()?, reader.u64()?);
                match said {
                    (true, link, end) => Ok(Some((link, end))),
                    (false, link, 0) if link == [0; 32] => Ok(None),
                    (false, ..) => Err(DecodeError::NotCanonical),
                }
            })?,
        })
    }
}

impl ContactState {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.u8()? {
            1 => Self::Incoming,
            2 => Self::Outgoing,
            3 => Self::Accepted,
            4 => Self::Removed,
            _ => return Err(DecodeError::InvalidValue("contact state")),
        })
    }
}

fn write_switch(switch: &Option<bool>, writer: &mut Writer) {
    writer.u8(match switch {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    });
}

fn read_switch(reader: &mut Reader<'_>) -> Result<Option<bool>, DecodeError> {
    match reader.u8()? {
        0 => Ok(None),
        1 => Ok(Some(false)),
        2 => Ok(Some(true)),
        _ => Err(DecodeError::InvalidValue("switch")),
    }
}
