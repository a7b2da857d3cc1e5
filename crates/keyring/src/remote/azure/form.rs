//! The two ways to wrap, and the bytes that come of them.

use zeroize::Zeroizing;

use crate::remote::azure::{Asked, Done};
use crate::remote::service::binding;
use crate::remote::text::{self, URL_SAFE_NO_PAD};
use crate::secret::{KEY_LEN, Kek};
use crate::stanza::KekId;
use crate::suite::{NONCE_LEN, TAG_LEN};

/// Bytes of a KEK's id.
const ID_LEN: usize = 16;

/// How KEKs are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AzureAlgorithm {
    /// `wrapKey` with an RSA key.
    RsaOaep256,
    /// `encrypt` with an AES key of a Managed HSM.
    A256Gcm,
}

/// The form of wrapped bytes, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Form {
    Rsa = 0x01,
    Gcm = 0x02,
}

impl Form {
    pub(super) fn of(algorithm: AzureAlgorithm) -> Self {
        match algorithm {
            AzureAlgorithm::RsaOaep256 => Self::Rsa,
            AzureAlgorithm::A256Gcm => Self::Gcm,
        }
    }

    pub(super) fn wrap_operation(self) -> &'static str {
        match self {
            Self::Rsa => "wrapkey",
            Self::Gcm => "encrypt",
        }
    }

    pub(super) fn unwrap_operation(self) -> &'static str {
        match self {
            Self::Rsa => "unwrapkey",
            Self::Gcm => "decrypt",
        }
    }

    fn alg(self) -> &'static str {
        match self {
            Self::Rsa => "RSA-OAEP-256",
            Self::Gcm => "A256GCM",
        }
    }

    /// The request that wraps a KEK.
    pub(super) fn wrapping(self, kek_id: KekId, kek: &Kek) -> Asked {
        let mut plain = Zeroizing::new(Vec::with_capacity(KEY_LEN + ID_LEN));
        plain.extend_from_slice(kek.expose());
        if self == Self::Rsa {
            plain.extend_from_slice(kek_id.as_bytes());
        }
        Asked {
            alg: self.alg(),
            value: encode(&plain),
            aad: self.aad(kek_id),
            iv: None,
            tag: None,
        }
    }

    /// The bytes that stand in the row.
    pub(super) fn wrapped(self, done: &Done) -> Option<Vec<u8>> {
        let mut bytes = vec![self as u8];
        let value = decode(&done.value)?;
        if self == Self::Gcm {
            let (iv, tag) = (decode(done.iv.as_ref()?)?, decode(done.tag.as_ref()?)?);
            if (iv.len(), tag.len(), value.len()) != (NONCE_LEN, TAG_LEN, KEY_LEN) {
                return None;
            }
            bytes.extend_from_slice(&iv);
            bytes.extend_from_slice(&tag);
        }
        bytes.extend_from_slice(&value);
        Some(bytes)
    }

    /// The request that unwraps the bytes of a row; `None` if they have no form.
    pub(super) fn unwrapping(kek_id: KekId, bytes: &[u8]) -> Option<(Self, Asked)> {
        let (form, rest) = bytes.split_first()?;
        let form = [Self::Rsa, Self::Gcm]
            .into_iter()
            .find(|it| *it as u8 == *form)?;
        let (iv, tag, value) = match form {
            Self::Rsa => (None, None, rest),
            Self::Gcm => {
                let (iv, rest) = rest.split_at_checked(NONCE_LEN)?;
                let (tag, value) = rest.split_at_checked(TAG_LEN)?;
                (Some(encode(iv)), Some(encode(tag)), value)
            }
        };
        let asked = Asked {
            alg: form.alg(),
            value: encode(value),
            aad: form.aad(kek_id),
            iv,
            tag,
        };
        Some((form, asked))
    }

    /// The KEK in what the vault unwrapped; `None` if it is another row's.
    pub(super) fn unwrapped(self, kek_id: KekId, plain: &[u8]) -> Option<Kek> {
        let key = match self {
            Self::Rsa => plain.strip_suffix(kek_id.as_bytes())?,
            Self::Gcm => plain,
        };
        Kek::from_slice(key)
    }

    fn aad(self, kek_id: KekId) -> Option<Zeroizing<String>> {
        (self == Self::Gcm).then(|| encode(binding(kek_id).as_bytes()))
    }
}

fn encode(bytes: &[u8]) -> Zeroizing<String> {
    text::encode(&URL_SAFE_NO_PAD, bytes)
}

fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    text::decode(&URL_SAFE_NO_PAD, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: KekId = KekId::from_bytes([1; 16]);
    const TWO: KekId = KekId::from_bytes([2; 16]);

    #[test]
    fn what_rsa_wraps_is_of_one_row() {
        let kek = Kek::from_slice(&[7; 32]).unwrap();
        let asked = Form::Rsa.wrapping(ONE, &kek);
        assert_eq!(asked.alg, "RSA-OAEP-256");
        assert!(asked.aad.is_none());
        let plain = decode(&asked.value).unwrap();
        let same = Form::Rsa.unwrapped(ONE, &plain).unwrap();
        assert_eq!(same.expose(), kek.expose());
        assert!(Form::Rsa.unwrapped(TWO, &plain).is_none());
        assert!(Form::Rsa.unwrapped(ONE, &plain[..47]).is_none());
    }

    #[test]
    fn the_bytes_of_a_row_lead_back_to_the_request() {
        let done = |iv: Option<&[u8]>, tag: Option<&[u8]>, value: &[u8]| Done {
            kid: String::new(),
            value: encode(value),
            iv: iv.map(|it| encode(it).to_string()),
            tag: tag.map(|it| encode(it).to_string()),
        };
        let rsa = Form::Rsa.wrapped(&done(None, None, &[9; 256])).unwrap();
        let (form, asked) = Form::unwrapping(ONE, &rsa).unwrap();
        assert_eq!(form, Form::Rsa);
        assert_eq!(decode(&asked.value).unwrap().as_slice(), [9; 256]);

        let whole = done(Some(&[1; 12]), Some(&[2; 16]), &[3; 32]);
        let gcm = Form::Gcm.wrapped(&whole).unwrap();
        let (form, asked) = Form::unwrapping(ONE, &gcm).unwrap();
        assert_eq!(form, Form::Gcm);
        assert_eq!(decode(&asked.value).unwrap().as_slice(), [3; 32]);
        assert_eq!(decode(&asked.iv.unwrap()).unwrap().as_slice(), [1; 12]);
        assert_eq!(decode(&asked.tag.unwrap()).unwrap().as_slice(), [2; 16]);
        assert!(asked.aad.is_some());

        for part in [
            done(None, Some(&[2; 16]), &[3; 32]),
            done(Some(&[1; 12]), None, &[3; 32]),
            done(Some(&[1; 12]), Some(&[2; 16]), &[3; 31]),
        ] {
            assert!(Form::Gcm.wrapped(&part).is_none());
        }
        for bad in [&b""[..], b"\x03rest", b"\x02short"] {
            assert!(Form::unwrapping(ONE, bad).is_none());
        }
    }
}
