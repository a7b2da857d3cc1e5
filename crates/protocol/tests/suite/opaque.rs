use protocol::opaque::{
    OpaqueError, ServerSetup, login_finish, login_respond, login_start, register_record,
    register_respond, register_start,
};

use crate::support::SeededRng;

const HANDLE: &[u8] = b"alice";

struct Registered {
    setup: ServerSetup,
    record: Vec<u8>,
    export: [u8; 64],
}

fn registered(rng: &mut SeededRng, passphrase: &[u8]) -> Registered {
    let setup = ServerSetup::generate(rng);
    let (state, request) = register_start(rng, passphrase).unwrap();
    let response = register_respond(&setup, &request, HANDLE).unwrap();
    let (upload, export) = state.finish(rng, &response).unwrap();
    Registered {
        setup,
        record: register_record(&upload).unwrap(),
        export: *export.expose(),
    }
}

#[test]
fn the_right_passphrase_signs_in_and_gives_the_same_export_key() {
    let rng = &mut SeededRng::new(1);
    let account = registered(rng, b"six words of a list");
    // A set-up survives being stored.
    let setup = ServerSetup::deserialize(&account.setup.serialize()).unwrap();
    let (client, request) = login_start(rng, b"six words of a list").unwrap();
    let (server, response) =
        login_respond(&setup, Some(&account.record), &request, HANDLE, rng).unwrap();
    let (finalization, export) = client.finish(rng, &response).unwrap();
    assert_eq!(export.expose(), &account.export);
    assert_eq!(login_finish(&server, &finalization), Ok(()));
    let mut forged = finalization;
    forged[0] ^= 1;
    assert_eq!(login_finish(&server, &forged), Err(OpaqueError::Refused));
}

#[test]
fn a_wrong_passphrase_another_handle_and_an_unknown_account_are_refused_alike() {
    let rng = &mut SeededRng::new(2);
    let account = registered(rng, b"right");
    let mut sizes = Vec::new();
    for (passphrase, record, handle) in [
        (&b"wrong"[..], Some(account.record.as_slice()), HANDLE),
        (b"right", Some(account.record.as_slice()), b"other"),
        (b"right", None, HANDLE),
    ] {
        let (client, request) = login_start(rng, passphrase).unwrap();
        let (_, response) = login_respond(&account.setup, record, &request, handle, rng).unwrap();
        sizes.push(response.len());
        assert_eq!(
            client.finish(rng, &response).unwrap_err(),
            OpaqueError::Refused
        );
    }
    assert_eq!(sizes[0], sizes[2], "an unknown account answers alike");
}

#[test]
fn a_server_that_reflects_or_garbles_is_refused_by_its_own_error() {
    let rng = &mut SeededRng::new(3);
    let setup = ServerSetup::generate(rng);
    let (state, request) = register_start(rng, b"x").unwrap();
    let mut response = register_respond(&setup, &request, HANDLE).unwrap();
    response[..32].copy_from_slice(&request);
    assert_eq!(
        state.finish(rng, &response).unwrap_err(),
        OpaqueError::Reflected
    );
    let (state, _) = register_start(rng, b"x").unwrap();
    assert_eq!(
        state.finish(rng, &[0; 5]).unwrap_err(),
        OpaqueError::Malformed
    );
    assert_eq!(
        register_respond(&setup, &[0xff; 32], HANDLE).unwrap_err(),
        OpaqueError::Malformed
    );
    assert!(register_record(&[1; 10]).is_err());
    assert!(ServerSetup::deserialize(&[0; 3]).is_err());
    assert!(login_finish(&[0; 3], &[0; 64]).is_err());
}

#[test]
fn every_failure_of_the_exchange_has_one_meaning() {
    use opaque_ke::errors::{InternalError, ProtocolError};
    use std::convert::Infallible;
    let library = ProtocolError::<Infallible>::LibraryError;
    for (failure, meaning) in [
        (ProtocolError::InvalidLoginError, OpaqueError::Refused),
        (ProtocolError::ReflectedValueError, OpaqueError::Reflected),
        (library(InternalError::KsfError), OpaqueError::Memory),
        (library(InternalError::HmacError), OpaqueError::Malformed),
        (
            library(InternalError::SealOpenHmacError),
            OpaqueError::Malformed,
        ),
        (ProtocolError::SerializationError, OpaqueError::Malformed),
    ] {
        assert_eq!(OpaqueError::from(failure), meaning);
    }
}

#[test]
fn the_key_stretching_has_the_parameters_of_the_protocol() {
    use protocol::opaque::{ARGON2_LANES, ARGON2_MEMORY_KIB, ARGON2_PASSES, Argon2id};
    assert_eq!(
        (ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES),
        (65_536, 3, 1)
    );
    // The stretched value is that of plain Argon2id with those numbers and a salt of zeros.
    use opaque_ke::generic_array::{GenericArray, typenum::U64};
    use opaque_ke::ksf::Ksf;
    let input = GenericArray::<u8, U64>::from([9; 64]);
    let output = Argon2id::default().hash(input).unwrap();
    let params = argon2::Params::new(65_536, 3, 1, Some(64)).unwrap();
    let mut expected = [0; 64];
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into(&[9; 64], &[0; 16], &mut expected)
        .unwrap();
    assert_eq!(output.as_slice(), &expected);
    // Positive control: with half the memory the value is another.
    let lowered = argon2::Params::new(32_768, 3, 1, Some(64)).unwrap();
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, lowered)
        .hash_password_into(&[9; 64], &[0; 16], &mut expected)
        .unwrap();
    assert_ne!(output.as_slice(), &expected);
}

/// Hands out given bytes, then zeros.
struct Given(std::collections::VecDeque<u8>);

impl rand_core::TryRng for Given {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("nothing here draws numbers")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("nothing here draws numbers")
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
        dst.fill_with(|| self.0.pop_front().unwrap_or(0));
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Given {}

/// The part of RFC 9807, appendix C.1.1, that does not depend on the key stretching.
#[test]
fn registration_gives_the_messages_of_rfc_9807() {
    let bytes = |text: &str| hex::decode(text).unwrap();
    let seed = "f433d0227b0b9dd54f7c4422b600e764e47fb503f1f9a0f0a47c6606b054a7fd\
                c65347f1a08f277e22358bbabe26f823fca82c7848e9a75661f4ec5d5c1989ef";
    let private = "47451a85372f8b3537e249d7b54188091fb18edde78094b43e2ba42b5eb89f0d";
    let public = "b2fe7af9f48cc502d016729d2fe25cdd433f2c4bc904660b2a382c9b79df1a78";
    let blind = "76cfbfe758db884bebb33582331ba9f159720ca8784a2a070a265d9c2d6abe01";

    let (_, request) = register_start(
        &mut Given(bytes(blind).into()),
        b"CorrectHorseBatteryStaple",
    )
    .unwrap();
    assert_eq!(
        hex::encode(&request),
        "5059ff249eb1551b7ce4991f3336205bde44a105a032e747d21bf382e75f7a71"
    );
    let setup = ServerSetup::deserialize(&bytes(&format!("{seed}{private}{public}"))).unwrap();
    let response = register_respond(&setup, &request, b"1234").unwrap();
    assert_eq!(
        hex::encode(response),
        format!("7408a268083e03abc7097fc05b587834539065e86fb0c7b6342fcf5e01e5b019{public}")
    );
}
