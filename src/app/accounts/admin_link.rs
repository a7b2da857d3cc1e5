//! Links by which somebody registers as an administrator, made at the server's terminal.

use ambient::Ambient;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha3::{Digest, Sha3_256};
use store::AdminLink;
use zeroize::Zeroizing;

use super::handle::Handle;

/// Seconds that a link is good for: a day.
const LIFE: u64 = 86_400;

/// What is escaped in a handle behind the dot that ends the secret.
const IN_A_LINK: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

const PURPOSE: &[u8] = b"secure-messaging/1 administrator link";

/// A link that was made; its secret exists here only, and in what is printed.
pub struct NewAdminLink {
    secret: Zeroizing<[u8; 32]>,
    handle: Handle,
    expires_at: u64,
}

impl NewAdminLink {
    /// Draws a secret for somebody who will register under this handle.
    pub fn new(ambient: &Ambient, handle: Handle) -> Self {
        Self {
            secret: Zeroizing::new(ambient.random()),
            handle,
            expires_at: ambient.now() + LIFE,
        }
    }

    /// Returns what the store keeps.
    pub fn kept(&self) -> AdminLink {
        AdminLink {
            hash: hash(&self.secret, &self.handle),
            expires_at: self.expires_at,
        }
    }

    /// Returns the unix seconds until which it is good.
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// Returns the address to open; the handle in it is for the form only.
    pub fn address(&self, origin: &str) -> Zeroizing<String> {
        let secret = Zeroizing::new(hex::encode(self.secret.as_slice()));
        let handle = utf8_percent_encode(self.handle.as_str(), IN_A_LINK);
        Zeroizing::new(format!("{origin}/setup#{}.{handle}", secret.as_str()))
    }
}

/// Returns the hash of the link that has this secret, in hexadecimal digits, and is for this handle.
pub(super) fn hash_of(secret: &str, handle: &Handle) -> Option<[u8; 32]> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(secret, bytes.as_mut_slice()).ok()?;
    Some(hash(&bytes, handle))
}

fn hash(secret: &[u8; 32], handle: &Handle) -> [u8; 32] {
    let digest = Sha3_256::new()
        .chain_update(PURPOSE)
        .chain_update(secret)
        .chain_update(handle.as_str());
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_for_one_handle_and_the_store_does_not_see_its_secret() {
        let handle = Handle::parse("Иван.1").unwrap();
        let link = NewAdminLink::new(&Ambient::system(), handle.clone());
        let address = link.address("https://chat.example.org");
        let (start, rest) = address.split_once('#').unwrap();
        assert_eq!(start, "https://chat.example.org/setup");
        let (secret, shown) = rest.split_once('.').unwrap();
        assert_eq!(shown, "%D0%B8%D0%B2%D0%B0%D0%BD%2E1");
        assert_eq!(hash_of(secret, &handle), Some(link.kept().hash));
        let other = Handle::parse("eve").unwrap();
        assert_ne!(hash_of(secret, &other), Some(link.kept().hash));
        assert_eq!(hash_of("not hexadecimal", &handle), None);
        assert_ne!(hex::encode(link.kept().hash), secret);
    }
}
