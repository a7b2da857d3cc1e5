//! No secret shows itself.

use std::sync::Arc;

use ambient::OsEntropy;
use keyring::{
    Context, Dek, ExportedKek, IndexKey, Kek, KekId, KeyMaterial, KeySource, Keyring,
    LocalProvider, LocalSource, SALT_LEN, SubjectKey, Suite, TagKey,
};

#[test]
fn debug_output_of_every_secret_is_redacted() {
    let bytes = *b"32 bytes that must not be shown.";
    insta::assert_debug_snapshot!(Dek::from_slice(&bytes).unwrap(), @"Dek([redacted])");
    insta::assert_debug_snapshot!(Kek::from_slice(&bytes).unwrap(), @"Kek([redacted])");
    insta::assert_debug_snapshot!(
        ExportedKek::from_slice(&bytes).unwrap(),
        @"ExportedKek([redacted])"
    );
    insta::assert_debug_snapshot!(
        SubjectKey::from_slice(&bytes).unwrap(),
        @"SubjectKey([redacted])"
    );
    insta::assert_debug_snapshot!(IndexKey::from_slice(&bytes).unwrap(), @"IndexKey([redacted])");
    insta::assert_debug_snapshot!(TagKey::from_slice(&bytes).unwrap(), @"TagKey([redacted])");
    insta::assert_debug_snapshot!(KeyMaterial::new(bytes.to_vec()), @"KeyMaterial([redacted])");
    let local = LocalSource::new(
        KeyMaterial::new(bytes.to_vec()),
        100_000,
        Suite::Aes256Gcm,
        Arc::new(OsEntropy),
    );
    insta::assert_compact_debug_snapshot!(
        local,
        @"LocalSource { key: KeyMaterial([redacted]), iterations: 100000, suite: Aes256Gcm, .. }"
    );
    let source = KeySource::new(Some("a given key".to_owned()), "somewhere.key");
    insta::assert_compact_debug_snapshot!(
        source,
        @r#"KeySource { given: Some(KeyMaterial([redacted])), key_file: "somewhere.key" }"#
    );
}

#[test]
fn debug_output_of_a_keyring_names_its_keys_only() {
    let entropy = Arc::new(OsEntropy);
    let key = KeyMaterial::new(b"a given key".to_vec());
    let id = KekId::from_bytes([0xab; 16]);
    let provider =
        LocalProvider::derive(&key, &[0; SALT_LEN], 100_000, id, 3, entropy.clone()).unwrap();
    insta::assert_compact_debug_snapshot!(
        provider,
        @"LocalProvider { kek_id: KekId(abababababababababababababababab), key_version: 3, kek: Kek([redacted]), suite: ChaCha20Poly1305, .. }"
    );
    let ring = Keyring::new(Arc::new(provider), entropy);
    insta::assert_compact_debug_snapshot!(
        ring,
        @"Keyring { active: KekId(abababababababababababababababab), others: [], suite: ChaCha20Poly1305, .. }"
    );
    let place = Context {
        table: "t",
        column: "c",
        row_id: b"r",
        schema_version: 1,
    };
    let opened = ring
        .open(&place, &ring.seal(&place, b"plain").unwrap())
        .unwrap();
    insta::assert_debug_snapshot!(opened, @"Opened([redacted])");
}
