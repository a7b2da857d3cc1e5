//! The values of a row of `users` that are in the clear and decide; they have a tag.

use rusqlite::Row;

use crate::engine::sqlite::db::{Db, at, many};
use crate::fault::Fault;
use crate::sealing::classes::Public;
use crate::sealing::tags::{Tagged, Tags};
use api::Role;
use api::ids::UserId;

/// Columns of [`BoundUser`], in its order.
pub(crate) const BOUND: &str = "user_id, handle_index, fingerprint, role, active, created_at, tag";
/// The number of those columns.
pub(crate) const BOUND_LEN: usize = 7;

/// The deciding values of an account.
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

impl Tagged for BoundUser {
    const TABLE: &'static str = "users";

    fn with_values<T>(&self, use_them: impl FnOnce(&[&[u8]]) -> T) -> T {
        use_them(&[
            &self.user_id,
            &self.handle_index,
            &self.fingerprint,
            self.role.as_bytes(),
            &[u8::from(self.active)],
            &self.created_at.to_be_bytes(),
        ])
    }
}

impl BoundUser {
    /// Reads the columns [`BOUND`] from the first on.
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            user_id: row.get(0)?,
            handle_index: row.get(1)?,
            fingerprint: row.get(2)?,
            role: row.get(3)?,
            active: row.get(4)?,
            created_at: row.get(5)?,
            tag: row.get(6)?,
        })
    }

    /// Finds an account's values, once they are known to be this program's.
    pub(crate) fn find(db: Db<'_>, tags: &Tags, user: &UserId) -> Result<Option<Self>, Fault> {
        let sql = format!("SELECT {BOUND} FROM users WHERE user_id = ?1");
        let id = user.as_bytes();
        let found = db.one(at("users", id), &sql, [id], Self::read)?;
        found
            .map(|found| found.check(tags).map(|()| found))
            .transpose()
    }

    /// Active administrators, by values that are this program's.
    pub(crate) fn administrators(db: Db<'_>, tags: &Tags) -> Result<Vec<UserId>, Fault> {
        let sql = format!("SELECT {BOUND} FROM users WHERE role = 'admin' AND active = 1");
        let found = db.all(many("users"), &sql, [], Self::read)?;
        let sound = found.into_iter().filter(|user| user.check(tags).is_ok());
        Ok(sound.map(|user| UserId::from_bytes(user.user_id)).collect())
    }

    /// Damage where the values are not as this program wrote them.
    pub(crate) fn check(&self, tags: &Tags) -> Result<(), Fault> {
        tags.check(at("users", &self.user_id), self, self.tag.as_deref())
    }

    pub(crate) fn role(&self) -> Result<Role, Fault> {
        Role::named(&self.role).ok_or_else(|| at("users", &self.user_id).damaged("unknown role"))
    }

    /// Writes what may change, with a new tag.
    pub(crate) fn save(&self, db: Db<'_>, tags: &Tags) -> Result<(), Fault> {
        db.execute(
            at("users", &self.user_id),
            "UPDATE users SET fingerprint = ?1, role = ?2, active = ?3, tag = ?4
             WHERE user_id = ?5",
            (
                Public(&self.fingerprint),
                Public(&self.role),
                self.active,
                tags.of(self),
                &self.user_id,
            ),
        )
        .map(drop)
    }
}
