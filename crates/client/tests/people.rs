//! Requests, invites, safety numbers and blocks, without a network.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use client::Command;
use client::command::SettingsChange;
use client::event::{Event, MessageState, Phase};
use client::testing::{PASSPHRASE, World};

fn numbers(world: &World, tab: usize) -> Vec<String> {
    let found = world
        .tab(tab)
        .events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::SafetyNumber { groups, .. } => Some(groups.clone()),
            _ => None,
        });
    found.unwrap()
}

fn ask(handle: &str) -> Command {
    Command::RequestContact {
        handle: handle.into(),
        greeting: "hello".into(),
    }
}

#[test]
fn a_stranger_lands_in_requests_with_greeting_and_survives_a_reload() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    world.command(alice, ask("bob"));
    let request = &world.requests(bob)[0];
    assert_eq!(
        (request.handle.as_str(), request.greeting.expose()),
        ("alice", "hello")
    );
    assert!(world.chats(bob).is_empty());
    assert_eq!(world.chats(alice)[0].relation, "requested");
    let bob = world.reload(bob);
    world.advance(40_000);
    assert_eq!(world.requests(bob)[0].greeting.expose(), "hello");
    world.command(
        bob,
        Command::AcceptRequest {
            chat: world.id("alice"),
        },
    );
    world.advance(3_000);
    assert_eq!(world.chats(alice)[0].relation, "contact");
    // What was said with it is the first text of the chat, on both sides.
    let (to_alice, to_bob) = (world.id("alice"), world.id("bob"));
    assert_eq!(world.texts(bob, to_alice), ["hello"]);
    assert_eq!(world.texts(alice, to_bob), ["hello"]);
    let said = world.ids(alice, to_bob)[0];
    assert_eq!(
        world.server.messages.len(),
        1,
        "it was not shown in the chat"
    );
    world.show(bob, to_alice, vec![said]);
    world.advance(3_000);
    assert!(world.server.messages.is_empty());
    assert_eq!(
        world.message(alice, said).unwrap().state,
        MessageState::Read
    );
}

#[test]
fn two_who_ask_each_other_at_the_same_time_see_both_first_lines() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    let (to_alice, to_bob) = (world.id("alice"), world.id("bob"));
    // Neither has heard of the other's question when asking.
    world.cut(bob);
    world.command(bob, ask("alice"));
    world.command(alice, ask("bob"));
    for tab in [alice, bob] {
        assert_eq!(world.chats(tab)[0].relation, "requested");
    }
    world.advance(40_000);
    for (tab, chat) in [(alice, to_bob), (bob, to_alice)] {
        assert_eq!(world.chats(tab)[0].relation, "contact");
        assert_eq!(world.texts(tab, chat), ["hello", "hello"]);
        assert_eq!(world.refusals(tab), Vec::<String>::new());
    }
}

#[test]
fn a_first_line_that_nobody_read_goes_with_its_time_and_can_be_asked_again() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    let to_bob = world.id("bob");
    world.command(alice, ask("bob"));
    assert_eq!(world.requests(bob)[0].greeting.expose(), "hello");
    let said = world.ids(alice, to_bob)[0];
    // To who asked, refusing looks the same.
    let (carol, _) = world.register("carol");
    let (to_alice, to_carol) = (world.id("alice"), world.id("carol"));
    world.command(alice, ask("carol"));
    world.command(carol, Command::RefuseRequest { chat: to_alice });
    let refused = world.ids(alice, to_carol)[0];
    world.close(carol);
    world.advance(8 * 86_400_000);
    for id in [said, refused] {
        assert_eq!(
            world.message(alice, id).unwrap().state,
            MessageState::Expired
        );
    }
    for request in world.requests(bob) {
        assert_eq!(
            request.greeting.expose(),
            "",
            "it is not kept past its time"
        );
    }
    world.command(
        alice,
        Command::SendAgain {
            chat: to_bob,
            message: said,
        },
    );
    world.advance(4_000);
    assert_eq!(world.requests(bob)[0].greeting.expose(), "hello");
    for chat in world.chats(alice) {
        assert_eq!(chat.relation, "requested");
    }
}

#[test]
fn a_refused_request_is_gone_and_its_sender_is_told_nothing() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    world.command(alice, ask("bob"));
    world.command(
        bob,
        Command::RefuseRequest {
            chat: world.id("alice"),
        },
    );
    world.advance(3_000);
    assert!(world.requests(bob).is_empty());
    assert!(world.server.messages.is_empty());
    assert_eq!(world.chats(alice)[0].relation, "requested");
    let to_bob = world.id("bob");
    let said = world.ids(alice, to_bob)[0];
    assert_eq!(
        world.message(alice, said).unwrap().state,
        MessageState::Waiting
    );
    // It is not asked again on its own.
    world.server.restart();
    world.advance(60_000);
    assert!(world.server.messages.is_empty());
}

#[test]
fn whether_somebody_is_there_is_not_shown_before_they_answer_and_is_afterwards() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    let (to_alice, to_bob) = (world.id("alice"), world.id("bob"));
    world.command(alice, ask("bob"));
    let said = world.ids(alice, to_bob)[0];
    let more = world.say(alice, to_bob, "are you there?");
    world.advance(3_000);
    assert_eq!(world.requests(bob).len(), 1, "it has arrived");
    for id in [said, more] {
        let state = world.message(alice, id).unwrap().state;
        assert_eq!(state, MessageState::Waiting);
    }
    // Without receipts the server's word is all there is.
    world.command(
        bob,
        Command::SetSettings(SettingsChange {
            receipts: Some(false),
            ..SettingsChange::default()
        }),
    );
    world.command(bob, Command::AcceptRequest { chat: to_alice });
    world.show(bob, to_alice, vec![said, more]);
    world.advance(3_000);
    for id in [said, more] {
        let view = world.message(alice, id).unwrap();
        assert_eq!(view.state, MessageState::Delivered);
        assert!(view.by_server);
    }
}

#[test]
fn nothing_of_a_blocked_person_is_shown_until_they_are_unblocked() {
    let mut world = World::default();
    let f = world.friends();
    world.command(f.bob, Command::Block { chat: f.to_alice });
    let unheard = world.say(f.alice, f.to_bob, "unheard");
    assert!(world.chats(f.bob).is_empty());
    world.advance(3_000);
    let state = world.message(f.alice, unheard).unwrap().state;
    assert_ne!(
        state,
        client::event::MessageState::Read,
        "alice is not told"
    );
    world.command(f.bob, Command::Unblock { chat: f.to_alice });
    world.advance(4_000);
    world.say(f.alice, f.to_bob, "heard");
    assert_eq!(world.texts(f.bob, f.to_alice), ["heard"]);
}

#[test]
fn both_people_see_the_same_safety_number_and_a_scan_marks_verified() {
    let mut world = World::default();
    let f = world.friends();
    world.command(f.alice, Command::SafetyNumber { chat: f.to_bob });
    world.command(f.bob, Command::SafetyNumber { chat: f.to_alice });
    let seen = numbers(&world, f.alice);
    assert_eq!(seen.len(), 12);
    assert!(seen.iter().all(|group| group.len() == 5));
    assert_eq!(seen, numbers(&world, f.bob));
    let scan = |scanned: String| Command::CheckScan {
        chat: f.to_bob,
        scanned,
    };
    world.command(f.alice, scan("00000 ".repeat(12)));
    assert!(!world.chats(f.alice)[0].verified);
    world.command(f.alice, scan(seen.join(" ")));
    assert!(world.chats(f.alice)[0].verified);
    let elsewhere = world.sign_in("alice");
    assert!(world.chats(elsewhere)[0].verified);
}

/// The fragment of the link that was made last.
fn made_link(world: &World, tab: usize) -> String {
    let link = world
        .tab(tab)
        .events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::InviteCreated { link, .. } => Some(link.clone()),
            _ => None,
        });
    link.unwrap().strip_prefix("/i#").unwrap().to_owned()
}

/// How often somebody's newest link was used, and may be.
fn uses(world: &mut World, maker: usize) -> (u32, u32) {
    world.command(maker, Command::ListInvites);
    let mut events = world.tab(maker).events.iter().rev();
    let listed = events.find_map(|event| match event {
        Event::Invites { invites } => Some((invites[0].uses, invites[0].max_uses)),
        _ => None,
    });
    listed.unwrap()
}

fn open(fragment: &str) -> Command {
    Command::OpenInvite {
        fragment: fragment.to_owned(),
    }
}

#[test]
fn an_invite_link_registers_and_connects_when_its_pin_holds() {
    let mut world = World::default();
    world.server.registration = "open".into();
    let (alice, _) = world.register("alice");
    world.server.registration = "invite".into();
    world.command(alice, Command::CreateInvite { life_secs: None });
    let (link, qr) = world
        .tab(alice)
        .events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::InviteCreated { link, qr_svg, .. } => Some((link.clone(), qr_svg.clone())),
            _ => None,
        })
        .unwrap();
    assert!(qr.unwrap().starts_with("<svg"));
    let fragment = link.strip_prefix("/i#").unwrap().to_owned();
    let bob = world.browser();
    world.command(
        bob,
        Command::OpenInvite {
            fragment: fragment.clone(),
        },
    );
    assert!(world.tab(bob).events.iter().any(|e| matches!(
        e,
        Event::InviteOpened {
            needs_account: true,
            ..
        }
    )));
    world.command(
        bob,
        Command::Register {
            handle: "bob".into(),
            alias: String::new(),
            passphrase: PASSPHRASE.into(),
            setup: None,
            invite: Some(fragment),
        },
    );
    let typed = world.recovery_key(bob).as_str().into();
    world.command(bob, Command::ConfirmRecoveryKey { typed });
    assert_eq!(world.phase(bob), Phase::Unlocked);
    let chat = &world.chats(bob)[0];
    assert_eq!(chat.handle, "alice");
    assert!(chat.linked && !chat.verified);
    let request = &world.requests(alice)[0];
    assert_eq!(request.handle, "bob");
    assert!(request.by_link);
    // The registration was the use, and the request needed no other.
    assert_eq!(uses(&mut world, alice), (1, 1));
}

#[test]
fn a_link_that_somebody_with_an_account_opened_brings_nobody_else() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    world.command(alice, Command::CreateInvite { life_secs: None });
    let link = made_link(&world, alice);
    let (bob, _) = world.register("bob");
    let (carol, _) = world.register("carol");
    world.command(bob, open(&link));
    assert_eq!(uses(&mut world, alice), (1, 1));
    assert_eq!(world.requests(alice).len(), 1);
    assert!(world.requests(alice)[0].by_link);
    world.command(carol, open(&link));
    assert_eq!(world.failures(carol), ["invite-unusable"]);
    assert!(world.chats(carol).is_empty());
    assert!(!world.tab(carol).events.iter().any(is_opened));
    assert_eq!(world.requests(alice).len(), 1);
    // Nobody uses a link of their own.
    world.command(alice, open(&link));
    assert_eq!(world.failures(alice), ["that-is-you"]);
}

fn is_opened(event: &Event) -> bool {
    matches!(event, Event::InviteOpened { added: true, .. })
}

#[test]
fn a_link_that_was_withdrawn_or_has_expired_brings_nobody() {
    for withdrawn in [true, false] {
        let mut world = World::default();
        let (alice, _) = world.register("alice");
        world.command(
            alice,
            Command::CreateInvite {
                life_secs: Some(60),
            },
        );
        let link = made_link(&world, alice);
        world.command(alice, Command::ListInvites);
        if withdrawn {
            let mut events = world.tab(alice).events.iter().rev();
            let id = events.find_map(|event| match event {
                Event::Invites { invites } => Some(invites[0].id.clone()),
                _ => None,
            });
            world.command(alice, Command::RevokeInvite { id: id.unwrap() });
        } else {
            world.advance(60_000);
        }
        let (bob, _) = world.register("bob");
        world.command(bob, open(&link));
        assert_eq!(world.failures(bob), ["invite-unusable"]);
        assert!(world.requests(alice).is_empty());
    }
}

#[test]
fn whoever_used_a_link_and_was_cut_off_opens_it_again() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    world.command(alice, Command::CreateInvite { life_secs: None });
    let link = made_link(&world, alice);
    let (bob, _) = world.register("bob");
    // The server has used the link, and bob's page goes before it hears so.
    world.slow = Some("POST /invites/use");
    world.command(bob, open(&link));
    assert_eq!(uses(&mut world, alice), (1, 1));
    assert!(world.requests(alice).is_empty());
    world.slow = None;
    let bob = world.reload(bob);
    assert_eq!(world.phase(bob), Phase::Unlocked);
    world.network = false;
    world.command(bob, open(&link));
    assert_eq!(world.failures(bob), ["offline"]);
    world.network = true;
    world.command(bob, open(&link));
    assert_eq!(uses(&mut world, alice), (1, 1));
    assert_eq!(world.requests(alice)[0].handle, "bob");
    assert_eq!(world.chats(bob).len(), 1);
}

#[test]
fn a_link_is_not_used_for_a_contact_nor_where_nobody_is_asked() {
    let mut world = World::default();
    let f = world.friends();
    world.command(f.alice, Command::CreateInvite { life_secs: None });
    let link = made_link(&world, f.alice);
    world.command(f.bob, open(&link));
    assert!(world.tab(f.bob).events.iter().any(is_opened));
    assert_eq!(uses(&mut world, f.alice), (0, 1));

    let (carol, _) = world.register("carol");
    let wrong = if link.ends_with('0') { "1" } else { "0" };
    world.command(carol, open(&format!("{}{wrong}", &link[..link.len() - 1])));
    assert_eq!(world.failures(carol), ["invite-pin"]);
    world.command(carol, Command::Block { chat: f.to_alice });
    world.command(carol, open(&link));
    assert_eq!(world.failures(carol), ["invite-pin", "blocked"]);
    assert_eq!(uses(&mut world, f.alice), (0, 1));
}

#[test]
fn only_keys_that_a_link_named_are_shown_as_those_of_the_link() {
    let mut world = World::default();
    let f = world.friends();
    assert!(!world.chats(f.bob)[0].linked);
    world.command(f.alice, Command::CreateInvite { life_secs: None });
    let fragment = made_link(&world, f.alice);
    world.command(f.bob, Command::OpenInvite { fragment });
    assert!(world.chats(f.bob)[0].linked);
    // Other keys are not the link's.
    let passphrase = PASSPHRASE.into();
    world.command(f.alice, Command::NewIdentity { passphrase });
    world.say(f.alice, f.to_bob, "it is me");
    assert!(!world.chats(f.bob)[0].linked);
    let chat = f.to_alice;
    world.command(f.bob, Command::AcceptChangedKey { chat });
    assert!(!world.chats(f.bob)[0].linked);
}

#[test]
fn somebody_who_shows_the_code_of_no_link_of_ours_did_not_come_by_one() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (carol, _) = world.register("carol");
    for maker in [alice, carol] {
        world.command(maker, Command::CreateInvite { life_secs: None });
    }
    let (link, other) = (made_link(&world, alice), made_link(&world, carol));
    let (bob, _) = world.register("bob");
    let fragment = format!("{}{}", &other[..32], &link[32..]);
    world.command(bob, Command::OpenInvite { fragment });
    assert_eq!(world.requests(alice)[0].handle, "bob");
    assert!(!world.requests(alice)[0].by_link);
}

#[test]
fn a_used_link_is_listed_as_used_and_refused_before_a_passphrase_is_chosen() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    world.command(alice, Command::CreateInvite { life_secs: None });
    let fragment = made_link(&world, alice);
    assert_eq!(uses(&mut world, alice), (0, 1));
    let check = |handle: &str| Command::CheckRegistration {
        handle: handle.into(),
        alias: String::new(),
        setup: None,
        invite: Some(fragment.clone()),
    };
    let bob = world.browser();
    world.command(bob, check("bob"));
    assert_eq!(
        world.tab(bob).events.last(),
        Some(&Event::RegistrationChecked)
    );
    world.command(
        bob,
        Command::Register {
            handle: "bob".into(),
            alias: String::new(),
            passphrase: PASSPHRASE.into(),
            setup: None,
            invite: Some(fragment.clone()),
        },
    );
    let typed = world.recovery_key(bob).as_str().into();
    world.command(bob, Command::ConfirmRecoveryKey { typed });
    assert_eq!(uses(&mut world, alice), (1, 1));
    let carol = world.browser();
    world.command(carol, check("carol"));
    assert_eq!(world.failures(carol), ["invite-unusable"]);
}

#[test]
fn names_and_handles_that_cannot_be_are_told_without_asking_the_server() {
    let mut world = World::default();
    let tab = world.browser();
    let check = |handle: &str, alias: &str| Command::CheckRegistration {
        handle: handle.into(),
        alias: alias.into(),
        setup: None,
        invite: None,
    };
    let asked = world.server.log.len();
    world.command(tab, check("a b", ""));
    world.command(tab, check("alice", "A\u{202e}lice"));
    world.command(tab, check(&"a".repeat(33), ""));
    assert_eq!(
        world.failures(tab),
        ["bad-handle", "bad-alias", "bad-handle"]
    );
    assert_eq!(world.server.log.len(), asked);
    world.command(tab, check(" @alice", "Alice \u{1f469}\u{200d}\u{1f680}"));
    assert_eq!(
        world.tab(tab).events.last(),
        Some(&Event::RegistrationChecked)
    );
}

#[test]
fn a_changed_name_reaches_the_people_one_knows_and_nobody_else() {
    let mut world = World::default();
    let f = world.friends();
    let (carol, _) = world.register("carol");
    world.command(f.alice, ask("carol"));
    let alias = "Alice \u{1f469}\u{200d}\u{1f680}";
    world.command(
        f.alice,
        Command::SetAlias {
            alias: format!("  {alias} "),
        },
    );
    world.advance(3_000);
    assert_eq!(world.chats(f.bob)[0].alias, alias);
    assert_ne!(world.requests(carol)[0].alias, alias);
    // Also somebody who was away.
    world.close(f.bob);
    world.command(
        f.alice,
        Command::SetAlias {
            alias: "Liddell".into(),
        },
    );
    world.advance(3_000);
    let bob = world.sign_in("bob");
    world.advance(3_000);
    assert_eq!(world.chats(bob)[0].alias, "Liddell");
    world.command(
        f.alice,
        Command::SetAlias {
            alias: "\u{202e}".into(),
        },
    );
    assert_eq!(world.failures(f.alice), ["bad-alias"]);
}

#[test]
fn an_invite_link_whose_pin_does_not_hold_adds_nobody() {
    let mut world = World::default();
    world.register("alice");
    let (bob, _) = world.register("bob");
    let alice = world.id("alice");
    let fragment = format!("{:032x}.{alice}.{:064x}", 1, 2);
    world.command(bob, Command::OpenInvite { fragment });
    assert_eq!(world.refusals(bob), ["invite-pin"]);
    assert_eq!(world.failures(bob), ["invite-pin"]);
    assert!(world.chats(bob).is_empty());
}

#[test]
fn an_invite_link_carries_half_of_the_fingerprint() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    world.command(alice, Command::CreateInvite { life_secs: None });
    let user = world.server.user("alice");
    let keys = protocol::identity::AccountKeys::decode(&world.server.accounts[&user].public_keys);
    let fingerprint = hex::encode(keys.unwrap().fingerprint().as_bytes());
    let events = world.tab(alice).events.iter().rev();
    let link = events.clone().find_map(|event| match event {
        Event::InviteCreated { link, .. } => Some(link.clone()),
        _ => None,
    });
    let link = link.unwrap();
    let pin = link.rsplit_once('.').unwrap().1;
    assert_eq!(pin, &fingerprint[..fingerprint.len() / 2]);
    // Keys that share only a part of it are others.
    let (bob, _) = world.register("bob");
    let wrong = if link.ends_with('0') { "1" } else { "0" };
    let fragment = format!("{}{wrong}", &link[..link.len() - 1]);
    world.command(bob, Command::OpenInvite { fragment });
    assert_eq!(world.refusals(bob), ["invite-pin"]);
    world.command(bob, Command::OpenInvite { fragment: link });
    assert_eq!(world.chats(bob).len(), 1);
}

#[test]
fn two_people_who_ask_each_other_are_contacts_at_once() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    world.command(alice, ask("bob"));
    world.command(bob, ask("alice"));
    world.advance(3_000);
    assert_eq!(world.chats(alice)[0].relation, "contact");
    assert_eq!(world.chats(bob)[0].relation, "contact");
}
