//! Samples of what the server hands over; sizes like the real ones unless a test wants them small.

use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    Admission, AuditEvent, Claim, Leaf, NewBatch, NewServiceKey, NewSession, NewUser, PrekeySafe,
    PublicKeys, SafeWrite, ServiceId, ServiceKeyAlgorithm, SessionDetails, SessionId, Store,
    UserId, Wrap, WrapId, WrapKind,
};
use api::Blob;

/// The time at which everything here happens, unix seconds.
pub const NOW: u64 = 1_800_000_000;
/// Seconds after which a sample session has been idle for too long.
pub const IDLE: u64 = 1_800;
/// Seconds after which a sample session ends anyhow.
pub const ABSOLUTE: u64 = 43_200;

/// A user's id from a number.
pub fn user_id(number: u64) -> UserId {
    let mut bytes = [0xa5; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    UserId::from_bytes(bytes)
}

/// A session's id from a number.
pub fn session_id(number: u64) -> SessionId {
    let mut bytes = [0x5e; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    SessionId::from_bytes(bytes)
}

/// The handle of a sample user.
pub fn handle(number: u64) -> String {
    format!("handle-{number}")
}

/// A session of a user.
pub fn session(user: UserId, number: u64, created_at: u64) -> NewSession {
    NewSession {
        session_id: session_id(number),
        user_id: user,
        created_at,
        expires_at: created_at + IDLE,
        absolute_expires_at: created_at + ABSOLUTE,
        details: SessionDetails {
            ip: "192.0.2.77".to_owned(),
            user_agent: "Sample Browser".to_owned(),
            signed_in_at: created_at,
            method: "passphrase".to_owned(),
            device_name: Some("Sample device".to_owned()),
        },
    }
}

/// A batch of so many leaves; ids count on from `first_id`.
pub fn batch(batch_number: u64, first_id: u32, leaves: u32) -> NewBatch {
    let leaf = |prekey_id: u32, len: usize| {
        let mut bytes = vec![prekey_id as u8; len];
        bytes[..4].copy_from_slice(&prekey_id.to_be_bytes());
        Leaf { prekey_id, bytes }
    };
    NewBatch {
        batch_number,
        head: vec![1; 4_800],
        tree: vec![2; 32 * (leaves as usize + 1)],
        one_time: (0..leaves)
            .map(|i| leaf(first_id + i, 1_600 + i as usize))
            .collect(),
        first_index: 0,
        last_resort: leaf(first_id + leaves, 1_650),
        last_resort_index: leaves,
        signed_prekey: vec![3; 32],
        quantum_public_key: vec![4; 1_568],
        created_at: NOW,
        expires_at: NOW + 30 * 86_400,
    }
}

/// A wrap of the safe key; its id is of a number.
pub fn wrap(number: u8, kind: WrapKind, data: &[u8]) -> Wrap {
    Wrap {
        id: WrapId::from_bytes([number; WrapId::LEN]),
        kind,
        made: NOW,
        data: Blob::from(data),
    }
}

/// A key safe of a version.
pub fn safe(version: u64) -> SafeWrite {
    SafeWrite {
        version,
        data: format!("sealed by the client, {version:03}; ")
            .repeat(600)
            .into_bytes(),
        wraps: vec![
            wrap(1, WrapKind::Passphrase, b"wrapped under the passphrase"),
            wrap(2, WrapKind::RecoveryKey, b"wrapped under the recovery key"),
        ],
        write_proof_hash: [0x77; 32],
        recovery_proof_hash: [0x88; 32],
    }
}

/// A prekey safe of a version.
pub fn prekey_safe(version: u64) -> PrekeySafe {
    PrekeySafe {
        version,
        data: vec![0x40 | version as u8; 16_384],
    }
}

/// Public keys that differ by number.
pub fn public_keys(number: u64) -> PublicKeys {
    PublicKeys {
        identity_key: vec![number as u8; 32],
        verify_key: vec![number as u8 ^ 1; 2_624],
        account_keys: vec![number as u8 ^ 2; 7_400],
        created_at: NOW,
    }
}

/// An account with so many prekeys.
pub fn user(number: u64, leaves: u32, admission: Admission) -> NewUser {
    NewUser {
        user_id: user_id(number),
        handle: handle(number).into(),
        alias: format!("Alias {number}").into(),
        opaque_record: format!("opaque record {number}").into_bytes().into(),
        fingerprint: vec![number as u8; 64],
        public_keys: public_keys(number),
        safe: safe(1),
        prekey_safe: prekey_safe(1),
        prekeys: batch(1, 0, leaves),
        created_at: NOW,
        admission,
    }
}

/// A service's id from a number.
pub fn service(number: u8) -> ServiceId {
    let id = format!("service-{number:03}").parse();
    id.unwrap_or_else(|refused| unreachable!("{refused}"))
}

/// A version of a service's key that differs by number.
pub fn service_key(number: u8) -> NewServiceKey {
    let private = format!("private half of a service, {number:03}; ").repeat(3);
    NewServiceKey {
        algorithm: ServiceKeyAlgorithm::MlDsa87Ed25519,
        key_size: 20_992,
        kid: format!("{number:043}"),
        public_key: vec![number; 2_624],
        private_key: Zeroizing::new(private.into_bytes()).into(),
    }
}

/// An event of a user.
pub fn event(user_id: Option<UserId>, action: &'static str, timestamp: u64) -> AuditEvent {
    let details = json!({ "ip": "192.0.2.77", "status": 200, "reason": "a sample reason" });
    AuditEvent {
        user_id,
        action,
        timestamp,
        details,
    }
}

/// Registers sample users with these numbers; each has one session of the same number.
pub async fn register(store: &Store, numbers: std::ops::Range<u64>, leaves: u32) {
    for number in numbers {
        let id = user_id(number);
        let session = session(id, number, NOW);
        let audit = vec![event(Some(id), "user.registered", NOW)];
        let registered = store
            .register(user(number, leaves, Admission::Open), session, audit)
            .await;
        assert!(registered.is_ok(), "sample user {number}: {registered:?}");
    }
}

/// Claims a one-time leaf and gives its id, or `None` for the last resort.
pub async fn claim(store: &Store, user: UserId) -> Option<u32> {
    match store.claim_prekey(user, Claim::OneTime, NOW).await {
        Ok(Some(leaf)) => (!leaf.last_resort).then_some(leaf.prekey_id),
        other => unreachable!("no leaf at all: {other:?}"),
    }
}
