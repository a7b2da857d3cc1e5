//! The hub: the sockets of this instance.

use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use api::frames::ServerFrame;
use api::ids::LiveId;
use dashmap::DashMap;
use ephemeral::{
    Connection, Ephemeral, MessageId, Notice, TooManySockets, Unreachable, WaitingItem,
};
use protocol::epoch::bucket_of;
use store::{SessionId, UserId};
use tokio::sync::Notify;

use crate::app::sessions::{LiveSession, SignedIn};

use super::frames::waiting;
use super::{Announcer, Deliveries, Outbox, Outgoing};
use api::close;

/// One connected socket.
pub struct Socket {
    connection: Connection,
    session: Arc<LiveSession>,
    outbox: Outbox,
    /// `None` unless the client asked for delivery.
    deliveries: Option<Deliveries>,
    close_code: AtomicU16,
    closing: Notify,
}

impl Socket {
    /// Makes a socket; `number` is drawn at random, and `delivers` says whether messages are pushed to it.
    pub fn new(live: LiveId, session: Arc<LiveSession>, number: u64, delivers: bool) -> Arc<Self> {
        let connection = Connection {
            account: session.user_id(),
            session: session.id(),
            live,
            number,
        };
        Arc::new(Self {
            connection,
            session,
            outbox: Outbox::default(),
            deliveries: delivers.then(Deliveries::default),
            close_code: AtomicU16::new(0),
            closing: Notify::new(),
        })
    }

    /// Returns the frames that wait to be written.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Returns what it is to be told of messages, if it asked for delivery.
    pub(crate) fn deliveries(&self) -> Option<&Deliveries> {
        self.deliveries.as_ref()
    }

    /// Waits until it is to be told of a message; without end unless it asked for delivery.
    pub(crate) async fn has_due(&self) {
        match &self.deliveries {
            Some(deliveries) => deliveries.ready().await,
            None => std::future::pending().await,
        }
    }

    /// Tells that a message for the live session can be claimed, or leaves that to the socket's task.
    fn announce(&self, item: &WaitingItem, is_new: bool) {
        match &self.deliveries {
            None => self.tell(&ServerFrame::Waiting(waiting(item))),
            Some(deliveries) if deliveries.note(*item, is_new) => {}
            Some(_) => self.close(close::TOO_MUCH),
        }
    }

    /// Returns the live session's id.
    pub fn live(&self) -> LiveId {
        self.connection.live
    }

    /// Returns its place in the ephemeral plane.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns the cookie session.
    pub fn session(&self) -> &Arc<LiveSession> {
        &self.session
    }

    /// Queues a frame; disconnects a client whose queue is full.
    pub fn send(&self, frame: Outgoing) {
        if !self.outbox.push(frame) {
            self.close(close::TOO_MUCH);
        }
    }

    /// Queues a text frame.
    pub fn tell(&self, told: &ServerFrame) {
        if let Some(frame) = written(told) {
            self.send(frame);
        }
    }

    /// Says the first message, before any that is there earlier.
    pub(crate) fn begin(&self, told: &ServerFrame) {
        self.outbox.begin(written(told));
    }

    /// Asks the socket's task to close with this code; the first code wins.
    pub fn close(&self, code: u16) {
        let _ = self
            .close_code
            .compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst);
        self.closing.notify_one();
    }

    /// Waits for a request to close.
    pub async fn closed(&self) -> u16 {
        loop {
            let code = self.close_code.load(Ordering::SeqCst);
            if code != 0 {
                return code;
            }
            self.closing.notified().await;
        }
    }
}

/// Writes a frame; the log has why if it cannot be.
fn written(told: &ServerFrame) -> Option<Outgoing> {
    let text = serde_json::to_string(told);
    let text = text.inspect_err(|cause| tracing::error!(%cause, "a frame could not be written"));
    text.ok().map(Outgoing::Text)
}

/// The oldest bucket of time whose bundles a sender takes: the one before the present one.
fn oldest_bucket(now: u64) -> u64 {
    bucket_of(now).saturating_sub(1)
}

/// Every socket of this instance, by account.
pub struct Hub {
    /// Is told of sessions that have ended, on whichever instance.
    endings: OnceLock<Box<dyn Fn(SessionId) + Send + Sync>>,
    /// Is told that another instance changed accounts.
    changes: OnceLock<Box<dyn Fn() + Send + Sync>>,
    plane: Ephemeral,
    accounts: DashMap<UserId, Vec<Arc<Socket>>>,
    count: AtomicUsize,
}

impl Hub {
    /// Makes a hub that tells its sockets what the plane says.
    pub fn new(plane: Ephemeral) -> Arc<Self> {
        let hub = Arc::new(Self {
            endings: OnceLock::new(),
            changes: OnceLock::new(),
            plane,
            accounts: DashMap::new(),
            count: AtomicUsize::new(0),
        });
        let announcer = Announcer::new(Arc::downgrade(&hub));
        hub.plane.vault().subscribe(Box::new(announcer));
        hub
    }

    /// Names who is told of sessions that have ended; the first to ask is.
    pub(crate) fn tell_endings(&self, told: impl Fn(SessionId) + Send + Sync + 'static) {
        let _ = self.endings.set(Box::new(told));
    }

    /// Names who is told that another instance changed accounts; the first to ask is.
    pub(crate) fn tell_changes(&self, told: impl Fn() + Send + Sync + 'static) {
        let _ = self.changes.set(Box::new(told));
    }

    /// Adds a socket; it replaces one with the same live id.
    pub async fn join(
        &self,
        socket: &Arc<Socket>,
        per_session: usize,
    ) -> Result<Result<(), TooManySockets>, Unreachable> {
        // Before the plane has it, so that whoever replaces it finds it here.
        let account = socket.connection.account;
        self.accounts
            .entry(account)
            .or_default()
            .push(Arc::clone(socket));
        self.count.fetch_add(1, Ordering::Relaxed);
        let presence = self.plane.presence();
        let joined = presence.join(socket.connection, per_session).await;
        if !matches!(joined, Ok(Ok(()))) {
            self.remove(&socket.connection);
        }
        joined
    }

    /// Removes a socket; returns whether its live session has no other, on any instance.
    pub async fn leave(&self, socket: &Socket) -> Result<bool, Unreachable> {
        self.remove(&socket.connection);
        self.plane.presence().leave(&socket.connection).await
    }

    fn remove(&self, connection: &Connection) -> Option<Arc<Socket>> {
        let account = connection.account;
        let removed = self.accounts.get_mut(&account).and_then(|mut sockets| {
            let is_it = |other: &Arc<Socket>| other.connection == *connection;
            let at = sockets.iter().position(is_it)?;
            Some(sockets.swap_remove(at))
        });
        if removed.is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        self.accounts
            .remove_if(&account, |_, sockets| sockets.is_empty());
        removed
    }

    /// Does what the plane says about connections.
    pub(super) fn heed(&self, notice: &Notice) {
        match notice {
            Notice::Replaced(connection) => {
                if let Some(socket) = self.remove(connection) {
                    socket.close(close::REPLACED);
                }
            }
            Notice::Lost(connection) => {
                if let Some(socket) = self.remove(connection) {
                    socket.close(close::SHUTTING_DOWN);
                }
            }
            Notice::Ended {
                account,
                session,
                code,
            } => {
                if let Some(told) = self.endings.get() {
                    told(*session);
                }
                self.close_session(*account, *session, *code);
            }
            Notice::AccountsChanged => {
                if let Some(told) = self.changes.get() {
                    told();
                }
            }
            Notice::Relayed {
                account,
                besides,
                text,
            } => {
                let told = self.sockets(*account).into_iter();
                told.filter(|socket| Some(socket.live()) != *besides)
                    .for_each(|socket| socket.send(Outgoing::Text(text.clone())));
            }
        }
    }

    /// Returns the number of connected sockets.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Sends to all sockets of an account.
    pub fn tell_account(&self, user: UserId, told: &ServerFrame) {
        for socket in self.sockets(user) {
            socket.tell(told);
        }
    }

    /// Announces a message for one live session of an account.
    pub(super) fn announce(&self, user: UserId, live: LiveId, item: &WaitingItem, is_new: bool) {
        for socket in self.sockets(user) {
            if socket.live() == live {
                socket.announce(item, is_new);
            }
        }
    }

    /// Notes that a live session's claim of a message has ended: another may be pushed.
    pub(super) fn settle(&self, user: UserId, live: LiveId, id: MessageId) {
        for socket in self.sockets(user) {
            if let Some(deliveries) = socket.deliveries().filter(|_| socket.live() == live) {
                deliveries.settle(id);
            }
        }
    }

    /// Sends to the sockets of an account on every instance, but to none of the live session `besides`.
    async fn relay(
        &self,
        user: UserId,
        besides: Option<LiveId>,
        told: &ServerFrame,
    ) -> Result<(), Unreachable> {
        match serde_json::to_string(told) {
            Ok(text) => self.plane.presence().relay(user, besides, text).await,
            Err(cause) => {
                tracing::error!(%cause, "a frame could not be written");
                Ok(())
            }
        }
    }

    /// Tells the account's tabs that a safe was written.
    pub async fn safe_written(&self, who: &SignedIn, version: Option<u64>, prekey: Option<u64>) {
        let told = ServerFrame::Safe {
            version: version.unwrap_or(0),
            prekey_version: prekey.unwrap_or(0),
        };
        // It is written: whoever is not told finds it at the next start.
        if let Err(cause) = self.relay(who.user_id(), None, &told).await {
            tracing::error!(%cause, "tabs are not told of a safe that was written");
        }
    }

    /// Tells the account's other sockets that this one can be sent to.
    pub async fn joined(&self, socket: &Socket) -> Result<(), Unreachable> {
        let Connection { account, live, .. } = socket.connection;
        self.relay(account, Some(live), &ServerFrame::Joined {})
            .await
    }

    /// Returns the live ids and bundles of an account's sessions that are live now.
    pub async fn bundles(
        &self,
        user: UserId,
        now: u64,
    ) -> Result<Vec<(LiveId, Vec<u8>)>, Unreachable> {
        let presence = self.plane.presence();
        let mut found = presence.bundles(user, oldest_bucket(now)).await?;
        // A session that is over and was not swept yet cannot be written to.
        for over in self.sockets(user) {
            if over.session.is_over(now) {
                found.retain(|(connection, _)| *connection != over.connection);
            }
        }
        let found = found.into_iter();
        Ok(found
            .map(|(connection, bundle)| (connection.live, bundle))
            .collect())
    }

    /// Closes the sockets of one session.
    pub fn close_session(&self, user: UserId, session: SessionId, code: u16) {
        for socket in self.sockets(user) {
            if socket.session.id() == session {
                socket.close(code);
            }
        }
    }

    /// Closes every socket.
    pub fn close_all(&self, code: u16) {
        for entry in &self.accounts {
            for socket in entry.value() {
                socket.close(code);
            }
        }
    }

    /// Returns the sockets of a session.
    pub(crate) fn of_session(&self, who: &SignedIn) -> Vec<Arc<Socket>> {
        let session = who.session().id();
        let mut sockets = self.sockets(who.user_id());
        sockets.retain(|socket| socket.session.id() == session);
        sockets
    }

    /// Returns a copy of the list, so that nothing is sent while the map is locked.
    fn sockets(&self, user: UserId) -> Vec<Arc<Socket>> {
        self.accounts
            .get(&user)
            .map(|sockets| sockets.clone())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ephemeral::Bundle;

    #[tokio::test]
    async fn a_reader_that_lets_its_queue_fill_up_is_cut_off() {
        let session = LiveSession::for_test();
        let socket = Socket::new(LiveId::from_bytes([1; 16]), session, 1, false);
        for _ in 0..512 {
            socket.tell(&ServerFrame::Pong {});
        }
        assert_eq!(socket.close_code.load(Ordering::SeqCst), 0);
        socket.tell(&ServerFrame::Pong {});
        assert_eq!(socket.closed().await, close::TOO_MUCH);
        assert!(
            std::future::poll_fn(|cx| socket.outbox().poll_next(cx))
                .await
                .is_some()
        );
    }

    #[tokio::test]
    async fn a_socket_that_is_told_of_nothing_that_is_due_is_cut_off() {
        let (account, live) = (UserId::from_bytes([1; 16]), LiveId::from_bytes([1; 16]));
        let item = WaitingItem {
            id: MessageId::from_bytes([1; 16]),
            poster: account,
            burn_on_read: false,
            size: 1,
            expires_at: 1,
            target: ephemeral::Target::Live { account, live },
        };
        let socket = Socket::new(live, LiveSession::for_test(), 1, true);
        for _ in 0..512 {
            socket.announce(&item, true);
        }
        assert_eq!(socket.close_code.load(Ordering::SeqCst), 0);
        socket.announce(&item, true);
        assert_eq!(socket.closed().await, close::TOO_MUCH);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(socket.outbox().poll_next(&mut cx).is_pending());
    }

    fn hub() -> Arc<Hub> {
        let config = ephemeral::Config::default();
        Hub::new(Ephemeral::memory(config, ambient::Ambient::system()))
    }

    #[tokio::test]
    async fn a_bundle_is_handed_out_in_its_bucket_and_the_next_whatever_number_it_names() {
        let hub = hub();
        let socket = Socket::new(
            LiveId::from_bytes([1; 16]),
            LiveSession::for_test(),
            1,
            false,
        );
        hub.join(&socket, 1).await.unwrap().unwrap();
        let presence = hub.plane.presence();
        for (bucket, now, handed_out) in [
            (10, 3_000, true),
            (10, 3_599, true),
            (10, 3_600, false),
            (u64::MAX, 3_000, true),
            (0, u64::MAX, false),
        ] {
            let bytes = vec![1];
            let bundle = Bundle { bucket, bytes };
            presence.publish(&socket.connection, bundle).await.unwrap();
            let account = socket.connection.account;
            let found = presence.bundles(account, oldest_bucket(now)).await.unwrap();
            assert_eq!(!found.is_empty(), handed_out, "{bucket} {now}");
        }
    }

    #[tokio::test]
    async fn a_session_that_is_over_and_not_swept_yet_is_not_handed_out() {
        let hub = hub();
        let socket = Socket::new(
            LiveId::from_bytes([1; 16]),
            LiveSession::for_test(),
            1,
            false,
        );
        hub.join(&socket, 1).await.unwrap().unwrap();
        let bucket = u64::MAX;
        let bytes = vec![1];
        let presence = hub.plane.presence();
        let bundle = Bundle { bucket, bytes };
        presence.publish(&socket.connection, bundle).await.unwrap();
        let account = socket.connection.account;
        assert_eq!(hub.bundles(account, 2_799).await.unwrap().len(), 1);
        assert!(hub.bundles(account, 2_800).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_session_holds_as_many_sockets_as_it_may_and_a_live_id_only_one() {
        let hub = hub();
        let session = LiveSession::for_test();
        let join = async |live: u8, number: u64| {
            let live = LiveId::from_bytes([live; 16]);
            let socket = Socket::new(live, Arc::clone(&session), number, false);
            hub.join(&socket, 2).await.unwrap().map(|()| socket)
        };
        let first = join(1, 1).await.unwrap();
        let second = join(2, 2).await.unwrap();
        assert_eq!(join(3, 3).await.err(), Some(TooManySockets));
        let again = join(1, 4).await.unwrap();
        assert_eq!(first.close_code.load(Ordering::SeqCst), close::REPLACED);
        assert_eq!(hub.count(), 2);
        let leave = async |socket: &Socket| hub.leave(socket).await.unwrap();
        assert!(!leave(&first).await, "another socket took its place");
        assert!(leave(&second).await && leave(&again).await);
        assert_eq!((hub.count(), hub.accounts.len()), (0, 0));
    }

    #[tokio::test]
    async fn a_notice_closes_the_sockets_of_a_session_and_a_relayed_text_spares_one() {
        let hub = hub();
        let session = LiveSession::for_test();
        let one = Socket::new(LiveId::from_bytes([1; 16]), Arc::clone(&session), 1, false);
        let two = Socket::new(LiveId::from_bytes([2; 16]), session, 2, false);
        for socket in [&one, &two] {
            hub.join(socket, 2).await.unwrap().unwrap();
        }
        hub.joined(&one).await.unwrap();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(two.outbox().poll_next(&mut cx).is_ready());
        assert!(one.outbox().poll_next(&mut cx).is_pending());
        let Connection {
            account, session, ..
        } = one.connection;
        let presence = hub.plane.presence();
        let ended = presence.end_session(account, session, close::SESSION_ENDED);
        ended.await.unwrap();
        for socket in [one, two] {
            assert_eq!(socket.closed().await, close::SESSION_ENDED);
        }
    }
}
