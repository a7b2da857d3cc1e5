//! Registration, sign-in, recovery and passphrase change at the server.

use api::ids::{InviteCode, SessionId, WrapId};
use api::{Code, RegistrationMode, Role};
use protocol::identity::AccountKeys;
use protocol::ids::UserId;
use protocol::opaque::{login_finish, login_respond, register_record, register_respond};
use protocol::prekeys::SignedBatch;
use protocol::safe::proof_hash;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::server::{Account, FakeServer, MadeInvite, Pending};
use crate::wire::{
    AccountDeletion, Blob, Entered, IdentityChange, PassphraseFinish, PassphraseStart,
    PassphraseStarted, Problem, ReauthFinish, Reauthenticated, RecoveryFinish, RecoveryStart,
    RecoveryStarted, RegistrationFinish, RegistrationStart, RegistrationStarted, RegistrationWish,
    SafeData, SafeRead, SafeWrite, ServerFrame, SignInFinish, SignInStarted, Wrap,
};

/// A status and a body of the contract.
pub(super) type Answer = (u16, Value);

/// Done, with nothing to say.
pub(super) const DONE: Answer = (204, Value::Null);

pub(super) fn answer(status: u16, body: &impl Serialize) -> Answer {
    (status, serde_json::to_value(body).expect("a body is JSON"))
}

pub(super) fn problem(code: Code) -> Answer {
    answer(code.status(), &Problem::new(code, code.title()))
}

/// Reads the body of a request; a client that breaks the contract fails its test.
pub(super) fn read<T: DeserializeOwned>(body: &Value) -> T {
    serde_json::from_value(body.clone()).expect("a body of the contract")
}

/// The session of a cookie.
pub(super) fn session_of(cookie: u64) -> SessionId {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&cookie.to_be_bytes());
    SessionId::from_bytes(bytes)
}

impl FakeServer {
    /// A key safe as it is read from then on; wraps of kinds that are not written stay.
    fn read_of(&mut self, write: &SafeWrite, before: &[Wrap]) -> SafeRead {
        let stays = |wrap: &&Wrap| write.wraps.iter().all(|new| new.kind != wrap.kind);
        let mut wraps: Vec<Wrap> = before.iter().filter(stays).cloned().collect();
        for new in &write.wraps {
            wraps.push(Wrap {
                id: WrapId::random(&mut self.rng),
                kind: new.kind.clone(),
                made: self.now(),
                data: new.data.clone(),
            });
        }
        SafeRead {
            version: write.version,
            data: write.data.clone(),
            wraps,
        }
    }

    fn by_handle(&self, handle: &str) -> Option<UserId> {
        self.accounts
            .iter()
            .find(|(_, account)| account.handle == handle)
            .map(|(user, _)| *user)
    }

    fn enter(&mut self, user: UserId, cookie: &mut Option<u64>) -> Answer {
        self.next += 1;
        *cookie = Some(self.next);
        self.cookies.insert(self.next, user);
        let role = self.accounts[&user].role;
        let user_id = user;
        let session_id = session_of(self.next);
        answer(
            200,
            &Entered {
                user_id,
                role,
                session_id,
            },
        )
    }

    fn invite_is_usable(&self, code: &InviteCode) -> bool {
        let now = self.now();
        let unused = |made: &MadeInvite| made.used_by.is_empty() && now < made.until;
        self.invites.get(code).is_some_and(unused)
    }

    /// Somebody with an account opens an invite; the same person may again.
    pub(super) fn use_invite(&mut self, user: UserId, code: &InviteCode) -> Answer {
        let usable = self.invite_is_usable(code);
        match self.invites.get_mut(code) {
            Some(made) if made.by != user && (usable || made.used_by.contains(&user)) => {
                made.used_by.insert(user);
                DONE
            }
            _ => problem(Code::InviteUnusable),
        }
    }

    /// Why a registration would not be taken, if so.
    fn not_admitted(&self, handle: &str, setup: bool, invite: Option<&InviteCode>) -> Option<Code> {
        if self.by_handle(handle).is_some() {
            return Some(Code::HandleTaken);
        }
        let allowed = match self.registration {
            RegistrationMode::Open => true,
            RegistrationMode::Invite => invite.is_some_and(|code| self.invite_is_usable(code)),
            RegistrationMode::Closed => setup,
        };
        (!allowed).then_some(Code::RegistrationClosed)
    }

    pub(super) fn registration_check(&self, wish: &RegistrationWish) -> Answer {
        let invite = wish.invite.as_ref().map(|code| code.parse().unwrap());
        if let Some(code) = self.not_admitted(&wish.handle, wish.setup.is_some(), invite.as_ref()) {
            return problem(code);
        }
        match invite {
            Some(code) if !self.invite_is_usable(&code) => problem(Code::InviteUnusable),
            _ => DONE,
        }
    }

    pub(super) fn registration_start(&mut self, start: &RegistrationStart) -> Answer {
        let (handle, setup) = (&start.handle, start.setup.is_some());
        let invite = start.invite.as_ref().map(|code| code.parse().unwrap());
        if let Some(code) = self.not_admitted(handle, setup, invite.as_ref()) {
            return problem(code);
        }
        let user_id = UserId::random(&mut self.rng);
        let response = register_respond(&self.setup, &start.request, handle.as_bytes()).unwrap();
        let token = self.token(Pending::Register {
            handle: handle.clone(),
            user: user_id,
            setup,
            invite,
        });
        let started = RegistrationStarted {
            response: Blob::from(response),
            token,
            user_id,
            ksf: self.ksf,
        };
        answer(200, &started)
    }

    pub(super) fn registration_finish(
        &mut self,
        finish: RegistrationFinish,
        cookie: &mut Option<u64>,
    ) -> Answer {
        let Some(Pending::Register {
            handle,
            user,
            setup,
            invite,
        }) = self.pending.remove(&*finish.token)
        else {
            return problem(Code::TokenExpired);
        };
        if let Some(made) = invite.and_then(|code| self.invites.get_mut(&code)) {
            made.used_by.insert(user);
        }
        let (safe, prekey_safe) = (finish.safe, finish.prekey_safe);
        let batch = SignedBatch::decode(&finish.prekeys).unwrap();
        let account = Account {
            handle,
            alias: finish.alias,
            role: if setup { Role::Admin } else { Role::User },
            record: register_record(&finish.upload).unwrap(),
            public_keys: finish.public_keys.clone().into_vec(),
            own_keys: finish.public_keys.into_vec(),
            safe: self.read_of(&safe, &[]),
            write_hash: safe.write_proof_hash.into_vec(),
            recovery_hash: safe.recovery_proof_hash.into_vec(),
            unclaimed: one_time_ids(&batch),
            batch,
            history: vec![(safe.version, safe.data.into_vec())],
            prekey_history: vec![(prekey_safe.version, prekey_safe.data.to_vec())],
            prekey_safe,
        };
        self.accounts.insert(user, account);
        let (_, answer) = self.enter(user, cookie);
        (201, answer)
    }

    pub(super) fn login_start(&mut self, handle: &str, request: &[u8]) -> Answer {
        let user = self.by_handle(handle);
        let record = user.map(|user| self.accounts[&user].record.clone());
        let (state, response) = login_respond(
            &self.setup,
            record.as_deref(),
            request,
            handle.as_bytes(),
            &mut self.rng,
        )
        .unwrap();
        let token = self.token(Pending::Login {
            user,
            state: state.to_vec(),
        });
        let started = SignInStarted {
            response: Blob::from(response),
            token,
            ksf: self.ksf,
        };
        answer(200, &started)
    }

    fn login_finish(&mut self, token: &[u8], finalization: &[u8]) -> Result<UserId, Answer> {
        let refused = || problem(Code::SignInFailed);
        let Some(Pending::Login { user, state }) = self.pending.remove(token) else {
            return Err(refused());
        };
        match (user, login_finish(&state, finalization)) {
            (Some(user), Ok(())) => Ok(user),
            _ => Err(refused()),
        }
    }

    pub(super) fn session_finish(
        &mut self,
        finish: &SignInFinish,
        cookie: &mut Option<u64>,
    ) -> Answer {
        match self.login_finish(&finish.token, &finish.finalization) {
            Ok(user) => self.enter(user, cookie),
            Err(answer) => answer,
        }
    }

    pub(super) fn reauth_finish(&mut self, finish: &ReauthFinish) -> Answer {
        match self.login_finish(&finish.token, &finish.finalization) {
            Ok(user) => {
                let reauth_token = self.token(Pending::Reauthenticated(user));
                answer(200, &Reauthenticated { reauth_token })
            }
            Err(answer) => answer,
        }
    }

    pub(super) fn recovery_start(&mut self, start: &RecoveryStart) -> Answer {
        let proof: [u8; 32] = (*start.proof).try_into().unwrap();
        let Some(user) = self
            .by_handle(&start.handle)
            .filter(|user| self.accounts[user].recovery_hash == proof_hash(&proof))
        else {
            return problem(Code::RecoveryFailed);
        };
        let handle = start.handle.as_bytes();
        let response = register_respond(&self.setup, &start.request, handle).unwrap();
        let token = self.token(Pending::Recover(user));
        let account = &self.accounts[&user];
        let started = RecoveryStarted {
            response: Blob::from(response),
            token,
            user_id: user,
            safe: account.safe.clone(),
            prekey_safe: account.prekey_safe.clone(),
            ksf: self.ksf,
        };
        answer(200, &started)
    }

    pub(super) fn recovery_finish(
        &mut self,
        finish: RecoveryFinish,
        cookie: &mut Option<u64>,
    ) -> Answer {
        let Some(Pending::Recover(user)) = self.pending.remove(&*finish.token) else {
            return problem(Code::TokenExpired);
        };
        self.revoke(user);
        self.replace_record(user, &finish.upload);
        self.replace_safes(user, finish.safe, finish.prekey_safe);
        self.enter(user, cookie)
    }

    pub(super) fn passphrase_start(&mut self, user: UserId, start: &PassphraseStart) -> Answer {
        let handle = self.accounts[&user].handle.as_bytes();
        let response = register_respond(&self.setup, &start.request, handle).unwrap();
        let token = self.token(Pending::Passphrase(user));
        let started = PassphraseStarted {
            response: Blob::from(response),
            token,
            ksf: self.ksf,
        };
        answer(200, &started)
    }

    pub(super) fn passphrase_finish(&mut self, user: UserId, finish: PassphraseFinish) -> Answer {
        let proven = self.pending.remove(&*finish.reauth_token);
        let begun = self.pending.remove(&*finish.token);
        match (proven, begun) {
            (Some(Pending::Reauthenticated(a)), Some(Pending::Passphrase(b)))
                if a == user && b == user =>
            {
                if finish.safe.version != self.accounts[&user].safe.version + 1 {
                    return problem(Code::SafeConflict);
                }
                self.replace_record(user, &finish.upload);
                self.replace_safes(user, finish.safe, finish.prekey_safe);
                DONE
            }
            _ => problem(Code::ReauthFailed),
        }
    }

    /// "New identity".
    pub(super) fn replace_identity(
        &mut self,
        tab: usize,
        user: UserId,
        new: IdentityChange,
    ) -> Answer {
        match self.pending.remove(&*new.reauth_token) {
            Some(Pending::Reauthenticated(proven)) if proven == user => {}
            _ => return problem(Code::ReauthFailed),
        }
        let keys = AccountKeys::decode(&new.public_keys).unwrap();
        let batch = SignedBatch::decode(&new.prekeys).unwrap();
        if batch.verify(&keys, &user, self.now(), 0).is_err() {
            return problem(Code::KeysUnusable);
        }
        let account = self.accounts.get_mut(&user).unwrap();
        if new.safe.version != account.safe.version + 1 {
            return problem(Code::SafeConflict);
        }
        account.own_keys = new.public_keys.clone().into_vec();
        account.public_keys = new.public_keys.into_vec();
        account.unclaimed = one_time_ids(&batch);
        account.batch = batch;
        self.replace_safes(user, new.safe, new.prekey_safe);
        self.claims.retain(|(_, of, _), _| *of != user);
        for socket in self.sockets.values_mut().filter(|s| s.user == user) {
            socket.bundle = None;
        }
        let account = &self.accounts[&user];
        let frame = ServerFrame::Safe {
            version: account.safe.version,
            prekey_version: account.prekey_safe.version,
        };
        self.tell(user, Some(tab), &frame);
        DONE
    }

    /// Makes an account an administrator.
    pub fn make_administrator(&mut self, user: UserId) {
        if let Some(account) = self.accounts.get_mut(&user) {
            account.role = Role::Admin;
        }
    }

    /// "Delete my account".
    pub(super) fn delete_account(&mut self, user: UserId, asked: &AccountDeletion) -> Answer {
        match self.pending.remove(&*asked.reauth_token) {
            Some(Pending::Reauthenticated(proven)) if proven == user => {}
            _ => return problem(Code::ReauthFailed),
        }
        let admin = |account: &Account| account.role == Role::Admin;
        let admins = self.accounts.values().filter(|it| admin(it)).count();
        if admin(&self.accounts[&user]) && admins == 1 {
            return problem(Code::LastAdministrator);
        }
        self.accounts.remove(&user);
        self.revoke(user);
        DONE
    }

    fn replace_record(&mut self, user: UserId, upload: &[u8]) {
        let record = register_record(upload).unwrap();
        self.accounts.get_mut(&user).unwrap().record = record;
    }

    fn replace_safes(&mut self, user: UserId, safe: SafeWrite, prekey_safe: SafeData) {
        let before = std::mem::take(&mut self.accounts.get_mut(&user).unwrap().safe.wraps);
        let read = self.read_of(&safe, &before);
        let account = self.accounts.get_mut(&user).unwrap();
        account.safe = read;
        account.history.push((safe.version, safe.data.into_vec()));
        account
            .prekey_history
            .push((prekey_safe.version, prekey_safe.data.to_vec()));
        account.prekey_safe = prekey_safe;
        account.write_hash = safe.write_proof_hash.into_vec();
        account.recovery_hash = safe.recovery_proof_hash.into_vec();
    }
}

pub(super) fn one_time_ids(batch: &SignedBatch) -> Vec<u32> {
    let count = batch.leaves.len().saturating_sub(1);
    batch.leaves[..count]
        .iter()
        .map(|leaf| leaf.prekey_id)
        .collect()
}
