use protocol::vectors::{produce, run};

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
