//! The values of a row of `users` that are in the clear and decide; they have a tag.

use crate::engine::place::at;
use crate::engine::users::BoundUser;
use crate::engine::{Changes, Rows};
use crate::fault::Fault;
use crate::sealing::tags::{Tagged, Tags};
use api::Role;
use api::ids::UserId;

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
    /// Finds an account's values, once they are known to be this program's.
    pub(crate) fn find(rows: &dyn Rows, tags: &Tags, user: &UserId) -> Result<Option<Self>, Fault> {
        let found = rows.bound_user(user)?;
        found
            .map(|found| found.check(tags).map(|()| found))
            .transpose()
    }

    /// Active administrators, by values that are this program's.
    pub(crate) fn administrators(rows: &dyn Rows, tags: &Tags) -> Result<Vec<UserId>, Fault> {
        let found = rows.active_administrators()?;
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
    pub(crate) fn save(&mut self, rows: &dyn Changes, tags: &Tags) -> Result<(), Fault> {
        self.tag = Some(tags.of(self).to_vec());
        rows.update_user(self)
    }
}
