//! Rows of invites: reading, tagging, and taking a use.

use crate::engine::invites::InviteRow;
use crate::engine::place::at;
use crate::engine::{Changes, Rows};
use crate::fault::Fault;
use crate::invites::{InviteUse, UseInviteError};
use crate::sealing::tags::{Tagged, Tags};
use api::ids::InviteHash;

impl Tagged for InviteRow {
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

impl InviteRow {
    /// The invite of this program; damage if it is not.
    pub(crate) fn checked(self, tags: &Tags) -> Result<Self, Fault> {
        let place = at("invites", self.invite.code_hash.as_bytes());
        tags.check(place, &self, self.tag.as_deref())?;
        Ok(self)
    }

    /// Writes what may change, with a new tag.
    pub(crate) fn save(&mut self, rows: &dyn Changes, tags: &Tags) -> Result<(), Fault> {
        self.tag = Some(tags.of(self).to_vec());
        rows.update_invite(self)
    }
}

/// Finds an invite that is this program's.
pub(crate) fn find(
    rows: &dyn Rows,
    tags: &Tags,
    code: &InviteHash,
) -> Result<Option<InviteRow>, Fault> {
    let found = rows.invite(code)?;
    found.map(|found| found.checked(tags)).transpose()
}

/// Takes one use of an invite for an account; `false` when it used the invite before.
pub(crate) fn take(
    rows: &dyn Changes,
    tags: &Tags,
    by: &InviteUse,
    now: u64,
) -> Result<bool, UseInviteError> {
    let mut kept = find(rows, tags, &by.code_hash)?.ok_or(UseInviteError::Unusable)?;
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
    kept.save(rows, tags)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use api::ids::UserId;
    use keyring::TagKey;

    use super::*;
    use crate::invites::Invite;

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
        let mut kept = InviteRow {
            invite,
            used_by: Vec::new(),
            tag: None,
        };
        assert!(tags.fits(&kept, Some(&tag)));
        kept.used_by = vec![0; 32];
        assert!(!tags.fits(&kept, Some(&tag)));
    }
}
