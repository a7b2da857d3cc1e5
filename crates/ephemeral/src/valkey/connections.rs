//! Connected live sessions and their bundles, on every instance.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Valkey;
use super::core::Core;
use super::events::{Told, relay};
use super::wire::Args;
use crate::{
    Answer, Bundle, Connection, LiveId, MessageId, Notice, Presence, SessionId, Target,
    TooManySockets, Unreachable, UserId,
};

/// Names a connection.
fn named(of: &Connection) -> Args {
    Args::default()
        .raw(of.account.as_bytes())
        .raw(of.live.as_bytes())
}

impl Core {
    async fn join(
        &self,
        of: Connection,
        per_session: usize,
    ) -> Result<Result<(), TooManySockets>, Unreachable> {
        // Before the plane has it, so that it misses nothing.
        self.local.add(of);
        let joined = self.enter(&of, per_session).await;
        if !matches!(joined, Ok(Ok(()))) {
            self.local.remove(&of);
        }
        joined
    }

    async fn enter(
        &self,
        of: &Connection,
        per_session: usize,
    ) -> Result<Result<(), TooManySockets>, Unreachable> {
        let here = Args::default().raw(of.account.as_bytes());
        self.everywhere("renew", here).await?;
        let args = named(of)
            .raw(of.session.as_bytes())
            .raw(of.number.to_be_bytes())
            .number(per_session as u64);
        let reply = self.at(of.account.as_bytes(), "join", args).await?;
        Ok(match reply.word() {
            "ok" => Ok(()),
            _ => Err(TooManySockets),
        })
    }

    async fn leave(&self, of: Connection) -> Result<bool, Unreachable> {
        self.local.remove(&of);
        let left = self.say_left(&of).await;
        if left.is_err() {
            self.local.note_unsaid(of);
        }
        left
    }

    async fn say_left(&self, of: &Connection) -> Result<bool, Unreachable> {
        let args = named(of).raw(of.number.to_be_bytes());
        let reply = self.at(of.account.as_bytes(), "leave", args).await?;
        let is_last = reply.is_yes();
        if is_last {
            self.session_left(of.account, of.live).await?;
        }
        Ok(is_last)
    }

    /// Says again of which connections the nodes could not be told that they left.
    pub(super) async fn say_unsaid(&self) {
        for connection in self.local.take_unsaid() {
            if self.say_left(&connection).await.is_err() {
                self.local.note_unsaid(connection);
            }
        }
    }

    async fn bundles(
        &self,
        account: UserId,
        bucket: u64,
    ) -> Result<Vec<(Connection, Vec<u8>)>, Unreachable> {
        let args = Args::default().raw(account.as_bytes()).number(bucket);
        let reply = self.at(account.as_bytes(), "bundles", args).await?;
        let read = |bytes: &Vec<u8>| {
            let (live, rest) = bytes.split_at_checked(16)?;
            let (session, rest) = rest.split_at_checked(32)?;
            let (number, bundle) = rest.split_at_checked(8)?;
            let connection = Connection {
                account,
                session: SessionId::from_slice(session)?,
                live: LiveId::from_slice(live)?,
                number: u64::from_be_bytes(number.try_into().ok()?),
            };
            Some((connection, bundle.to_vec()))
        };
        Ok(reply.parts().iter().filter_map(read).collect())
    }

    async fn mark_absent(&self, id: MessageId, targets: Vec<Target>) -> Result<(), Unreachable> {
        let mut sessions: BTreeMap<UserId, Vec<LiveId>> = BTreeMap::new();
        for target in targets {
            if let Target::Live { account, live } = target {
                sessions.entry(account).or_default().push(live);
            }
        }
        for (account, lives) in sessions {
            let args = Args::default()
                .raw(account.as_bytes())
                .all(lives.iter().map(LiveId::as_bytes));
            let held = self
                .at(account.as_bytes(), "holds", args)
                .await?
                .numbers()?;
            for (live, held) in lives.into_iter().zip(held) {
                if held == 0 {
                    self.never_reached(id, account, live).await?;
                }
            }
        }
        Ok(())
    }
}

impl Valkey {
    /// Asks the node of an account for something of which nothing is answered.
    fn tell(&self, account: UserId, operation: &'static str, args: Args) -> Answer<'_, ()> {
        self.ask(|core| async move {
            let told = core.at(account.as_bytes(), operation, args).await;
            told.map(drop)
        })
    }
}

impl Presence for Valkey {
    fn join(
        &self,
        connection: Connection,
        per_session: usize,
    ) -> Answer<'_, Result<(), TooManySockets>> {
        self.ask(|core| async move { core.join(connection, per_session).await })
    }

    fn leave(&self, connection: &Connection) -> Answer<'_, bool> {
        let connection = *connection;
        self.ask(|core| async move { core.leave(connection).await })
    }

    fn publish(&self, connection: &Connection, bundle: Bundle) -> Answer<'_, bool> {
        let account = connection.account;
        let args = named(connection)
            .raw(connection.number.to_be_bytes())
            .number(bundle.bucket)
            .raw(bundle.bytes);
        self.ask(|core: Arc<Core>| async move {
            let reply = core.at(account.as_bytes(), "publish", args).await?;
            Ok(reply.is_yes())
        })
    }

    fn withdraw(&self, connection: &Connection) -> Answer<'_, ()> {
        let args = named(connection).raw(connection.number.to_be_bytes());
        self.tell(connection.account, "withdraw", args)
    }

    fn withdraw_all(&self, account: UserId) -> Answer<'_, ()> {
        let args = Args::default().raw(account.as_bytes());
        self.tell(account, "withdraw_all", args)
    }

    fn bundles(&self, account: UserId, bucket: u64) -> Answer<'_, Vec<(Connection, Vec<u8>)>> {
        self.ask(|core| async move { core.bundles(account, bucket).await })
    }

    fn mark_absent(&self, id: MessageId, targets: &[Target]) -> Answer<'_, ()> {
        let targets = targets.to_vec();
        self.ask(|core| async move { core.mark_absent(id, targets).await })
    }

    fn end_session(&self, account: UserId, session: SessionId, code: u16) -> Answer<'_, ()> {
        // Those of this instance are closed although the node may be away.
        self.core.tell(&Told::Notice(Notice::Ended {
            account,
            session,
            code,
        }));
        let args = Args::default()
            .raw(account.as_bytes())
            .raw(session.as_bytes())
            .number(code.into());
        self.tell(account, "end_session", args)
    }

    fn relay(&self, account: UserId, besides: Option<LiveId>, text: String) -> Answer<'_, ()> {
        let args = Args::default()
            .raw(account.as_bytes())
            .raw(relay(besides, &text));
        self.core.tell(&Told::Notice(Notice::Relayed {
            account,
            besides,
            text,
        }));
        self.tell(account, "relay", args)
    }

    fn accounts_changed(&self) -> Answer<'_, ()> {
        // Every instance listens at every node.
        let anywhere = UserId::from_bytes([0; 16]);
        self.tell(anywhere, "accounts_changed", Args::default())
    }
}
