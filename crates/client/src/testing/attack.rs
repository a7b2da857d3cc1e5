//! What an enemy who runs the server, or knows the passphrase, can do with it.

use api::WrapKind;
use protocol::identity::AccountSecrets;
use protocol::ids::{LiveId, UserId};
use protocol::opaque::{
    login_respond, login_start, register_record, register_respond, register_start,
};
use protocol::prekeys::{SignedBatch, generate_batch};
use protocol::safe::{SafeKey, passphrase_unwrap, passphrase_wrap};

use super::accounts::one_time_ids;
use super::server::{Account, FakeServer};
use crate::wire::{Blob, SafeData, SafeRead};

impl FakeServer {
    /// Whoever knows the passphrase gets the safe key.
    #[must_use]
    pub fn safe_key(&mut self, handle: &str, passphrase: &str) -> SafeKey {
        let user = self.user(handle);
        let (state, request) = login_start(&mut self.rng, passphrase.as_bytes()).unwrap();
        let account = &self.accounts[&user];
        let (_, response) = login_respond(
            &self.setup,
            Some(&account.record),
            &request,
            handle.as_bytes(),
            &mut self.rng,
        )
        .unwrap();
        let (_, export) = state.finish(&mut self.rng, &response).unwrap();
        let wrap = account.safe.wrap(&WrapKind::Passphrase).unwrap();
        passphrase_unwrap(&export, &user, wrap).unwrap()
    }

    /// Registers a passphrase anew from the very text, without preparing it, in place of `known`.
    pub fn register_as_typed(&mut self, handle: &str, known: &str, text: &str) {
        let key = self.safe_key(handle, known);
        let user = self.user(handle);
        let (state, request) = register_start(&mut self.rng, text.as_bytes()).unwrap();
        let response = register_respond(&self.setup, &request, handle.as_bytes()).unwrap();
        let (upload, export) = state.finish(&mut self.rng, &response).unwrap();
        let wrap = passphrase_wrap(&mut self.rng, &key, &export, &user);
        let account = self.accounts.get_mut(&user).unwrap();
        account.record = register_record(&upload).unwrap();
        let mut wraps = account.safe.wraps.iter_mut();
        let kept = wraps
            .find(|kept| kept.kind == WrapKind::Passphrase)
            .unwrap();
        kept.data = Blob::from(wrap);
    }

    /// Makes an account whose private keys the enemy holds; no client belongs to it.
    pub fn plant(&mut self, handle: &str) -> (UserId, AccountSecrets) {
        let user = UserId::random(&mut self.rng);
        let secrets = AccountSecrets::generate(&mut self.rng);
        let now = self.now();
        let batch = generate_batch(
            &mut self.rng,
            &secrets,
            user,
            1,
            3,
            now,
            &Default::default(),
        );
        let public_keys = secrets.account_keys(&mut self.rng).encode();
        let account = Account {
            handle: handle.to_owned(),
            alias: handle.to_owned(),
            role: api::Role::User,
            record: Vec::new(),
            public_keys: public_keys.clone(),
            own_keys: public_keys,
            safe: SafeRead {
                version: 1,
                data: Blob::from(Vec::new()),
                wraps: Vec::new(),
            },
            prekey_safe: SafeData::default(),
            write_hash: Vec::new(),
            recovery_hash: Vec::new(),
            unclaimed: one_time_ids(&batch.signed),
            batch: batch.signed,
            history: Vec::new(),
            prekey_history: Vec::new(),
        };
        self.accounts.insert(user, account);
        (user, secrets)
    }

    /// Whose socket a tab has.
    #[must_use]
    pub fn user_of(&self, tab: usize) -> UserId {
        self.sockets[&tab].user
    }

    /// The session bundle that a tab has published, with the name of its session.
    #[must_use]
    pub fn bundle_of(&self, tab: usize) -> (LiveId, Vec<u8>) {
        let socket = &self.sockets[&tab];
        (socket.live, socket.bundle.clone().expect("a bundle"))
    }

    /// Posts a submission as somebody.
    pub fn post_as(&mut self, user: UserId, bytes: &[u8]) {
        let replies = self.binary(user, bytes);
        drop(replies);
    }

    /// Puts an older version of the key safe back; 1 is the one before the newest.
    pub fn roll_back_safe(&mut self, user: UserId, steps: usize) {
        let account = self.accounts.get_mut(&user).unwrap();
        let index = account.history.len() - 1 - steps;
        let (version, data) = account.history[index].clone();
        account.safe.version = version;
        account.safe.data = Blob::from(data);
    }

    /// Puts an older version of the prekey safe back; 1 is the one before the newest.
    pub fn roll_back_prekey_safe(&mut self, user: UserId, steps: usize) {
        let account = self.accounts.get_mut(&user).unwrap();
        let index = account.prekey_history.len() - 1 - steps;
        let (version, data) = account.prekey_history[index].clone();
        account.prekey_safe = SafeData {
            version,
            data: Blob::from(data),
        };
    }

    /// Puts an older batch back.
    pub fn roll_back_batch(&mut self, user: UserId, batch: SignedBatch) {
        let account = self.accounts.get_mut(&user).unwrap();
        account.unclaimed = one_time_ids(&batch);
        account.batch = batch;
        self.claims.clear();
    }
}
