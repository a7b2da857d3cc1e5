//! What is sealed opens in its place and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use ambient::{Entropy, EntropyError, OsEntropy};
use keyring::testing::places::{elsewhere, place};
use keyring::{
    Context, EnvelopeError, IndexKey, KekId, KeyMaterial, Keyring, LocalProvider,
    MINIMUM_ITERATIONS, OpenError, SealError, SubjectKey, Suite, envelope_kek,
};
use proptest::prelude::*;
use zeroize::Zeroizing;

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
    ring_of(Suite::ChaCha20Poly1305, key, entropy)
}

fn ring_of(suite: Suite, key: &[u8], entropy: Arc<dyn Entropy>) -> Keyring {
    let provider = provider(key, KEK_ID, Arc::clone(&entropy)).with_suite(suite);
    Keyring::new(Arc::new(provider), entropy).with_suite(suite)
}

// Computed with Python's hashlib and cryptography and a few lines of HChaCha20.
const ENVELOPE: &str = "\
    0101abababababababababababababababab01000000010049012c2d2e2f303132333435363738393a3b3c3d3e\
    3f404142438f80faba59f971f7e0cb40ddd0c8a1f4eb6ef6e1268cf45b3bf965da3a9276ac58b595bdef9e6255\
    ae55d1024b8aacbf202122232425262728292a2b12c7fb197083995ebbb3cca43c5acbedb21c3fea560e6af135\
    37465e2390";
const AES_ENVELOPE: &str = "\
    0102abababababababababababababababab01000000010051022c2d2e2f303132333435363738393a3b3c3d3e\
    3f404142434445464748494a4bef5ffa0ca5eb54d2ab0ef06d805485ae4a76b444335c63dfb9d078b9ab35eeca\
    6447f001c5f44f4cf2adc65fc41ac039202122232425262728292a2bb31ad5150df47f6a3a0a23a2b47deed944\
    2859adb8e1add7e27192885813";
/// As databases of the first schema have it: no form byte before the wrapped key.
const FIRST_ENVELOPE: &str = "\
    0101abababababababababababababababab010000000100482c2d2e2f303132333435363738393a3b3c3d3e3f\
    404142438f80faba59f971f7e0cb40ddd0c8a1f4eb6ef6e1268cf45b3bf965da3a9276ac6aed00f5c17ca6db85\
    957905dbc9397b202122232425262728292a2b12c7fb197083995ebbb3cca43c5acbedb21c3fea560e6af13537\
    465e2390";
const SUBJECT: &str = "8101000102030405060708090a0b0c0d0e0f10111213141516173e67230e63da2b7647cd028a\
974e2bfcc481ad1636cfe94f96037c03fee856";

#[test]
fn envelopes_have_the_bytes_that_another_implementation_computes() {
    let vectors = [
        (Suite::ChaCha20Poly1305, ENVELOPE),
        (Suite::Aes256Gcm, AES_ENVELOPE),
    ];
    for (suite, vector) in vectors {
        let entropy = Arc::new(Counting::default());
        let ring = ring_of(suite, b"a key for vectors", entropy);
        let sealed = ring.seal(&place(), b"a sealed value").unwrap();
        assert_eq!(hex::encode(&sealed), vector);
        let opened = ring.open(&place(), &sealed).unwrap();
        assert_eq!(opened.expose(), b"a sealed value");
    }
}

#[test]
fn what_is_opened_can_be_kept_and_is_wiped_all_the_same() {
    let ring = ring(b"key", Arc::new(OsEntropy));
    let sealed = ring.seal(&place(), b"value").unwrap();
    let kept: Zeroizing<Vec<u8>> = ring.open(&place(), &sealed).unwrap().into_inner();
    assert_eq!(*kept, b"value");
}

#[test]
fn a_sealed_value_takes_no_more_memory_than_its_bytes() {
    for ring in shared() {
        for len in [0, 1, 14, 300, 70_000] {
            let sealed = ring.seal(&place(), &vec![7; len]).unwrap();
            assert_eq!(sealed.capacity(), sealed.len(), "{len}");
        }
    }
}

#[test]
fn an_envelope_of_the_first_schema_still_opens() {
    for suite in [Suite::ChaCha20Poly1305, Suite::Aes256Gcm] {
        let ring = ring_of(suite, b"a key for vectors", Arc::new(OsEntropy));
        let first = hex::decode(FIRST_ENVELOPE).unwrap();
        let opened = ring.open(&place(), &first).unwrap();
        assert_eq!(opened.expose(), b"a sealed value");
        // The form is bound: today's bytes are not the first schema's with one more before them.
        let mut stripped = hex::decode(ENVELOPE).unwrap();
        stripped.remove(25);
        stripped[24] -= 1;
        assert!(ring.open(&place(), &stripped).is_err());
    }
}

#[test]
fn an_envelope_says_its_kek_where_a_database_can_select_by_it() {
    for vector in [ENVELOPE, AES_ENVELOPE, FIRST_ENVELOPE] {
        let sealed = hex::decode(vector).unwrap();
        assert_eq!(envelope_kek(&sealed), Some(KEK_ID));
        assert_eq!(sealed[2..18], *KEK_ID.as_bytes());
        assert_eq!(envelope_kek(&sealed[..18]), Some(KEK_ID));
        assert_eq!(envelope_kek(&sealed[..17]), None);
    }
    let of_a_subject = hex::decode(SUBJECT).unwrap();
    assert_eq!(envelope_kek(&of_a_subject), None);
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
    for context in elsewhere() {
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
    other.add(retiring);
    assert_eq!(other.open(&place(), &sealed).unwrap().expose(), b"value");
    let new = other.seal(&place(), b"value").unwrap();
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
        with(1, 0x03),
        Err(OpenError::Envelope(EnvelopeError::UnknownSuite(3)))
    ));
    // A suite that exists, but not the one that it was sealed with.
    assert!(matches!(with(1, 0x02), Err(OpenError::Refused)));
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
        let context = Context { table: &table, row_id: &row, ..place() };
        for ring in shared() {
            let sealed = ring.seal(&context, &value).unwrap();
            let opened = ring.open(&context, &sealed).unwrap();
            prop_assert_eq!(opened.expose(), &value[..]);
        }
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
        for ring in shared() {
            let mut sealed = ring.seal(&place(), &value).unwrap();
            let bit = bit.index(sealed.len() * 8);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(ring.open(&place(), &sealed).is_err());
        }
    }

    #[test]
    fn a_cut_or_lengthened_value_is_refused(cut: prop::sample::Index, tail in 1_usize..9) {
        for ring in shared() {
            let sealed = ring.seal(&place(), b"a value").unwrap();
            prop_assert!(ring.open(&place(), &sealed[..cut.index(sealed.len())]).is_err());
            let longer = [sealed, vec![0; tail]].concat();
            prop_assert!(ring.open(&place(), &longer).is_err());
        }
    }

    #[test]
    fn hostile_bytes_never_panic(bytes: Vec<u8>) {
        for ring in shared() {
            prop_assert!(ring.open(&place(), &bytes).is_err());
            for suite in [1, 2] {
                let framed = [&[1, suite][..], KEK_ID.as_bytes(), &bytes].concat();
                prop_assert!(ring.open(&place(), &framed[..2.max(framed.len() - 16)]).is_err());
                prop_assert!(ring.open(&place(), &framed).is_err());
                prop_assert!(ring.rewrap(&place(), &framed).is_err());
                prop_assert!(ring.renew(&place(), &framed).is_err());
            }
        }
    }
}

/// The derivation takes longer than a case: one ring of each suite for all.
fn shared() -> &'static [Keyring; 2] {
    static RINGS: std::sync::OnceLock<[Keyring; 2]> = std::sync::OnceLock::new();
    RINGS.get_or_init(|| {
        [Suite::ChaCha20Poly1305, Suite::Aes256Gcm]
            .map(|suite| ring_of(suite, b"shared", Arc::new(OsEntropy)))
    })
}
