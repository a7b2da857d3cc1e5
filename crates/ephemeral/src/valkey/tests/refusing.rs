//! Engines that would keep what they must forget are not used.

use std::time::Duration;

use super::*;

fn refused(engine: &servers::Valkey) -> String {
    let settings = settings(&[engine], "refused:");
    match connect(settings, Config::default(), Ambient::system()) {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_engine_with_a_disk_an_eviction_or_a_log_is_refused_by_the_name_of_the_setting() {
    for (setting, value, wanted) in [
        ("appendonly", "yes", "appendonly no"),
        ("save", "60 1", "save \"\""),
        (
            "maxmemory-policy",
            "allkeys-lru",
            "maxmemory-policy noeviction",
        ),
        (
            "slowlog-log-slower-than",
            "10000",
            "slowlog-log-slower-than -1",
        ),
    ] {
        let engine = servers::Valkey::start_with(&[(setting, value)], true);
        let told = refused(&engine);
        assert!(told.contains(&format!("`{wanted}`")), "{told}");
        assert!(told.contains(&engine.port().to_string()), "{told}");
    }
}

#[test]
fn an_engine_that_does_not_overwrite_what_it_frees_is_refused() {
    let told = refused(&servers::Valkey::start_with(&[], false));
    assert!(told.contains("MALLOC_CONF=junk:free"), "{told}");
}

#[test]
fn an_engine_that_wants_a_name_is_refused_with_where_to_write_it() {
    let engine = servers::Valkey::start();
    engine.ask(&["CONFIG", "SET", "requirepass", "of tests"]);
    let told = refused(&engine);
    assert!(told.contains("valkey://user:password@"), "{told}");
}

#[test]
fn a_replica_and_an_engine_with_one_are_refused() {
    let primary = servers::Valkey::start();
    let of = format!("127.0.0.1 {}", primary.port());
    let replica = servers::Valkey::start_with(&[("replicaof", &of)], true);
    assert!(refused(&replica).contains("is a replica"));
    let joined = || {
        let info = primary.ask(&["INFO", "replication"]);
        info.contains("connected_slaves:1").then_some(())
    };
    servers::until("the replica", joined);
    assert!(refused(&primary).contains("1 replicas"));
}

#[test]
fn an_engine_that_is_changed_later_is_asked_nothing_until_it_is_changed_back() {
    let engine = servers::Valkey::start();
    let b = instance(&[&engine], "changed:");
    let check = || b.vault.wait(b.vault.plane.check());
    assert_eq!(check(), Ok(()));
    engine.ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]);
    let told = check().unwrap_err().to_string();
    assert!(told.contains("`maxmemory-policy noeviction`"), "{told}");
    let asked = b.vault.plane.vault().status(ALICE, &[message_id(1)]);
    assert!(wait(asked).is_err());
    engine.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    assert_eq!(check(), Ok(()));
    b.post(message(1, false, &[Target::Account(BOB)])).unwrap();
}

#[test]
fn addresses_that_cannot_be_used_are_named_without_their_passwords() {
    let told = |nodes: &[&str]| {
        let named = nodes.iter().map(|node| Zeroizing::new((*node).to_owned()));
        let settings = Settings {
            nodes: named.collect(),
            ..settings(&[], "none:")
        };
        let connected = connect(settings, Config::default(), Ambient::system());
        connected.err().unwrap().to_string()
    };
    assert!(told(&[]).contains("name at least one"));
    let unread = told(&["valkey://:secret@127.0.0.1:1", "http://:secret@nowhere"]);
    assert!(
        unread.contains("address 2") && !unread.contains("secret"),
        "{unread}"
    );
    let twice = told(&["valkey://:secret@127.0.0.1:1", "redis://127.0.0.1:1"]);
    assert!(twice.contains("127.0.0.1:1 is named twice"), "{twice}");
    let away = told(&["valkey://:secret@127.0.0.1:1"]);
    assert!(away.contains("127.0.0.1:1 does not answer"), "{away}");
    assert!(!away.contains("secret"), "{away}");
}

#[test]
fn a_clock_that_is_far_from_that_of_the_node_is_refused() {
    let engine = engine();
    let with = |ambient| {
        let settings = Settings {
            apart: Some(Duration::from_secs(5)),
            ..settings(&[&engine], &prefix())
        };
        connect(settings, Config::default(), ambient)
    };
    assert!(with(Ambient::system()).is_ok());
    let slow = Ambient::new(ManualClock::at_ms(1_000_000), Arc::new(OsEntropy));
    let told = with(slow).err().unwrap().to_string();
    assert!(told.contains("time server"), "{told}");
}
