//! Statements about `leases`.

use crate::classes::Public;
use crate::engine::Answer;
use crate::engine::leases::LeaseChanges;
use crate::engine::place::many;
use crate::engine::sql::Sql;

impl<D: Sql> LeaseChanges for D {
    fn take_lease(&self, name: &str, holder: &[u8; 16], now: u64, ends_at: u64) -> Answer<bool> {
        self.changed(
            many("leases"),
            "INSERT INTO leases (name, holder, ends_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends_at = excluded.ends_at
             WHERE leases.holder = excluded.holder OR leases.ends_at <= ?4",
            &[&Public(name), holder, &ends_at, &now],
        )
    }

    fn end_lease(&self, name: &str, holder: &[u8; 16]) -> Answer {
        let sql = "DELETE FROM leases WHERE name = ?1 AND holder = ?2";
        self.run(many("leases"), sql, &[&Public(name), holder])
    }
}
