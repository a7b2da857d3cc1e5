//! What the integration tests share: a server in this process, the real binary, and a client.

mod account;
mod app;
mod binary;
mod client;
mod foreign;
mod line;
pub(crate) mod memory_scan;
mod message;
mod not_tried;
mod server;
mod socket;
mod tls;

pub(crate) use account::{
    Account, Passphrase, RECOVERY_PROOF, WRITE_PROOF, cheap_upload, identity, public_material, safe,
};
pub(crate) use app::{START, TestApp};
pub(crate) use binary::{BINARY, binary};
pub(crate) use client::{Answer, Client};
pub(crate) use foreign::{append_record, append_record_at};
pub(crate) use message::{live_slot, post_waiting, submission, waiting_slot};
pub(crate) use not_tried::not_tried;
pub(crate) use server::Spawned;
pub(crate) use socket::{Heard, TestSocket, Unlinked, fetch, sealed, sealed_path};
pub(crate) use tls::{carrier, trusting};

use ambient::{Ambient, Rng};

/// Random bytes for the protocol's functions.
pub(crate) fn rng() -> Rng {
    Ambient::system().rng()
}

/// Sixteen random bytes.
pub(crate) fn random_id() -> [u8; 16] {
    Ambient::system().random()
}

/// Bytes as JSON carries them.
pub(crate) fn b64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes out of JSON.
pub(crate) fn unb64(value: &serde_json::Value) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(value.as_str().unwrap())
        .unwrap()
}
