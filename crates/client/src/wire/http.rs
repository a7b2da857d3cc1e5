//! Bodies of HTTP requests and answers.

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::wire::{Blob, Waiting};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BootInfo {
    pub(crate) id: Id,
    #[serde(default)]
    pub(crate) signed: Blob,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ServerInfo {
    #[serde(default)]
    pub(crate) version: String,
    pub(crate) boot: BootInfo,
    pub(crate) now: u64,
    pub(crate) registration: String,
    #[serde(default)]
    pub(crate) setup_done: bool,
    #[serde(default)]
    pub(crate) bundle_hash: Option<String>,
    #[serde(default)]
    pub(crate) restored: Option<Restored>,
}

/// What a server says that came out of a backup.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Restored {
    /// Random at each restore.
    pub(crate) epoch: Id,
    /// Unix seconds of the backup.
    pub(crate) at: u64,
}

/// What a server may say about the hardening of passphrases; anything but the constants is refused.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ksf {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RegistrationStart<'a> {
    pub(crate) handle: &'a str,
    pub(crate) request: Blob,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) setup: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invite: Option<&'a str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RegistrationWish<'a> {
    pub(crate) handle: &'a str,
    pub(crate) alias: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) setup: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invite: Option<&'a str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RegistrationStarted {
    pub(crate) response: Blob,
    pub(crate) token: String,
    pub(crate) user_id: Id,
    #[serde(default)]
    pub(crate) ksf: Option<Ksf>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SafeWrite {
    pub(crate) version: u64,
    pub(crate) data: Blob,
    pub(crate) passphrase_wrap: Blob,
    pub(crate) recovery_wrap: Blob,
    pub(crate) write_proof_hash: Blob,
    pub(crate) recovery_proof_hash: Blob,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SafeRead {
    pub(crate) version: u64,
    pub(crate) data: Blob,
    pub(crate) passphrase_wrap: Blob,
    pub(crate) recovery_wrap: Blob,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Versioned {
    pub(crate) version: u64,
    pub(crate) data: Blob,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Safes {
    pub(crate) safe: SafeRead,
    /// Version 0 without data where there is none: after a restore, which brings none back.
    pub(crate) prekey_safe: Versioned,
    #[serde(default)]
    pub(crate) restored: Option<Restored>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RegistrationFinish<'a> {
    pub(crate) token: &'a str,
    pub(crate) upload: Blob,
    pub(crate) alias: &'a str,
    pub(crate) public_keys: Blob,
    pub(crate) safe: SafeWrite,
    pub(crate) prekey_safe: Versioned,
    pub(crate) prekeys: Blob,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LoginStart<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) handle: Option<&'a str>,
    pub(crate) request: Blob,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LoginStarted {
    pub(crate) response: Blob,
    pub(crate) token: String,
    #[serde(default)]
    pub(crate) ksf: Option<Ksf>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LoginFinish<'a> {
    pub(crate) token: &'a str,
    pub(crate) finalization: Blob,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_name: Option<&'a str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reauthenticated {
    pub(crate) reauth_token: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RecoveryStart<'a> {
    pub(crate) handle: &'a str,
    pub(crate) proof: Blob,
    pub(crate) request: Blob,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RecoveryStarted {
    pub(crate) response: Blob,
    pub(crate) token: String,
    pub(crate) user_id: Id,
    pub(crate) safe: SafeRead,
    pub(crate) prekey_safe: Versioned,
    #[serde(default)]
    pub(crate) ksf: Option<Ksf>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RecoveryFinish<'a> {
    pub(crate) token: &'a str,
    pub(crate) upload: Blob,
    pub(crate) safe: SafeWrite,
    pub(crate) prekey_safe: Versioned,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PassphraseStart {
    pub(crate) request: Blob,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PassphraseFinish<'a> {
    pub(crate) token: &'a str,
    pub(crate) reauth_token: &'a str,
    pub(crate) upload: Blob,
    pub(crate) write_proof: Blob,
    pub(crate) safe: SafeWrite,
    pub(crate) prekey_safe: Versioned,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccountDelete<'a> {
    pub(crate) reauth_token: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct IdentityPut<'a> {
    pub(crate) reauth_token: &'a str,
    pub(crate) public_keys: Blob,
    pub(crate) prekeys: Blob,
    pub(crate) safe: SafeWrite,
    pub(crate) prekey_safe: Versioned,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SafePut {
    pub(crate) write_proof: Blob,
    pub(crate) expected_version: u64,
    pub(crate) safe: Versioned,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PrekeySafePut {
    pub(crate) write_proof: Blob,
    pub(crate) expected_version: u64,
    pub(crate) prekey_safe: Versioned,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Conflict {
    pub(crate) current: Versioned,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SessionInfo {
    pub(crate) user_id: Id,
    pub(crate) handle: String,
    pub(crate) alias: String,
    pub(crate) role: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Half {
    pub(crate) half: Blob,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) user_id: Id,
    pub(crate) handle: String,
    pub(crate) alias: String,
    pub(crate) public_keys: Blob,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WantBundles {
    pub(crate) want_prekey: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LiveBundle {
    pub(crate) live_id: Id,
    pub(crate) bundle: Blob,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Bundles {
    pub(crate) public_keys: Blob,
    #[serde(default)]
    pub(crate) live: Vec<LiveBundle>,
    #[serde(default)]
    pub(crate) prekey: Option<Blob>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PutPrekeys {
    pub(crate) batch: Blob,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PrekeyStock {
    pub(crate) stock: u32,
    #[serde(default)]
    pub(crate) batch_number: u32,
    #[serde(default)]
    pub(crate) last_resort_created_at: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PrekeysInUse {
    pub(crate) ids: Vec<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sent {
    pub(crate) id: Id,
    pub(crate) expires_at: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WaitingList {
    pub(crate) waiting: Vec<Waiting>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) token: Blob,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Alias<'a> {
    pub(crate) alias: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Mode<'a> {
    pub(crate) mode: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NewInvite {
    pub(crate) max_uses: u32,
    pub(crate) life: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UseInvite {
    pub(crate) code: Id,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct InviteMade {
    pub(crate) code: String,
    pub(crate) expires_at: u64,
}
