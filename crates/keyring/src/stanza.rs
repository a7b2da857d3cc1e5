//! A wrapped DEK and the key that wrapped it.

use std::fmt;

/// A key-encryption key's identifier, 16 random bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KekId([u8; 16]);

impl KekId {
    /// Takes the identifier's bytes as they are.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The identifier's bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KekId({self})")
    }
}

/// Which kind of provider wrapped a DEK, as a byte.
///
/// A newtype, not an enum: a stanza of a provider that this build does not have must still be readable,
/// so that an error can name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderTag(pub u8);

impl ProviderTag {
    /// PBKDF2 over a key that the operator gives.
    pub const LOCAL: Self = Self(0x01);
    /// A key in a token or HSM, behind a PKCS#11 module.
    pub const PKCS11: Self = Self(0x02);
    /// A key that the Transit engine of HashiCorp Vault or OpenBao wraps.
    pub const HASHICORP_VAULT: Self = Self(0x03);
    /// A key that AWS KMS wraps.
    pub const AWS_KMS: Self = Self(0x04);
    /// A key that Azure Key Vault wraps.
    pub const AZURE_KEY_VAULT: Self = Self(0x05);

    const ALL: [Self; 5] = [
        Self::LOCAL,
        Self::PKCS11,
        Self::HASHICORP_VAULT,
        Self::AWS_KMS,
        Self::AZURE_KEY_VAULT,
    ];

    /// Its name in the configuration and in the database; `None` for a provider that this build does not know.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::LOCAL => Some("local"),
            Self::PKCS11 => Some("pkcs11"),
            Self::HASHICORP_VAULT => Some("hashicorp_vault"),
            Self::AWS_KMS => Some("aws_kms"),
            Self::AZURE_KEY_VAULT => Some("azure_key_vault"),
            _ => None,
        }
    }

    /// The provider of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tag| tag.name() == Some(name))
    }
}

impl fmt::Display for ProviderTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "number {}", self.0),
        }
    }
}

/// A wrapped DEK, tagged with provider and key version.
///
/// While data keys move from one provider to another, both are in use; the tag says which one unwraps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stanza {
    /// The id of the KEK.
    pub kek_id: KekId,
    /// The kind of provider.
    pub provider: ProviderTag,
    /// Version of the key within its provider.
    pub key_version: u32,
    /// The wrapped DEK in the provider's own form; never secret.
    pub wrapped: Vec<u8>,
}

/// Bytes before the wrapped DEK: id, tag, version, length.
const HEAD_LEN: usize = 16 + 1 + 4 + 2;

impl Stanza {
    pub(crate) fn encoded_len(&self) -> usize {
        HEAD_LEN + self.wrapped.len()
    }

    /// Appends the stanza; `None` when the wrapped DEK is longer than 65,535 bytes.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Option<()> {
        let len = u16::try_from(self.wrapped.len()).ok()?;
        out.extend_from_slice(&self.kek_id.0);
        out.push(self.provider.0);
        out.extend_from_slice(&self.key_version.to_be_bytes());
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(&self.wrapped);
        Some(())
    }

    /// Reads a stanza off the front; `None` when the bytes end too early.
    pub(crate) fn decode(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (kek_id, rest) = bytes.split_first_chunk::<16>()?;
        let (provider, rest) = rest.split_first()?;
        let (key_version, rest) = rest.split_first_chunk::<4>()?;
        let (len, rest) = rest.split_first_chunk::<2>()?;
        let (wrapped, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        let stanza = Self {
            kek_id: KekId(*kek_id),
            provider: ProviderTag(*provider),
            key_version: u32::from_be_bytes(*key_version),
            wrapped: wrapped.to_vec(),
        };
        Some((stanza, rest))
    }
}
