//! Compare-and-swap writes, merges on conflict, and reading what other sessions wrote.
//!
//! Specification: `docs/protocol/accounts.md#writing-and-reading-the-safes`.

use protocol::safe::{
    PrekeySafe, SafeContents, SafeError, SafeMark, check_bound, open_prekey_safe, open_safe,
    seal_prekey_safe, seal_safe,
};
use zeroize::Zeroizing;

use super::{After, Marks, Remembered, Safe};
use crate::answers::Answer;
use crate::effects::Effect;
use crate::flows::{parse, remembered_key};
use crate::io::Io;
use crate::lock::PASSPHRASE_CHANGED;
use crate::output::Output;
use crate::purpose::{Open, Purpose};
use crate::refusal::Refusal;
use crate::refuse::of_safe;
use crate::timers::Timer;
use crate::wire::{Blob, PrekeySafeChange, SafeChange, SafeConflict, SafeData, Safes};

/// Pause before a failed write is tried again, milliseconds.
const RETRY_MS: u64 = 2_000;
/// Longest that writes are held back for a replacement, milliseconds.
const REPLACING_MS: u64 = 20_000;

impl Safe {
    /// Writes what has changed, one write per safe at a time.
    pub(crate) fn flush(&mut self, io: &mut Io) {
        if io.timers.is_set(Timer::SafeRetry) {
            return;
        }
        let proof = || Blob::from(self.key.write_proof().expose().as_slice());
        if self.safe_track.due() {
            self.contents.last_time = io.clock.seen_next(self.contents.last_time, io.now_ms);
            self.contents.prekey_mark = Some(self.prekey_track.mark());
            let expected = self.safe_track.mark().version;
            let version = expected.saturating_add(1);
            let data = seal_safe(&mut io.rng, &self.key, &self.user, version, &self.contents);
            self.safe_track.begin(SafeMark::of(version, &data));
            io.put(
                "/safe",
                &SafeChange {
                    write_proof: proof(),
                    expected_version: expected,
                    safe: SafeData {
                        version,
                        data: Blob::from(data),
                    },
                },
                Purpose::Open(Open::SafeWritten),
            );
        }
        if self.prekey_track.due() {
            self.prekeys.safe_mark = Some(self.safe_track.mark());
            let expected = self.prekey_track.mark().version;
            let version = expected.saturating_add(1);
            let data = seal_prekey_safe(&mut io.rng, &self.key, &self.user, version, &self.prekeys);
            self.prekey_track.begin(SafeMark::of(version, &data));
            io.put(
                "/prekey-safe",
                &PrekeySafeChange {
                    write_proof: proof(),
                    expected_version: expected,
                    prekey_safe: SafeData {
                        version,
                        data: Blob::from(data),
                    },
                },
                Purpose::Open(Open::PrekeySafeWritten),
            );
        }
    }

    /// What can be done now because it was stored.
    pub(crate) fn take_stored(&mut self) -> Vec<After> {
        let (safe, prekeys) = (self.safe_track.stored(), self.prekey_track.stored());
        let mut ready = Vec::new();
        let mut waiting = Vec::new();
        for (need_safe, need_prekeys, after) in self.after.drain(..) {
            if need_safe <= safe && need_prekeys <= prekeys {
                ready.push(after);
            } else {
                waiting.push((need_safe, need_prekeys, after));
            }
        }
        self.after = waiting;
        ready
    }

    /// Stores the newest versions and hashes in this browser.
    pub(crate) fn remember(&self, io: &mut Io) {
        io.out.push(Output::Store {
            key: remembered_key(self.user),
            value: Zeroizing::new(
                Remembered {
                    marks: self.marks(),
                    epoch: self.epoch,
                }
                .encode(),
            ),
            sealed: false,
        });
    }

    /// Joins what another session wrote of both safes into ours; true when contacts conflict.
    fn join(&mut self, safe: &SafeData, prekey_safe: &SafeData) -> Result<bool, SafeError> {
        let theirs = self.newer_safe(safe)?;
        let their_prekeys = self.newer_prekeys(prekey_safe)?;
        let contents = theirs.as_ref().map_or(&self.contents, |(theirs, _)| theirs);
        let prekeys = their_prekeys
            .as_ref()
            .map_or(&self.prekeys, |(theirs, _)| theirs);
        let safe_mark = SafeMark::of(safe.version, &safe.data);
        let prekey_mark = SafeMark::of(prekey_safe.version, &prekey_safe.data);
        check_bound((contents, &safe_mark), (prekeys, &prekey_mark))?;
        if let Some(theirs) = their_prekeys {
            self.merge_prekeys(theirs);
        }
        Ok(theirs.is_some_and(|theirs| self.merge_safe(theirs)))
    }

    /// Another session's key safe where it is newer than ours; refuses an older one.
    fn newer_safe(
        &self,
        offered: &SafeData,
    ) -> Result<Option<(SafeContents, SafeMark)>, SafeError> {
        let mark = SafeMark::of(offered.version, &offered.data);
        self.safe_track.mark().check(&mark)?;
        if mark == self.safe_track.mark() {
            return Ok(None);
        }
        let theirs = open_safe(&self.key, &self.user, offered.version, &offered.data)?;
        Ok(Some((theirs, mark)))
    }

    fn newer_prekeys(
        &self,
        offered: &SafeData,
    ) -> Result<Option<(PrekeySafe, SafeMark)>, SafeError> {
        let mark = SafeMark::of(offered.version, &offered.data);
        self.prekey_track.mark().check(&mark)?;
        if mark == self.prekey_track.mark() {
            return Ok(None);
        }
        let theirs = open_prekey_safe(&self.key, &self.user, offered.version, &offered.data)?;
        Ok(Some((theirs, mark)))
    }

    /// Joins a key safe into ours; true when contacts conflict.
    fn merge_safe(&mut self, (theirs, mark): (SafeContents, SafeMark)) -> bool {
        let placeholder = SafeContents::new(self.contents.secrets.duplicate(), 0);
        let ours = std::mem::replace(&mut self.contents, placeholder);
        let (merged, report) = theirs.merge(ours);
        self.contents = merged;
        self.safe_track.joined(mark);
        !report.pin_conflicts.is_empty() || report.identity_conflict
    }

    fn merge_prekeys(&mut self, (theirs, mark): (PrekeySafe, SafeMark)) {
        let ours = std::mem::take(&mut self.prekeys);
        self.prekeys = theirs.merge(ours);
        self.prekey_track.joined(mark);
    }

    /// Joins the key safe that a write met.
    fn join_safe(&mut self, offered: &SafeData) -> Result<bool, SafeError> {
        let theirs = self.newer_safe(offered)?;
        Ok(theirs.is_some_and(|theirs| self.merge_safe(theirs)))
    }

    /// Joins the prekey safe that a write met.
    fn join_prekeys(&mut self, offered: &SafeData) -> Result<bool, SafeError> {
        if let Some(theirs) = self.newer_prekeys(offered)? {
            self.merge_prekeys(theirs);
        }
        Ok(false)
    }
}

impl Safe {
    /// A session of ours says that it wrote this version of the safe.
    pub(crate) fn safe_promised(&mut self, io: &mut Io, mark: SafeMark) {
        let known = self.mark();
        if mark.version > known.version || (mark.version == known.version && mark != known) {
            self.reading.promise(mark);
            self.read_safes(io);
        }
    }

    /// Asks for both safes, where the server has other versions than these.
    pub(crate) fn read_safes(&mut self, io: &mut Io) {
        let marks = self.marks();
        let (version, prekey_version) = (marks.safe.version, marks.prekeys.version);
        if let Some(number) = self.reading.begin(marks) {
            io.get(
                &format!("/safe?version={version}&prekey_version={prekey_version}"),
                Purpose::Open(Open::SafeRead(number)),
            );
        }
    }

    /// Holds writes back while both safes are being replaced under another key.
    pub(crate) fn writes_wait(&mut self, io: &mut Io) {
        self.reading.hold();
        io.timers.set(Timer::SafeRetry, io.now_ms + REPLACING_MS);
    }

    /// Writes go on, and what was read meanwhile is read again.
    pub(crate) fn writes_resume(&mut self, io: &mut Io) {
        io.timers.cancel(Timer::SafeRetry);
        if self.reading.release() {
            self.read_safes(io);
        }
    }
}

/// What came of a read of both safes.
pub(crate) enum SafesCame {
    /// Nobody waits for it, or it is not taken.
    Nothing,
    /// The server could not give them.
    Failed,
    /// They are as the server has them; something was joined, or was written meanwhile.
    Read { joined: bool, again: bool },
}

impl Safe {
    /// The key safe was written, or not; true if another session's was joined into it.
    pub(crate) fn safe_written(&mut self, io: &mut Io, answer: Answer) -> bool {
        match answer {
            Some((200..=299, _)) => {
                self.safe_track.finish();
                self.remember(io);
                false
            }
            other => {
                self.safe_track.give_up();
                self.conflict(io, other).is_some_and(|current| {
                    let joined = self.join_safe(&current);
                    self.joined(io, joined)
                })
            }
        }
    }

    /// The prekey safe was written, or not; true if another session's was joined into it.
    pub(crate) fn prekey_safe_written(&mut self, io: &mut Io, answer: Answer) -> bool {
        match answer {
            Some((200..=299, _)) => {
                self.prekey_track.finish();
                self.remember(io);
                false
            }
            other => {
                self.prekey_track.give_up();
                self.conflict(io, other).is_some_and(|current| {
                    let joined = self.join_prekeys(&current);
                    self.joined(io, joined)
                })
            }
        }
    }

    /// Reads the safe that a write conflicted with; without one the write is tried again later.
    fn conflict(&self, io: &mut Io, answer: Answer) -> Option<SafeData> {
        match answer {
            Some((409, body)) => match parse::<SafeConflict>(&body) {
                Ok(conflict) => return Some(conflict.current),
                Err(_) => retry_later(io),
            },
            Some((403, _)) => io.ask(Effect::Lock(PASSPHRASE_CHANGED)),
            _ => retry_later(io),
        }
        None
    }

    /// Both safes came.
    pub(crate) fn safes_came(&mut self, io: &mut Io, number: u32, answer: Answer) -> SafesCame {
        let Some(read) = self.reading.end(number) else {
            return SafesCame::Nothing;
        };
        // Under which key it is sealed, the answer to the replacement tells.
        if self.reading.is_held() {
            if let Some(promised) = read.promised {
                self.reading.promise(promised);
            }
            return SafesCame::Nothing;
        }
        let Some((status @ (200 | 204), body)) = answer else {
            if io.online {
                if let Some(promised) = read.promised {
                    self.reading.promise(promised);
                }
                let again_ms = self.reading.pause.failed(io.now_ms, &answer);
                io.timers.set(Timer::SafeReread, again_ms);
            }
            return SafesCame::Failed;
        };
        self.reading.pause.answered();
        let safes = match (status, parse::<Safes>(&body)) {
            (204, _) => None,
            (_, Ok(safes)) => Some(safes),
            (_, Err(_)) => {
                io.refused(Refusal::Malformed, None, None);
                return SafesCame::Nothing;
            }
        };
        // Without a body the server says that it has what was known when it was asked.
        let offered = safes.as_ref().map_or(read.since, Marks::of);
        if read.overtaken(&self.marks(), &offered) {
            if let Some(promised) = read.promised {
                self.reading.promise(promised);
            }
            self.read_safes(io);
            return SafesCame::Nothing;
        }
        if let Some(promised) = read.promised
            && let Err(error) = promised.check(&offered.safe)
        {
            // A session of ours said that it wrote more than the server shows.
            io.refused(of_safe(&error), None, None);
            return SafesCame::Nothing;
        }
        let joined = safes.is_some_and(|safes| {
            let key_safe = SafeData {
                version: safes.safe.version,
                data: safes.safe.data,
            };
            let joined = self.join(&key_safe, &safes.prekey_safe);
            self.joined(io, joined)
        });
        SafesCame::Read {
            joined,
            again: read.again,
        }
    }

    /// Tells what came of joining another session's safe; true if it was joined.
    fn joined(&self, io: &mut Io, joined: Result<bool, SafeError>) -> bool {
        match joined {
            Ok(conflict) => {
                self.remember(io);
                io.ask(Effect::TellChats);
                io.ask(Effect::TellSettings);
                if conflict {
                    io.notice(
                        "safe-merged",
                        "Two of your sessions kept different keys for the same person. Compare the safety number.",
                        None,
                    );
                }
                return true;
            }
            // The passphrase was changed elsewhere: this key opens nothing any more.
            Err(SafeError::BadSeal) => io.ask(Effect::Lock(PASSPHRASE_CHANGED)),
            Err(error) => io.refused(of_safe(&error), None, None),
        }
        false
    }
}

fn retry_later(io: &mut Io) {
    io.timers.set(Timer::SafeRetry, io.now_ms + RETRY_MS);
}
