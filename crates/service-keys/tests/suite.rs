//! Keys of services as other implementations read them: AWS-LC for RSA, Ed25519, X25519 and ML-DSA-87, and
//! RustCrypto's for ML-KEM-1024.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use api::ServiceKeyState;
use aws_lc_rs::agreement::{PrivateKey as AgreementKey, X25519};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{self, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pkcs8::der::Decode as _;
use serde_json::Value;
use service_keys::{
    Described, GenerateError, KeyPair, NotAKey, PrivateKey, PublicKey, ServiceKeyAlgorithm as A,
    public_jwks,
};
use zeroize::Zeroizing;

fn pair(algorithm: A) -> KeyPair {
    let bits = (algorithm == A::Rs256).then_some(2_048);
    KeyPair::generate(algorithm, bits, &mut ambient::Rng::system()).unwrap()
}

fn described(key: &PublicKey) -> Described<'_> {
    Described {
        key,
        version: 7,
        state: ServiceKeyState::Retired,
        created_at: 1_800_000_000,
        retired_at: Some(1_800_000_009),
    }
}

fn private_jwks(pair: &KeyPair) -> Vec<Value> {
    let text = pair.private.jwks(&described(&pair.public)).unwrap();
    keys(&text)
}

fn keys(text: &str) -> Vec<Value> {
    let mut set: Value = serde_json::from_str(text).unwrap();
    assert_eq!(set.as_object().unwrap().len(), 1);
    serde_json::from_value(set["keys"].take()).unwrap()
}

fn bytes(key: &Value, member: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(key[member].as_str().unwrap())
        .unwrap()
}

/// The DER of each block of a PEM text, whose form is checked.
fn blocks(pem: &str, label: &str) -> Vec<Vec<u8>> {
    let (begin, end) = (
        format!("-----BEGIN {label}-----\n"),
        format!("-----END {label}-----\n"),
    );
    let mut found = Vec::new();
    for block in pem.split_inclusive(&end) {
        let body = block
            .strip_prefix(&begin)
            .unwrap()
            .strip_suffix(&end)
            .unwrap();
        assert!(body.lines().all(|line| line.len() <= 64), "{body}");
        found.push(STANDARD.decode(body.replace('\n', "")).unwrap());
    }
    found
}

#[test]
fn both_halves_read_as_they_were_stored_and_belong_together() {
    for algorithm in A::ALL.iter().copied() {
        let pair = pair(algorithm);
        let stored = pair.public.as_bytes().to_vec();
        let public = PublicKey::from_bytes(algorithm, stored).unwrap();
        assert_eq!(public, pair.public);
        let stored = Zeroizing::new(pair.private.expose().to_vec());
        let private = PrivateKey::from_bytes(algorithm, stored).unwrap();
        assert_eq!(private.public().unwrap(), public, "{algorithm}");
        assert_ne!(
            public,
            self::pair(algorithm).public,
            "{algorithm} is drawn anew"
        );
        assert_eq!(public.kid().len(), 43);
    }
}

#[test]
fn bytes_that_are_no_key_of_their_algorithm_are_refused() {
    for algorithm in A::ALL.iter().copied() {
        let pair = pair(algorithm);
        let (public, private) = (pair.public.as_bytes(), pair.private.expose());
        for wrong in [&public[1..], &[public, &[0]].concat(), &[]] {
            let refused = PublicKey::from_bytes(algorithm, wrong.to_vec());
            assert_eq!(refused, Err(NotAKey), "{algorithm}");
        }
        for wrong in [&private[1..], &[private, &[0]].concat(), &[]] {
            let wrong = Zeroizing::new(wrong.to_vec());
            let read = PrivateKey::from_bytes(algorithm, wrong);
            let public = read.and_then(|private| private.public());
            assert_eq!(public, Err(NotAKey), "{algorithm}");
        }
    }
}

#[test]
fn a_size_is_for_rsa_only_and_not_any() {
    let mut rng = ambient::Rng::system();
    for (algorithm, bits) in [
        (A::Rs256, 1_024),
        (A::Rs256, 2_047),
        (A::Rs256, 8_192),
        (A::MlKem1024X25519, 1_024),
        (A::MlDsa87Ed25519, 87),
    ] {
        let refused = KeyPair::generate(algorithm, Some(bits), &mut rng).err();
        assert_eq!(refused, Some(GenerateError::Size), "{algorithm} {bits}");
    }
    let default = KeyPair::generate(A::Rs256, None, &mut rng).unwrap();
    assert_eq!(default.public.bits(), 3_072);
    assert_eq!(pair(A::MlKem1024X25519).public.bits(), (1_568 + 32) * 8);
    assert_eq!(pair(A::MlDsa87Ed25519).public.bits(), (2_592 + 32) * 8);
}

/// Type, algorithm, use and private members of a key.
type Jwk = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

#[test]
fn a_jwk_says_what_it_is_and_only_a_private_one_has_private_members() {
    let sets: [(A, &[Jwk]); 3] = [
        (
            A::MlKem1024X25519,
            &[
                ("AKP", "ML-KEM-1024", "enc", &["priv"]),
                ("OKP", "X25519", "enc", &["d"]),
            ],
        ),
        (
            A::MlDsa87Ed25519,
            &[
                ("AKP", "ML-DSA-87", "sig", &["priv"]),
                ("OKP", "Ed25519", "sig", &["d"]),
            ],
        ),
        (
            A::Rs256,
            &[("RSA", "RS256", "sig", &["d", "p", "q", "dp", "dq", "qi"])],
        ),
    ];
    for (algorithm, expected) in sets {
        let pair = pair(algorithm);
        let public = keys(&public_jwks(&[described(&pair.public)]));
        let private = private_jwks(&pair);
        assert_eq!(
            (public.len(), private.len()),
            (expected.len(), expected.len())
        );
        for ((mut private, public), (kty, name, usage, members)) in
            private.into_iter().zip(public).zip(expected)
        {
            assert_eq!(public["kty"], *kty);
            let named = if *kty == "OKP" {
                &public["crv"]
            } else {
                &public["alg"]
            };
            assert_eq!(named, name);
            assert_eq!(public["use"], *usage);
            assert_eq!(public["version"], 7);
            assert_eq!(public["state"], "retired");
            assert_eq!(public["created_at"], 1_800_000_000);
            assert_eq!(public["retired_at"], 1_800_000_009);
            assert_eq!(public["version_kid"], pair.public.kid());
            assert_eq!(bytes(&public, "kid").len(), 32);
            for member in *members {
                let removed = private.as_object_mut().unwrap().remove(*member);
                assert!(removed.is_some(), "{algorithm} {member}");
            }
            assert_eq!(private, public);
        }
    }
}

/// The example of [RFC 8037, appendix A.3], and the private and public key before it.
///
/// [RFC 8037, appendix A.3]: https://www.rfc-editor.org/rfc/rfc8037#appendix-A.3
#[test]
fn the_thumbprint_of_ed25519_is_the_one_of_the_rfc() {
    let d = URL_SAFE_NO_PAD
        .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        .unwrap();
    let private = Zeroizing::new([vec![0; 32], d].concat());
    let private = PrivateKey::from_bytes(A::MlDsa87Ed25519, private).unwrap();
    let public = private.public().unwrap();
    let set = keys(&public_jwks(&[described(&public)]));
    assert_eq!(set[1]["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(set[1]["kid"], "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/// The example of [RFC 9964] for ML-DSA-87, whose seed is zeros: its public key is whole if its thumbprint is.
///
/// [RFC 9964]: https://www.rfc-editor.org/rfc/rfc9964
#[test]
fn the_key_and_thumbprint_of_ml_dsa_87_are_those_of_the_rfc() {
    let private = Zeroizing::new(vec![0; 64]);
    let private = PrivateKey::from_bytes(A::MlDsa87Ed25519, private).unwrap();
    let public = private.public().unwrap();
    let set = keys(&private.jwks(&described(&public)).unwrap());
    assert_eq!(set[0]["kty"], "AKP");
    assert_eq!(set[0]["alg"], "ML-DSA-87");
    assert_eq!(set[0]["priv"], "A".repeat(43));
    let begins = set[0]["pub"]
        .as_str()
        .unwrap()
        .starts_with("5F_8jMc9uIXcZi5i");
    assert!(begins, "{}", set[0]["pub"]);
    assert_eq!(set[0]["kid"], "tRn1JNIkgMsABVQBlXeDHxAIcclh-2IX0UdDEzPt5XU");
}

#[test]
fn aws_lc_signs_and_verifies_with_what_was_written() {
    let pair = pair(A::MlDsa87Ed25519);
    let private = blocks(&pair.private.pem().unwrap(), "PRIVATE KEY");
    let set = private_jwks(&pair);
    let message = b"signed by another implementation";

    let ml_dsa = signature::PqdsaKeyPair::from_pkcs8(&signature::ML_DSA_87_SIGNING, &private[0]);
    let ml_dsa = ml_dsa.unwrap();
    assert_eq!(ml_dsa.public_key().as_ref(), bytes(&set[0], "pub"));
    let mut signed = vec![0; signature::ML_DSA_87_SIGNING.signature_len()];
    ml_dsa.sign(message, &mut signed).unwrap();
    let public = UnparsedPublicKey::new(&signature::ML_DSA_87, bytes(&set[0], "pub"));
    public.verify(message, &signed).unwrap();
    let der = ml_dsa.public_key().as_der().unwrap();
    assert_eq!(
        der.as_ref(),
        blocks(&pair.public.pem().unwrap(), "PUBLIC KEY")[0]
    );

    let ed25519 = signature::Ed25519KeyPair::from_pkcs8(&private[1]).unwrap();
    let public = UnparsedPublicKey::new(&signature::ED25519, bytes(&set[1], "x"));
    public
        .verify(message, ed25519.sign(message).as_ref())
        .unwrap();
    let der = ed25519.public_key().as_der().unwrap();
    assert_eq!(
        der.as_ref(),
        blocks(&pair.public.pem().unwrap(), "PUBLIC KEY")[1]
    );
}

#[test]
fn aws_lc_agrees_with_the_x25519_key_that_was_written() {
    let pair = pair(A::MlKem1024X25519);
    // AWS-LC's binding takes raw keys only; the DER ends with the same bytes.
    let seed = bytes(&private_jwks(&pair)[1], "d");
    assert!(blocks(&pair.private.pem().unwrap(), "PRIVATE KEY")[1].ends_with(&seed));
    let key = AgreementKey::from_private_key(&X25519, &seed).unwrap();
    let public = key.compute_public_key().unwrap();
    assert_eq!(public.as_ref(), bytes(&private_jwks(&pair)[1], "x"));
    let der = public.as_der().unwrap();
    assert_eq!(
        der.as_ref(),
        blocks(&pair.public.pem().unwrap(), "PUBLIC KEY")[1]
    );
}

#[test]
fn rustcrypto_decapsulates_with_the_ml_kem_key_that_was_written() {
    use ml_kem::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
    use ml_kem::{Decapsulate as _, DecapsulationKey1024, EncapsulationKey1024, KeyExport as _};
    let pair = pair(A::MlKem1024X25519);
    let private = blocks(&pair.private.pem().unwrap(), "PRIVATE KEY");
    let public = blocks(&pair.public.pem().unwrap(), "PUBLIC KEY");
    let private = DecapsulationKey1024::from_pkcs8_der(&private[0]).unwrap();
    let public = EncapsulationKey1024::from_public_key_der(&public[0]).unwrap();
    let written = bytes(&private_jwks(&pair)[0], "pub");
    assert_eq!(public.to_bytes().as_slice(), written);
    // What is encapsulated to the public half by our library opens with the private half of theirs.
    let ours = protocol::primitives::kem::KemPublic::from_bytes(&written.try_into().unwrap());
    let (ciphertext, shared) = ours.unwrap().encapsulate(&mut ambient::Rng::system());
    let theirs = private.decapsulate_slice(ciphertext.as_slice()).unwrap();
    assert_eq!(theirs.as_slice(), shared.expose());
}

#[test]
fn the_numbers_of_an_rsa_jwk_sign_what_its_public_key_verifies() {
    let pair = pair(A::Rs256);
    let jwk = &private_jwks(&pair)[0];
    assert_eq!(bytes(jwk, "e"), [1, 0, 1]);
    assert_eq!((bytes(jwk, "n").len(), pair.public.bits()), (256, 2_048));
    for member in ["n", "d", "p", "q", "dp", "dq", "qi"] {
        assert_ne!(bytes(jwk, member)[0], 0, "{member} is as short as can be");
    }
    let private = &blocks(&pair.private.pem().unwrap(), "PRIVATE KEY")[0];
    let key = signature::RsaKeyPair::from_pkcs8(private).unwrap();
    let mut signed = vec![0; key.public_modulus_len()];
    let rng = aws_lc_rs::rand::SystemRandom::new();
    let message = b"for a client that knows nothing newer";
    key.sign(&signature::RSA_PKCS1_SHA256, &rng, message, &mut signed)
        .unwrap();
    let components = signature::RsaPublicKeyComponents {
        n: bytes(jwk, "n"),
        e: bytes(jwk, "e"),
    };
    let scheme = &signature::RSA_PKCS1_2048_8192_SHA256;
    components.verify(scheme, message, &signed).unwrap();
    let public = &blocks(&pair.public.pem().unwrap(), "PUBLIC KEY")[0];
    let parsed = pkcs8::SubjectPublicKeyInfoRef::from_der(public).unwrap();
    assert_eq!(parsed.algorithm.oid.to_string(), "1.2.840.113549.1.1.1");
}

#[test]
fn nothing_of_a_private_key_stands_in_debug_output() {
    for algorithm in A::ALL.iter().copied() {
        let pair = pair(algorithm);
        assert_eq!(format!("{:?}", pair.private), "PrivateKey([redacted])");
        let public = format!("{:?}", pair.public);
        assert!(
            public.starts_with(&format!("PublicKey({algorithm}, ")),
            "{public}"
        );
    }
}
