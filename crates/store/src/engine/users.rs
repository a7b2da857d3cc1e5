//! Rows of `users`.

use crate::classes::Sealed;
use crate::engine::Answer;
use api::ids::UserId;

/// The values of an account that are in the clear and decide; they have a tag.
#[derive(Clone)]
pub(crate) struct BoundUser {
    pub user_id: [u8; 16],
    pub handle_index: [u8; 32],
    pub fingerprint: Vec<u8>,
    pub role: String,
    pub active: bool,
    pub created_at: u64,
    pub tag: Option<Vec<u8>>,
}

/// An account with handle and alias, sealed.
pub(crate) struct RawUser {
    pub bound: BoundUser,
    pub last_login: Option<u64>,
    pub data: Sealed,
}

/// An account with its credential, sealed.
pub(crate) struct RawCredential {
    pub bound: BoundUser,
    pub sealed: Sealed,
}

/// Reads accounts.
pub(crate) trait UserRows {
    fn bound_user(&self, user: &UserId) -> Answer<Option<BoundUser>>;

    /// Every account, with a fault in the place of one that cannot be read.
    fn bound_users(&self) -> Answer<Vec<Answer<BoundUser>>>;

    /// Accounts whose rows say that they are administrators and active.
    fn active_administrators(&self) -> Answer<Vec<BoundUser>>;

    fn user_exists(&self, user: &UserId) -> Answer<bool>;

    fn handle_exists(&self, index: &[u8; 32]) -> Answer<bool>;

    fn user(&self, user: &UserId) -> Answer<Option<RawUser>>;

    fn user_by_handle(&self, index: &[u8; 32]) -> Answer<Option<RawUser>>;

    /// Accounts in the order in which they were made, after one of them or from the first on.
    fn users_after(
        &self,
        after: Option<&UserId>,
        limit: u32,
    ) -> Answer<Vec<(UserId, Answer<RawUser>)>>;

    fn credential(&self, user: &UserId) -> Answer<Option<RawCredential>>;

    /// The account of this handle; the oldest one if nobody has it, for as much work.
    fn credential_by_handle_or_any(&self, index: &[u8; 32]) -> Answer<Option<RawCredential>>;
}

/// Changes accounts.
pub(crate) trait UserChanges {
    /// Inserts an account; `false` if its id or its handle is taken.
    fn insert_user(&self, bound: &BoundUser, data: &Sealed, credential: &Sealed) -> Answer<bool>;

    /// Writes what may change of the values in the clear, and their tag.
    fn update_user(&self, bound: &BoundUser) -> Answer;

    /// Replaces handle and alias; `false` if there is no such account.
    fn set_user_data(&self, user: &UserId, data: &Sealed) -> Answer<bool>;

    fn set_credential(&self, user: &UserId, credential: &Sealed) -> Answer;

    /// Moves the last sign-in forward; `false` if there is no such account.
    fn touch_last_login(&self, user: &UserId, now: u64) -> Answer<bool>;

    /// Deletes an account with everything that belongs to it but its sessions; `false` if there is none.
    fn delete_user(&self, user: &UserId) -> Answer<bool>;
}
