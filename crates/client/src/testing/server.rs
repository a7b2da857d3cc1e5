//! The server: who is there, and what goes out through the hands of a possible enemy.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use api::ids::{BootId, InviteCode};
use api::{RegistrationMode, Role};
use protocol::boot::{BootSigningKey, SignedBoot};
use protocol::ids::{LiveId, MessageId, UserId};
use protocol::opaque::ServerSetup;
use protocol::prekeys::SignedBatch;
use serde_json::Value;

use super::held::Held;
use super::link::{Links, TamperLink};
use super::rng::SeededRng;
use crate::wire::{Blob, Ksf, Restored, SafeData, SafeRead, ServerFrame, Wrap};

/// An answer or frame on its way to a client.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The answer to an HTTP request.
    Json {
        /// Method and path of the request, e.g. `POST /users/…/bundles`.
        request: String,
        /// Status code.
        status: u16,
        /// The body.
        body: Value,
    },
    /// The answer in octets.
    Octets {
        /// Method and path of the request.
        request: String,
        /// Status code.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// A frame of JSON.
    Text(Value),
    /// A frame of an object of the protocol, or of anything.
    Binary(Vec<u8>),
    /// The socket closes.
    Close(u16),
}

impl Reply {
    /// A frame of JSON.
    pub(super) fn frame(frame: &ServerFrame) -> Self {
        Self::Text(serde_json::to_value(frame).expect("a frame is JSON"))
    }
}

impl Reply {
    /// Whether it announces a waiting message.
    pub fn announces(&self) -> bool {
        matches!(self, Self::Text(frame) if frame["t"] == "waiting")
    }
}

/// What an enemy does with replies to one tab: any number of replies instead of one.
pub type Tamper = Box<dyn FnMut(usize, Reply) -> Vec<Reply>>;

/// One account.
#[derive(Debug, Clone)]
pub struct Account {
    pub(super) handle: String,
    pub(super) alias: String,
    pub(super) role: Role,
    pub(super) record: Vec<u8>,
    /// The public keys that others are given; a test may exchange them.
    pub public_keys: Vec<u8>,
    /// The public keys that the account published itself.
    pub(super) own_keys: Vec<u8>,
    /// The key safe as it is stored.
    pub(super) safe: SafeRead,
    pub(super) prekey_safe: SafeData,
    pub(super) write_hash: Vec<u8>,
    pub(super) recovery_hash: Vec<u8>,
    /// The newest batch; a test may exchange it.
    pub batch: SignedBatch,
    /// One-time prekeys not given out.
    pub unclaimed: Vec<u32>,
    /// Every version of both safes ever written.
    pub history: Vec<(u64, Vec<u8>)>,
    /// Every version of the prekey safe ever written.
    pub prekey_history: Vec<(u64, Vec<u8>)>,
}

impl Account {
    /// The wraps of its safe key; a test may change them.
    pub const fn wraps(&mut self) -> &mut Vec<Wrap> {
        &mut self.safe.wraps
    }

    /// The newest version of the key safe.
    #[must_use]
    pub const fn safe_version(&self) -> u64 {
        self.safe.version
    }
}

pub(super) struct Socket {
    pub(super) live: LiveId,
    pub(super) user: UserId,
    pub(super) bundle: Option<Vec<u8>>,
}

/// What is under way between two messages of a sign-in.
#[derive(Debug, Clone)]
pub(super) enum Pending {
    Register {
        handle: String,
        user: UserId,
        setup: bool,
        invite: Option<InviteCode>,
    },
    Login {
        user: Option<UserId>,
        state: Vec<u8>,
    },
    Recover(UserId),
    Passphrase(UserId),
    Reauthenticated(UserId),
}

/// An in-memory server that keeps the contract.
pub struct FakeServer {
    /// Unix milliseconds.
    pub now_ms: u64,
    pub(super) rng: SeededRng,
    pub(super) setup: ServerSetup,
    pub(super) boot_key: BootSigningKey,
    /// The present boot id, signed.
    pub boot: (BootId, SignedBoot),
    /// Who may register.
    pub registration: RegistrationMode,
    /// Whether messages for live sessions are pushed.
    pub delivers: bool,
    /// Accounts by id.
    pub accounts: BTreeMap<UserId, Account>,
    pub(super) cookies: BTreeMap<u64, UserId>,
    pub(super) resume: BTreeMap<u64, Blob>,
    pub(super) pending: BTreeMap<Vec<u8>, Pending>,
    pub(super) sockets: BTreeMap<usize, Socket>,
    /// Messages in memory.
    pub messages: BTreeMap<MessageId, Held>,
    pub(super) acknowledged: BTreeMap<MessageId, u64>,
    pub(super) invites: BTreeMap<InviteCode, MadeInvite>,
    pub(super) claims: BTreeMap<(u64, UserId, u64), Option<u32>>,
    /// Replies that were not asked for, by tab.
    pub(super) pushed: VecDeque<(usize, Reply)>,
    pub(super) links: Links,
    /// What went over the line in either direction, as it is inside the link.
    pub traffic: Vec<Vec<u8>>,
    /// The enemy, if there is one.
    pub tamper: Option<Tamper>,
    /// Whoever is on the way, if there is somebody.
    pub tamper_link: Option<TamperLink>,
    /// Every link that was to be opened: whether the key of the one before was named.
    pub opens: Vec<bool>,
    /// What the server says about the hardening of passphrases.
    pub ksf: Option<Ksf>,
    /// What the server says of a restore.
    pub restored: Option<Restored>,
    /// Requests by method and path, for counting.
    pub log: Vec<String>,
    /// Codes with which the next messages are refused, one each.
    pub refuse: VecDeque<&'static str>,
    /// The status and the problem with which sockets are refused.
    pub refuse_sockets: Option<(u16, Value)>,
    pub(super) next: u64,
}

impl std::fmt::Debug for FakeServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeServer").finish_non_exhaustive()
    }
}

/// An invite that somebody made.
pub(super) struct MadeInvite {
    pub(super) by: UserId,
    pub(super) until: u64,
    /// Who registered with it or opened it; one person may.
    pub(super) used_by: BTreeSet<UserId>,
}

impl FakeServer {
    /// A server at this time, open for registration.
    #[must_use]
    pub fn new(now_ms: u64, seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let setup = ServerSetup::generate(&mut rng);
        let boot_key = BootSigningKey::generate(&mut rng);
        let boot = sign_boot(&mut rng, &boot_key, now_ms);
        Self {
            now_ms,
            rng,
            setup,
            boot_key,
            boot,
            registration: RegistrationMode::Open,
            delivers: true,
            accounts: BTreeMap::new(),
            cookies: BTreeMap::new(),
            resume: BTreeMap::new(),
            pending: BTreeMap::new(),
            sockets: BTreeMap::new(),
            messages: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            invites: BTreeMap::new(),
            claims: BTreeMap::new(),
            pushed: VecDeque::new(),
            links: Links::new(seed + 1_000),
            traffic: Vec::new(),
            tamper: None,
            tamper_link: None,
            opens: Vec::new(),
            ksf: Some(Ksf {
                memory_kib: 65536,
                passes: 3,
                lanes: 1,
            }),
            restored: None,
            log: Vec::new(),
            refuse: VecDeque::new(),
            refuse_sockets: None,
            next: 1,
        }
    }

    /// Unix seconds.
    #[must_use]
    pub const fn now(&self) -> u64 {
        self.now_ms / 1_000
    }

    /// The account with this handle.
    #[must_use]
    pub fn user(&self, handle: &str) -> UserId {
        *self
            .accounts
            .iter()
            .find(|(_, account)| account.handle == handle)
            .map(|(user, _)| user)
            .expect("an account with this handle")
    }

    /// Ends a run and begins the next: memory is gone, accounts and cookies stay.
    pub fn restart(&mut self) {
        self.messages.clear();
        self.acknowledged.clear();
        self.resume.clear();
        self.pending.clear();
        self.claims.clear();
        let tabs: Vec<usize> = self.sockets.keys().copied().collect();
        self.sockets.clear();
        self.links.restart();
        for tab in tabs {
            self.pushed.push_back((tab, Reply::Close(1006)));
        }
        self.boot = sign_boot(&mut self.rng, &self.boot_key, self.now_ms);
    }

    /// Ends every session of an account.
    pub fn revoke(&mut self, user: UserId) {
        self.cookies.retain(|_, owner| *owner != user);
        let tabs: Vec<usize> = self
            .sockets
            .iter()
            .filter(|(_, socket)| socket.user == user)
            .map(|(tab, _)| *tab)
            .collect();
        for tab in tabs {
            self.sockets.remove(&tab);
            self.links.close(tab);
            self.pushed.push_back((tab, Reply::Close(4401)));
        }
    }

    /// Loses a tab's socket, which does not notice: what it sends from then on goes nowhere.
    pub fn lose_socket(&mut self, tab: usize) {
        self.sockets.remove(&tab);
    }

    /// Sends a frame that nobody asked for.
    pub fn push(&mut self, tab: usize, reply: Reply) {
        self.pushed.push_back((tab, reply));
    }

    pub(super) fn token(&mut self, pending: Pending) -> Blob {
        self.next += 1;
        let token = format!("token-{}", self.next).into_bytes();
        self.pending.insert(token.clone(), pending);
        Blob::new(token)
    }

    /// Sends a frame to every socket of an account but one.
    pub(super) fn tell(&mut self, user: UserId, but: Option<usize>, frame: &ServerFrame) {
        let frame = Reply::frame(frame);
        let tabs: Vec<usize> = self
            .sockets
            .iter()
            .filter(|(tab, socket)| socket.user == user && Some(**tab) != but)
            .map(|(tab, _)| *tab)
            .collect();
        for tab in tabs {
            self.pushed.push_back((tab, frame.clone()));
        }
    }
}

fn sign_boot(rng: &mut SeededRng, key: &BootSigningKey, now_ms: u64) -> (BootId, SignedBoot) {
    let id = *MessageId::random(rng).as_bytes();
    let signed = key.sign(rng, id, now_ms / 1_000);
    (BootId::from_bytes(id), signed)
}
