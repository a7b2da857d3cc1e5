//! A pair of X25519 and ML-KEM-1024 keys, of a prekey or a session.

use rand_core::CryptoRng;

use crate::codec::{DecodeError, Reader, Writer};
use crate::primitives::agreement::{AgreementPublic, AgreementSecret};
use crate::primitives::kem::{self, KemPublic, KemSecret};

/// Private halves of a pair.
#[derive(Debug, PartialEq, Eq)]
pub struct PairSecrets {
    /// X25519 private key.
    pub agreement: AgreementSecret,
    /// ML-KEM-1024 seed.
    pub kem: KemSecret,
}

/// Public halves of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairPublic {
    /// X25519 public key.
    pub agreement: AgreementPublic,
    /// ML-KEM-1024 encapsulation key.
    pub kem: KemPublic,
}

impl PairSecrets {
    /// Length of both secrets in bytes.
    pub const LEN: usize = AgreementSecret::LEN + KemSecret::LEN;

    /// Makes a fresh pair.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self {
            agreement: AgreementSecret::generate(rng),
            kem: KemSecret::generate(rng),
        }
    }

    /// The public halves.
    pub fn public(&self) -> PairPublic {
        PairPublic {
            agreement: self.agreement.public(),
            kem: self.kem.public(),
        }
    }

    /// A second copy, where two owners must live apart.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            agreement: self.agreement.duplicate(),
            kem: self.kem.duplicate(),
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.raw(self.agreement.expose()).raw(self.kem.expose());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            agreement: AgreementSecret::from_bytes(reader.array()?),
            kem: KemSecret::from_bytes(reader.array()?),
        })
    }
}

impl PairPublic {
    /// Length of both keys in bytes.
    pub const LEN: usize = AgreementPublic::LEN + kem::PUBLIC_LEN;

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer
            .raw(self.agreement.as_bytes())
            .raw(self.kem.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            agreement: AgreementPublic::from_bytes(reader.array()?)?,
            kem: KemPublic::from_bytes(reader.array()?)?,
        })
    }
}
