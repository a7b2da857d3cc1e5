//! Statements about `invites`.

use crate::classes::Public;
use crate::engine::Answer;
use crate::engine::invites::{InviteChanges, InviteRow, InviteRows};
use crate::engine::place::{at, many};
use crate::engine::sql::{Hold, Line, Readable, Sql};
use crate::invites::Invite;
use api::ids::{InviteHash, UserId};

/// Selects every column of [`InviteRow`], without a condition.
const SELECT: &str = "SELECT code_hash, created_by, created_at, expires_at, max_uses, uses,
    used_by, tag FROM invites";

fn read(row: Line<'_>) -> Readable<InviteRow> {
    Ok(InviteRow {
        invite: Invite {
            code_hash: InviteHash::from_bytes(row.get(0)?),
            created_by: UserId::from_bytes(row.get(1)?),
            created_at: row.get(2)?,
            expires_at: row.get(3)?,
            max_uses: row.get(4)?,
            uses: row.get(5)?,
        },
        used_by: row.get(6)?,
        tag: row.get(7)?,
    })
}

impl<D: Sql> InviteRows for D {
    fn invite(&self, code: &InviteHash) -> Answer<Option<InviteRow>> {
        let sql = format!("{SELECT} WHERE code_hash = ?1{}", self.hold(Hold::Alone));
        let code = code.as_bytes();
        self.one(at("invites", code), &sql, &[&code], read)
    }

    fn invites(&self) -> Answer<Vec<Answer<InviteRow>>> {
        self.each(many("invites"), SELECT, &[], read)
    }

    fn invites_of(&self, user: &UserId) -> Answer<Vec<Answer<InviteRow>>> {
        let sql = format!("{SELECT} WHERE created_by = ?1 ORDER BY created_at DESC, code_hash");
        self.all(many("invites"), &sql, &[&user.as_bytes()], |row| {
            let code: [u8; 32] = row.get(0)?;
            Ok(read(row).map_err(|error| at("invites", &code).damaged(error)))
        })
    }
}

impl<D: Sql> InviteChanges for D {
    fn insert_invite(&self, row: &InviteRow) -> Answer<bool> {
        let invite = &row.invite;
        self.changed(
            at("invites", invite.code_hash.as_bytes()),
            "INSERT INTO invites (code_hash, created_by, created_at, expires_at, max_uses, uses,
                 tag) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            &[
                &invite.code_hash.as_bytes(),
                &invite.created_by.as_bytes(),
                &invite.created_at,
                &invite.expires_at,
                &invite.max_uses,
                &invite.uses,
                &row.tag.as_ref().map(Public),
            ],
        )
    }

    fn update_invite(&self, row: &InviteRow) -> Answer {
        let code = row.invite.code_hash.as_bytes();
        self.run(
            at("invites", code),
            "UPDATE invites SET uses = ?1, used_by = ?2, tag = ?3 WHERE code_hash = ?4",
            &[
                &row.invite.uses,
                &Public(&row.used_by),
                &row.tag.as_ref().map(Public),
                &code,
            ],
        )
    }

    fn delete_invite(&self, user: &UserId, code: &InviteHash) -> Answer<bool> {
        self.changed(
            at("invites", code.as_bytes()),
            "DELETE FROM invites WHERE code_hash = ?1 AND created_by = ?2",
            &[&code.as_bytes(), &user.as_bytes()],
        )
    }

    fn prune_invites(&self, now: u64, limit: usize) -> Answer<u64> {
        self.execute(
            many("invites"),
            "DELETE FROM invites WHERE code_hash IN
                 (SELECT code_hash FROM invites WHERE expires_at <= ?1 LIMIT ?2)",
            &[&now, &limit],
        )
    }
}
