use protocol::vectors::{SeededRng, produce, run};
use rand_core::Rng;
use serde_json::{Value, json};
use sha3::Digest;

const PUBLISHED: &str = include_str!("../../vectors/protocol.json");
const STANDARDS: &str = include_str!("../../vectors/standards.json");

#[test]
fn the_published_vectors_hold() {
    let count = run(PUBLISHED).unwrap();
    assert!(count > 80, "{count} vectors");
    assert!(run(STANDARDS).unwrap() >= 8);
}

#[test]
fn the_published_vectors_are_what_this_code_makes() {
    assert!(
        produce(1).unwrap() == PUBLISHED,
        "the wire changed: run the example `vectors` and review the difference"
    );
    run(&produce(2).unwrap()).unwrap();
}

#[test]
fn a_vector_that_does_not_hold_is_named() {
    let accept = |result: &str, digest: &str| {
        format!(
            r#"{{"vectors":[{{"id":"x","kind":"sha3_256","result":"{result}","message":"","digest":"{digest}"}}]}}"#
        )
    };
    let empty = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a";
    assert_eq!(run(&accept("accept", empty)), Ok(1));
    assert_eq!(
        run(&accept("reject", empty)),
        Err("x: was accepted".to_owned())
    );
    assert!(run(&accept("accept", &"00".repeat(32))).is_err());
    // A changed accepted vector is noticed, whatever is changed.
    let wrong = PUBLISHED.replacen("\"error\":\"StaleBatch\"", "\"error\":\"Expired\"", 1);
    assert!(
        run(&wrong)
            .unwrap_err()
            .contains("StaleBatch instead of Expired")
    );
    assert!(run("{}").is_err());
    assert!(run("nonsense").is_err());
}

/// Runs a changed copy of a published vector, beside those that it points to.
fn changed(id: &str, field: &str, value: &Value) -> Result<usize, String> {
    let file: Value = serde_json::from_str(PUBLISHED).unwrap();
    let mut vectors: Vec<Value> = file["vectors"].as_array().unwrap().clone();
    let original = vectors.iter().find(|vector| vector["id"] == id).unwrap();
    assert_ne!(original.get(field), None, "{id} has no {field}");
    assert_ne!(original[field], *value);
    let mut copy = original.clone();
    copy["id"] = json!("x");
    copy[field] = value.clone();
    vectors.retain(|vector| vector["kind"] == "account_keys");
    vectors.push(copy);
    run(&json!({ "vectors": vectors }).to_string())
}

#[test]
fn a_false_output_of_any_kind_is_noticed() {
    let bytes = |len: usize| json!("5a".repeat(len));
    for (id, field, value) in [
        ("account keys of alice", "fingerprint", bytes(64)),
        ("safety number of alice and bob", "digits", json!("12345")),
        ("live parcel 1", "text", json!("other words")),
        ("live parcel 1", "sequence", json!(2)),
        ("live parcel 1", "sender_id", bytes(16)),
        ("live parcel 2", "sequence", json!(1)),
        ("one-time parcel 1", "text", json!("other words")),
        ("last-resort parcel 1", "sender_id", bytes(16)),
        ("live submission", "message_id", bytes(16)),
        ("live slot set", "message_id", bytes(16)),
        ("key safe of alice", "fingerprint", bytes(64)),
        ("key safe of alice", "write_proof", bytes(32)),
        ("prekey safe of alice", "entries", json!(3)),
        ("passphrase wrap of alice", "safe_key", bytes(32)),
        ("recovery wrap of alice", "safe_key", bytes(32)),
        ("resume wrap of alice", "safe_key", bytes(32)),
        ("recovery key of alice", "bytes", bytes(20)),
        ("recovery key of alice", "proof", bytes(32)),
        ("signed boot id", "boot_id", bytes(16)),
        ("signed boot id", "fingerprint", bytes(64)),
        ("sign-in of alice", "export_key", bytes(64)),
        ("attachment chunk", "chunk", bytes(19)),
        ("passphrase of wide letters", "prepared", bytes(3)),
    ] {
        let error = changed(id, field, &value).expect_err(&format!("{id}, {field}"));
        assert!(error.starts_with("x: "), "{id}, {field}: {error}");
    }
}

#[test]
fn a_parcel_of_another_sender_or_place_says_so() {
    let differ = Err("x: sender or sequence differ".to_owned());
    assert_eq!(changed("live parcel 1", "sequence", &json!(2)), differ);
    let other = json!("5a".repeat(16));
    assert_eq!(changed("live parcel 1", "sender_id", &other), differ);
}

#[test]
fn the_generator_of_the_vectors_is_sha3_512_of_seed_and_counter() {
    let block = |counter: u64| {
        let mut hash = sha3::Sha3_512::new();
        hash.update(9_u64.to_be_bytes());
        hash.update(counter.to_be_bytes());
        hash.finalize()
    };
    let stream: Vec<u8> = block(0).into_iter().chain(block(1)).collect();
    let rng = &mut SeededRng::new(9);
    assert_eq!(rng.next_u32().to_le_bytes(), stream[..4]);
    assert_eq!(rng.next_u64().to_le_bytes(), stream[4..12]);
    let mut rest = [0; 116];
    rng.fill_bytes(&mut rest);
    assert_eq!(rest, stream[12..]);
}
