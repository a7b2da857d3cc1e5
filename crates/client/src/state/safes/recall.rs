//! What a server delivers of an account, held against what this browser remembers of it.
//!
//! The rule is the same for every way in. The memory of the delivered account is read first. An older state than
//! the remembered one is neither opened nor overwritten before the person has agreed.
//!
//! Specification: `docs/protocol/accounts.md#rollback-and-restore`.

use protocol::safe::SafeError;
use zeroize::Zeroizing;

use super::{Marks, Remembered};
use crate::flows::remembered_key;
use crate::id::{RestoreId, UserId};
use crate::io::Io;
use crate::output::Output;
use crate::wire::Restored;

/// The memory of one account.
pub(crate) struct Recall {
    user: UserId,
    /// Not read yet, nothing there, or what is there.
    memory: Option<Option<Remembered>>,
    /// The time of the backup that the server names, unix seconds, while the person is asked about it.
    asking: Option<u64>,
    /// The person goes on with an older state.
    accepted: bool,
}

/// What becomes of what the server delivers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The memory, or the person's answer, is still to come.
    Wait,
    /// The person is to be asked about a restore.
    Ask,
    /// It may be opened; for the next memory, the restore that it came after.
    Open(Option<RestoreId>),
}

impl Recall {
    /// Asks the browser what it remembers of an account.
    pub(crate) fn begin(io: &mut Io, user: UserId) -> Self {
        io.out.push(Output::Load {
            key: remembered_key(user),
            sealed: false,
        });
        Self {
            user,
            memory: None,
            asking: None,
            accepted: false,
        }
    }

    /// What this core has written itself: the server must deliver that, or later.
    pub(crate) const fn written(user: UserId, remembered: Remembered) -> Self {
        Self {
            user,
            memory: Some(Some(remembered)),
            asking: None,
            accepted: false,
        }
    }

    /// Whose memory it is.
    pub(crate) const fn user(&self) -> UserId {
        self.user
    }

    /// The browser answered; false when it was asked about something else.
    pub(crate) fn came(&mut self, key: &str, value: Option<Zeroizing<Vec<u8>>>) -> bool {
        let ours = self.memory.is_none() && key == remembered_key(self.user);
        if ours {
            self.memory = Some(value.and_then(|bytes| Remembered::decode(&bytes)));
        }
        ours
    }

    /// The time of the backup that the person is being asked about, unix seconds.
    pub(crate) const fn asks(&self) -> Option<u64> {
        self.asking
    }

    /// The person goes on; false when nobody asked.
    pub(crate) fn accept(&mut self) -> bool {
        self.accepted |= self.asking.take().is_some();
        self.accepted
    }

    /// Holds what the server delivers against the memory.
    pub(crate) fn judge(
        &mut self,
        offered: &Marks,
        restored: Option<Restored>,
    ) -> Result<Verdict, SafeError> {
        let Some(memory) = self.memory.filter(|_| self.asking.is_none()) else {
            return Ok(Verdict::Wait);
        };
        let seen = memory.and_then(|memory| memory.epoch);
        let open = Verdict::Open(restored.map(|claim| claim.epoch).or(seen));
        let Some(memory) = memory.filter(|_| !self.accepted) else {
            return Ok(open);
        };
        match (memory.marks.check(offered), restored) {
            (Ok(()), _) => Ok(open),
            // An honest server goes back once per restore: the same one again explains nothing.
            (Err(_), Some(claim)) if memory.epoch != Some(claim.epoch) => {
                self.asking = Some(claim.at);
                Ok(Verdict::Ask)
            }
            (Err(error), _) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use protocol::safe::SafeMark;

    use super::*;

    const USER: UserId = UserId::from_bytes([1; 16]);

    pub(crate) fn marks(version: u64) -> Marks {
        let mark = SafeMark {
            version,
            hash: [version as u8; 32],
        };
        Marks {
            safe: mark,
            prekeys: mark,
        }
    }

    fn remembering(version: u64) -> Recall {
        Recall::written(
            USER,
            Remembered {
                marks: marks(version),
                epoch: Some(RestoreId::from_bytes([2; 16])),
            },
        )
    }

    fn claim(epoch: u8) -> Option<Restored> {
        Some(Restored {
            epoch: RestoreId::from_bytes([epoch; 16]),
            at: 77,
        })
    }

    #[test]
    fn what_is_less_than_the_memory_is_opened_only_after_the_person_agreed() {
        let mut recall = remembering(5);
        assert_eq!(recall.judge(&marks(4), claim(3)), Ok(Verdict::Ask));
        assert_eq!(recall.asks(), Some(77));
        assert_eq!(recall.judge(&marks(4), claim(3)), Ok(Verdict::Wait));
        assert!(recall.accept());
        let open = Verdict::Open(Some(RestoreId::from_bytes([3; 16])));
        assert_eq!(recall.judge(&marks(4), claim(3)), Ok(open));
    }

    #[test]
    fn without_a_new_restore_it_is_refused() {
        assert!(remembering(5).judge(&marks(4), None).is_err());
        assert!(remembering(5).judge(&marks(4), claim(2)).is_err());
        let open = Verdict::Open(Some(RestoreId::from_bytes([2; 16])));
        assert_eq!(remembering(5).judge(&marks(6), None), Ok(open));
    }

    #[test]
    fn consent_that_nobody_asked_for_is_none() {
        let mut recall = remembering(5);
        assert!(!recall.accept());
        assert!(recall.judge(&marks(4), None).is_err());
    }

    #[test]
    fn the_memory_of_another_account_is_not_taken_for_this_ones() {
        let mut recall = remembering(5);
        recall.memory = None;
        assert!(!recall.came(&remembered_key(UserId::from_bytes([9; 16])), None));
        assert_eq!(recall.judge(&marks(4), None), Ok(Verdict::Wait));
        assert!(recall.came(&remembered_key(USER), None));
        assert_eq!(recall.judge(&marks(4), None), Ok(Verdict::Open(None)));
    }
}
