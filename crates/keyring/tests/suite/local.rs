//! Keys that are derived from the operator's key.

use std::sync::Arc;

use ambient::{Entropy, EntropyError, OsEntropy};
use keyring::testing::places::place;
use keyring::{
    Dek, ExportedKek, KdfError, KekId, KekProvider, KeyMaterial, LocalProvider, MINIMUM_ITERATIONS,
    ProviderError, SALT_LEN, Stanza, Suite,
};

const ID: KekId = KekId::from_bytes([1; 16]);

#[test]
fn cheap_derivations_and_odd_salts_are_refused() {
    let derive = |salt: &[u8], iterations| {
        let key = KeyMaterial::new(b"key".to_vec());
        LocalProvider::derive(&key, salt, iterations, ID, 1, Arc::new(OsEntropy)).map(drop)
    };
    assert_eq!(
        derive(&[0; SALT_LEN], MINIMUM_ITERATIONS - 1),
        Err(KdfError::TooFewIterations { given: 99_999 })
    );
    assert_eq!(
        derive(&[0; 8], MINIMUM_ITERATIONS),
        Err(KdfError::BadSalt { given: 8 })
    );
    assert_eq!(derive(&[0; SALT_LEN], MINIMUM_ITERATIONS), Ok(()));
}

/// Draws zeros.
struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(0);
        Ok(())
    }
}

#[test]
fn a_salt_of_another_length_unwraps_nothing_even_where_it_makes_the_same_key() {
    // HKDF fills a short salt up with zeros: one of zeros means the same whatever its length.
    let key = ExportedKek::from_slice(&[7; 32]).unwrap();
    let provider = LocalProvider::from_handover(&key, ID, 1, Arc::new(Zeros));
    let provider = provider.with_suite(Suite::Aes256Gcm);
    let dek = Dek::from_slice(&[9; 32]).unwrap();
    let stanza = provider.wrap(&dek, &place()).unwrap();
    assert_eq!(stanza.wrapped[1..=32], [0; 32], "the control: the salt");
    let with_salt = |len: usize| Stanza {
        wrapped: [&stanza.wrapped[..1], &vec![0; len], &stanza.wrapped[33..]].concat(),
        ..stanza.clone()
    };
    for len in (0..=64).filter(|len| *len != 32) {
        let refused = provider.unwrap(&with_salt(len), &place());
        assert!(matches!(refused, Err(ProviderError::Refused)), "{len}");
    }
    let unwrapped = provider.unwrap(&with_salt(32), &place()).unwrap();
    assert_eq!(unwrapped.expose(), dek.expose());
}
