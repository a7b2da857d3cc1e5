//! Safes, public keys, bundles and prekeys at the server; and the table of all requests.

use std::collections::BTreeSet;

use api::Code;
use api::ids::{InviteCode, InviteHash};
use protocol::ids::UserId;
use protocol::prekeys::SignedBatch;
use protocol::safe::proof_hash;
use serde_json::Value;

use super::accounts::{Answer, DONE, answer, one_time_ids, problem, read, session_of};
use super::server::{FakeServer, MadeInvite};
use crate::wire::{
    AccountChange, Blob, Boot, Bundles, CurrentSession, Invite, InviteMade, LiveBundle, NewInvite,
    Person, PrekeyBatch, PrekeySafeChange, PrekeyStock, PrekeysInUse, ReauthStart, ResumeHalf,
    SafeChange, SafeData, Safes, Server, ServerFrame, Session, SignInStart, UseInvite, WantBundles,
};

/// What the server calls an invite.
fn invite_name(code: &InviteCode) -> InviteHash {
    InviteHash::from_bytes(protocol::primitives::kdf::sha3_256(&[code.as_bytes()]))
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
            ("GET", ["server"]) => return answer(200, &self.describe()),
            ("POST", ["registration", "check"]) => return self.registration_check(&read(body)),
            ("POST", ["registration", "start"]) => return self.registration_start(&read(body)),
            ("POST", ["registration", "finish"]) => {
                return self.registration_finish(read(body), cookie);
            }
            ("POST", ["session", "start"]) => {
                let start: SignInStart = read(body);
                return self.login_start(&start.handle, &start.request);
            }
            ("POST", ["session", "finish"]) => return self.session_finish(&read(body), cookie),
            ("POST", ["recovery", "start"]) => return self.recovery_start(&read(body)),
            ("POST", ["recovery", "finish"]) => return self.recovery_finish(read(body), cookie),
            _ => {}
        }
        let Some((mine, user)) = cookie.and_then(|c| Some((c, *self.cookies.get(&c)?))) else {
            return problem(Code::SignedOut);
        };
        if method == "DELETE" && parts == ["session"] {
            self.cookies.remove(&mine);
            *cookie = None;
            return DONE;
        }
        self.json_of(tab, (mine, user), method, &parts, body)
    }

    /// Answers a request of somebody who is signed in.
    fn json_of(
        &mut self,
        tab: usize,
        (mine, user): (u64, UserId),
        method: &str,
        parts: &[&str],
        body: &Value,
    ) -> Answer {
        match (method, parts) {
            ("GET", ["session"]) => answer(200, &self.current(mine, user)),
            // No handshake of a socket.
            ("GET", ["ws", _]) => {
                let refused = self.refuse_sockets.clone();
                refused.unwrap_or_else(|| problem(Code::MalformedRequest))
            }
            ("POST", ["session", "active"]) => DONE,
            ("POST", ["session", "reauth", "start"]) => {
                let handle = self.accounts[&user].handle.clone();
                self.login_start(&handle, &read::<ReauthStart>(body).request)
            }
            ("POST", ["session", "reauth", "finish"]) => self.reauth_finish(&read(body)),
            ("GET", ["session", "resume"]) => match self.resume.get(&mine) {
                Some(half) => answer(200, &ResumeHalf { half: half.clone() }),
                None => problem(Code::NotFound),
            },
            ("PUT", ["session", "resume"]) => {
                self.resume.insert(mine, read::<ResumeHalf>(body).half);
                DONE
            }
            ("DELETE", ["session", "resume"]) => {
                self.resume.remove(&mine);
                DONE
            }
            ("POST", ["passphrase", "start"]) => self.passphrase_start(user, &read(body)),
            ("POST", ["passphrase", "finish"]) => self.passphrase_finish(user, read(body)),
            ("PUT", ["public-keys"]) => self.replace_identity(tab, user, read(body)),
            ("POST", ["account", "delete"]) => self.delete_account(user, &read(body)),
            ("PUT", ["account"]) => {
                let alias = read::<AccountChange>(body).alias;
                self.accounts.get_mut(&user).unwrap().alias = alias.unwrap_or_default();
                DONE
            }
            ("GET", ["sessions"]) => answer(200, &Vec::<Session>::new()),
            ("POST", ["invites"]) => answer(201, &self.make_invite(user, &read(body))),
            ("GET", ["invites"]) => answer(200, &self.invites_of(user)),
            ("POST", ["invites", "use"]) => self.use_invite(user, &read::<UseInvite>(body).code),
            ("DELETE", ["invites", id]) => {
                self.invites
                    .retain(|code, made| made.by != user || invite_name(code).to_string() != *id);
                DONE
            }
            ("GET", ["safe", query @ ..]) => self.safes(user, query),
            ("PUT", ["safe"]) => {
                let change: SafeChange = read(body);
                let proof = change.write_proof;
                self.write_safe(
                    tab,
                    user,
                    (&proof, change.expected_version),
                    change.safe,
                    false,
                )
            }
            ("PUT", ["prekey-safe"]) => {
                let change: PrekeySafeChange = read(body);
                let (proof, safe) = (change.write_proof, change.prekey_safe);
                self.write_safe(tab, user, (&proof, change.expected_version), safe, true)
            }
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
                self.bundles(mine, to, read::<WantBundles>(body).want_prekey)
            }
            ("GET", ["prekeys"]) => answer(200, &self.stock(user)),
            ("PUT", ["prekeys"]) => {
                let batch = SignedBatch::decode(&read::<PrekeyBatch>(body).batch).unwrap();
                let account = self.accounts.get_mut(&user).unwrap();
                account.unclaimed = one_time_ids(&batch);
                account.batch = batch;
                answer(200, &self.stock(user))
            }
            ("GET", ["prekeys", "in-use"]) => {
                let ids = self
                    .messages
                    .values()
                    .flat_map(|held| &held.slots)
                    .filter(|(target, _)| *target.account() == user)
                    .filter_map(|(_, slot)| slot.prekey)
                    .collect();
                answer(200, &PrekeysInUse { ids })
            }
            _ => problem(Code::NotFound),
        }
    }

    fn describe(&self) -> Server {
        Server {
            version: "test".to_owned(),
            boot: Boot {
                id: self.boot.0,
                signed: Blob::from(self.boot.1.encode()),
            },
            now: self.now(),
            registration: self.registration,
            setup_done: true,
            bundle_hash: None,
            restored: self.restored,
        }
    }

    fn current(&self, cookie: u64, user: UserId) -> CurrentSession {
        let account = &self.accounts[&user];
        CurrentSession {
            session_id: session_of(cookie),
            user_id: user,
            handle: account.handle.clone(),
            alias: account.alias.clone(),
            role: account.role,
            created_at: self.now(),
            idle_expires_at: self.now() + 1_800,
            absolute_expires_at: self.now() + 86_400,
        }
    }

    fn make_invite(&mut self, user: UserId, wanted: &NewInvite) -> InviteMade {
        let code = InviteCode::from_bytes(u128::from(self.next).to_be_bytes());
        self.next += 1;
        let expires_at = self.now() + wanted.life.unwrap_or(3_600);
        let made = MadeInvite {
            by: user,
            until: expires_at,
            used_by: BTreeSet::new(),
        };
        self.invites.insert(code, made);
        InviteMade { code, expires_at }
    }

    fn invites_of(&self, user: UserId) -> Vec<Invite> {
        let mine = self.invites.iter().filter(|(_, made)| made.by == user);
        mine.map(|(code, made)| Invite {
            id: invite_name(code),
            created_at: 0,
            expires_at: made.until,
            max_uses: 1,
            uses: u32::try_from(made.used_by.len()).unwrap(),
        })
        .collect()
    }

    fn safes(&self, user: UserId, query: &[&str]) -> Answer {
        let account = &self.accounts[&user];
        let versions = (account.safe.version, account.prekey_safe.version);
        let known = format!("version={}&prekey_version={}", versions.0, versions.1);
        if query == [known] {
            return DONE;
        }
        let safes = Safes {
            safe: account.safe.clone(),
            prekey_safe: account.prekey_safe.clone(),
            restored: self.restored,
        };
        answer(200, &safes)
    }

    fn stock(&self, user: UserId) -> PrekeyStock {
        let account = &self.accounts[&user];
        PrekeyStock {
            stock: u32::try_from(account.unclaimed.len()).unwrap(),
            batch_number: account.batch.head.batch_number,
            last_resort_created_at: account.batch.head.created_at,
        }
    }

    fn write_safe(
        &mut self,
        tab: usize,
        user: UserId,
        (proof, expected): (&[u8], u64),
        new: SafeData,
        prekeys: bool,
    ) -> Answer {
        let proof: [u8; 32] = proof.try_into().unwrap();
        let account = self.accounts.get_mut(&user).unwrap();
        if account.write_hash != proof_hash(&proof) {
            return problem(Code::WrongProof);
        }
        let current = if prekeys {
            account.prekey_safe.clone()
        } else {
            SafeData {
                version: account.safe.version,
                data: account.safe.data.clone(),
            }
        };
        if current.version != expected || new.version != expected + 1 {
            let (status, mut body) = problem(Code::SafeConflict);
            body["current"] = serde_json::to_value(current).unwrap();
            return (status, body);
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
        DONE
    }

    fn person(&self, user: Option<UserId>) -> Answer {
        match user.and_then(|user| Some((user, self.accounts.get(&user)?))) {
            Some((user_id, account)) => {
                let person = Person {
                    user_id,
                    handle: account.handle.clone(),
                    alias: account.alias.clone(),
                    public_keys: Blob::from(account.public_keys.clone()),
                };
                answer(200, &person)
            }
            None => problem(Code::NoSuchUser),
        }
    }

    fn bundles(&mut self, cookie: u64, to: UserId, want_prekey: bool) -> Answer {
        let live: Vec<LiveBundle> = self
            .sockets
            .values()
            .filter(|socket| socket.user == to)
            .filter_map(|socket| {
                Some(LiveBundle {
                    live_id: socket.live,
                    bundle: Blob::from(socket.bundle.clone()?),
                })
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
        let bundles = Bundles {
            public_keys: Blob::from(account.public_keys.clone()),
            live,
            prekey,
        };
        answer(200, &bundles)
    }
}
