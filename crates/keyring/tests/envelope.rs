//! What is sealed opens in its place and nowhere else.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use keyring::{
    Context, Entropy, EntropyError, EnvelopeError, IndexKey, KekId, KeyMaterial, Keyring,
    LocalProvider, MINIMUM_ITERATIONS, OpenError, OsEntropy, SealError, SubjectKey,
};
use proptest::prelude::*;

/// 0, 1, 2, … so that vectors can be recomputed elsewhere.
#[derive(Default)]
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes
            .iter_mut()
            .for_each(|byte| *byte = self.0.fetch_add(1, Ordering::Relaxed));
        Ok(())
    }
}

struct Exhausted;

impl Entropy for Exhausted {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError)
    }
}

const KEK_ID: KekId = KekId::from_bytes([0xab; 16]);

fn provider(key: &[u8], kek_id: KekId, entropy: Arc<dyn Entropy>) -> LocalProvider {
    let salt: Vec<u8> = (0..32).collect();
    let key = KeyMaterial::new(key.to_vec());
    LocalProvider::derive(&key, &salt, MINIMUM_ITERATIONS, kek_id, 1, entropy).unwrap()
}

fn ring(key: &[u8], entropy: Arc<dyn Entropy>) -> Keyring {
    Keyring::new(
        Arc::new(provider(key, KEK_ID, Arc::clone(&entropy))),
        entropy,
    )
}

fn place() -> Context<'static> {
    Context {
        table: "users",
        column: "encrypted_data",
        row_id: b"row one",
        schema_version: 1,
    }
}

// Computed with Python's hashlib and cryptography and a few lines of HChaCha20.
const ENVELOPE: &str = "0101abababababababababababababababab010000000100482c2d2e2f3031323334353637\
38393a3b3c3d3e3f404142438f80faba59f971f7e0cb40ddd0c8a1f4eb6ef6e1268cf45b3bf965da3a9276ac6aed00f5c1\
7ca6db85957905dbc9397b202122232425262728292a2b12c7fb197083995ebbb3cca43c5acbedb21c3fea560e6af13537\
465e2390";
const SUBJECT: &str = "8101000102030405060708090a0b0c0d0e0f10111213141516173e67230e63da2b7647cd028a\
974e2bfcc481ad1636cfe94f96037c03fee856";

#[test]
fn the_envelope_has_the_bytes_that_another_implementation_computes() {
    let ring = ring(b"a key for vectors", Arc::new(Counting::default()));
    let sealed = ring.seal(&place(), b"a sealed value").unwrap();
    assert_eq!(hex::encode(&sealed), ENVELOPE);
    assert_eq!(
        ring.open(&place(), &sealed).unwrap().expose(),
        b"a sealed value"
    );
}

#[test]
fn a_subjects_row_has_the_bytes_that_another_implementation_computes() {
    let key = SubjectKey::from_slice(&[9; 32]).unwrap();
    let sealed = key
        .seal(&place(), b"a sealed detail", &Counting::default())
        .unwrap();
    assert_eq!(hex::encode(&sealed), SUBJECT);
    assert_eq!(
        key.open(&place(), &sealed).unwrap().expose(),
        b"a sealed detail"
    );
}

#[test]
fn the_index_has_the_bytes_that_another_implementation_computes() {
    let key = IndexKey::from_slice(&[7; 32]).unwrap();
    assert_eq!(
        hex::encode(key.index("users.handle", b"alice")),
        "cd7983722b5a3f9c8f1571433a74f6fafa124724912f73be550694b54f79c091"
    );
    assert_ne!(
        key.index("users.handle", b"alice"),
        key.index("users.handl", b"ealice")
    );
}

#[test]
fn a_value_opens_in_no_other_place() {
    let ring = ring(b"key", Arc::new(OsEntropy));
    let key = SubjectKey::generate(&OsEntropy).unwrap();
    let sealed = ring.seal(&place(), b"value").unwrap();
    let own = key.seal(&place(), b"value", &OsEntropy).unwrap();
    let elsewhere = [
        Context {
            table: "sessions",
            ..place()
        },
        Context {
            column: "encrypted_credential",
            ..place()
        },
        Context {
            row_id: b"row two",
            ..place()
        },
        Context {
            row_id: b"",
            ..place()
        },
        Context {
            schema_version: 2,
            ..place()
        },
        // The same bytes in a row, cut in another place.
        Context {
            table: "usersencrypted",
            column: "_data",
            ..place()
        },
    ];
    for context in elsewhere {
        assert!(ring.open(&context, &sealed).is_err(), "{context:?}");
        assert!(
            matches!(key.open(&context, &own), Err(OpenError::Refused)),
            "{context:?}"
        );
    }
    assert!(ring.open(&place(), &sealed).is_ok());
    assert!(key.open(&place(), &own).is_ok());
}

#[test]
fn another_key_opens_nothing() {
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let sealed = ring(b"right", Arc::clone(&entropy))
        .seal(&place(), b"value")
        .unwrap();
    let wrong = ring(b"wrong", Arc::clone(&entropy)).open(&place(), &sealed);
    assert!(matches!(wrong, Err(OpenError::Provider(_))), "{wrong:?}");

    let other = provider(b"right", KekId::from_bytes([1; 16]), Arc::clone(&entropy));
    let other = Keyring::new(Arc::new(other), Arc::clone(&entropy));
    let unknown = other.open(&place(), &sealed);
    assert!(matches!(unknown, Err(OpenError::UnknownKek { kek_id, .. }) if kek_id == KEK_ID));

    let retiring = Arc::new(provider(b"right", KEK_ID, entropy));
    let both = other.with_retiring(retiring);
    assert_eq!(both.open(&place(), &sealed).unwrap().expose(), b"value");
    let new = both.seal(&place(), b"value").unwrap();
    assert_ne!(
        new[2..18],
        sealed[2..18],
        "new values go under the active key"
    );
}

#[test]
fn every_version_of_a_record_has_a_key_of_its_own() {
    let ring = ring(b"key", Arc::new(OsEntropy));
    let first = ring.seal(&place(), b"the same value").unwrap();
    let second = ring.seal(&place(), b"the same value").unwrap();
    // Wrapped key, nonce and ciphertext: nothing behind the stanza's head repeats.
    assert!(
        first[25..]
            .windows(8)
            .all(|window| !second.windows(8).any(|other| other == window))
    );
}

#[test]
fn unknown_versions_and_suites_are_refused_by_their_own_error() {
    let ring = ring(b"key", Arc::new(OsEntropy));
    let sealed = ring.seal(&place(), b"value").unwrap();
    let with = |at: usize, byte: u8| {
        let mut changed = sealed.clone();
        changed[at] = byte;
        ring.open(&place(), &changed)
    };
    assert!(matches!(
        with(0, 0x02),
        Err(OpenError::Envelope(EnvelopeError::UnknownVersion(2)))
    ));
    assert!(matches!(
        with(1, 0x02),
        Err(OpenError::Envelope(EnvelopeError::UnknownSuite(2)))
    ));
    let key = SubjectKey::generate(&OsEntropy).unwrap();
    assert!(matches!(
        key.open(&place(), &sealed),
        Err(OpenError::Envelope(EnvelopeError::UnknownVersion(1)))
    ));
}

#[test]
fn nothing_is_sealed_without_randomness() {
    let entropy: Arc<dyn Entropy> = Arc::new(Exhausted);
    let sealed = ring(b"key", entropy).seal(&place(), b"value");
    assert!(matches!(sealed, Err(SealError::Entropy(_))));
    let key = SubjectKey::from_slice(&[1; 32]).unwrap();
    assert!(key.seal(&place(), b"value", &Exhausted).is_err());
    assert!(IndexKey::generate(&Exhausted).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_sealed_opens(value: Vec<u8>, row: Vec<u8>, table in "[a-z_]{1,20}") {
        let ring = shared();
        let context = Context { table: &table, row_id: &row, ..place() };
        let sealed = ring.seal(&context, &value).unwrap();
        let opened = ring.open(&context, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), &value[..]);
        let key = SubjectKey::from_slice(&[3; 32]).unwrap();
        let sealed = key.seal(&context, &value, &OsEntropy).unwrap();
        let opened = key.open(&context, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), &value[..]);
    }

    #[test]
    fn a_flipped_bit_is_refused(
        value in proptest::collection::vec(any::<u8>(), 0..200),
        bit: prop::sample::Index,
    ) {
        let ring = shared();
        let mut sealed = ring.seal(&place(), &value).unwrap();
        let bit = bit.index(sealed.len() * 8);
        sealed[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(ring.open(&place(), &sealed).is_err());
    }

    #[test]
    fn a_cut_or_lengthened_value_is_refused(cut: prop::sample::Index, tail in 1_usize..9) {
        let ring = shared();
        let sealed = ring.seal(&place(), b"a value").unwrap();
        prop_assert!(ring.open(&place(), &sealed[..cut.index(sealed.len())]).is_err());
        let longer = [sealed, vec![0; tail]].concat();
        prop_assert!(ring.open(&place(), &longer).is_err());
    }

    #[test]
    fn hostile_bytes_never_panic(bytes: Vec<u8>) {
        prop_assert!(shared().open(&place(), &bytes).is_err());
        let framed = [&[1, 1][..], &bytes].concat();
        prop_assert!(shared().open(&place(), &framed).is_err());
    }
}

/// The derivation takes longer than a case: one ring for all.
fn shared() -> &'static Keyring {
    static RING: std::sync::OnceLock<Keyring> = std::sync::OnceLock::new();
    RING.get_or_init(|| ring(b"shared", Arc::new(OsEntropy)))
}
