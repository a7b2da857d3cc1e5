//! Contents of the key safe.
//!
//! Specification: `docs/protocol/accounts.md#key-safe`.

use std::collections::BTreeMap;

use super::{Contact, PinConflict, RecoveryAnchor, SafeMark, Settings, Stamped, bound};
use crate::codec::{DecodeError, Reader, Writer};
use crate::epoch::ReplayMap;
use crate::identity::AccountSecrets;
use crate::ids::UserId;
use crate::primitives::agreement::AgreementSecret;
use crate::primitives::signature::{Ed25519Seed, MlDsaSeed, SigningKey};
use crate::suite::ObjectType;

const MAX_CONTACTS: usize = 100_000;

/// The contents of the key safe, which the server stores as `encrypted_private_keys`.
#[derive(Debug, PartialEq, Eq)]
pub struct SafeContents {
    /// When the identity was made; "New identity" raises it.
    pub identity_at: u64,
    /// The account's private keys.
    pub secrets: AccountSecrets,
    /// Public half of the recovery key, with the time of its making.
    pub recovery: Option<(u64, RecoveryAnchor)>,
    /// Fingerprint of the server's boot verify key, pinned at first sight.
    pub server: Stamped<Option<[u8; 64]>>,
    /// Contacts with pins and verified marks.
    pub contacts: BTreeMap<UserId, Contact>,
    /// Blocked accounts; `false` means unblocked again.
    pub blocks: BTreeMap<UserId, Stamped<bool>>,
    /// Settings.
    pub settings: Settings,
    /// Highest number of one's own prekey batches.
    pub batch_number: u32,
    /// The last time that was seen; time does not go far below it.
    pub last_time: u64,
    /// Replay marks of last-resort epochs.
    pub replay: ReplayMap,
    /// The newest prekey safe known when this was written; an older one is refused.
    pub prekey_mark: Option<SafeMark>,
}

/// What a person has to decide after a merge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MergeReport {
    /// Contacts with conflicting pins.
    pub pin_conflicts: Vec<UserId>,
    /// Whether both sides held different identities of one's own.
    pub identity_conflict: bool,
}

impl SafeContents {
    /// The safe of a new account.
    pub fn new(secrets: AccountSecrets, now: u64) -> Self {
        Self {
            identity_at: now,
            secrets,
            recovery: None,
            server: Stamped::default(),
            contacts: BTreeMap::new(),
            blocks: BTreeMap::new(),
            settings: Settings::default(),
            batch_number: 0,
            last_time: now,
            replay: ReplayMap::default(),
            prekey_mark: None,
        }
    }

    /// Whether an account is blocked.
    pub fn is_blocked(&self, user_id: &UserId) -> bool {
        self.blocks.get(user_id).is_some_and(|block| block.value)
    }

    /// Blocks or unblocks an account.
    pub fn set_blocked(&mut self, user_id: UserId, blocked: bool, now: u64) {
        self.blocks.entry(user_id).or_default().set(now, blocked);
    }

    /// Joins what two tabs wrote; commutative, associative and idempotent.
    pub fn merge(mut self, other: Self) -> (Self, MergeReport) {
        let ours = self.secrets.identity.public();
        let theirs = other.secrets.identity.public();
        let identity_conflict = ours != theirs;
        if (other.identity_at, theirs) > (self.identity_at, ours) {
            self.identity_at = other.identity_at;
            self.secrets = other.secrets;
        }
        self.recovery = [self.recovery, other.recovery]
            .into_iter()
            .flatten()
            .max_by(|(a, ours), (b, theirs)| (a, ours.order()).cmp(&(b, theirs.order())));
        self.server.merge(other.server);
        for (user_id, theirs) in other.contacts {
            match self.contacts.get_mut(&user_id) {
                Some(ours) => ours.merge(theirs),
                None => {
                    self.contacts.insert(user_id, theirs);
                }
            }
        }
        for (user_id, theirs) in other.blocks {
            match self.blocks.get_mut(&user_id) {
                Some(ours) => ours.merge(theirs),
                None => {
                    self.blocks.insert(user_id, theirs);
                }
            }
        }
        self.settings.merge(other.settings);
        self.batch_number = self.batch_number.max(other.batch_number);
        self.last_time = self.last_time.max(other.last_time);
        self.replay.merge(&other.replay);
        self.prekey_mark = self.prekey_mark.max(other.prekey_mark);
        let pin_conflicts = self
            .contacts
            .iter()
            .filter(|(_, contact)| contact.pin.fingerprint() == Err(PinConflict))
            .map(|(user_id, _)| *user_id)
            .collect();
        (
            self,
            MergeReport {
                pin_conflicts,
                identity_conflict,
            },
        )
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer
            .header(ObjectType::SafeContents)
            .u64(self.identity_at)
            .raw(self.secrets.identity.expose())
            .raw(self.secrets.signing.ed25519().expose())
            .raw(self.secrets.signing.ml_dsa().expose())
            .bool(self.recovery.is_some());
        if let Some((at, anchor)) = &self.recovery {
            writer.u64(*at);
            anchor.write(writer);
        }
        self.server.write(writer, |server, writer| {
            writer.bool(server.is_some());
            if let Some(fingerprint) = server {
                writer.raw(fingerprint);
            }
        });
        writer.len32(self.contacts.len());
        for (user_id, contact) in &self.contacts {
            writer.raw(user_id.as_bytes());
            contact.write(writer);
        }
        writer.len32(self.blocks.len());
        for (user_id, block) in &self.blocks {
            writer.raw(user_id.as_bytes());
            block.write(writer, |blocked, writer| {
                writer.bool(*blocked);
            });
        }
        self.settings.write(writer);
        writer.u32(self.batch_number).u64(self.last_time);
        self.replay.write(writer);
        bound::write_mark(self.prekey_mark.as_ref(), writer);
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::SafeContents)?;
        let identity_at = reader.u64()?;
        let secrets = AccountSecrets {
            identity: AgreementSecret::from_bytes(reader.array()?),
            signing: SigningKey::from_seeds(
                Ed25519Seed::from_bytes(reader.array()?),
                MlDsaSeed::from_bytes(reader.array()?),
            ),
        };
        let recovery = if reader.bool("recovery")? {
            Some((reader.u64()?, RecoveryAnchor::read(&mut reader)?))
        } else {
            None
        };
        let server = Stamped::read(&mut reader, |reader| {
            Ok(if reader.bool("server")? {
                Some(*reader.array()?)
            } else {
                None
            })
        })?;
        let contacts = read_map(&mut reader, Contact::read)?;
        let blocks = read_map(&mut reader, |reader| {
            Stamped::read(reader, |reader| reader.bool("block"))
        })?;
        let contents = Self {
            identity_at,
            secrets,
            recovery,
            server,
            contacts,
            blocks,
            settings: Settings::read(&mut reader)?,
            batch_number: reader.u32()?,
            last_time: reader.u64()?,
            replay: ReplayMap::read(&mut reader)?,
            prekey_mark: bound::read_mark(&mut reader)?,
        };
        reader.finish()?;
        Ok(contents)
    }
}

/// Reads a map in the one order that is written.
fn read_map<T>(
    reader: &mut Reader<'_>,
    mut value: impl FnMut(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<BTreeMap<UserId, T>, DecodeError> {
    let count = reader.count32(MAX_CONTACTS, UserId::LEN)?;
    let mut map = BTreeMap::new();
    for _ in 0..count {
        let user_id = UserId::from_bytes(*reader.array()?);
        if map
            .last_key_value()
            .is_some_and(|(last, _)| *last >= user_id)
        {
            return Err(DecodeError::NotCanonical);
        }
        map.insert(user_id, value(reader)?);
    }
    Ok(map)
}
