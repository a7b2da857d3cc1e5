//! Known devices: failed sign-ins of strangers never lock out a device that signed in before.
//!
//! A browser keeps one random id for all its accounts, and for each account a mark that only the server
//! can make: a keyed hash of id, account and the account's present credentials. The server keeps
//! nothing. A changed passphrase makes every mark of the account void.

use std::net::IpAddr;

use sha3::{Digest, Sha3_256};
use store::UserId;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::app::limits::Guesser;
use ambient::Ambient;

/// The most accounts of which one browser holds marks.
const MAX_MARKS: usize = 8;

/// Bytes of the id and of each mark.
const PART: usize = 16;

const PURPOSE: &[u8] = b"secure-messaging/1 known device";

/// Hash of an account's credentials, which change with the passphrase.
pub type CredentialHash = [u8; 32];

/// Returns the hash of an OPAQUE record.
pub fn credential_hash(record: &[u8]) -> CredentialHash {
    Sha3_256::digest(record).into()
}

/// Makes and verifies the marks.
pub struct Devices {
    key: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Devices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Devices([redacted])")
    }
}

/// The text of the cookie that a browser sent, if it sent one.
#[derive(Debug, Clone, Default)]
pub struct DeviceCookie(pub Option<String>);

impl DeviceCookie {
    fn device(&self) -> Option<Device> {
        Device::parse(self.0.as_deref()?)
    }
}

/// The id and the marks that a browser sent.
struct Device {
    id: [u8; PART],
    marks: Vec<[u8; PART]>,
}

impl Device {
    fn parse(value: &str) -> Option<Self> {
        let bytes = hex::decode(value).ok()?;
        let (id, marks) = bytes.split_first_chunk::<PART>()?;
        let (marks, rest) = marks.as_chunks::<PART>();
        (rest.is_empty() && marks.len() <= MAX_MARKS).then(|| Self {
            id: *id,
            marks: marks.to_vec(),
        })
    }

    fn encode(&self) -> String {
        let mut text = hex::encode(self.id);
        for mark in &self.marks {
            text.push_str(&hex::encode(mark));
        }
        text
    }
}

impl Devices {
    /// Takes the key, which outlives restarts.
    pub fn new(key: &[u8]) -> Self {
        Self {
            key: Zeroizing::new(key.to_vec()),
        }
    }

    /// Returns from which kind of device somebody tries to prove a secret of the account of this name; the
    /// account has these credentials if it exists.
    ///
    /// It does the same work whether or not there is such an account.
    pub fn guesser(
        &self,
        sent: &DeviceCookie,
        network: IpAddr,
        user: Option<UserId>,
        credentials: &CredentialHash,
        name: [u8; 32],
    ) -> Guesser {
        let stranger = Guesser::Stranger {
            account: name,
            network,
        };
        let Some(device) = sent.device() else {
            return stranger;
        };
        let tried = user.unwrap_or_else(|| UserId::from_bytes([0; 16]));
        let mark = self.mark(&device.id, tried, credentials);
        let known = device
            .marks
            .iter()
            .fold(Choice::from(0), |found, own| found | own.ct_eq(&mark));
        if bool::from(known) && user.is_some() {
            Guesser::Known {
                account: *tried.as_bytes(),
                device: Sha3_256::digest(device.id).into(),
            }
        } else {
            stranger
        }
    }

    /// Makes the text of the cookie that marks this browser as known for the account.
    pub fn remember(
        &self,
        sent: &DeviceCookie,
        user: UserId,
        credentials: &CredentialHash,
        ambient: &Ambient,
    ) -> String {
        let mut device = sent.device().unwrap_or_else(|| Device {
            id: ambient.random(),
            marks: Vec::new(),
        });
        let mark = self.mark(&device.id, user, credentials);
        device.marks.retain(|own| *own != mark);
        device.marks.insert(0, mark);
        device.marks.truncate(MAX_MARKS);
        device.encode()
    }

    fn mark(&self, id: &[u8; PART], user: UserId, credentials: &CredentialHash) -> [u8; PART] {
        let hash: [u8; 32] = Sha3_256::new()
            .chain_update(self.key.as_slice())
            .chain_update(PURPOSE)
            .chain_update(id)
            .chain_update(user.as_bytes())
            .chain_update(credentials)
            .finalize()
            .into();
        let mut mark = [0; PART];
        mark.copy_from_slice(&hash[..PART]);
        mark
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ALICE: UserId = UserId::from_bytes([1; 16]);
    const BOB: UserId = UserId::from_bytes([2; 16]);

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn devices() -> Devices {
        Devices::new(&[7; 32])
    }

    fn is_known(devices: &Devices, sent: &DeviceCookie, user: UserId, hash: u8) -> bool {
        let guesser = devices.guesser(sent, HERE, Some(user), &[hash; 32], [9; 32]);
        matches!(guesser, Guesser::Known { .. })
    }

    #[test]
    fn a_device_is_known_for_the_accounts_that_were_signed_in_to_and_for_no_other() {
        let (devices, ambient) = (devices(), Ambient::system());
        let mut sent = DeviceCookie::default();
        assert!(!is_known(&devices, &sent, ALICE, 1));
        for user in [ALICE, BOB] {
            let cookie = devices.remember(&sent, user, &[1; 32], &ambient);
            sent = DeviceCookie(Some(cookie));
        }
        assert!(is_known(&devices, &sent, ALICE, 1));
        assert!(is_known(&devices, &sent, BOB, 1));
        assert!(!is_known(&devices, &sent, UserId::from_bytes([3; 16]), 1));
        assert!(!is_known(&devices, &sent, ALICE, 2), "another passphrase");
        let nobody = devices.guesser(&sent, HERE, None, &[1; 32], [9; 32]);
        assert!(matches!(nobody, Guesser::Stranger { .. }));
    }

    #[test]
    fn another_servers_key_a_changed_mark_and_garbage_are_not_known() {
        let (devices, ambient) = (devices(), Ambient::system());
        let value = devices.remember(&DeviceCookie::default(), ALICE, &[1; 32], &ambient);
        let other = Devices::new(&[8; 32]);
        let sent = DeviceCookie(Some(value.clone()));
        assert!(!is_known(&other, &sent, ALICE, 1));
        for changed in [
            value.replace(&value[40..42], "zz"),
            format!("{value}00"),
            value[..32].to_owned(),
            value.repeat(6),
            String::new(),
        ] {
            let sent = DeviceCookie(Some(changed));
            assert!(!is_known(&devices, &sent, ALICE, 1));
        }
    }

    #[test]
    fn a_browser_is_known_for_the_latest_accounts_only() {
        let (devices, ambient) = (devices(), Ambient::system());
        let mut sent = DeviceCookie::default();
        for user in 0..12 {
            let user = UserId::from_bytes([user; 16]);
            let cookie = devices.remember(&sent, user, &[1; 32], &ambient);
            sent = DeviceCookie(Some(cookie));
        }
        let known = |user| is_known(&devices, &sent, UserId::from_bytes([user; 16]), 1);
        assert!(!known(3));
        assert!((4..12).all(known));
    }
}
