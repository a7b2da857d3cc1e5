//! Invite links: whom they bring, how often, and what they carry.

use client::Command;
use client::event::{Event, Phase};
use client::testing::{PASSPHRASE, World};

/// The fragment of the link that was made last.
fn made_link(world: &World, tab: usize) -> String {
    world
        .invite_link(tab)
        .strip_prefix("/i#")
        .unwrap()
        .to_owned()
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
    world.server.registration = api::RegistrationMode::Open;
    let (alice, _) = world.register("alice");
    world.server.registration = api::RegistrationMode::Invite;
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
                Event::Invites { invites } => Some(invites[0].id),
                _ => None,
            });
            world.command(
                alice,
                Command::RevokeInvite {
                    id: id.unwrap().to_string(),
                },
            );
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
fn a_link_lives_seven_days_where_nothing_is_said_and_thirty_at_most() {
    const DAY: u64 = 86_400;
    for (life_secs, lives) in [
        (None, 7 * DAY),
        (Some(3_600), 3_600),
        (Some(31 * 86_400), 30 * DAY),
        (Some(1), 60),
    ] {
        let mut world = World::default();
        let (alice, _) = world.register("alice");
        let now = world.server.now();
        world.command(alice, Command::CreateInvite { life_secs });
        world.command(alice, Command::ListInvites);
        let mut events = world.tab(alice).events.iter().rev();
        let expires_at = events.find_map(|event| match event {
            Event::Invites { invites } => Some(invites[0].expires_at),
            _ => None,
        });
        assert_eq!(expires_at, Some(now + lives), "{life_secs:?}");
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
    let link = world.invite_link(alice);
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
