//! Links of this instance: the pairs that clients open them with, and what the next link begins with.
//!
//! Specification: `docs/protocol/link.md`.

mod handshake;
mod pairs;
mod tickets;

pub(crate) use handshake::{HalfOpen, Opened, Refused};
pub(crate) use tickets::{Errand, Taken};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::ids::{BootId, SessionId};
use dashmap::DashMap;
use protocol::boot::BootSigningKey;
use protocol::link::{Direction, KnownSession, PskId, Psks};
use tokio::sync::{Notify, Semaphore};

use ambient::Ambient;
use pairs::Pairs;
use tickets::Tickets;

use crate::app::messages::Socket;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};

/// The most signatures that are checked at once.
const CHECKS: usize = 2;

/// Seconds for which a link may be half open, by the injected clock and by the machine's.
const HALF_OPEN_SECS: u64 = 10;

/// Seconds for which a key is kept after the link that left it ended.
const KEEP_SECS: u64 = 3_600;

/// The links of this instance; nothing of them leaves its memory.
pub struct Links {
    pairs: Pairs,
    psks: Mutex<Psks>,
    half_open: DashMap<SessionId, Vec<Arc<Half>>>,
    pub(crate) tickets: Tickets,
    /// So many signatures are checked at once; each needs a thread with a deep stack.
    checks: Semaphore,
}

impl Links {
    /// Makes no pair yet.
    pub fn new(key: &BootSigningKey, boot: BootId, ambient: Ambient) -> Self {
        Self {
            pairs: Pairs::new(key, boot, ambient),
            psks: Mutex::default(),
            half_open: DashMap::new(),
            tickets: Tickets::default(),
            checks: Semaphore::new(CHECKS),
        }
    }

    /// Ticks until the future is dropped. The jobs have a loop of their own, which may be held up.
    pub async fn run(self: Arc<Self>, pause: Duration) {
        loop {
            self.tick().await;
            tokio::time::sleep(pause).await;
        }
    }

    /// Ends and forgets what is over by the injected clock, and makes the pairs that will be needed next.
    pub async fn tick(&self) {
        self.sweep(self.pairs.now());
        self.pairs.prepare().await;
    }

    /// The plane has begun anew: links that begin from now on name its boot id.
    pub(crate) fn begin_anew(&self, boot: BootId) {
        self.pairs.begin_anew(boot);
    }

    fn sweep(&self, now: u64) {
        self.pairs.sweep(now);
        for halves in &self.half_open {
            let late = |half: &&Arc<Half>| now >= half.since.saturating_add(HALF_OPEN_SECS);
            let late = halves.iter().filter(late);
            late.for_each(|half| half.over.notify_one());
        }
        self.psks().sweep(now);
        self.tickets.sweep(now);
    }

    /// Forgets the keys of a session that ended, and ends its links that are half open.
    pub fn end_session(&self, session: SessionId) {
        if let Some(halves) = self.half_open.get(&session) {
            halves.iter().for_each(|half| half.over.notify_one());
        }
        self.psks().forget_session(&session);
    }

    /// The link of a socket ended: its key is kept for an hour, its tickets are not.
    pub(crate) fn left(&self, socket: &Socket, key: Option<PskId>, now: u64) {
        let until = now.saturating_add(KEEP_SECS);
        if let Some(key) = key {
            let (session, live) = (socket.session().id(), socket.live());
            self.psks().left(&session, &live, &key, until);
        }
        self.tickets.end(socket);
    }

    /// Takes a ticket that a socket of this session holds.
    pub(crate) fn take(
        app: &App,
        who: &SignedIn,
        id: [u8; 16],
        direction: Direction,
    ) -> Result<Taken, Problem> {
        let sockets = app.hub().of_session(who);
        let now = app.ambient().now();
        app.links().tickets.take(&sockets, id, direction, now)
    }

    fn keep(&self, known: KnownSession) -> PskId {
        self.psks().keep(known)
    }

    fn psks(&self) -> MutexGuard<'_, Psks> {
        self.psks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a link of a session that is half open; `None` where it has as many as it may have sockets.
    fn begin(self: &Arc<Self>, session: SessionId, most: usize, now: u64) -> Option<Begun> {
        let mut of_session = self.half_open.entry(session).or_default();
        if of_session.len() >= most {
            return None;
        }
        let half = Arc::new(Half {
            since: now,
            over: Notify::new(),
        });
        of_session.push(Arc::clone(&half));
        Some(Begun {
            links: Arc::clone(self),
            session,
            half,
        })
    }
}

/// When a link began to open, and whether it has to end.
struct Half {
    since: u64,
    over: Notify,
}

impl Half {
    /// Waits until somebody ends the link, or for as long as it may be half open.
    async fn over(&self, most: Duration) {
        let _ = tokio::time::timeout(most, self.over.notified()).await;
    }
}

/// A link that counts as half open until this is dropped.
struct Begun {
    links: Arc<Links>,
    session: SessionId,
    half: Arc<Half>,
}

impl Drop for Begun {
    fn drop(&mut self) {
        let links = &self.links.half_open;
        if let Some(mut halves) = links.get_mut(&self.session) {
            halves.retain(|half| !Arc::ptr_eq(half, &self.half));
        }
        links.remove_if(&self.session, |_, halves| halves.is_empty());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ambient::{ManualClock, OsEntropy};
    use futures_util::FutureExt;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn pairs_and_half_open_links_end_in_time_whatever_becomes_of_the_jobs() {
        let clock = ManualClock::at(300_000);
        let ambient = Ambient::new(clock.clone(), Arc::new(OsEntropy));
        let key = BootSigningKey::generate(&mut ambient.rng());
        let links = Arc::new(Links::new(&key, BootId::from_bytes([1; 16]), ambient));
        let running = tokio::spawn(Arc::clone(&links).run(Duration::from_millis(1)));
        let first = Arc::downgrade(&links.pairs.current().await);
        let session = SessionId::from_bytes([1; 32]);
        let begun = links.begin(session, 1, 300_000).unwrap();
        let over = begun.half.over(Duration::MAX);
        assert!(over.now_or_never().is_none());
        clock.advance_ms(10_000);
        begun.half.over(Duration::MAX).await;
        clock.advance_ms(590_000);
        while first.strong_count() > 0 {
            yield_now().await;
        }
        running.abort();
    }

    #[tokio::test]
    async fn a_half_open_link_ends_by_the_machines_time_too() {
        let half = Half {
            since: 0,
            over: Notify::new(),
        };
        assert!(half.over(Duration::MAX).now_or_never().is_none());
        half.over(Duration::ZERO).await;
    }
}
