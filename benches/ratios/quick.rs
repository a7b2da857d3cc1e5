//! Registrations and sign-ins whose passphrase is not stretched, so that a client costs little.

use opaque_ke::CipherSuite;
use opaque_ke::rand::{CryptoRng, Error, RngCore};
use protocol::opaque::Suite;

/// The passphrase of everybody who is registered so.
pub(crate) const PASSPHRASE: &[u8] = b"granite otter velvet mosaic turbine lantern";

/// The product's suite for clients that do not stretch their passphrase.
pub(crate) struct Quick;

impl CipherSuite for Quick {
    type OprfCs = <Suite as CipherSuite>::OprfCs;
    type KeyExchange = <Suite as CipherSuite>::KeyExchange;
    type Ksf = opaque_ke::ksf::Identity;
}

/// The system's randomness.
pub(crate) struct Random;

impl RngCore for Random {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        ambient::Entropy::fill(&ambient::OsEntropy, bytes).expect("the system has randomness");
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Random {}
