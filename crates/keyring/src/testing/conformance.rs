//! One suite for the providers of every kind.

use std::sync::Arc;

use crate::testing::places::{elsewhere, place};
use crate::{
    Dek, KekId, KekParameters, KekProvider, KekSource, LocalProvider, ProviderError, ProviderTag,
    Stanza,
};
use ambient::OsEntropy;

/// Runs the whole suite against keys of this source; panics at the first thing that is not so.
pub fn check(source: &dyn KekSource) {
    let keys = Keys::of(source);
    source.health().unwrap();
    a_wrapped_key_is_unwrapped_again(&keys);
    a_wrap_never_repeats(&keys);
    no_other_place_unwraps(&keys);
    no_other_key_unwraps(&keys);
    no_changed_byte_is_accepted(&keys);
    a_key_is_found_again(source, &keys);
    a_version_is_the_one_that_was_loaded(source, &keys);
    a_handed_over_key_is_the_same(&keys);
}

struct Keys {
    first: Arc<dyn KekProvider>,
    parameters: KekParameters,
    second: Arc<dyn KekProvider>,
}

const FIRST: KekId = KekId::from_bytes([0xa1; 16]);

impl Keys {
    fn of(source: &dyn KekSource) -> Self {
        let (first, parameters) = source.create(FIRST).unwrap();
        let second = KekId::from_bytes([0xb2; 16]);
        let (second, _) = source.create(second).unwrap();
        assert_eq!(first.kek_id(), FIRST);
        assert_eq!(first.tag(), source.tag());
        assert_eq!(first.key_version(), 1);
        Self {
            first,
            parameters,
            second,
        }
    }
}

fn dek(byte: u8) -> Dek {
    Dek::from_slice(&[byte; 32]).unwrap()
}

fn refused(outcome: Result<Dek, ProviderError>) -> bool {
    matches!(outcome, Err(ProviderError::Refused))
}

fn a_wrapped_key_is_unwrapped_again(keys: &Keys) {
    for provider in [&keys.first, &keys.second] {
        provider.health().unwrap();
        let stanza = provider.wrap(&dek(7), &place()).unwrap();
        assert_eq!(stanza.kek_id, provider.kek_id());
        assert_eq!(stanza.provider, provider.tag());
        assert_eq!(stanza.key_version, provider.key_version());
        for _ in 0..2 {
            let unwrapped = provider.unwrap(&stanza, &place()).unwrap();
            assert_eq!(unwrapped.expose(), dek(7).expose());
            let unwrapped = provider.unwrap_uncached(&stanza, &place()).unwrap();
            assert_eq!(unwrapped.expose(), dek(7).expose());
        }
    }
}

fn a_wrap_never_repeats(keys: &Keys) {
    let wrap = || keys.first.wrap(&dek(7), &place()).unwrap().wrapped;
    let (one, two) = (wrap(), wrap());
    assert_eq!(one.len(), two.len());
    assert!(
        one.windows(8).all(|a| two.windows(8).all(|b| a != b)),
        "eight bytes repeat"
    );
    assert!(
        one.windows(8).all(|window| window != [7; 8]),
        "in the clear"
    );
}

fn no_other_place_unwraps(keys: &Keys) {
    let stanza = keys.first.wrap(&dek(7), &place()).unwrap();
    for round in 0..2 {
        for context in &elsewhere() {
            assert!(refused(keys.first.unwrap(&stanza, context)), "{context:?}");
        }
        // The control; in the second round it may be remembered, for its own place alone.
        assert!(keys.first.unwrap(&stanza, &place()).is_ok(), "{round}");
    }
}

fn no_other_key_unwraps(keys: &Keys) {
    let stanza = keys.first.wrap(&dek(7), &place()).unwrap();
    assert!(refused(keys.second.unwrap(&stanza, &place())));
    let as_if = [
        Stanza {
            kek_id: keys.second.kek_id(),
            ..stanza.clone()
        },
        Stanza {
            key_version: 2,
            ..stanza.clone()
        },
        Stanza {
            provider: ProviderTag(0xff),
            ..stanza.clone()
        },
    ];
    for stanza in &as_if {
        assert!(refused(keys.first.unwrap(stanza, &place())));
        assert!(refused(keys.second.unwrap(stanza, &place())));
    }
    assert!(keys.first.unwrap(&stanza, &place()).is_ok(), "the control");
}

fn no_changed_byte_is_accepted(keys: &Keys) {
    let stanza = keys.first.wrap(&dek(7), &place()).unwrap();
    assert!(keys.first.unwrap(&stanza, &place()).is_ok(), "the control");
    let with = |wrapped: Vec<u8>| Stanza {
        wrapped,
        ..stanza.clone()
    };
    for at in 0..stanza.wrapped.len() {
        for bit in 0..8 {
            let mut wrapped = stanza.wrapped.clone();
            wrapped[at] ^= 1 << bit;
            let changed = keys.first.unwrap(&with(wrapped), &place());
            assert!(refused(changed), "byte {at}, bit {bit}");
        }
        let cut = keys
            .first
            .unwrap(&with(stanza.wrapped[..at].to_vec()), &place());
        assert!(refused(cut), "cut after {at} bytes");
    }
    let longer = [&stanza.wrapped[..], &[0]].concat();
    assert!(refused(keys.first.unwrap(&with(longer), &place())));
    keys.first.health().unwrap();
}

fn a_key_is_found_again(source: &dyn KekSource, keys: &Keys) {
    let stanza = keys.first.wrap(&dek(7), &place()).unwrap();
    let again = source.load(FIRST, 1, &keys.parameters).unwrap();
    let unwrapped = again.unwrap_uncached(&stanza, &place()).unwrap();
    assert_eq!(unwrapped.expose(), dek(7).expose());
    let nothing = source.load(FIRST, 1, &KekParameters::default());
    assert!(matches!(
        nothing.map(drop),
        Err(ProviderError::Incomplete { kek_id: FIRST, .. })
    ));
}

fn a_version_is_the_one_that_was_loaded(source: &dyn KekSource, keys: &Keys) {
    let later = source.load(FIRST, 7, &keys.parameters).unwrap();
    assert_eq!(later.key_version(), 7);
    let stanza = later.wrap(&dek(7), &place()).unwrap();
    assert_eq!(stanza.key_version, 7);
    let unwrapped = later.unwrap(&stanza, &place()).unwrap();
    assert_eq!(unwrapped.expose(), dek(7).expose());
    assert!(refused(keys.first.unwrap(&stanza, &place())));
}

fn a_handed_over_key_is_the_same(keys: &Keys) {
    let Some(exported) = keys.first.export() else {
        assert_ne!(
            keys.first.tag(),
            ProviderTag::LOCAL,
            "a local key can be exported"
        );
        return;
    };
    let entropy = Arc::new(OsEntropy);
    let same = LocalProvider::from_handover(&exported, FIRST, 1, entropy.clone());
    let stanza = keys.first.wrap(&dek(7), &place()).unwrap();
    let unwrapped = same.unwrap(&stanza, &place()).unwrap();
    assert_eq!(unwrapped.expose(), dek(7).expose());
    let exported = keys.second.export().unwrap();
    let other = LocalProvider::from_handover(&exported, FIRST, 1, entropy);
    assert!(refused(other.unwrap(&stanza, &place())));
}
