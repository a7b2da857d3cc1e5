//! Strangers who ask: how many, how often, and what a later message of theirs may change.

use client::Command;
use client::id::ConversationId;
use client::testing::{PASSPHRASE, SeededRng, World};
use protocol::envelope::Content;
use protocol::identity::AccountKeys;
use protocol::ids::UserId;
use protocol::safe::{Contact, ContactState, SafeContents, open_prekey_safe, open_safe, seal_safe};

use super::forge::{Forger, Said, away, keys_of, live};

fn asks(alias: &str, greeting: &str) -> Content {
    Content::Request {
        handle: "mallory".into(),
        alias: alias.into(),
        greeting: greeting.into(),
        invite: None,
    }
}

/// Bob's session, and somebody without a client.
fn bob_and_mallory() -> (World, usize, UserId, Forger) {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    let bob = world.server.user("bob");
    let mallory = Forger::plant(&mut world, "mallory", 1);
    (world, tab, bob, mallory)
}

/// Writes a key safe as another session of the account would.
fn write_safe(world: &mut World, handle: &str, change: impl FnOnce(&mut SafeContents)) {
    let user = world.server.user(handle);
    let key = world.server.safe_key(handle, PASSPHRASE);
    let (version, data) = world.server.accounts[&user].history.last().unwrap().clone();
    let mut contents = open_safe(&key, &user, version, &data).unwrap();
    change(&mut contents);
    let mut rng = SeededRng::new(77);
    let data = seal_safe(&mut rng, &key, &user, version + 1, &contents);
    let account = world.server.accounts.get_mut(&user).unwrap();
    account.history.push((version + 1, data));
    world.server.roll_back_safe(user, 0);
}

fn greeting(world: &World, tab: usize, of: &UserId) -> Option<String> {
    let mut requests = world.requests(tab).into_iter();
    let request = requests.find(|request| request.chat.peer() == *of)?;
    Some(request.greeting.expose().to_owned())
}

#[test]
fn when_the_safe_is_full_of_requests_those_who_ask_may_go_on_and_others_wait_at_the_server() {
    for full in [255_u16, 256] {
        let (mut world, tab, bob, mut mallory) = bob_and_mallory();
        let mut late = Forger::plant(&mut world, "late", 2);
        world.advance(4_000);
        world.close(tab);
        let fingerprint = |keys: AccountKeys| *keys.fingerprint();
        let pinned = fingerprint(keys_of(&world, &mallory.user));
        let now = world.server.now();
        let asking = mallory.user;
        write_safe(&mut world, "bob", |contents| {
            for n in 0..full {
                let mut user = [0xee; 16];
                user[..2].copy_from_slice(&n.to_be_bytes());
                let user = if n == 0 {
                    asking
                } else {
                    UserId::from_bytes(user)
                };
                let contact = Contact::new(pinned, ContactState::Incoming, now);
                contents.contacts.insert(user, contact);
            }
            // Those who are no strangers any more take nobody's place.
            for n in 0..10 {
                let contact = Contact::new(pinned, ContactState::Accepted, now);
                contents
                    .contacts
                    .insert(UserId::from_bytes([n; 16]), contact);
            }
        });
        let tab = world.sign_in("bob");
        assert_eq!(world.requests(tab).len(), usize::from(full));
        let target = live(&world, tab, &bob);
        let now = world.server.now();
        mallory.post(&mut world, &target, &asks("mallory", "it is me"), now);
        assert_eq!(greeting(&world, tab, &asking).unwrap(), "it is me");
        late.post(&mut world, &target, &asks("late", "and me"), now);
        world.advance(5_000);
        let seen = greeting(&world, tab, &late.user);
        assert_eq!(seen.is_some(), full < 256, "{full}");
        assert_eq!(world.server.messages.len(), 2, "neither is acknowledged");
    }
}

#[test]
fn what_was_written_before_the_person_decided_is_acknowledged_and_what_came_later_asks_again() {
    let (mut world, tab, bob, mut mallory) = bob_and_mallory();
    let target = live(&world, tab, &bob);
    let before = world.server.now();
    mallory.post(&mut world, &target, &asks("mallory", "hello"), before);
    world.advance(10_000);
    let chat = ConversationId::with(mallory.user);
    world.command(tab, Command::RefuseRequest { chat });
    world.advance(10_000);
    assert!(world.server.messages.is_empty());
    for (sent_at, again) in [(before, false), (before + 10, false), (before + 15, true)] {
        let text = Content::text("are you there?");
        let said = Said {
            kind: text.kind(),
            sent_at,
        };
        let now = world.server.now();
        mallory.post_as(&mut world, &target, &text, &said, now);
        world.advance(2_000);
        assert_eq!(world.requests(tab).len(), usize::from(again), "{sent_at}");
        assert_eq!(world.server.messages.len(), usize::from(again), "{sent_at}");
    }
}

#[test]
fn a_stranger_who_asks_again_is_written_down_again_only_under_another_name_or_later() {
    let (mut world, tab, bob, mut mallory) = bob_and_mallory();
    let target = live(&world, tab, &bob);
    let now = world.server.now();
    let mut version = world.server.accounts[&bob].safe_version();
    for (alias, sent_at, written) in [
        ("Mallory", now - 5, true),
        ("Mallory", now - 5, false),
        ("Mallory", now - 6, false),
        ("Mallory the second", now - 5, true),
        ("Mallory the second", now - 4, true),
    ] {
        let content = asks(alias, "hello");
        let said = Said {
            kind: content.kind(),
            sent_at,
        };
        mallory.post_as(&mut world, &target, &content, &said, now);
        assert_eq!(world.requests(tab)[0].alias, alias);
        let new = world.server.accounts[&bob].safe_version();
        assert_eq!(new > version, written, "{alias} {sent_at}");
        version = new;
    }
}

#[test]
fn a_pair_under_which_a_stranger_said_nothing_to_be_kept_is_used_all_the_same() {
    let (mut world, _, bob, mut mallory) = bob_and_mallory();
    let pair = world.server.accounts[&bob].unclaimed[0];
    let used = |world: &mut World| {
        let key = world.server.safe_key("bob", PASSPHRASE);
        let (version, data) = world.server.accounts[&bob].prekey_history.last().unwrap();
        let safe = open_prekey_safe(&key, &bob, *version, data).unwrap();
        let entry = safe.iter().find(|(id, _)| *id == pair).unwrap().1;
        entry.first_opened.is_some()
    };
    assert!(!used(&mut world));
    let target = away(&world, &bob, Some(pair));
    let now = world.server.now();
    mallory.post(&mut world, &target, &Content::Typing { active: true }, now);
    world.advance(5_000);
    assert!(world.server.messages.is_empty(), "acknowledged");
    assert!(used(&mut world));
}
