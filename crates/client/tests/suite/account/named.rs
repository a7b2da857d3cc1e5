//! A failure names the command that failed.

use client::command::Command;
use client::event::Event;
use client::id::{ConversationId, UserId};
use client::testing::{PASSPHRASE, World};

use super::unlock;

fn failed(world: &World, tab: usize) -> (String, String) {
    let mut events = world.tab(tab).events.iter().rev();
    let told = events.find_map(|event| match event {
        Event::Failed { during, code, .. } => Some((during.clone(), code.clone())),
        _ => None,
    });
    told.unwrap()
}

fn sign_in(passphrase: &str) -> Command {
    Command::SignIn {
        handle: "alice".into(),
        passphrase: passphrase.into(),
        device_name: None,
    }
}

#[test]
fn a_failed_command_is_named_whether_or_not_the_account_is_open() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    let chat = ConversationId::with(UserId::from_bytes([1; 16]));
    let handle = || "bob".to_owned();
    let settings = Default::default();
    world.command(tab, Command::Lock);
    for (command, during, code) in [
        (unlock("not this one"), "unlock", "wrong-passphrase"),
        (
            Command::Lookup { handle: handle() },
            "lookup",
            "not-unlocked",
        ),
        (Command::Block { chat }, "block", "not-unlocked"),
        (
            Command::SetSettings(settings),
            "set_settings",
            "not-unlocked",
        ),
    ] {
        world.command(tab, command);
        assert_eq!(failed(&world, tab), (during.to_owned(), code.to_owned()));
    }
    world.command(tab, Command::SignOut);
    let handle = handle();
    for (command, during, code) in [
        (sign_in("not this one"), "sign_in", "sign-in-failed"),
        (unlock(PASSPHRASE), "unlock", "not-signed-in"),
        (Command::Lookup { handle }, "lookup", "not-unlocked"),
    ] {
        world.command(tab, command);
        assert_eq!(failed(&world, tab), (during.to_owned(), code.to_owned()));
    }
    // The server is gone, in the middle of it.
    for step in ["POST /session/start", "POST /session/finish"] {
        world.slow = Some(step);
        world.command(tab, sign_in(PASSPHRASE));
        world.server.tamper = Some(Box::new(|_, _| Vec::new()));
        world.network = false;
        world.arrive();
        world.command(tab, Command::Cancel);
        (world.network, world.server.tamper) = (true, None);
        world.command(tab, Command::SignOut);
    }
    world.network = false;
    world.command(tab, sign_in(PASSPHRASE));
    assert_eq!(failed(&world, tab).0, "sign_in");
}
