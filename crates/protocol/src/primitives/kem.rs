//! ML-KEM-1024 ([FIPS 203]), private keys kept as 64-byte seeds.
//!
//! [FIPS 203]: https://doi.org/10.6028/NIST.FIPS.203

use libcrux_ml_kem::mlkem1024;
use rand_core::CryptoRng;
use zeroize::Zeroize;

use crate::codec::DecodeError;
use crate::secret::secret;

/// Length of an encapsulation key in bytes.
pub const PUBLIC_LEN: usize = 1568;
const PRIVATE_LEN: usize = 3168;
/// Length of a ciphertext in bytes.
pub const CIPHERTEXT_LEN: usize = 1568;

secret! {
    /// The seed (d ‖ z) of an ML-KEM-1024 key pair, 64 bytes.
    pub struct KemSecret(64)
}

secret! {
    /// A decapsulation key as FIPS 203 encodes it, expanded from its seed, 3,168 bytes.
    pub(crate) struct KemExpanded(PRIVATE_LEN)
}

secret! {
    /// A shared secret out of ML-KEM-1024, 32 bytes.
    pub struct KemShared(32)
}

/// An encapsulation key that passed FIPS 203's modulus check.
#[derive(Clone, PartialEq, Eq)]
pub struct KemPublic(Box<[u8; PUBLIC_LEN]>);

impl KemPublic {
    /// Checks the encapsulation key as FIPS 203, section 7.2, asks.
    pub fn from_bytes(bytes: &[u8; PUBLIC_LEN]) -> Result<Self, DecodeError> {
        let mut key = Box::new([0; PUBLIC_LEN]);
        key.copy_from_slice(bytes);
        if mlkem1024::validate_public_key(&bytes.into()) {
            Ok(Self(key))
        } else {
            Err(DecodeError::InvalidKey)
        }
    }

    /// The 1568 bytes.
    pub fn as_bytes(&self) -> &[u8; PUBLIC_LEN] {
        &self.0
    }

    /// Encapsulates a fresh secret to this key.
    pub fn encapsulate(
        &self,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> (Box<[u8; CIPHERTEXT_LEN]>, KemShared) {
        let mut coins = [0; 32];
        rng.fill_bytes(&mut coins);
        let result = self.encapsulate_with(coins);
        coins.zeroize();
        result
    }

    /// Encapsulation with given coins; for vectors.
    pub(crate) fn encapsulate_with(
        &self,
        coins: [u8; 32],
    ) -> (Box<[u8; CIPHERTEXT_LEN]>, KemShared) {
        let (ciphertext, mut shared) = mlkem1024::encapsulate(&self.as_bytes().into(), coins);
        let secret = KemShared::from_bytes(&shared);
        shared.zeroize();
        (Box::new(*ciphertext.as_slice()), secret)
    }
}

impl core::fmt::Debug for KemPublic {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "KemPublic({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

impl KemSecret {
    /// Draws a fresh key pair's seed.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self::random(rng)
    }

    /// The encapsulation key.
    pub fn public(&self) -> KemPublic {
        self.expand().1
    }

    /// Decapsulates; a wrong ciphertext gives an unrelated secret (implicit rejection).
    pub fn decapsulate(&self, ciphertext: &[u8; CIPHERTEXT_LEN]) -> KemShared {
        self.decapsulate_with_public(ciphertext).0
    }

    /// Decapsulates and gives the encapsulation key, from one expansion of the seed.
    pub fn decapsulate_with_public(
        &self,
        ciphertext: &[u8; CIPHERTEXT_LEN],
    ) -> (KemShared, KemPublic) {
        let (expanded, public) = self.expand();
        (expanded.decapsulate(ciphertext), public)
    }

    /// Both keys; expanding costs as much as decapsulating.
    pub(crate) fn expand(&self) -> (KemExpanded, KemPublic) {
        let pair = mlkem1024::generate_key_pair(*self.expose());
        let (private, public) = pair.into_parts();
        let mut bytes: [u8; PRIVATE_LEN] = private.into();
        let mut expanded = KemExpanded::zeroed();
        expanded.expose_mut().copy_from_slice(&bytes);
        bytes.zeroize();
        (expanded, KemPublic(Box::new(*public.as_slice())))
    }
}

impl KemExpanded {
    /// Length in bytes.
    pub(crate) const LEN: usize = PRIVATE_LEN;

    /// Decapsulates; a wrong ciphertext gives an unrelated secret (implicit rejection).
    pub(crate) fn decapsulate(&self, ciphertext: &[u8; CIPHERTEXT_LEN]) -> KemShared {
        let key = mlkem1024::MlKem1024PrivateKey::from(self.expose());
        let mut shared = mlkem1024::decapsulate(&key, &ciphertext.into());
        // The library's key type wipes nothing; take its bytes back and wipe them.
        let mut inner: [u8; PRIVATE_LEN] = key.into();
        inner.zeroize();
        let secret = KemShared::from_bytes(&shared);
        shared.zeroize();
        secret
    }
}
