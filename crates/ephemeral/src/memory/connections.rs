//! Connected live sessions and their bundles, by account.

use dashmap::DashMap;

use super::Memory;
use crate::{
    Answer, Bundle, Connection, LiveId, MessageId, Notice, Presence, SessionId, Target,
    TooManySockets, UserId,
};

/// A connection and what it published.
struct Present {
    connection: Connection,
    bundle: Option<Bundle>,
}

/// Every connection, by account.
#[derive(Default)]
pub(super) struct Connections(DashMap<UserId, Vec<Present>>);

impl Connections {
    /// Adds a connection; returns the one that it replaces.
    fn join(
        &self,
        connection: Connection,
        per_session: usize,
    ) -> (Option<Connection>, Result<(), TooManySockets>) {
        let mut present = self.0.entry(connection.account).or_default();
        let same = |other: &Present| other.connection.live == connection.live;
        let replaced = present.iter().position(same);
        let replaced = replaced.map(|at| present.swap_remove(at).connection);
        let of_session = |other: &&Present| other.connection.session == connection.session;
        if present.iter().filter(of_session).count() >= per_session {
            return (replaced, Err(TooManySockets));
        }
        present.push(Present {
            connection,
            bundle: None,
        });
        (replaced, Ok(()))
    }

    /// Removes a connection; returns whether its live session has no other.
    fn leave(&self, connection: &Connection) -> bool {
        let account = connection.account;
        if let Some(mut present) = self.0.get_mut(&account) {
            present.retain(|other| other.connection != *connection);
        }
        self.0.remove_if(&account, |_, present| present.is_empty());
        !self.holds(account, connection.live)
    }

    fn holds(&self, account: UserId, live: LiveId) -> bool {
        self.0.get(&account).is_some_and(|present| {
            let mut present = present.iter();
            present.any(|other| other.connection.live == live)
        })
    }

    /// Changes the bundles of some connections of an account.
    fn change(
        &self,
        account: UserId,
        of: impl Fn(&Connection) -> bool,
        mut change: impl FnMut(&mut Option<Bundle>),
    ) {
        if let Some(mut present) = self.0.get_mut(&account) {
            let concerned = present.iter_mut().filter(|other| of(&other.connection));
            concerned.for_each(|other| change(&mut other.bundle));
        }
    }

    fn bundles(&self, account: UserId, bucket: u64) -> Vec<(Connection, Vec<u8>)> {
        let Some(present) = self.0.get(&account) else {
            return Vec::new();
        };
        let fresh = |other: &Present| {
            let bundle = other.bundle.as_ref().filter(|it| it.bucket >= bucket)?;
            Some((other.connection, bundle.bytes.clone()))
        };
        present.iter().filter_map(fresh).collect()
    }

    #[cfg(test)]
    pub(super) fn accounts(&self) -> usize {
        self.0.len()
    }
}

impl Presence for Memory {
    fn join(
        &self,
        connection: Connection,
        per_session: usize,
    ) -> Answer<'_, Result<(), TooManySockets>> {
        let (replaced, joined) = self.connections.join(connection, per_session);
        if let Some(replaced) = replaced {
            self.vault.notify(&Notice::Replaced(replaced));
        }
        Answer::ready(joined)
    }

    fn leave(&self, connection: &Connection) -> Answer<'_, bool> {
        let is_last = self.connections.leave(connection);
        if is_last {
            let (account, live) = (connection.account, connection.live);
            self.vault.session_left(account, live);
        }
        Answer::ready(is_last)
    }

    fn publish(&self, connection: &Connection, bundle: Bundle) -> Answer<'_, bool> {
        let (mut bundle, mut is_first) = (Some(bundle), false);
        self.connections.change(
            connection.account,
            |other| other == connection,
            |held| is_first = std::mem::replace(held, bundle.take()).is_none(),
        );
        Answer::ready(is_first)
    }

    fn withdraw(&self, connection: &Connection) -> Answer<'_, ()> {
        let is_it = |other: &Connection| other == connection;
        self.connections
            .change(connection.account, is_it, |bundle| *bundle = None);
        Answer::ready(())
    }

    fn withdraw_all(&self, account: UserId) -> Answer<'_, ()> {
        self.connections
            .change(account, |_| true, |bundle| *bundle = None);
        Answer::ready(())
    }

    fn bundles(&self, account: UserId, bucket: u64) -> Answer<'_, Vec<(Connection, Vec<u8>)>> {
        Answer::ready(self.connections.bundles(account, bucket))
    }

    fn mark_absent(&self, id: MessageId, targets: &[Target]) -> Answer<'_, ()> {
        for target in targets {
            if let Target::Live { account, live } = *target
                && !self.connections.holds(account, live)
            {
                self.vault.never_reached(id, account, live);
            }
        }
        Answer::ready(())
    }

    fn end_session(&self, account: UserId, session: SessionId, code: u16) -> Answer<'_, ()> {
        let of_session = |other: &Connection| other.session == session;
        self.connections
            .change(account, of_session, |bundle| *bundle = None);
        self.vault.notify(&Notice::Ended {
            account,
            session,
            code,
        });
        Answer::ready(())
    }

    fn relay(&self, account: UserId, besides: Option<LiveId>, text: String) -> Answer<'_, ()> {
        self.vault.notify(&Notice::Relayed {
            account,
            besides,
            text,
        });
        Answer::ready(())
    }

    fn accounts_changed(&self) -> Answer<'_, ()> {
        // There is no other instance.
        Answer::ready(())
    }
}
