//! Accounts of the tests: keys and safes as a client would make them, without a client.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use protocol::identity::AccountSecrets;
use protocol::ids::UserId;
use protocol::opaque;
use protocol::prekeys::generate_batch;
use serde_json::{Value, json};
use sha3::{Digest, Sha3_256};

use super::{Answer, Client, b64, rng, unb64};

/// Bytes that prove the safe key, the same for every account of the tests.
pub const WRITE_PROOF: &[u8] = b"write proof";

/// Bytes that prove the recovery key, the same for every account of the tests.
pub const RECOVERY_PROOF: &[u8] = b"recovery proof";

/// A registered account with the client that is signed in to it.
pub struct Account {
    pub client: Client,
    pub user_id: String,
    pub handle: String,
    pub role: String,
}

/// A passphrase that a person would know.
#[derive(Clone, Copy)]
pub struct Passphrase(pub &'static str);

impl Account {
    /// Registers at little cost: the OPAQUE upload belongs to no passphrase, so that nobody can
    /// sign in to the account again.
    pub async fn register(
        client: Client,
        handle: &str,
        right: Option<(&str, &str)>,
    ) -> Result<Self, Box<Answer>> {
        let (request, upload) = cheap_upload();
        let started = start(&client, handle, right, request).await?;
        finish(client, handle, &started, upload).await
    }

    /// Registers with a passphrase; takes Argon2id's time.
    pub async fn register_with(
        client: Client,
        handle: &str,
        right: Option<(&str, &str)>,
        passphrase: Passphrase,
    ) -> Result<Self, Box<Answer>> {
        let (state, request) = opaque::register_start(&mut rng(), passphrase.0.as_bytes()).unwrap();
        let started = start(&client, handle, right, &request).await?;
        let (upload, _) = state
            .finish(&mut rng(), &unb64(&started["response"]))
            .unwrap();
        finish(client, handle, &started, &upload).await
    }

    /// Signs in on another client; takes Argon2id's time.
    pub async fn sign_in(
        client: Client,
        handle: &str,
        passphrase: Passphrase,
    ) -> Result<Self, Box<Answer>> {
        let (state, request) = opaque::login_start(&mut rng(), passphrase.0.as_bytes()).unwrap();
        let body = json!({"handle": handle, "request": b64(&request)});
        let started = ok(client.post("/api/v1/session/start", &body).await)?;
        let response = unb64(&started["response"]);
        // A wrong passphrase shows here, in the client; it sends something all the same.
        let finalization = match state.finish(&mut rng(), &response) {
            Ok((finalization, _)) => finalization,
            Err(_) => vec![0; 64],
        };
        let body = json!({"token": started["token"], "finalization": b64(&finalization)});
        let entered = ok(client.post("/api/v1/session/finish", &body).await)?;
        Ok(account(client, handle, &entered))
    }

    /// Registers with a server that may be killed meanwhile.
    pub async fn try_register(client: Client, handle: &str) -> Option<Self> {
        Self::register(client.tolerant(), handle, None).await.ok()
    }

    /// Signs in to a server that may be killed meanwhile.
    pub async fn try_sign_in(client: Client, handle: &str, passphrase: Passphrase) -> Option<Self> {
        Self::sign_in(client.tolerant(), handle, passphrase)
            .await
            .ok()
    }

    /// The account's id as bytes.
    pub fn id(&self) -> [u8; 16] {
        hex::decode(&self.user_id).unwrap().try_into().unwrap()
    }
}

async fn start(
    client: &Client,
    handle: &str,
    right: Option<(&str, &str)>,
    request: &[u8],
) -> Result<Value, Box<Answer>> {
    let mut body = json!({"handle": handle, "request": b64(request)});
    if let Some((name, value)) = right {
        body[name] = value.into();
    }
    ok(client.post("/api/v1/registration/start", &body).await)
}

async fn finish(
    client: Client,
    handle: &str,
    started: &Value,
    upload: &[u8],
) -> Result<Account, Box<Answer>> {
    let user_id = started["user_id"].as_str().unwrap();
    let server = ok(client.get("/api/v1/server").await)?;
    let now = server["now"].as_u64().unwrap();
    let mut body = public_material(user_id, 1, now);
    body["token"] = started["token"].clone();
    body["upload"] = b64(upload).into();
    body["alias"] = format!("{handle} of the tests").into();
    body["safe"] = safe(1);
    body["prekey_safe"] = json!({"version": 1, "data": b64(b"sealed prekeys")});
    let entered = ok(client.post("/api/v1/registration/finish", &body).await)?;
    Ok(account(client, handle, &entered))
}

fn account(client: Client, handle: &str, entered: &Value) -> Account {
    Account {
        client,
        user_id: entered["user_id"].as_str().unwrap().to_owned(),
        handle: handle.to_owned(),
        role: entered["role"].as_str().unwrap().to_owned(),
    }
}

/// A key safe as it is written whole.
pub fn safe(version: u64) -> Value {
    json!({
        "version": version,
        "data": b64(b"sealed safe"),
        "passphrase_wrap": b64(b"under the passphrase"),
        "recovery_wrap": b64(b"under the recovery key"),
        "write_proof_hash": b64(&Sha3_256::digest(WRITE_PROOF)),
        "recovery_proof_hash": b64(&Sha3_256::digest(RECOVERY_PROOF)),
    })
}

/// `public_keys` and `prekeys` of an account; the identity is the same for every account.
pub fn public_material(user_id: &str, batch_number: u32, now: u64) -> Value {
    let (secrets, keys) = identity();
    let bytes: [u8; 16] = hex::decode(user_id).unwrap().try_into().unwrap();
    let user = UserId::from_bytes(bytes);
    let batch = generate_batch(
        &mut rng(),
        secrets,
        user,
        batch_number,
        3,
        now,
        &BTreeSet::new(),
    );
    json!({"public_keys": b64(keys), "prekeys": b64(&batch.signed.encode())})
}

/// The identity of every account of the tests.
pub fn identity() -> &'static (AccountSecrets, Vec<u8>) {
    static IDENTITY: OnceLock<(AccountSecrets, Vec<u8>)> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        let secrets = AccountSecrets::generate(&mut rng());
        let keys = secrets.account_keys(&mut rng()).encode();
        (secrets, keys)
    })
}

/// An OPAQUE registration request and an upload of the right form, made once.
pub fn cheap_upload() -> (&'static [u8], &'static [u8]) {
    static UPLOAD: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    let (request, upload) = UPLOAD.get_or_init(|| {
        let (state, request) = opaque::register_start(&mut rng(), b"nobody knows").unwrap();
        let setup = opaque::ServerSetup::generate(&mut rng());
        let response = opaque::register_respond(&setup, &request, b"nobody").unwrap();
        let (upload, _) = state.finish(&mut rng(), &response).unwrap();
        (request, upload)
    });
    (request, upload)
}

fn ok(answer: Answer) -> Result<Value, Box<Answer>> {
    if answer.status.is_success() {
        Ok(answer.json())
    } else {
        Err(Box::new(answer))
    }
}
