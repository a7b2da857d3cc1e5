//! A live session at its socket: it joins, publishes a bundle, hears what waits, and leaves.
//!
//! Specification: `docs/protocol.md#websocket`.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Waker};

use api::Code;
use api::frames::{ServerFrame, Stranded};
use api::ids::LiveId;
use ephemeral::{Bundle, MessageId, UserId};
use protocol::epoch::bucket_of;
use protocol::prekeys::SessionBundle;
use tokio::runtime::Handle;

use crate::app::limits::Limit;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};

use super::frames::waiting;
use super::{Socket, service};

/// The most waiting messages that the first frame lists.
const HELLO_ITEMS: usize = 64;

/// The most unreadable messages that the first frame lists: in all, and of one poster.
const STRANDED_ITEMS: usize = 32;
const STRANDED_OF_ONE: usize = 4;

/// The most parts of a list of what waits.
const LIST_PARTS: usize = 256;

/// The most waiting messages that follow it one by one; `list` asks for the others.
const TOLD_ITEMS: usize = 256;

/// Makes the socket of a live session, which has not joined; `delivers` says whether messages for the live
/// session are pushed to it.
pub(crate) fn socket(app: &App, who: &SignedIn, live: LiveId, delivers: bool) -> Arc<Socket> {
    let number = u64::from_be_bytes(app.ambient().random());
    let socket = Socket::new(live, Arc::clone(who.session()), number, delivers);
    socket.outbox().hold();
    socket
}

/// A live session's place at the server. It leaves when this is dropped, and what it held unread waits again.
pub(crate) struct Membership {
    app: Arc<App>,
    who: SignedIn,
    socket: Arc<Socket>,
}

impl Membership {
    /// Joins with a socket of [`socket`].
    pub(crate) async fn join(
        app: &Arc<App>,
        who: &SignedIn,
        socket: Arc<Socket>,
    ) -> Result<Self, Problem> {
        app.hub()
            .join(&socket, app.config().sockets_per_session)
            .await?
            .map_err(|_| Problem::over(Limit::Sockets, 60))?;
        Ok(Self {
            app: Arc::clone(app),
            who: who.clone(),
            socket,
        })
    }

    /// Returns the socket.
    pub(crate) fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    /// Says which server this is and what waits.
    pub(crate) async fn hello(&self) -> Result<(), Problem> {
        let (vault, account) = (self.app.vault(), self.who.user_id());
        let live = self.socket.live();
        let boot_id = self.app.present_boot().await?.id();
        vault.session_back(account, live).await?;
        let items = vault.waiting_for(account, Some(live)).await?;
        let stranded = vault.stranded_for(account).await?;
        self.socket.begin(&ServerFrame::Hello {
            boot_id,
            now: self.app.ambient().now(),
            waiting: items.iter().take(HELLO_ITEMS).map(waiting).collect(),
            more: items.len() > HELLO_ITEMS + TOLD_ITEMS,
            stranded: listed(stranded),
        });
        for item in items.iter().skip(HELLO_ITEMS).take(TOLD_ITEMS) {
            self.socket.tell(&ServerFrame::Waiting(waiting(item)));
        }
        Ok(())
    }

    /// Lists everything that waits, in parts.
    pub(crate) async fn list(&self) -> Result<(), Problem> {
        let items = service::waiting(&self.app, &self.who, Some(self.socket.live())).await?;
        let mut parts = items.chunks(HELLO_ITEMS).take(LIST_PARTS).peekable();
        if parts.peek().is_none() {
            self.socket.tell(&ServerFrame::Listed {
                waiting: Vec::new(),
                more: false,
            });
        }
        while let Some(part) = parts.next() {
            self.socket.tell(&ServerFrame::Listed {
                waiting: part.iter().map(waiting).collect(),
                more: parts.peek().is_some(),
            });
        }
        Ok(())
    }

    /// Publishes the session's bundle; the account's other sessions are told of the first one.
    pub(crate) async fn publish(&self, bundle: Vec<u8>) -> Result<(), Problem> {
        let decoded =
            SessionBundle::decode(&bundle).map_err(|error| service::unreadable(&error))?;
        let own = decoded.user_id == self.who.user_id() && decoded.live_id == self.socket.live();
        if !own {
            return Err(Problem::forbidden("The bundle is another session's."));
        }
        // Senders take no other, and a number that is kept is one that can be computed with.
        if decoded.bucket.abs_diff(bucket_of(self.app.ambient().now())) > 1 {
            return Err(Problem::new(
                Code::KeysUnusable,
                "The bundle is made for another time. Set the clock of this device.",
            ));
        }
        let bundle = Bundle {
            bucket: decoded.bucket,
            bytes: bundle,
        };
        let presence = self.app.plane().presence();
        if presence.publish(self.socket.connection(), bundle).await? {
            self.app.hub().joined(&self.socket).await?;
        }
        Ok(())
    }

    /// Withdraws the bundle; what the session held unread waits again.
    pub(crate) async fn withdraw(&self) -> Result<(), Problem> {
        let presence = self.app.plane().presence();
        presence.withdraw(self.socket.connection()).await?;
        let (account, live) = (self.who.user_id(), self.socket.live());
        Ok(self.app.vault().session_left(account, live).await?)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let (app, socket) = (Arc::clone(&self.app), Arc::clone(&self.socket));
        finish(async move {
            if let Err(cause) = app.hub().leave(&socket).await {
                tracing::error!(%cause, "what a session held unread waits until its leases end");
            }
        });
    }
}

/// Runs to its end what nobody waits for: at once if it can be, else in a task of its own.
fn finish(leaving: impl Future<Output = ()> + Send + 'static) {
    let mut leaving = Box::pin(leaving);
    let now = leaving
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    if now.is_pending()
        && let Ok(runtime) = Handle::try_current()
    {
        runtime.spawn(leaving);
    }
}

/// Returns a few of each poster, so that no poster displaces the others.
fn listed(stranded: Vec<(MessageId, UserId)>) -> Vec<Stranded> {
    let mut of: HashMap<UserId, usize> = HashMap::new();
    let few = stranded.into_iter().filter(|(_, poster)| {
        let count = of.entry(*poster).or_default();
        *count += 1;
        *count <= STRANDED_OF_ONE
    });
    let items = few.map(|(id, from)| Stranded { id, from });
    items.take(STRANDED_ITEMS).collect()
}
