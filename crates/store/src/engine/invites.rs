//! Rows of `invites`.

use crate::engine::Answer;
use crate::invites::Invite;
use api::ids::{InviteHash, UserId};

/// An invite, the marks of those who used it, and the tag over both.
pub(crate) struct InviteRow {
    pub invite: Invite,
    pub used_by: Vec<u8>,
    pub tag: Option<Vec<u8>>,
}

/// Reads invites.
pub(crate) trait InviteRows {
    fn invite(&self, code: &InviteHash) -> Answer<Option<InviteRow>>;

    /// Every invite, with a fault in the place of one that cannot be read.
    fn invites(&self) -> Answer<Vec<Answer<InviteRow>>>;

    /// Invites of an account, newest first, with a fault in the place of one that cannot be read.
    fn invites_of(&self, user: &UserId) -> Answer<Vec<Answer<InviteRow>>>;
}

/// Changes invites.
pub(crate) trait InviteChanges {
    /// Inserts an invite that nobody used; `false` if there is one with this code.
    fn insert_invite(&self, row: &InviteRow) -> Answer<bool>;

    /// Writes uses, marks and tag.
    fn update_invite(&self, row: &InviteRow) -> Answer;

    /// Deletes an invite of this account; `false` if it has none with this code.
    fn delete_invite(&self, user: &UserId, code: &InviteHash) -> Answer<bool>;

    /// Deletes expired invites, at most so many.
    fn prune_invites(&self, now: u64, limit: usize) -> Answer<u64>;
}
