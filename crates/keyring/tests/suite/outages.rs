//! What passes by itself is told apart from what is damaged.

use std::sync::Arc;

use ambient::{EntropyError, OsEntropy};
use keyring::testing::places::{elsewhere, place};
use keyring::{
    Context, Dek, ExportedKek, KdfError, KekId, KekProvider, Keyring, LocalProvider, Pkcs11Error,
    ProviderError, ProviderTag, SealError, Stanza, TokenSelector,
};

const ID: KekId = KekId::from_bytes([0xab; 16]);

/// Answers everything with one error.
struct Failing(fn() -> ProviderError);

impl KekProvider for Failing {
    fn kek_id(&self) -> KekId {
        ID
    }

    fn tag(&self) -> ProviderTag {
        ProviderTag::LOCAL
    }

    fn key_version(&self) -> u32 {
        1
    }

    fn wrap(&self, _: &Dek, _: &Context<'_>) -> Result<Stanza, ProviderError> {
        Err((self.0)())
    }

    fn unwrap(&self, _: &Stanza, _: &Context<'_>) -> Result<Dek, ProviderError> {
        Err((self.0)())
    }

    fn health(&self) -> Result<(), ProviderError> {
        Err((self.0)())
    }
}

fn local(id: KekId) -> Keyring {
    let key = ExportedKek::from_slice(&[7; 32]).unwrap();
    let entropy = Arc::new(OsEntropy);
    let provider = LocalProvider::from_handover(&key, id, 1, entropy.clone());
    Keyring::new(Arc::new(provider), entropy)
}

#[test]
fn what_a_provider_cannot_do_now_is_an_outage_and_what_it_refuses_is_none() {
    let sealed = local(ID).seal(&place(), b"value").unwrap();
    let cases: [(fn() -> ProviderError, bool); 6] = [
        (|| ProviderError::Unreachable("gone".to_owned()), true),
        (|| EntropyError.into(), true),
        (
            || Pkcs11Error::PinLocked(TokenSelector::Slot(1)).into(),
            true,
        ),
        (|| ProviderError::Refused, false),
        (|| KdfError::BadSalt { given: 1 }.into(), false),
        (
            || ProviderError::Incomplete {
                kek_id: ID,
                parameter: "salt",
            },
            false,
        ),
    ];
    for (error, is_outage) in cases {
        let error: fn() -> ProviderError = error;
        let ring = Keyring::new(Arc::new(Failing(error)), Arc::new(OsEntropy));
        let words = error().to_string();
        assert_eq!(error().is_outage(), is_outage, "{words}");
        let not_opened = ring.open(&place(), &sealed).unwrap_err();
        assert_eq!(not_opened.to_string(), words);
        assert_eq!(not_opened.is_outage(), is_outage, "{words}");
        let not_sealed = ring.seal(&place(), b"value").unwrap_err();
        assert_eq!(not_sealed.to_string(), words);
        assert_eq!(not_sealed.is_outage(), is_outage, "{words}");
    }
}

#[test]
fn a_value_that_is_damaged_moved_or_of_an_unknown_key_is_no_outage() {
    let ring = local(ID);
    let sealed = ring.seal(&place(), b"value").unwrap();
    let mut changed = sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    for (damaged, words) in [
        (ring.open(&place(), b""), "the sealed value is cut short"),
        (
            ring.open(&place(), &changed),
            "the sealed value does not open here: it was changed or moved",
        ),
        (
            ring.open(&elsewhere()[0], &sealed),
            "the wrapped key does not open: wrong key, wrong place or changed bytes",
        ),
        (
            local(KekId::from_bytes([0xcd; 16])).open(&place(), &sealed),
            "the sealed value needs the key abababababababababababababababab of provider local, \
             which is not loaded",
        ),
    ] {
        let damaged = damaged.unwrap_err();
        assert_eq!(damaged.to_string(), words);
        assert!(!damaged.is_outage(), "{words}");
    }
    assert!(!SealError::TooLong.is_outage());
}

#[test]
fn providers_are_known_by_their_names() {
    for (tag, name, byte) in [
        (ProviderTag::LOCAL, "local", 1),
        (ProviderTag::PKCS11, "pkcs11", 2),
        (ProviderTag::HASHICORP_VAULT, "hashicorp_vault", 3),
        (ProviderTag::AWS_KMS, "aws_kms", 4),
        (ProviderTag::AZURE_KEY_VAULT, "azure_key_vault", 5),
    ] {
        assert_eq!(tag, ProviderTag(byte));
        assert_eq!(tag.name(), Some(name));
        assert_eq!(tag.to_string(), name);
        assert_eq!(ProviderTag::from_name(name), Some(tag));
    }
    for unknown in ["", "Local", "local ", "gcp_kms"] {
        assert_eq!(ProviderTag::from_name(unknown), None, "{unknown:?}");
    }
    assert_eq!(ProviderTag(9).name(), None);
    assert_eq!(ProviderTag(9).to_string(), "number 9");
}
