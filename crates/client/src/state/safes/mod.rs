//! Both safes of the account in memory, and what has to be written.

pub(crate) mod contacts;
pub(crate) mod fresh;
pub(crate) mod memory;
pub(crate) mod reading;
pub(crate) mod recall;
pub(crate) mod requests;
pub(crate) mod settings;
pub(crate) mod sync;
pub(crate) mod track;

use protocol::envelope::SealedSlot;
use protocol::epoch::{
    EpochError, EpochPath, EpochRecord, Handshake, LocalParty, ReceiverPairs, ReplayError,
    ReplayMap,
};
use protocol::identity::{AccountKeys, AccountSecrets};
use protocol::opaque::ExportKey;
use protocol::safe::{
    PrekeySafe, SafeContents, SafeError, SafeKey, SafeMark, check_bound, open_prekey_safe,
    open_safe,
};
use rand_core::CryptoRng;

pub(crate) use fresh::{NewSafes, reseal};
pub(crate) use memory::Remembered;
pub(crate) use reading::Reading;
pub(crate) use recall::{Recall, Verdict};
pub(crate) use requests::Asked;
use track::Track;

use crate::flows::NewIdentity;
use crate::id::{MessageId, RestoreId, UserId};
use crate::wire::{SafeData, SafeRead, SafeWrite, Safes};

/// What is done once the present state is stored at the server.
#[derive(Debug)]
pub(crate) enum After {
    /// The mark of this message is stored: acknowledge it.
    Acknowledge(MessageId),
    /// The private halves are stored: publish the public ones.
    Publish(Vec<u8>),
}

/// Marks of both safes, as a browser remembers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) safe: SafeMark,
    pub(crate) prekeys: SafeMark,
}

/// The unlocked safes.
pub(crate) struct Safe {
    user: UserId,
    key: SafeKey,
    keys: AccountKeys,
    contents: SafeContents,
    prekeys: PrekeySafe,
    safe_track: Track,
    prekey_track: Track,
    after: Vec<(u64, u64, After)>,
    /// The restore that this state came after, as the server says.
    epoch: Option<RestoreId>,
    reading: Reading,
}

/// Opens a prekey safe; there is none after a restore, which the server says by version 0.
pub(crate) fn open_prekeys(
    key: &SafeKey,
    user: &UserId,
    offered: &SafeData,
) -> Result<PrekeySafe, SafeError> {
    if offered.version == 0 && offered.data.is_empty() {
        return Ok(PrekeySafe::default());
    }
    open_prekey_safe(key, user, offered.version, &offered.data)
}

impl Safe {
    /// Opens what the server delivered, once it was held against what this browser remembers.
    pub(crate) fn open(
        rng: &mut (impl CryptoRng + ?Sized),
        user: UserId,
        key: SafeKey,
        safe: &SafeRead,
        prekey_safe: &SafeData,
    ) -> Result<Self, SafeError> {
        let marks = Marks::of_both(safe, prekey_safe);
        let contents = open_safe(&key, &user, safe.version, &safe.data)?;
        let prekeys = open_prekeys(&key, &user, prekey_safe)?;
        check_bound((&contents, &marks.safe), (&prekeys, &marks.prekeys))?;
        let keys = contents.secrets.account_keys(rng);
        Ok(Self {
            user,
            key,
            keys,
            contents,
            prekeys,
            safe_track: Track::new(marks.safe),
            prekey_track: Track::new(marks.prekeys),
            after: Vec::new(),
            epoch: None,
            reading: Reading::default(),
        })
    }

    /// Notes which restore the server says this state came after.
    pub(crate) fn note_restore(&mut self, epoch: Option<RestoreId>) {
        self.epoch = epoch;
    }

    /// The contents, to be read.
    pub(crate) const fn contents(&self) -> &SafeContents {
        &self.contents
    }

    /// The contents, to be changed; they are written soon.
    pub(crate) const fn edit(&mut self) -> &mut SafeContents {
        self.safe_track.touch();
        &mut self.contents
    }

    /// The prekeys, to be read.
    pub(crate) const fn prekeys(&self) -> &PrekeySafe {
        &self.prekeys
    }

    /// The prekeys, to be changed; they are written soon.
    pub(crate) const fn edit_prekeys(&mut self) -> &mut PrekeySafe {
        self.prekey_track.touch();
        &mut self.prekeys
    }

    pub(crate) const fn key(&self) -> &SafeKey {
        &self.key
    }

    /// Whose account it is.
    pub(crate) const fn user(&self) -> UserId {
        self.user
    }

    /// How far the read of both safes is.
    pub(crate) const fn reading(&self) -> &Reading {
        &self.reading
    }

    /// No answer came to the read of both safes.
    pub(crate) fn read_unanswered(&mut self) {
        self.reading.unanswered();
    }

    /// The connection is gone: nobody waits for an answer any more.
    pub(crate) const fn offline(&mut self) {
        self.reading.forget();
    }

    /// Runs something once everything changed until now is stored.
    pub(crate) fn when_stored(&mut self, after: After) {
        self.after
            .push((self.safe_track.wanted(), self.prekey_track.wanted(), after));
    }

    /// One's own side of an epoch.
    pub(crate) fn party(&self, user_id: UserId) -> LocalParty<'_> {
        LocalParty {
            user_id,
            secrets: &self.contents.secrets,
            keys: &self.keys,
        }
    }

    /// One's own public keys.
    pub(crate) const fn keys(&self) -> &AccountKeys {
        &self.keys
    }

    /// Version and hash of the newest key safe known.
    pub(crate) const fn mark(&self) -> SafeMark {
        self.safe_track.mark()
    }

    /// Versions and hashes of both.
    pub(crate) const fn marks(&self) -> Marks {
        Marks {
            safe: self.safe_track.mark(),
            prekeys: self.prekey_track.mark(),
        }
    }

    /// The private prekeys that a handshake names.
    pub(crate) fn pairs_for(&self, handshake: &Handshake) -> Result<ReceiverPairs<'_>, EpochError> {
        self.prekeys.pairs_for(handshake)
    }

    /// Whether a message of a waiting epoch was shown before.
    pub(crate) fn replayed(
        &self,
        epoch: &EpochRecord,
        slot: &SealedSlot,
    ) -> Result<(), ReplayError> {
        match epoch.key.path {
            EpochPath::LastResort => self.contents.replay.check(epoch, slot.counter),
            EpochPath::OneTime | EpochPath::Live => self.prekeys.replay.check(epoch, slot.counter),
        }
    }

    /// Marks a message of a waiting epoch as shown.
    pub(crate) fn mark_shown(
        &mut self,
        epoch: &EpochRecord,
        counter: u8,
        now: u64,
    ) -> Result<(), ReplayError> {
        match epoch.key.path {
            EpochPath::LastResort => self.edit().replay.mark(epoch, counter),
            EpochPath::OneTime | EpochPath::Live => self.edit_prekeys().opened(epoch, counter, now),
        }
    }

    /// A message was opened that leaves no mark: its one-time pair is used all the same, once.
    pub(crate) fn note_opened(&mut self, epoch: &EpochRecord, now: u64) {
        if self.prekeys.is_unused(epoch) {
            self.edit_prekeys().used(epoch, now);
        }
    }

    /// Both safes under another key, one version on; ours stay as they are.
    pub(crate) fn reseal(
        &mut self,
        rng: &mut (impl CryptoRng + ?Sized),
        key: &SafeKey,
        export: &ExportKey,
    ) -> Result<(SafeWrite, SafeData, Marks), SafeError> {
        let marks = self.marks();
        let versions = (marks.safe.version, marks.prekeys.version);
        let both = (&self.contents, &mut self.prekeys);
        reseal(rng, self.user, key, export, both, versions)
    }

    /// The safe key was replaced, with both safes written under it at these versions.
    pub(crate) fn rekeyed(&mut self, key: SafeKey, marks: Marks) {
        self.key = key;
        self.prekeys.safe_mark = Some(marks.safe);
        self.safe_track.rekeyed(marks.safe);
        self.prekey_track.rekeyed(marks.prekeys);
    }

    /// Whether a write is on its way, so that the next version is not known yet.
    pub(crate) const fn writing(&self) -> bool {
        self.safe_track.writing() || self.prekey_track.writing()
    }

    /// Lets somebody read the contents as they would be with another identity.
    pub(crate) fn as_another<T>(
        &mut self,
        secrets: &AccountSecrets,
        at: u64,
        batch_number: u32,
        read: impl FnOnce(&SafeContents) -> T,
    ) -> T {
        let contents = &mut self.contents;
        let own = std::mem::replace(&mut contents.secrets, secrets.duplicate());
        let (own_at, own_number) = (contents.identity_at, contents.batch_number);
        (contents.identity_at, contents.batch_number) = (at, batch_number);
        let replay = std::mem::take(&mut contents.replay);
        let answer = read(contents);
        contents.secrets = own;
        contents.replay = replay;
        (contents.identity_at, contents.batch_number) = (own_at, own_number);
        answer
    }

    /// Another identity took the place of ours, with both safes written as it has them.
    pub(crate) fn replace_identity(&mut self, new: NewIdentity) {
        self.contents.secrets = new.secrets;
        self.contents.identity_at = new.at;
        self.contents.batch_number = new.batch_number;
        // Nothing that was marked can be opened again.
        self.contents.replay = ReplayMap::default();
        self.keys = new.keys;
        self.prekeys = new.prekeys;
        // A batch of the old identity must not be published any more.
        self.after
            .retain(|(_, _, after)| !matches!(after, After::Publish(_)));
        self.rekeyed(new.key, new.marks);
    }
}

impl Marks {
    /// The marks of what the server delivers.
    pub(crate) fn of(offered: &Safes) -> Self {
        Self::of_both(&offered.safe, &offered.prekey_safe)
    }

    pub(crate) fn of_both(safe: &SafeRead, prekey_safe: &SafeData) -> Self {
        Self {
            safe: SafeMark::of(safe.version, &safe.data),
            prekeys: SafeMark::of(prekey_safe.version, &prekey_safe.data),
        }
    }

    /// Refuses less than these marks.
    pub(crate) fn check(&self, offered: &Self) -> Result<(), SafeError> {
        self.safe.check(&offered.safe)?;
        self.prekeys.check(&offered.prekeys)
    }
}
