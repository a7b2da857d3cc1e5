//! What is asked of an engine where much waits.

use super::*;

/// How often an engine has run a command.
fn calls(engine: &servers::Valkey, command: &str) -> u64 {
    let told = engine.ask(&["INFO", "commandstats"]);
    let line = format!("cmdstat_{command}:calls=");
    let rest = told.split(&line).nth(1).unwrap_or("0,");
    rest.split(',').next().unwrap().parse().unwrap()
}

#[test]
fn whether_somebody_holds_unread_messages_is_not_counted_one_by_one() {
    let engine = servers::Valkey::start();
    let b = instance(&[&engine], &prefix());
    let mut asked = Vec::new();
    let mut posted = 0;
    for many in [10, 300] {
        while posted < many {
            posted += 1;
            b.post(message(posted, true, &[Target::Account(BOB)]))
                .unwrap();
        }
        let before = calls(&engine, "get") + calls(&engine, "zrange");
        assert!(
            b.vault
                .holds_unread(ALICE, BOB, many as usize, message_id(0))
        );
        assert!(
            !b.vault
                .holds_unread(ALICE, BOB, many as usize, message_id(1))
        );
        asked.push(calls(&engine, "get") + calls(&engine, "zrange") - before);
    }
    assert_eq!(asked[0], asked[1]);
}

#[test]
fn a_session_that_comes_or_goes_writes_only_what_names_it() {
    let engine = servers::Valkey::start();
    let b = instance(&[&engine], &prefix());
    for n in 1..50 {
        b.post(message(n, true, &[Target::Account(BOB)])).unwrap();
    }
    b.post(message(50, false, &[to_live(BOB, 1), to_live(BOB, 2)]))
        .unwrap();
    let before = calls(&engine, "set");
    b.vault.session_left(BOB, live(1));
    assert_eq!(calls(&engine, "set") - before, 1);
    b.vault.session_back(BOB, live(3));
    assert_eq!(calls(&engine, "set") - before, 1);
}
