//! Tags over values in the clear: somebody who has the file without the key cannot make one.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::{KEY_LEN, secret_key};

/// Bytes of a tag.
pub const TAG_LEN: usize = 32;

/// Bytes of a SHA-256 block; HMAC pads its key to this length with zeros.
const BLOCK_LEN: usize = 64;

secret_key!(
    /// The key of the tags, one HMAC-SHA256 key for all, separated by domain.
    TagKey
);

impl TagKey {
    /// The tag of some values within a domain such as `users`.
    pub fn tag(&self, domain: &str, values: &[&[u8]]) -> [u8; TAG_LEN] {
        self.mac(domain, values).finalize().into_bytes().into()
    }

    /// Whether a tag is that of these values, in constant time.
    pub fn fits(&self, domain: &str, values: &[&[u8]], tag: &[u8]) -> bool {
        self.mac(domain, values).verify_slice(tag).is_ok()
    }

    /// The number of parts comes first and each part follows its length, so that no two lists give the same
    /// input.
    fn mac(&self, domain: &str, values: &[&[u8]]) -> Hmac<Sha256> {
        let mut block = Zeroizing::new([0; BLOCK_LEN]);
        block[..KEY_LEN].copy_from_slice(self.expose());
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(b"secure-messaging/1 tag");
        mac.update(&(values.len() as u64).to_be_bytes());
        for part in std::iter::once(domain.as_bytes()).chain(values.iter().copied()) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_tag_fits_its_values_in_its_domain_under_its_key_only() {
        let key = TagKey::from_slice(&[7; 32]).unwrap();
        let values: [&[u8]; 3] = [b"ab", b"c", b""];
        let tag = key.tag("users", &values);
        assert!(key.fits("users", &values, &tag));
        let others: [&[&[u8]]; 5] = [
            &[b"a", b"bc", b""],
            &[b"ab", b"c"],
            &[b"ab", b"", b"c"],
            &[b"ab", b"c", b"", b""],
            &[],
        ];
        for other in others {
            assert!(!key.fits("users", other, &tag), "{other:?}");
        }
        assert!(!key.fits("sessions", &values, &tag));
        assert!(!key.fits("users", &values, &tag[..31]));
        assert!(!key.fits("users", &values, &[]));
        let other = TagKey::from_slice(&[8; 32]).unwrap();
        assert!(!other.fits("users", &values, &tag));
    }
}
