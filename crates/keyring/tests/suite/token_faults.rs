//! What a fault of a token is worth: who asks again, and whose sessions end.

use std::sync::Arc;
use std::time::Duration;

use ambient::{ManualClock, OsEntropy};
use cryptoki::context::Pkcs11;
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use keyring::testing::places::{elsewhere, place};
use keyring::testing::softhsm::{SoftHsm, with_token};
use keyring::{
    KekId, KekParameters, KekSource, Keyring, Pin, Pkcs11Config, Pkcs11Error, Pkcs11Source,
    ProviderError,
};

const ID: KekId = KekId::from_bytes([0xab; 16]);

fn source(hsm: &SoftHsm, pin: &str, clock: &Arc<ManualClock>) -> Pkcs11Source {
    let config = Pkcs11Config {
        pin: Pin::new(pin.to_owned()),
        ..hsm.config(Duration::ZERO)
    };
    Pkcs11Source::new(config, Arc::new(OsEntropy), clock.clone()).unwrap()
}

/// A session of somebody else in this process.
fn session(hsm: &SoftHsm) -> Session {
    let module = Pkcs11::new(hsm.module()).unwrap();
    let slots = module.get_slots_with_initialized_token().unwrap();
    // The last of a few: a module that is initialised anew gives its number to nobody so soon.
    let few = [(); 8].map(|()| module.open_rw_session(slots[0]).unwrap());
    few.into_iter().next_back().unwrap()
}

fn lives(session: &Session) -> bool {
    session.get_session_info().is_ok()
}

fn complaint<T>(outcome: Result<T, ProviderError>) -> Pkcs11Error {
    match outcome {
        Err(ProviderError::Pkcs11(error)) => error,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("nothing was wrong"),
    }
}

fn named(label: &str) -> KekParameters {
    KekParameters {
        reference: Some(label.to_owned()),
        ..KekParameters::default()
    }
}

#[test]
fn a_key_that_was_deleted_is_not_healthy_although_it_was_found_before() {
    with_token(|hsm| {
        let key = hsm.key(ID);
        key.health().unwrap();
        let session = session(hsm);
        // Fails where the provider's login holds for this session as well.
        let _ = session.login(UserType::User, Some(&AuthPin::new(SoftHsm::PIN.into())));
        let keys = session
            .find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)])
            .unwrap();
        for key in keys {
            session.destroy_object(key).unwrap();
        }
        let missing = complaint(key.health());
        assert!(matches!(missing, Pkcs11Error::KeyMissing { .. }));
    });
}

#[test]
fn what_a_token_refuses_ends_no_sessions_of_others() {
    with_token(|hsm| {
        let clock = ManualClock::at(0);
        let other = session(hsm);
        let wrong = source(hsm, "no such PIN", &clock);
        assert!(matches!(
            complaint(wrong.health()),
            Pkcs11Error::PinWrong(_)
        ));
        assert!(lives(&other));
        let (provider, _) = source(hsm, SoftHsm::PIN, &clock).create(ID).unwrap();
        let ring = Keyring::new(provider, Arc::new(OsEntropy));
        let sealed = ring.seal(&place(), b"value").unwrap();
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        assert!(ring.open(&elsewhere()[0], &sealed).is_err());
        assert!(ring.open(&place(), &changed).is_err());
        assert!(lives(&other));
    });
}

#[test]
fn a_key_that_is_missing_is_looked_for_by_a_new_module_once_a_second_at_most() {
    with_token(|hsm| {
        let clock = ManualClock::at(0);
        let source = source(hsm, SoftHsm::PIN, &clock);
        let look = || {
            let missing = complaint(source.load(ID, 1, &named("nowhere")));
            assert!(matches!(missing, Pkcs11Error::KeyMissing { .. }));
        };
        for _ in 0..3 {
            let before = session(hsm);
            look();
            assert!(!lives(&before), "all sessions end with the module");
            let after = session(hsm);
            look();
            look();
            assert!(lives(&after), "not twice in a second");
            clock.advance_ms(1_000);
        }
    });
}
