//! Rows of invites: reading, tagging, and taking a use.

use rusqlite::Row;

use crate::engine::sqlite::db::{Db, at};
use crate::fault::Fault;
use crate::invites::{Invite, InviteUse, UseInviteError};
use crate::sealing::classes::Public;
use crate::sealing::tags::{Tagged, Tags};
use api::ids::{InviteHash, UserId};

/// Every column, in the order of [`read`].
pub(crate) const SELECT: &str =
    "SELECT code_hash, created_by, created_at, expires_at, max_uses, uses,
    used_by, tag FROM invites";

/// An invite and the marks of those who used it.
pub(crate) struct Kept {
    pub invite: Invite,
    pub used_by: Vec<u8>,
}

impl Tagged for Kept {
    const TABLE: &'static str = "invites";

    fn with_values<T>(&self, use_them: impl FnOnce(&[&[u8]]) -> T) -> T {
        let invite = &self.invite;
        let (created, expires) = (
            invite.created_at.to_be_bytes(),
            invite.expires_at.to_be_bytes(),
        );
        let (max_uses, uses) = (invite.max_uses.to_be_bytes(), invite.uses.to_be_bytes());
        let values: [&[u8]; 7] = [
            invite.code_hash.as_bytes(),
            invite.created_by.as_bytes(),
            &created,
            &expires,
            &max_uses,
            &uses,
            &self.used_by,
        ];
        // Without marks the tag is that of a row which has no column for them.
        let marked = usize::from(!self.used_by.is_empty());
        use_them(&values[..6 + marked])
    }
}

/// A row and its tag.
pub(crate) type Read = (Kept, Option<Vec<u8>>);

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Read> {
    let invite = Invite {
        code_hash: InviteHash::from_bytes(row.get(0)?),
        created_by: UserId::from_bytes(row.get(1)?),
        created_at: row.get(2)?,
        expires_at: row.get(3)?,
        max_uses: row.get(4)?,
        uses: row.get(5)?,
    };
    let used_by = row.get(6)?;
    Ok((Kept { invite, used_by }, row.get(7)?))
}

pub(crate) fn checked(tags: &Tags, (kept, tag): Read) -> Result<Kept, Fault> {
    let place = at("invites", kept.invite.code_hash.as_bytes());
    tags.check(place, &kept, tag.as_deref())?;
    Ok(kept)
}

/// Finds an invite that is this program's.
pub(crate) fn find(db: Db<'_>, tags: &Tags, code: &InviteHash) -> Result<Option<Kept>, Fault> {
    let sql = format!("{SELECT} WHERE code_hash = ?1");
    let found = db.one(
        at("invites", code.as_bytes()),
        &sql,
        [code.as_bytes()],
        read,
    )?;
    found.map(|found| checked(tags, found)).transpose()
}

/// Takes one use of an invite for an account; `false` when it used the invite before.
pub(crate) fn take(
    db: Db<'_>,
    tags: &Tags,
    by: &InviteUse,
    now: u64,
) -> Result<bool, UseInviteError> {
    let mut kept = find(db, tags, &by.code_hash)?.ok_or(UseInviteError::Unusable)?;
    if kept.invite.created_by == by.user {
        return Err(UseInviteError::Own);
    }
    if kept.invite.expires_at <= now {
        return Err(UseInviteError::Unusable);
    }
    let mut marks = kept.used_by.chunks_exact(by.mark.len());
    if marks.any(|mark| mark == by.mark) {
        return Ok(false);
    }
    if kept.invite.uses >= kept.invite.max_uses {
        return Err(UseInviteError::Unusable);
    }
    kept.invite.uses += 1;
    kept.used_by.extend_from_slice(&by.mark);
    db.execute(
        at("invites", by.code_hash.as_bytes()),
        "UPDATE invites SET uses = ?1, used_by = ?2, tag = ?3 WHERE code_hash = ?4",
        (
            kept.invite.uses,
            Public(&kept.used_by),
            tags.of(&kept),
            by.code_hash.as_bytes(),
        ),
    )?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use keyring::TagKey;

    use super::*;

    #[test]
    fn an_invite_that_nobody_used_has_the_tag_of_a_row_without_marks() {
        let invite = Invite {
            code_hash: InviteHash::from_bytes([1; 32]),
            created_by: UserId::from_bytes([2; 16]),
            created_at: 3,
            expires_at: 4,
            max_uses: 5,
            uses: 1,
        };
        let key = TagKey::from_slice(&[7; 32]).unwrap();
        let tag = key.tag(
            "invites",
            &[
                &[1; 32],
                &[2; 16],
                &3_u64.to_be_bytes(),
                &4_u64.to_be_bytes(),
                &5_u32.to_be_bytes(),
                &1_u32.to_be_bytes(),
            ],
        );
        let tags = Tags::new(key);
        let mut kept = Kept {
            invite,
            used_by: Vec::new(),
        };
        assert!(tags.fits(&kept, Some(&tag)));
        kept.used_by = vec![0; 32];
        assert!(!tags.fits(&kept, Some(&tag)));
    }
}
