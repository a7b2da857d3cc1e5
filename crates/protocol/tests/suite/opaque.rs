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
