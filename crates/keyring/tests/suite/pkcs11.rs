//! Keys in a token: what may go wrong is said, and what comes right again is used again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ambient::{ManualClock, OsEntropy, SystemClock};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use keyring::testing::conformance;
use keyring::testing::places::place;
use keyring::testing::softhsm::{SoftHsm, with_token};
use keyring::{
    KekId, KekParameters, KekSource, KeyMaterial, Keyring, LocalSource, MINIMUM_ITERATIONS, Pin,
    Pkcs11Config, Pkcs11Error, Pkcs11Source, ProviderError, ProviderTag, Suite, TokenSelector,
    envelope_kek,
};

const ID: KekId = KekId::from_bytes([0xab; 16]);
const NO_CACHE: Duration = Duration::ZERO;

fn source(config: Pkcs11Config) -> Result<Pkcs11Source, ProviderError> {
    let clock = Arc::new(SystemClock::start());
    Pkcs11Source::new(config, Arc::new(OsEntropy), clock)
}

fn ring(source: &dyn KekSource) -> (Keyring, KekParameters) {
    let (provider, parameters) = source.create(ID).unwrap();
    (Keyring::new(provider, Arc::new(OsEntropy)), parameters)
}

/// The module once more, beside the provider's back.
fn direct(hsm: &SoftHsm) -> Pkcs11 {
    Pkcs11::new(hsm.module()).unwrap()
}

fn in_session<T>(hsm: &SoftHsm, work: impl FnOnce(&cryptoki::session::Session) -> T) -> T {
    let module = direct(hsm);
    let slot = module
        .get_slots_with_initialized_token()
        .unwrap()
        .into_iter()
        .find(|slot| module.get_token_info(*slot).unwrap().label() == SoftHsm::LABEL)
        .unwrap();
    let session = module.open_rw_session(slot).unwrap();
    // Fails when the provider is logged in already, which logs this session in as well.
    let _ = session.login(UserType::User, Some(&AuthPin::new(SoftHsm::PIN.into())));
    work(&session)
}

fn keys_of(session: &cryptoki::session::Session) -> Vec<cryptoki::object::ObjectHandle> {
    session
        .find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)])
        .unwrap()
}

/// What the operator is told.
fn complaint<T>(outcome: Result<T, ProviderError>) -> Pkcs11Error {
    match outcome {
        Err(ProviderError::Pkcs11(error)) => error,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("nothing was wrong"),
    }
}

#[test]
fn keys_in_a_token_conform() {
    with_token(|hsm| conformance::check(&hsm.source(NO_CACHE)));
}

#[test]
fn keys_in_a_token_conform_while_deks_are_kept() {
    with_token(|hsm| conformance::check(&hsm.source(Duration::from_secs(300))));
}

#[test]
fn the_key_never_leaves_the_token() {
    with_token(|hsm| {
        let (ring, parameters) = ring(&hsm.source(NO_CACHE));
        assert!(ring.providers()[0].export().is_none());
        let label = parameters.reference.unwrap();
        assert_eq!(label, format!("secure-messaging-kek-{ID}"));
        in_session(hsm, |session| {
            let keys = keys_of(session);
            assert_eq!(keys.len(), 1);
            let wanted = [
                AttributeType::Sensitive,
                AttributeType::AlwaysSensitive,
                AttributeType::Extractable,
                AttributeType::NeverExtractable,
                AttributeType::Label,
            ];
            let attributes = session.get_attributes(keys[0], &wanted).unwrap();
            for expected in [
                Attribute::Sensitive(true),
                Attribute::AlwaysSensitive(true),
                Attribute::Extractable(false),
                Attribute::NeverExtractable(true),
                Attribute::Label(label.into_bytes()),
            ] {
                assert!(attributes.contains(&expected), "{expected:?}");
            }
            let value = session.get_attributes(keys[0], &[AttributeType::Value]);
            assert!(value.map_or(true, |value| value.is_empty()));
        });
    });
}

#[test]
fn a_live_ring_moves_from_the_operators_key_to_a_token_and_back() {
    with_token(|hsm| {
        let key = KeyMaterial::new(b"an operator's key".to_vec());
        let entropy = Arc::new(OsEntropy);
        let local = LocalSource::new(key, MINIMUM_ITERATIONS, Suite::Aes256Gcm, entropy.clone());
        let local = local.create(KekId::from_bytes([1; 16])).unwrap().0;
        let token = hsm.source(NO_CACHE).create(ID).unwrap().0;
        let ring = Keyring::new(Arc::clone(&local), entropy);
        let first = ring.seal(&place(), b"value").unwrap();
        ring.activate(Arc::clone(&token));
        assert_eq!(ring.open(&place(), &first).unwrap().expose(), b"value");
        let second = ring.rewrap(&place(), &first).unwrap().expect("new bytes");
        assert_eq!(envelope_kek(&second), Some(ID));
        assert!(ring.remove(local.kek_id()));
        assert!(ring.open(&place(), &first).is_err());
        assert_eq!(ring.open(&place(), &second).unwrap().expose(), b"value");
        ring.activate(local);
        let third = ring.rewrap(&place(), &second).unwrap().expect("new bytes");
        assert!(ring.remove(token.kek_id()));
        assert_eq!(ring.open(&place(), &third).unwrap().expose(), b"value");
        assert_eq!(third[third.len() - 33..], first[first.len() - 33..]);
    });
}

#[test]
fn a_lost_session_and_a_lost_login_are_made_anew() {
    with_token(|hsm| {
        let source = hsm.source(NO_CACHE);
        let (ring, _) = ring(&source);
        let sealed = ring.seal(&place(), b"value").unwrap();
        for round in 0..3 {
            // Ends every session, whose handles are then unknown.
            direct(hsm).finalize().unwrap();
            let flags = CInitializeFlags::OS_LOCKING_OK;
            direct(hsm).initialize(CInitializeArgs::new(flags)).unwrap();
            assert_eq!(ring.open(&place(), &sealed).unwrap().expose(), b"value");
            ring.seal(&place(), b"another").unwrap();
            in_session(hsm, |session| session.logout().unwrap());
            source.create(KekId::from_bytes([round; 16])).unwrap();
            in_session(hsm, |session| session.logout().unwrap());
            assert_eq!(ring.open(&place(), &sealed).unwrap().expose(), b"value");
            ring.seal(&place(), b"another").unwrap();
        }
    });
}

#[test]
fn a_module_that_was_finalised_is_initialised_again() {
    with_token(|hsm| {
        let (ring, _) = ring(&hsm.source(NO_CACHE));
        let sealed = ring.seal(&place(), b"value").unwrap();
        direct(hsm).finalize().unwrap();
        assert_eq!(ring.open(&place(), &sealed).unwrap().expose(), b"value");
    });
}

#[test]
fn many_threads_share_one_token_through_several_sources() {
    with_token(|hsm| {
        let first = hsm.source(NO_CACHE);
        let (ring, parameters) = ring(&first);
        let second = hsm.source(NO_CACHE).load(ID, 1, &parameters).unwrap();
        let again = Keyring::new(second, Arc::new(OsEntropy));
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let sealed = ring.seal(&place(), b"value").unwrap();
                        assert_eq!(again.open(&place(), &sealed).unwrap().expose(), b"value");
                        let mut changed = sealed;
                        changed[30] ^= 1;
                        assert!(ring.open(&place(), &changed).is_err());
                    }
                });
            }
        });
    });
}

/// A source that keeps no DEKs and goes by this clock.
fn source_by(hsm: &SoftHsm, clock: &Arc<ManualClock>) -> Pkcs11Source {
    let config = hsm.config(NO_CACHE);
    Pkcs11Source::new(config, Arc::new(OsEntropy), clock.clone()).unwrap()
}

#[test]
fn a_kept_dek_bridges_an_outage_for_its_time_only_and_never_for_critical_values() {
    with_token(|hsm| {
        let clock = ManualClock::at(0);
        let config = hsm.config(Duration::from_secs(60));
        let source = Pkcs11Source::new(config, Arc::new(OsEntropy), clock.clone()).unwrap();
        let (ring, _) = ring(&source);
        let kept = ring.seal(&place(), b"kept").unwrap();
        let critical = ring.seal(&place(), b"critical").unwrap();
        assert_eq!(ring.open(&place(), &kept).unwrap().expose(), b"kept");
        let opened = ring.open_uncached(&place(), &critical).unwrap();
        assert_eq!(opened.expose(), b"critical");

        in_session(hsm, |session| {
            for key in keys_of(session) {
                session.destroy_object(key).unwrap();
            }
        });
        let unreachable = ring.open(&place(), &critical).unwrap_err();
        assert!(unreachable.is_outage(), "{unreachable}");
        assert!(ring.open_uncached(&place(), &kept).unwrap_err().is_outage());
        clock.advance_ms(59_000);
        assert_eq!(ring.open(&place(), &kept).unwrap().expose(), b"kept");
        clock.advance_ms(1_000);
        assert!(ring.open(&place(), &kept).unwrap_err().is_outage());
        assert!(ring.seal(&place(), b"new").unwrap_err().is_outage());
    });
}

#[test]
fn a_token_that_goes_away_is_an_outage_and_is_used_again_when_it_is_back() {
    with_token(|hsm| {
        let clock = ManualClock::at(0);
        let source = source_by(hsm, &clock);
        let (ring, parameters) = ring(&source);
        let sealed = ring.seal(&place(), b"value").unwrap();
        let away = hsm.tokens().with_extension("away");
        for round in 1..4 {
            std::fs::rename(hsm.tokens(), &away).unwrap();
            // As the folder of tokens of a module may be: there and empty, or not there.
            if round == 2 {
                std::fs::create_dir(hsm.tokens()).unwrap();
            }
            for _ in 0..3 {
                clock.advance_ms(1_000);
                let gone = ring.open(&place(), &sealed).unwrap_err();
                assert!(gone.is_outage(), "{gone}");
                assert!(ring.seal(&place(), b"new").unwrap_err().is_outage());
                assert!(ring.providers()[0].health().unwrap_err().is_outage());
                assert!(
                    source
                        .load(ID, 1, &parameters)
                        .is_err_and(|it| it.is_outage())
                );
            }
            if round == 2 {
                std::fs::remove_dir(hsm.tokens()).unwrap();
            }
            std::fs::rename(&away, hsm.tokens()).unwrap();
            clock.advance_ms(1_000);
            assert_eq!(ring.open(&place(), &sealed).unwrap().expose(), b"value");
            ring.seal(&place(), b"new").unwrap();
            ring.providers()[0].health().unwrap();
        }
    });
}

/// Lets the module read for milliseconds when it is initialised, so that other calls meet that.
fn take_long_to_initialise() {
    let configuration = std::env::var_os("SOFTHSM2_CONF").unwrap();
    let mut text = std::fs::read_to_string(&configuration).unwrap();
    text.push_str(&"log.level = ERROR\n".repeat(20_000));
    std::fs::write(configuration, text).unwrap();
}

#[test]
fn a_module_that_is_initialised_anew_serves_all_who_use_it() {
    with_token(|hsm| {
        take_long_to_initialise();
        let clock = ManualClock::at(0);
        let with_clock = || source_by(hsm, &clock);
        let (ring, parameters) = ring(&with_clock());
        let other = with_clock().load(ID, 1, &parameters).unwrap();
        let other = Keyring::new(other, Arc::new(OsEntropy));
        let sealed = ring.seal(&place(), b"value").unwrap();
        let away = hsm.tokens().with_extension("away");
        std::thread::scope(|scope| {
            for ring in [&ring, &other, &ring, &other] {
                scope.spawn(|| {
                    for _ in 0..200 {
                        match ring.open(&place(), &sealed) {
                            Ok(opened) => assert_eq!(opened.expose(), b"value"),
                            Err(error) => assert!(error.is_outage(), "{error}"),
                        }
                    }
                });
            }
            for _ in 0..5 {
                std::fs::rename(hsm.tokens(), &away).unwrap();
                clock.advance_ms(1_000);
                let _ = ring.open(&place(), &sealed);
                std::fs::rename(&away, hsm.tokens()).unwrap();
                clock.advance_ms(1_000);
                let _ = other.open(&place(), &sealed);
            }
        });
        clock.advance_ms(1_000);
        for ring in [ring, other] {
            assert_eq!(ring.open(&place(), &sealed).unwrap().expose(), b"value");
        }
    });
}

#[test]
fn a_module_that_cannot_be_initialised_is_called_by_one_thread_at_a_time() {
    with_token(|hsm| {
        take_long_to_initialise();
        let clock = ManualClock::at(0);
        let with_clock = || source_by(hsm, &clock);
        let (first, parameters) = ring(&with_clock());
        let sealed = first.seal(&place(), b"value").unwrap();
        // Each has a pool of sessions of its own, so that nothing but the module stands between.
        let rings: Vec<_> = (0..4)
            .map(|_| with_clock().load(ID, 1, &parameters).unwrap())
            .map(|provider| Keyring::new(provider, Arc::new(OsEntropy)))
            .collect();
        let away = hsm.tokens().with_extension("away");
        for _ in 0..8 {
            std::fs::rename(hsm.tokens(), &away).unwrap();
            clock.advance_ms(1_000);
            std::thread::scope(|scope| {
                for ring in &rings {
                    scope.spawn(|| {
                        for _ in 0..20 {
                            let gone = ring.open(&place(), &sealed).unwrap_err();
                            assert!(gone.is_outage(), "{gone}");
                        }
                    });
                }
            });
            std::fs::rename(&away, hsm.tokens()).unwrap();
            clock.advance_ms(1_000);
            for ring in &rings {
                assert_eq!(ring.open(&place(), &sealed).unwrap().expose(), b"value");
            }
        }
    });
}

#[test]
fn a_missing_or_unusable_module_is_named() {
    with_token(|hsm| {
        let with = |module: PathBuf| {
            complaint(source(Pkcs11Config {
                module,
                ..hsm.config(NO_CACHE)
            }))
        };
        let missing = PathBuf::from("/nowhere/libtoken.so");
        let error = with(missing.clone());
        assert_eq!(error, Pkcs11Error::ModuleNotFound(missing));
        assert!(error.to_string().contains("correct pkcs11_module"));
        let text = hsm.tokens().join("text.so");
        std::fs::write(&text, "no library").unwrap();
        let error = with(text.clone());
        assert!(matches!(error, Pkcs11Error::ModuleUnusable { path, .. } if path == text));
    });
}

#[test]
fn a_missing_token_is_told_apart_from_those_that_are_there() {
    with_token(|hsm| {
        let with = |token: TokenSelector| {
            source(Pkcs11Config {
                token,
                ..hsm.config(NO_CACHE)
            })
            .unwrap()
            .health()
        };
        let error = complaint(with(TokenSelector::Label("other".into())));
        assert!(matches!(error, Pkcs11Error::TokenNotFound { .. }));
        assert!(error.to_string().contains(SoftHsm::LABEL), "{error}");
        let error = complaint(with(TokenSelector::Slot(4_711)));
        assert!(matches!(error, Pkcs11Error::TokenNotFound { .. }));
        with(TokenSelector::Label(SoftHsm::LABEL.into())).unwrap();

        hsm.initialise(SoftHsm::LABEL, Some(SoftHsm::PIN));
        let label = TokenSelector::Label(SoftHsm::LABEL.into());
        assert_eq!(
            complaint(with(label.clone())),
            Pkcs11Error::TokenAmbiguous(label)
        );
        let module = direct(hsm);
        for slot in module.get_slots_with_initialized_token().unwrap() {
            with(TokenSelector::Slot(slot.id())).unwrap();
        }
    });
}

#[test]
fn a_wrong_pin_is_tried_once_only() {
    with_token(|hsm| {
        let wrong = source(Pkcs11Config {
            pin: Pin::new("no such PIN".to_owned()),
            ..hsm.config(NO_CACHE)
        })
        .unwrap();
        let label = TokenSelector::Label(SoftHsm::LABEL.into());
        for _ in 0..20 {
            assert_eq!(
                complaint(wrong.health()),
                Pkcs11Error::PinWrong(label.clone())
            );
            assert_eq!(
                complaint(wrong.create(ID)),
                Pkcs11Error::PinWrong(label.clone())
            );
        }
        // Even when it has become the right one: this process does not try it again, another may.
        hsm.source(NO_CACHE).create(ID).unwrap();
        hsm.set_pin("no such PIN");
        assert_eq!(complaint(wrong.health()), Pkcs11Error::PinWrong(label));
        source(Pkcs11Config {
            pin: Pin::new("no such PIN".to_owned()),
            ..hsm.config(NO_CACHE)
        })
        .unwrap()
        .health()
        .unwrap();

        hsm.initialise("without a PIN", None);
        let unset = source(Pkcs11Config {
            token: TokenSelector::Label("without a PIN".into()),
            ..hsm.config(NO_CACHE)
        })
        .unwrap();
        assert!(matches!(
            complaint(unset.health()),
            Pkcs11Error::PinUnset(_) | Pkcs11Error::PinWrong(_)
        ));
    });
}

#[test]
fn a_missing_key_and_keys_that_are_not_ours_are_named() {
    with_token(|hsm| {
        let source = hsm.source(NO_CACHE);
        let load = |label: &str| {
            let parameters = KekParameters {
                reference: Some(label.to_owned()),
                ..KekParameters::default()
            };
            source.load(ID, 1, &parameters)
        };
        let missing = complaint(load("nowhere"));
        assert!(matches!(missing, Pkcs11Error::KeyMissing { .. }));
        assert!(missing.to_string().contains("nowhere"));

        let make = |label: &str, changed: &[Attribute]| {
            let mut template = vec![
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::KeyType(KeyType::AES),
                Attribute::ValueLen(32.into()),
                Attribute::Label(label.as_bytes().to_vec()),
                Attribute::Token(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Encrypt(true),
                Attribute::Decrypt(true),
            ];
            for attribute in changed {
                template.retain(|other| other.attribute_type() != attribute.attribute_type());
                template.push(attribute.clone());
            }
            let mechanism = if changed.contains(&Attribute::KeyType(KeyType::GENERIC_SECRET)) {
                Mechanism::GenericSecretKeyGen
            } else {
                Mechanism::AesKeyGen
            };
            in_session(hsm, |session| {
                session.generate_key(&mechanism, &template).unwrap()
            });
        };
        for (label, changed, fault) in [
            ("short", Attribute::ValueLen(16.into()), "256 bits"),
            ("open", Attribute::Extractable(true), "taken out"),
            ("plain", Attribute::Sensitive(false), "sensitive"),
            ("mute", Attribute::Encrypt(false), "not encrypt"),
            ("deaf", Attribute::Decrypt(false), "not decrypt"),
            (
                "odd",
                Attribute::KeyType(KeyType::GENERIC_SECRET),
                "not an AES key",
            ),
        ] {
            make(label, &[changed]);
            let error = complaint(load(label));
            assert!(
                matches!(error, Pkcs11Error::KeyUnsuitable { .. }),
                "{error}"
            );
            assert!(error.to_string().contains(fault), "{error}");
        }
        make("good", &[]);
        load("good").unwrap();
        make("good", &[]);
        assert!(matches!(
            complaint(load("good")),
            Pkcs11Error::KeyAmbiguous { .. }
        ));
        assert_eq!(source.tag(), ProviderTag::PKCS11);
    });
}

#[test]
fn debug_output_shows_no_pin() {
    with_token(|hsm| {
        let config = format!("{:?}", hsm.config(NO_CACHE));
        assert!(config.contains("Pin([redacted])"), "{config}");
        assert!(!config.contains(SoftHsm::PIN), "{config}");
        insta::assert_compact_debug_snapshot!(
            hsm.source(NO_CACHE),
            @r#"Pkcs11Source { token: Label("secure messaging test"), .. }"#
        );
        insta::assert_compact_debug_snapshot!(Pin::new("1234".into()), @"Pin([redacted])");
    });
}
