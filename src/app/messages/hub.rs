//! The hub: connected sockets, their live sessions, and the bundles that these published.

use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use api::frames::ServerFrame;
use api::ids::LiveId;
use bytes::Bytes;
use dashmap::DashMap;
use protocol::epoch::bucket_of;
use store::{SessionId, UserId};
use tokio::sync::{Notify, mpsc};

use crate::app::sessions::{LiveSession, SignedIn};

use api::close;

/// The most frames that wait for a slow client before it is disconnected.
const QUEUE: usize = 512;

/// A frame to be written.
#[derive(Debug)]
pub enum Outgoing {
    /// JSON.
    Text(String),
    /// A parcel.
    Binary(Bytes),
}

/// One connected socket.
pub struct Socket {
    live: LiveId,
    session: Arc<LiveSession>,
    queue: mpsc::Sender<Outgoing>,
    bundle: Mutex<Option<(u64, Vec<u8>)>>,
    close_code: AtomicU16,
    closing: Notify,
}

impl Socket {
    /// Makes a socket and the queue from which its writer reads.
    pub fn new(live: LiveId, session: Arc<LiveSession>) -> (Arc<Self>, mpsc::Receiver<Outgoing>) {
        let (queue, frames) = mpsc::channel(QUEUE);
        let socket = Self {
            live,
            session,
            queue,
            bundle: Mutex::new(None),
            close_code: AtomicU16::new(0),
            closing: Notify::new(),
        };
        (Arc::new(socket), frames)
    }

    /// Returns the live session's id.
    pub fn live(&self) -> LiveId {
        self.live
    }

    /// Returns the cookie session.
    pub fn session(&self) -> &Arc<LiveSession> {
        &self.session
    }

    /// Queues a frame; disconnects a client whose queue is full.
    pub fn send(&self, frame: Outgoing) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(frame) {
            self.close(close::TOO_MUCH);
        }
    }

    /// Queues a text frame.
    pub fn tell(&self, told: &ServerFrame) {
        match serde_json::to_string(told) {
            Ok(text) => self.send(Outgoing::Text(text)),
            Err(cause) => tracing::error!(%cause, "a frame could not be written"),
        }
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

    /// Publishes or withdraws the session bundle, made for `bucket`; returns whether there was one.
    pub fn set_bundle(&self, bundle: Option<(u64, Vec<u8>)>) -> bool {
        let mut held = self.bundle.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *held, bundle).is_some()
    }

    fn bundle(&self, now: u64) -> Option<Vec<u8>> {
        let bundle = self.bundle.lock().unwrap_or_else(PoisonError::into_inner);
        let (bucket, bytes) = bundle.as_ref()?;
        // A sender takes the present bucket or the one before it.
        (bucket.saturating_add(1) >= bucket_of(now)).then(|| bytes.clone())
    }
}

/// Why the hub refused a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this session holds too many sockets; close some")]
pub struct TooManySockets;

/// Every connected socket, by account.
#[derive(Default)]
pub struct Hub {
    accounts: DashMap<UserId, Vec<Arc<Socket>>>,
    count: AtomicUsize,
}

impl Hub {
    /// Adds a socket; it replaces one with the same live id.
    pub fn join(&self, socket: &Arc<Socket>, per_session: usize) -> Result<(), TooManySockets> {
        let user = socket.session.user_id();
        let mut sockets = self.accounts.entry(user).or_default();
        if let Some(at) = sockets.iter().position(|other| other.live == socket.live) {
            sockets.swap_remove(at).close(close::REPLACED);
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        let same = |other: &&Arc<Socket>| other.session.id() == socket.session.id();
        if sockets.iter().filter(same).count() >= per_session {
            return Err(TooManySockets);
        }
        sockets.push(Arc::clone(socket));
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Removes a socket; returns whether its live session has no other.
    pub fn leave(&self, socket: &Arc<Socket>) -> bool {
        let user = socket.session.user_id();
        if let Some(mut sockets) = self.accounts.get_mut(&user) {
            let before = sockets.len();
            sockets.retain(|other| !Arc::ptr_eq(other, socket));
            self.count
                .fetch_sub(before - sockets.len(), Ordering::Relaxed);
        }
        self.accounts
            .remove_if(&user, |_, sockets| sockets.is_empty());
        !self.holds(user, socket.live)
    }

    /// Returns whether a live session of an account is connected.
    pub fn holds(&self, user: UserId, live: LiveId) -> bool {
        self.sockets(user).iter().any(|socket| socket.live == live)
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

    /// Sends to one live session of an account.
    pub fn tell_live(&self, user: UserId, live: LiveId, told: &ServerFrame) {
        for socket in self.sockets(user) {
            if socket.live == live {
                socket.tell(told);
            }
        }
    }

    /// Tells the account's tabs that a safe was written.
    pub fn safe_written(&self, who: &SignedIn, version: Option<u64>, prekey: Option<u64>) {
        self.tell_account(
            who.user_id(),
            &ServerFrame::Safe {
                version: version.unwrap_or(0),
                prekey_version: prekey.unwrap_or(0),
            },
        );
    }

    /// Tells the account's other sockets that this one can be sent to.
    pub fn joined(&self, socket: &Socket) {
        for other in self.sockets(socket.session.user_id()) {
            if other.live != socket.live {
                other.tell(&ServerFrame::Joined {});
            }
        }
    }

    /// Returns the live ids and bundles of an account's sessions that are live now.
    pub fn bundles(&self, user: UserId, now: u64) -> Vec<(LiveId, Vec<u8>)> {
        self.sockets(user)
            .iter()
            .filter(|socket| !socket.session.is_over(now))
            .filter_map(|socket| Some((socket.live, socket.bundle(now)?)))
            .collect()
    }

    /// Withdraws every bundle of an account whose identity was replaced.
    pub fn withdraw_bundles(&self, user: UserId) {
        for socket in self.sockets(user) {
            socket.set_bundle(None);
        }
    }

    /// Closes the sockets of one session.
    pub fn close_session(&self, user: UserId, session: SessionId, code: u16) {
        for socket in self.sockets(user) {
            if socket.session.id() == session {
                socket.set_bundle(None);
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

    #[tokio::test]
    async fn a_reader_that_lets_its_queue_fill_up_is_cut_off() {
        let session = LiveSession::for_test();
        let (socket, mut frames) = Socket::new(LiveId::from_bytes([1; 16]), session);
        for _ in 0..QUEUE {
            socket.tell(&ServerFrame::Pong {});
        }
        assert_eq!(socket.close_code.load(Ordering::SeqCst), 0);
        socket.tell(&ServerFrame::Pong {});
        assert_eq!(socket.closed().await, close::TOO_MUCH);
        assert!(frames.recv().await.is_some());
    }

    #[test]
    fn a_bundle_is_handed_out_in_its_bucket_and_the_next_whatever_number_it_names() {
        let (socket, _frames) = Socket::new(LiveId::from_bytes([1; 16]), LiveSession::for_test());
        for (bucket, now, handed_out) in [
            (10, 3_000, true),
            (10, 3_599, true),
            (10, 3_600, false),
            (u64::MAX, 3_000, true),
            (0, u64::MAX, false),
        ] {
            socket.set_bundle(Some((bucket, vec![1])));
            assert_eq!(socket.bundle(now).is_some(), handed_out, "{bucket} {now}");
        }
    }

    #[test]
    fn a_session_holds_as_many_sockets_as_it_may_and_a_live_id_only_one() {
        let hub = Hub::default();
        let session = LiveSession::for_test();
        let join = |live: u8| {
            let (socket, _frames) =
                Socket::new(LiveId::from_bytes([live; 16]), Arc::clone(&session));
            hub.join(&socket, 2).map(|()| socket)
        };
        let first = join(1).unwrap();
        let second = join(2).unwrap();
        assert_eq!(join(3).err(), Some(TooManySockets));
        let again = join(1).unwrap();
        assert_eq!(first.close_code.load(Ordering::SeqCst), close::REPLACED);
        assert_eq!(hub.count(), 2);
        assert!(!hub.leave(&first), "another socket took its place");
        assert!(hub.leave(&second) && hub.leave(&again));
        assert_eq!((hub.count(), hub.accounts.len()), (0, 0));
    }
}
