//! Safes, public keys, bundles and prekeys at the server; and the table of all requests.

use std::collections::BTreeSet;

use api::Code;
use protocol::ids::UserId;
use protocol::prekeys::SignedBatch;
use protocol::safe::proof_hash;
use serde_json::{Value, json};

use super::accounts::{Answer, blob, one_time_ids, problem, text};
use super::server::{FakeServer, MadeInvite};
use crate::wire::{Blob, ServerFrame, Versioned};

/// What the server calls an invite.
fn invite_name(code: &str) -> String {
    hex::encode(protocol::primitives::kdf::sha3_256(&[
        &hex::decode(code).unwrap()
    ]))
}

impl FakeServer {
    /// Answers an HTTP request of JSON.
    pub(super) fn json(
        &mut self,
        tab: usize,
        method: &str,
        path: &str,
        body: &Value,
        cookie: &mut Option<u64>,
    ) -> Answer {
        let parts: Vec<&str> = path.trim_start_matches('/').split(['/', '?']).collect();
        match (method, parts.as_slice()) {
            ("GET", ["server"]) => {
                let boot = json!({"id": self.boot.0.to_string(), "signed": Blob::from(self.boot.1.encode())});
                return (
                    200,
                    json!({"version": "test", "boot": boot, "now": self.now(),
                        "registration": self.registration, "setup_done": true, "bundle_hash": null,
                        "restored": self.restored}),
                );
            }
            ("POST", ["registration", step]) => return self.registration(step, body, cookie),
            ("POST", ["session", "start"]) => {
                let handle = body["handle"].as_str().unwrap_or_default().to_owned();
                return self.login_start(&handle, body);
            }
            ("POST", ["session", "finish"]) => return self.session_finish(body, cookie),
            ("POST", ["recovery", step]) => return self.recovery(step, body, cookie),
            _ => {}
        }
        let Some((mine, user)) = cookie.and_then(|c| Some((c, *self.cookies.get(&c)?))) else {
            return problem(Code::SignedOut);
        };
        match (method, parts.as_slice()) {
            ("GET", ["session"]) => {
                let account = &self.accounts[&user];
                (
                    200,
                    json!({"user_id": user.to_string(), "handle": account.handle,
                        "alias": account.alias, "role": account.role}),
                )
            }
            ("DELETE", ["session"]) => {
                self.cookies.remove(&mine);
                *cookie = None;
                (204, Value::Null)
            }
            ("POST", ["session", "active"]) => (204, Value::Null),
            ("POST", ["session", "reauth", "start"]) => {
                let handle = self.accounts[&user].handle.clone();
                self.login_start(&handle, body)
            }
            ("POST", ["session", "reauth", "finish"]) => self.reauth_finish(body),
            ("GET", ["session", "resume"]) => match self.resume.get(&mine) {
                Some(half) => (200, json!({"half": half})),
                None => problem(Code::NotFound),
            },
            ("PUT", ["session", "resume"]) => {
                self.resume.insert(mine, Blob::from(blob(body, "half")));
                (204, Value::Null)
            }
            ("DELETE", ["session", "resume"]) => {
                self.resume.remove(&mine);
                (204, Value::Null)
            }
            ("POST", ["passphrase", step]) => self.passphrase(step, user, body),
            ("PUT", ["public-keys"]) => self.replace_identity(tab, user, body),
            ("POST", ["account", "delete"]) => self.delete_account(user, body),
            ("PUT", ["account"]) => {
                let alias = body["alias"].as_str().unwrap_or_default().to_owned();
                self.accounts.get_mut(&user).unwrap().alias = alias;
                (204, Value::Null)
            }
            ("GET", ["sessions"]) => (200, json!([])),
            ("POST", ["invites"]) => {
                let code = format!("{:032x}", self.next);
                self.next += 1;
                let until = self.now() + body["life"].as_u64().unwrap_or(3_600);
                let made = MadeInvite {
                    by: user,
                    until,
                    used_by: BTreeSet::new(),
                };
                self.invites.insert(code.clone(), made);
                (201, json!({"code": code, "expires_at": until}))
            }
            ("GET", ["invites"]) => {
                let mine = self.invites.iter().filter(|(_, made)| made.by == user);
                let listed = mine.map(|(code, made)| {
                    json!({"id": invite_name(code), "created_at": 0, "expires_at": made.until,
                        "max_uses": 1, "uses": made.used_by.len()})
                });
                (200, listed.collect())
            }
            ("POST", ["invites", "use"]) => self.use_invite(user, text(body, "code")),
            ("DELETE", ["invites", id]) => {
                self.invites
                    .retain(|code, made| made.by != user || invite_name(code) != *id);
                (204, Value::Null)
            }
            ("GET", ["safe", query @ ..]) => {
                let account = &self.accounts[&user];
                let versions = (account.safe.version, account.prekey_safe.version);
                let known = format!("version={}&prekey_version={}", versions.0, versions.1);
                if query == [known] {
                    return (204, Value::Null);
                }
                (
                    200,
                    json!({"safe": account.safe, "prekey_safe": account.prekey_safe,
                        "restored": self.restored}),
                )
            }
            ("PUT", ["safe"]) => self.write_safe(tab, user, body, false),
            ("PUT", ["prekey-safe"]) => self.write_safe(tab, user, body, true),
            ("GET", ["users", "by-handle", handle]) => {
                let found = self
                    .accounts
                    .iter()
                    .find(|(_, account)| account.handle == *handle)
                    .map(|(user, _)| *user);
                self.person(found)
            }
            ("GET", ["users", id]) => self.person(id.parse().ok()),
            ("POST", ["users", id, "bundles"]) => {
                let to: UserId = id.parse().unwrap();
                let want = body["want_prekey"].as_bool().unwrap_or(false);
                self.bundles(mine, to, want)
            }
            ("GET", ["prekeys"]) => {
                let account = &self.accounts[&user];
                (
                    200,
                    json!({"stock": account.unclaimed.len(),
                        "batch_number": account.batch.head.batch_number,
                        "last_resort_created_at": account.batch.head.created_at}),
                )
            }
            ("PUT", ["prekeys"]) => {
                let batch = SignedBatch::decode(&blob(body, "batch")).unwrap();
                let account = self.accounts.get_mut(&user).unwrap();
                account.unclaimed = one_time_ids(&batch);
                account.batch = batch;
                (200, json!({"stock": account.unclaimed.len()}))
            }
            ("GET", ["prekeys", "in-use"]) => {
                let ids: Vec<u32> = self
                    .messages
                    .values()
                    .flat_map(|held| &held.slots)
                    .filter(|(target, _)| *target.account() == user)
                    .filter_map(|(_, slot)| slot.prekey)
                    .collect();
                (200, json!({ "ids": ids }))
            }
            ("GET", ["messages"]) => (200, json!({"waiting": self.waiting(tab)})),
            _ => problem(Code::NotFound),
        }
    }

    fn write_safe(&mut self, tab: usize, user: UserId, body: &Value, prekeys: bool) -> Answer {
        let proof: [u8; 32] = blob(body, "write_proof").try_into().unwrap();
        let field = if prekeys { "prekey_safe" } else { "safe" };
        let new: Versioned = serde_json::from_value(body[field].clone()).unwrap();
        let expected = body["expected_version"].as_u64().unwrap();
        let account = self.accounts.get_mut(&user).unwrap();
        if account.write_hash != proof_hash(&proof) {
            return problem(Code::WrongProof);
        }
        let current = if prekeys {
            account.prekey_safe.clone()
        } else {
            Versioned {
                version: account.safe.version,
                data: account.safe.data.clone(),
            }
        };
        if current.version != expected || new.version != expected + 1 {
            return (409, json!({"code": "safe-conflict", "current": current}));
        }
        if prekeys {
            account
                .prekey_history
                .push((new.version, new.data.to_vec()));
            account.prekey_safe = new;
        } else {
            account.history.push((new.version, new.data.to_vec()));
            account.safe.version = new.version;
            account.safe.data = new.data;
        }
        let frame = ServerFrame::Safe {
            version: account.safe.version,
            prekey_version: account.prekey_safe.version,
        };
        self.tell(user, Some(tab), &frame);
        (204, Value::Null)
    }

    fn person(&self, user: Option<UserId>) -> Answer {
        match user.and_then(|user| Some((user, self.accounts.get(&user)?))) {
            Some((user, account)) => (
                200,
                json!({"user_id": user.to_string(), "handle": account.handle,
                    "alias": account.alias, "public_keys": Blob::from(account.public_keys.clone())}),
            ),
            None => problem(Code::NoSuchUser),
        }
    }

    fn bundles(&mut self, cookie: u64, to: UserId, want_prekey: bool) -> Answer {
        let live: Vec<Value> = self
            .sockets
            .values()
            .filter(|socket| socket.user == to)
            .filter_map(|socket| {
                let bundle = Blob::from(socket.bundle.clone()?);
                Some(json!({"live_id": socket.live.to_string(), "bundle": bundle}))
            })
            .collect();
        let bucket = self.now() / 300;
        let Some(account) = self.accounts.get_mut(&to) else {
            return problem(Code::NoSuchUser);
        };
        let prekey = (want_prekey || live.is_empty()).then(|| {
            let one_time = *self
                .claims
                .entry((cookie, to, bucket))
                .or_insert_with(|| account.unclaimed.pop());
            let claimed = account.batch.claimed(one_time);
            let claimed = claimed.or_else(|| account.batch.claimed(None));
            Blob::from(claimed.unwrap().encode())
        });
        (
            200,
            json!({"public_keys": Blob::from(account.public_keys.clone()), "live": live, "prekey": prekey}),
        )
    }
}
