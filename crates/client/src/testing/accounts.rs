//! Registration, sign-in, recovery and passphrase change at the server.

use api::Code;
use protocol::identity::AccountKeys;
use protocol::ids::UserId;
use protocol::opaque::{login_finish, login_respond, register_record, register_respond};
use protocol::prekeys::SignedBatch;
use protocol::safe::proof_hash;
use serde_json::{Value, json};

use super::server::{Account, FakeServer, MadeInvite, Pending};
use crate::wire::{Blob, SafeRead, SafeWrite, ServerFrame, Versioned};

pub(super) type Answer = (u16, Value);

pub(super) fn problem(code: Code) -> Answer {
    let (status, name) = (code.status(), code.name());
    (
        status,
        json!({"code": name, "detail": code.title(), "status": status}),
    )
}

pub(super) fn blob(body: &Value, field: &str) -> Vec<u8> {
    let blob: Blob = serde_json::from_value(body[field].clone()).expect("a blob");
    blob.into_vec()
}

pub(super) fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap_or_default()
}

fn read_of(write: &SafeWrite) -> SafeRead {
    SafeRead {
        version: write.version,
        data: write.data.clone(),
        passphrase_wrap: write.passphrase_wrap.clone(),
        recovery_wrap: write.recovery_wrap.clone(),
    }
}

impl FakeServer {
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
        let role = self.accounts[&user].role.clone();
        (200, json!({"user_id": user.to_string(), "role": role}))
    }

    fn invite_is_usable(&self, code: &str) -> bool {
        let now = self.now();
        let unused = |made: &MadeInvite| made.used_by.is_empty() && now < made.until;
        self.invites.get(code).is_some_and(unused)
    }

    /// Somebody with an account opens an invite; the same person may again.
    pub(super) fn use_invite(&mut self, user: UserId, code: &str) -> Answer {
        let usable = self.invite_is_usable(code);
        match self.invites.get_mut(code) {
            Some(made) if made.by != user && (usable || made.used_by.contains(&user)) => {
                made.used_by.insert(user);
                (204, Value::Null)
            }
            _ => problem(Code::InviteUnusable),
        }
    }

    pub(super) fn registration(
        &mut self,
        step: &str,
        body: &Value,
        cookie: &mut Option<u64>,
    ) -> Answer {
        if step == "start" || step == "check" {
            let handle = text(body, "handle").to_owned();
            let invite = body["invite"].as_str().map(str::to_owned);
            if self.by_handle(&handle).is_some() {
                return problem(Code::HandleTaken);
            }
            let allowed = match self.registration.as_str() {
                "open" => true,
                "invite" => invite
                    .as_ref()
                    .is_some_and(|code| self.invite_is_usable(code)),
                _ => body["setup"].is_string(),
            };
            if !allowed {
                return problem(Code::RegistrationClosed);
            }
            if step == "check" {
                return match &invite {
                    Some(code) if !self.invite_is_usable(code) => problem(Code::InviteUnusable),
                    _ => (204, Value::Null),
                };
            }
            let user = UserId::random(&mut self.rng);
            let request = blob(body, "request");
            let response = register_respond(&self.setup, &request, handle.as_bytes()).unwrap();
            let token = self.token(Pending::Register {
                handle,
                user,
                setup: body["setup"].is_string(),
                invite,
            });
            let ksf = self.ksf.clone();
            return (
                200,
                json!({"response": Blob::from(response), "token": token, "user_id": user.to_string(), "ksf": ksf}),
            );
        }
        let Some(Pending::Register {
            handle,
            user,
            setup,
            invite,
        }) = self.pending.remove(text(body, "token"))
        else {
            return problem(Code::TokenExpired);
        };
        if let Some(made) = invite.and_then(|code| self.invites.get_mut(&code)) {
            made.used_by.insert(user);
        }
        let safe: SafeWrite = serde_json::from_value(body["safe"].clone()).unwrap();
        let prekey_safe: Versioned = serde_json::from_value(body["prekey_safe"].clone()).unwrap();
        let batch = SignedBatch::decode(&blob(body, "prekeys")).unwrap();
        let account = Account {
            handle,
            alias: text(body, "alias").to_owned(),
            role: if setup { "admin" } else { "user" }.to_owned(),
            record: register_record(&blob(body, "upload")).unwrap(),
            public_keys: blob(body, "public_keys"),
            safe: read_of(&safe),
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

    pub(super) fn login_start(&mut self, handle: &str, body: &Value) -> Answer {
        let user = self.by_handle(handle);
        let record = user.map(|user| self.accounts[&user].record.clone());
        let (state, response) = login_respond(
            &self.setup,
            record.as_deref(),
            &blob(body, "request"),
            handle.as_bytes(),
            &mut self.rng,
        )
        .unwrap();
        let token = self.token(Pending::Login {
            user,
            state: state.to_vec(),
        });
        let ksf = self.ksf.clone();
        (
            200,
            json!({"response": Blob::from(response), "token": token, "ksf": ksf}),
        )
    }

    pub(super) fn login_finish(&mut self, body: &Value) -> Result<UserId, Answer> {
        let refused = || problem(Code::SignInFailed);
        let Some(Pending::Login { user, state }) = self.pending.remove(text(body, "token")) else {
            return Err(refused());
        };
        match (user, login_finish(&state, &blob(body, "finalization"))) {
            (Some(user), Ok(())) => Ok(user),
            _ => Err(refused()),
        }
    }

    pub(super) fn session_finish(&mut self, body: &Value, cookie: &mut Option<u64>) -> Answer {
        match self.login_finish(body) {
            Ok(user) => self.enter(user, cookie),
            Err(answer) => answer,
        }
    }

    pub(super) fn reauth_finish(&mut self, body: &Value) -> Answer {
        match self.login_finish(body) {
            Ok(user) => {
                let token = self.token(Pending::Reauthenticated(user));
                (200, json!({"reauth_token": token}))
            }
            Err(answer) => answer,
        }
    }

    pub(super) fn recovery(
        &mut self,
        step: &str,
        body: &Value,
        cookie: &mut Option<u64>,
    ) -> Answer {
        if step == "start" {
            let handle = text(body, "handle").to_owned();
            let proof: [u8; 32] = blob(body, "proof").try_into().unwrap();
            let Some(user) = self
                .by_handle(&handle)
                .filter(|user| self.accounts[user].recovery_hash == proof_hash(&proof))
            else {
                return problem(Code::RecoveryFailed);
            };
            let request = blob(body, "request");
            let response = register_respond(&self.setup, &request, handle.as_bytes()).unwrap();
            let token = self.token(Pending::Recover(user));
            let account = &self.accounts[&user];
            return (
                200,
                json!({
                    "response": Blob::from(response), "token": token, "user_id": user.to_string(),
                    "safe": account.safe, "prekey_safe": account.prekey_safe, "ksf": self.ksf,
                }),
            );
        }
        let Some(Pending::Recover(user)) = self.pending.remove(text(body, "token")) else {
            return problem(Code::TokenExpired);
        };
        self.revoke(user);
        self.replace_credentials(user, body);
        self.enter(user, cookie)
    }

    pub(super) fn passphrase(&mut self, step: &str, user: UserId, body: &Value) -> Answer {
        if step == "start" {
            let handle = self.accounts[&user].handle.clone();
            let request = blob(body, "request");
            let response = register_respond(&self.setup, &request, handle.as_bytes()).unwrap();
            let token = self.token(Pending::Passphrase(user));
            return (
                200,
                json!({"response": Blob::from(response), "token": token, "ksf": self.ksf}),
            );
        }
        let proven = self.pending.remove(text(body, "reauth_token"));
        let begun = self.pending.remove(text(body, "token"));
        match (proven, begun) {
            (Some(Pending::Reauthenticated(a)), Some(Pending::Passphrase(b)))
                if a == user && b == user =>
            {
                self.replace_credentials(user, body);
                (204, Value::Null)
            }
            _ => problem(Code::ReauthFailed),
        }
    }

    /// "New identity".
    pub(super) fn replace_identity(&mut self, tab: usize, user: UserId, body: &Value) -> Answer {
        match self.pending.remove(text(body, "reauth_token")) {
            Some(Pending::Reauthenticated(proven)) if proven == user => {}
            _ => return problem(Code::ReauthFailed),
        }
        let keys = AccountKeys::decode(&blob(body, "public_keys")).unwrap();
        let batch = SignedBatch::decode(&blob(body, "prekeys")).unwrap();
        if batch.verify(&keys, &user, self.now(), 0).is_err() {
            return problem(Code::KeysUnusable);
        }
        let version = body["safe"]["version"].as_u64().unwrap();
        let account = self.accounts.get_mut(&user).unwrap();
        if version != account.safe.version + 1 {
            return problem(Code::SafeConflict);
        }
        account.public_keys = blob(body, "public_keys");
        account.unclaimed = one_time_ids(&batch);
        account.batch = batch;
        self.replace_safes(user, body);
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
        (204, Value::Null)
    }

    /// Makes an account an administrator.
    pub fn make_administrator(&mut self, user: UserId) {
        if let Some(account) = self.accounts.get_mut(&user) {
            account.role = "admin".to_owned();
        }
    }

    /// "Delete my account".
    pub(super) fn delete_account(&mut self, user: UserId, body: &Value) -> Answer {
        match self.pending.remove(text(body, "reauth_token")) {
            Some(Pending::Reauthenticated(proven)) if proven == user => {}
            _ => return problem(Code::ReauthFailed),
        }
        let admin = |account: &Account| account.role == "admin";
        let admins = self.accounts.values().filter(|it| admin(it)).count();
        if admin(&self.accounts[&user]) && admins == 1 {
            return problem(Code::LastAdministrator);
        }
        self.accounts.remove(&user);
        self.revoke(user);
        (204, Value::Null)
    }

    fn replace_credentials(&mut self, user: UserId, body: &Value) {
        let record = register_record(&blob(body, "upload")).unwrap();
        self.accounts.get_mut(&user).unwrap().record = record;
        self.replace_safes(user, body);
    }

    fn replace_safes(&mut self, user: UserId, body: &Value) {
        let safe: SafeWrite = serde_json::from_value(body["safe"].clone()).unwrap();
        let prekey_safe: Versioned = serde_json::from_value(body["prekey_safe"].clone()).unwrap();
        let account = self.accounts.get_mut(&user).unwrap();
        account.safe = read_of(&safe);
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
