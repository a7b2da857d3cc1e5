//! The two safes of an account vouch for one another.
//!
//! Each is sealed with the newest mark of the other that its writer knew, so that a browser that is
//! new to the account cannot be given today's one with an old other.
//!
//! Specification: `docs/protocol/accounts.md#rollback-and-restore`.

use super::{PrekeySafe, SafeContents, SafeError, SafeMark};
use crate::codec::{DecodeError, Reader, Writer};

/// Refuses two safes of which one was written with a later version of the other in view.
///
/// `prekey_mark` of version 0 stands for no prekey safe at all, as after a restore: it opens nothing.
pub fn check_bound(
    (contents, safe_mark): (&SafeContents, &SafeMark),
    (prekeys, prekey_mark): (&PrekeySafe, &SafeMark),
) -> Result<(), SafeError> {
    if prekey_mark.version == 0 {
        return Ok(());
    }
    if let Some(seen) = &prekeys.safe_mark {
        seen.check(safe_mark)?;
        if seen == safe_mark {
            // Written when this very key safe was known: later than all that it knows.
            return Ok(());
        }
    }
    match &contents.prekey_mark {
        Some(seen) => seen.check(prekey_mark),
        None => Ok(()),
    }
}

/// Writes a mark at the end of the contents; nothing where there is none.
pub(super) fn write_mark(mark: Option<&SafeMark>, writer: &mut Writer) {
    if let Some(mark) = mark {
        writer.u64(mark.version).raw(&mark.hash);
    }
}

/// Reads a mark at the end of the contents; contents that end before it have none.
pub(super) fn read_mark(reader: &mut Reader<'_>) -> Result<Option<SafeMark>, DecodeError> {
    if reader.remaining() == 0 {
        return Ok(None);
    }
    Ok(Some(SafeMark {
        version: reader.u64()?,
        hash: *reader.array()?,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::field_reassign_with_default)]

    use super::*;
    use crate::identity::AccountSecrets;
    use crate::vectors::SeededRng;

    fn mark(version: u64) -> SafeMark {
        SafeMark {
            version,
            hash: [version as u8; 32],
        }
    }

    fn both(prekey: Option<u64>, safe: Option<u64>) -> (SafeContents, PrekeySafe) {
        let secrets = AccountSecrets::generate(&mut SeededRng::new(1));
        let mut contents = SafeContents::new(secrets, 7);
        contents.prekey_mark = prekey.map(mark);
        let mut prekeys = PrekeySafe::default();
        prekeys.safe_mark = safe.map(mark);
        (contents, prekeys)
    }

    #[test]
    fn contents_that_were_written_without_a_mark_can_still_be_read() {
        let (contents, prekeys) = both(None, None);
        let mut writer = Writer::default();
        contents.write(&mut writer);
        let bytes = writer.into_bytes();
        assert_eq!(SafeContents::decode(&bytes).unwrap(), contents);
        let mut writer = Writer::default();
        both(Some(4), None).0.write(&mut writer);
        assert_eq!(
            writer.len(),
            bytes.len() + 40,
            "a mark is all that is added"
        );
        let mut writer = Writer::default();
        prekeys.write(&mut writer);
        let bytes = writer.into_bytes();
        assert_eq!(PrekeySafe::decode(&bytes).unwrap(), prekeys);
    }

    #[test]
    fn a_mark_is_read_as_it_was_written_and_merges_to_the_later_one() {
        let (contents, prekeys) = both(Some(4), Some(9));
        let mut writer = Writer::default();
        contents.write(&mut writer);
        let read = SafeContents::decode(&writer.into_bytes()).unwrap();
        assert_eq!(read, contents);
        assert_eq!(
            read.merge(both(Some(6), None).0).0.prekey_mark,
            Some(mark(6))
        );
        let mut writer = Writer::default();
        prekeys.write(&mut writer);
        let read = PrekeySafe::decode(&writer.into_bytes()).unwrap();
        assert_eq!(read, prekeys);
        assert_eq!(read.merge(both(None, None).1).safe_mark, Some(mark(9)));
    }

    #[test]
    fn one_of_two_safes_cannot_be_older_than_what_the_other_knows() {
        let rolled_back = |seen, got| Err(SafeError::RolledBack { seen, got });
        for ((knows, safe), (prekeys_know, prekey), expected) in [
            // The key safe at 5 knows the prekey safe at 7, which knows the key safe at 4.
            ((Some(7), 5), (Some(4), 7), Ok(())),
            ((Some(7), 5), (Some(4), 9), Ok(())),
            ((Some(7), 5), (Some(4), 6), rolled_back(7, 6)),
            ((Some(7), 5), (Some(6), 9), rolled_back(6, 5)),
            // Nothing known, or nothing there.
            ((None, 5), (None, 1), Ok(())),
            ((Some(7), 5), (None, 0), Ok(())),
            // After a restore versions of the prekey safe begin anew, beside this very key safe.
            ((Some(7), 5), (Some(5), 1), Ok(())),
        ] {
            let (contents, prekeys) = both(knows, prekeys_know);
            let found = check_bound((&contents, &mark(safe)), (&prekeys, &mark(prekey)));
            assert_eq!(
                found, expected,
                "{knows:?} {safe} {prekeys_know:?} {prekey}"
            );
        }
        let (contents, prekeys) = both(Some(7), Some(5));
        let forged = SafeMark {
            version: 5,
            hash: [0; 32],
        };
        let found = check_bound((&contents, &forged), (&prekeys, &mark(7)));
        assert_eq!(found, Err(SafeError::Forked { version: 5 }));
    }
}
