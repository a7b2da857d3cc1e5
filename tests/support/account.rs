//! Accounts of the tests: keys and safes as a client would make them, without a client.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use api::bodies::{
    Entered, NewWrap, RegistrationFinish, RegistrationStart, RegistrationStarted, SafeData,
    SafeWrite, Server, SignInFinish, SignInStart, SignInStarted,
};
use api::{Blob, WrapKind};
use protocol::identity::AccountSecrets;
use protocol::ids::UserId;
use protocol::opaque;
use protocol::prekeys::generate_batch;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha3::{Digest, Sha3_256};

use super::{Answer, Client, TestSocket, b64, rng};

/// Bytes that prove the safe key, the same for every account of the tests.
pub(crate) const WRITE_PROOF: &[u8] = b"write proof";

/// Bytes that prove the recovery key, the same for every account of the tests.
pub(crate) const RECOVERY_PROOF: &[u8] = b"recovery proof";

/// A registered account with the client that is signed in to it.
pub(crate) struct Account {
    pub client: Client,
    pub user_id: String,
    pub handle: String,
    pub role: String,
    /// Its socket, once it asked something of messages.
    pub line: tokio::sync::Mutex<Option<TestSocket>>,
}

/// A passphrase that a person would know.
#[derive(Clone, Copy)]
pub(crate) struct Passphrase(pub &'static str);

impl Account {
    /// Registers at little cost: the OPAQUE upload belongs to no passphrase, so that nobody can
    /// sign in to the account again.
    pub(crate) async fn register(
        client: Client,
        handle: &str,
        right: Option<(&str, &str)>,
    ) -> Result<Self, Box<Answer>> {
        let (request, upload) = cheap_upload();
        let started = start(&client, handle, right, request).await?;
        finish(client, handle, started, upload).await
    }

    /// The first administrator, by the secret of the set-up link; registration is open from then on.
    pub(crate) async fn administrator(client: Client, secret: &str) -> Result<Self, Box<Answer>> {
        let admin = Self::register(client, "admin", Some(("setup", secret))).await?;
        let mode = json!({"mode": "open"});
        let opened = admin.client.put("/api/v1/admin/registration", &mode).await;
        match opened.status.is_success() {
            true => Ok(admin),
            false => Err(Box::new(opened)),
        }
    }

    /// Registers with a passphrase; takes Argon2id's time.
    pub(crate) async fn register_with(
        client: Client,
        handle: &str,
        right: Option<(&str, &str)>,
        passphrase: Passphrase,
    ) -> Result<Self, Box<Answer>> {
        let (state, request) = opaque::register_start(&mut rng(), passphrase.0.as_bytes()).unwrap();
        let started = start(&client, handle, right, &request).await?;
        let (upload, _) = state.finish(&mut rng(), &started.response).unwrap();
        finish(client, handle, started, &upload).await
    }

    /// Signs in on another client; takes Argon2id's time.
    pub(crate) async fn sign_in(
        client: Client,
        handle: &str,
        passphrase: Passphrase,
    ) -> Result<Self, Box<Answer>> {
        let (state, request) = opaque::login_start(&mut rng(), passphrase.0.as_bytes()).unwrap();
        let body = SignInStart {
            handle: handle.to_owned(),
            request: Blob::from(request),
        };
        let started = client.post("/api/v1/session/start", &json!(body)).await;
        let started: SignInStarted = ok(started)?;
        // A wrong passphrase shows here, in the client; it sends something all the same.
        let finalization = match state.finish(&mut rng(), &started.response) {
            Ok((finalization, _)) => finalization,
            Err(_) => vec![0; 64],
        };
        let body = SignInFinish {
            token: started.token,
            finalization: Blob::from(finalization),
            device_name: None,
        };
        let entered = client.post("/api/v1/session/finish", &json!(body)).await;
        Ok(account(client, handle, &ok(entered)?))
    }

    /// Registers with a server that may be killed meanwhile.
    pub(crate) async fn try_register(client: Client, handle: &str) -> Option<Self> {
        Self::register(client.tolerant(), handle, None).await.ok()
    }

    /// Signs in to a server that may be killed meanwhile.
    pub(crate) async fn try_sign_in(
        client: Client,
        handle: &str,
        passphrase: Passphrase,
    ) -> Option<Self> {
        Self::sign_in(client.tolerant(), handle, passphrase)
            .await
            .ok()
    }

    /// The account's id as bytes.
    pub(crate) fn id(&self) -> [u8; 16] {
        hex::decode(&self.user_id).unwrap().try_into().unwrap()
    }
}

async fn start(
    client: &Client,
    handle: &str,
    right: Option<(&str, &str)>,
    request: &[u8],
) -> Result<RegistrationStarted, Box<Answer>> {
    let of = |wanted: &str| right.filter(|(name, _)| *name == wanted);
    let body = RegistrationStart {
        handle: handle.to_owned(),
        request: Blob::from(request),
        setup: of("setup").map(|(_, secret)| secret.to_owned().into()),
        invite: of("invite").map(|(_, code)| code.to_owned()),
    };
    ok(client
        .post("/api/v1/registration/start", &json!(body))
        .await)
}

async fn finish(
    client: Client,
    handle: &str,
    started: RegistrationStarted,
    upload: &[u8],
) -> Result<Account, Box<Answer>> {
    let server: Server = ok(client.get("/api/v1/server").await)?;
    let (keys, prekeys) = material(started.user_id, 1, server.now);
    let body = RegistrationFinish {
        token: started.token,
        upload: Blob::from(upload),
        alias: format!("{handle} of the tests"),
        public_keys: Blob::from(keys),
        safe: safe_write(1),
        prekey_safe: SafeData {
            version: 1,
            data: Blob::from(b"sealed prekeys".as_slice()),
        },
        prekeys: Blob::from(prekeys),
        device_name: None,
    };
    let entered = client
        .post("/api/v1/registration/finish", &json!(body))
        .await;
    Ok(account(client, handle, &ok(entered)?))
}

fn account(client: Client, handle: &str, entered: &Entered) -> Account {
    Account {
        client,
        user_id: entered.user_id.to_string(),
        handle: handle.to_owned(),
        role: entered.role.to_string(),
        line: tokio::sync::Mutex::default(),
    }
}

/// A key safe as it is written whole, in JSON.
pub(crate) fn safe(version: u64) -> Value {
    json!(safe_write(version))
}

fn wrap(kind: WrapKind, data: &[u8]) -> NewWrap {
    NewWrap {
        kind,
        data: Blob::from(data),
    }
}

fn safe_write(version: u64) -> SafeWrite {
    SafeWrite {
        version,
        data: Blob::from(b"sealed safe".as_slice()),
        wraps: vec![
            wrap(WrapKind::Passphrase, b"under the passphrase"),
            wrap(WrapKind::RecoveryKey, b"under the recovery key"),
        ],
        write_proof_hash: Blob::from(Sha3_256::digest(WRITE_PROOF).as_slice()),
        recovery_proof_hash: Blob::from(Sha3_256::digest(RECOVERY_PROOF).as_slice()),
    }
}

/// `public_keys` and `prekeys` of an account in JSON; the identity is the same for every account.
pub(crate) fn public_material(user_id: &str, batch_number: u32, now: u64) -> Value {
    let (keys, prekeys) = material(user_id.parse().unwrap(), batch_number, now);
    json!({"public_keys": b64(&keys), "prekeys": b64(&prekeys)})
}

fn material(user: UserId, batch_number: u32, now: u64) -> (Vec<u8>, Vec<u8>) {
    let (secrets, keys) = identity();
    let batch = generate_batch(
        &mut rng(),
        secrets,
        user,
        batch_number,
        3,
        now,
        &BTreeSet::new(),
    );
    (keys.clone(), batch.signed.encode())
}

/// The identity of every account of the tests.
pub(crate) fn identity() -> &'static (AccountSecrets, Vec<u8>) {
    static IDENTITY: OnceLock<(AccountSecrets, Vec<u8>)> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        let secrets = AccountSecrets::generate(&mut rng());
        let keys = secrets.account_keys(&mut rng()).encode();
        (secrets, keys)
    })
}

/// An OPAQUE registration request and an upload of the right form, made once.
pub(crate) fn cheap_upload() -> (&'static [u8], &'static [u8]) {
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

fn ok<T: DeserializeOwned>(answer: Answer) -> Result<T, Box<Answer>> {
    if answer.status.is_success() {
        Ok(serde_json::from_slice(&answer.body).unwrap())
    } else {
        Err(Box::new(answer))
    }
}
