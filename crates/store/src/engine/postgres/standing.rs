//! What a server of PostgreSQL says of itself, and how far behind a replica may be.

use std::collections::VecDeque;
use std::time::Duration;

use deadpool_postgres::ClientWrapper;

use crate::engine::postgres::fault::described;

/// A place in the log of writes.
pub(crate) type Position = i64;

/// Of which database this is a part: cluster, its life, and the database's number in it.
///
/// A primary knows its life from the moment that it was promoted; a replica believes in another one when it has
/// replayed the first checkpoint of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    cluster: i64,
    timeline: i64,
    database: i64,
}

/// What a server says of itself.
pub(crate) struct Standing {
    pub identity: Identity,
    /// Whether it follows another server.
    pub follows: bool,
    /// Up to here its log is on the disk or, if it follows another, visible.
    pub position: Position,
}

/// Asks a server.
pub(crate) async fn ask(client: &ClientWrapper) -> Result<Standing, String> {
    let sql = "SELECT pg_is_in_recovery(), (pg_control_system()).system_identifier,
             CASE WHEN pg_is_in_recovery() THEN (pg_control_checkpoint()).timeline_id::bigint
                 ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint END,
             (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
             (coalesce(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                 ELSE pg_current_wal_flush_lsn() END, '0/0') - '0/0'::pg_lsn)::bigint";
    let asked = async {
        let statement = client.prepare_cached(sql).await?;
        let row = client.query_one(&statement, &[]).await?;
        Ok(Standing {
            follows: row.try_get(0)?,
            identity: Identity {
                cluster: row.try_get(1)?,
                timeline: row.try_get(2)?,
                database: row.try_get(3)?,
            },
            position: row.try_get(4)?,
        })
    };
    asked
        .await
        .map_err(|error: tokio_postgres::Error| described(&error))
}

/// What was seen of the primary, and when.
#[derive(Default)]
pub(crate) struct Seen {
    identity: Option<Identity>,
    /// The oldest first.
    moments: VecDeque<(Duration, Position)>,
}

impl Seen {
    /// Keeps what the primary said to a question asked at `now`.
    pub(crate) fn keep(&mut self, now: Duration, standing: &Standing) {
        if self.identity != Some(standing.identity) {
            self.moments.clear();
            self.identity = Some(standing.identity);
        }
        self.moments.push_back((now, standing.position));
    }

    /// What a replica must be, and the position that it must have reached in order to be behind by no more
    /// than `lag`; `None` if the primary has not been reached for so long.
    pub(crate) fn least(&mut self, now: Duration, lag: Duration) -> Option<(Identity, Position)> {
        while self.moments.front().is_some_and(|(at, _)| *at + lag < now) {
            self.moments.pop_front();
        }
        Some((self.identity?, self.moments.front()?.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(cluster: i64, position: Position) -> Standing {
        Standing {
            identity: Identity {
                cluster,
                timeline: 1,
                database: 5,
            },
            follows: false,
            position,
        }
    }

    #[test]
    fn a_replica_must_have_what_the_primary_had_before_the_bound() {
        let second = Duration::from_secs;
        let mut seen = Seen::default();
        assert_eq!(seen.least(second(0), second(5)), None, "nothing is known");
        for moment in 0..=10 {
            seen.keep(second(moment), &at(1, 100 + moment as i64));
        }
        let least = |seen: &mut Seen, now| seen.least(second(now), second(5)).map(|it| it.1);
        assert_eq!(least(&mut seen, 10), Some(105));
        assert_eq!(least(&mut seen, 12), Some(107));
        assert_eq!(least(&mut seen, 15), Some(110));
        assert_eq!(least(&mut seen, 16), None, "the primary is away");
    }

    #[test]
    fn what_another_database_said_counts_no_more() {
        let mut seen = Seen::default();
        seen.keep(Duration::ZERO, &at(1, 900));
        seen.keep(Duration::ZERO, &at(2, 100));
        let (identity, position) = seen.least(Duration::ZERO, Duration::ZERO).unwrap();
        assert_eq!((identity.cluster, position), (2, 100));
    }
}
