//! What a message may do under keys that are not the pinned ones, and under another's name.

use client::Command;
use client::event::{ChatView, MessageState};
use client::id::{ConversationId, MessageId};
use client::testing::{Friends, World};
use protocol::envelope::{Content, Receipt, ReceiptState};

use super::forge::{Forged, deliver, live_target, mid, stolen, swap_keys};
use super::{nothing_refused, refused};

fn id(byte: u8) -> MessageId {
    MessageId::from_bytes([byte; 16])
}

fn chat(world: &World, tab: usize) -> ChatView {
    world.chats(tab)[0].clone()
}

fn text(world: &World, tab: usize, id: MessageId) -> Option<String> {
    let text = world.message(tab, id)?.text?;
    Some(text.expose().to_owned())
}

/// Acquainted, and bob has compared alice's safety number.
fn verified(world: &mut World) -> Friends {
    let f = world.acquainted();
    verify(world, f.bob, f.to_alice);
    f
}

fn verify(world: &mut World, tab: usize, chat: ConversationId) {
    let verified = true;
    world.command(tab, Command::SetVerified { chat, verified });
}

#[test]
fn under_keys_that_nobody_accepted_only_words_are_shown_and_with_a_warning() {
    let mut world = World::default();
    let f = verified(&mut world);
    let genuine = world.say(f.alice, f.to_bob, "pay ten");
    let other = world.say(f.alice, f.to_bob, "by friday");
    world.show(f.bob, f.to_alice, vec![genuine, other]);
    world.advance(8_000);
    let alice = world.server.user("alice");
    let own = world.say(f.bob, f.to_alice, "did you get it?");
    let before = world.message(f.bob, own).unwrap();
    let (fake, _) = swap_keys(&mut world, &alice, 4_711);
    let contents = [
        Content::Edit {
            message_id: mid(genuine),
            text: "pay ten thousand".into(),
        },
        Content::Delete {
            message_id: mid(other),
        },
        Content::Receipt(vec![Receipt {
            message_id: mid(own),
            state: ReceiptState::Read,
        }]),
        Content::Profile {
            alias: "Alice (new bank account)".into(),
        },
        Content::Typing { active: true },
        Content::Sync,
        Content::text("it is me, trust me"),
    ];
    for (byte, content) in (1..).zip(contents) {
        deliver(&mut world, f.bob, alice, &fake, content, id(byte));
    }
    let changed = world.message(f.bob, genuine).unwrap();
    assert_eq!(text(&world, f.bob, genuine).unwrap(), "pay ten");
    assert!(!changed.edited);
    assert_eq!(text(&world, f.bob, other).unwrap(), "by friday");
    let sent = world.message(f.bob, own).unwrap();
    assert_eq!(
        (sent.state, sent.by_server),
        (before.state, before.by_server)
    );
    let row = chat(&world, f.bob);
    assert_eq!(row.alias, "alice");
    assert!(row.key_changed && !row.verified);
    let shown = world.message(f.bob, id(7)).unwrap();
    assert_eq!(shown.text.unwrap().expose(), "it is me, trust me");
    assert_eq!(shown.warnings, ["key-changed"]);
    let told = world.refusals(f.bob);
    let of = |code: &str| told.iter().filter(|told| *told == code).count();
    assert_eq!(
        (of("swapped-key"), of("unaccepted-keys")),
        (1, 4),
        "{told:?}"
    );
}

#[test]
fn what_came_under_unaccepted_keys_may_be_taken_back_under_the_same_keys_only() {
    let mut world = World::default();
    let f = verified(&mut world);
    let alice = world.server.user("alice");
    let genuine = stolen(&mut world, "alice");
    let (fake, real) = swap_keys(&mut world, &alice, 4_712);
    deliver(&mut world, f.bob, alice, &fake, Content::text("a"), id(1));
    let edit = |to: &str| Content::Edit {
        message_id: mid(id(1)),
        text: to.into(),
    };
    deliver(&mut world, f.bob, alice, &fake, edit("b"), id(2));
    assert_eq!(text(&world, f.bob, id(1)).unwrap(), "b");
    world.server.accounts.get_mut(&alice).unwrap().public_keys = real;
    deliver(&mut world, f.bob, alice, &genuine, edit("c"), id(3));
    assert_eq!(text(&world, f.bob, id(1)).unwrap(), "b");
    assert!(refused(&world, f.bob, "forged-edit"));
    assert_eq!(
        world.message(f.bob, id(1)).unwrap().warnings,
        ["key-changed"]
    );
    // Whoever has the true keys is not told that somebody read it.
    world.show(f.bob, f.to_alice, vec![id(1)]);
    world.advance(4_000);
    nothing_refused(&world, f.alice);
}

#[test]
fn keys_that_were_given_up_change_nothing_that_was_said_under_them() {
    let mut world = World::default();
    let f = world.acquainted();
    let said = world.say(f.alice, f.to_bob, "pay ten");
    let thief = stolen(&mut world, "alice");
    world.command(
        f.alice,
        Command::NewIdentity {
            passphrase: client::testing::PASSPHRASE.into(),
        },
    );
    world.advance(4_000);
    world.say(f.bob, f.to_alice, "are you new?");
    world.command(f.bob, Command::AcceptChangedKey { chat: f.to_alice });
    world.advance(4_000);
    let alice = world.server.user("alice");
    let public = world.server.accounts[&alice].public_keys.clone();
    // The server is in it, and shows the old keys once more.
    let mut rng = client::testing::SeededRng::new(9);
    world.server.accounts.get_mut(&alice).unwrap().public_keys =
        thief.account_keys(&mut rng).encode();
    let edit = Content::Edit {
        message_id: mid(said),
        text: "pay a hundred".into(),
    };
    deliver(&mut world, f.bob, alice, &thief, edit, id(1));
    assert_eq!(text(&world, f.bob, said).unwrap(), "pay ten");
    assert!(refused(&world, f.bob, "unaccepted-keys"));
    // Nor does alice herself any more: bob takes only the keys that wrote it.
    world.server.accounts.get_mut(&alice).unwrap().public_keys = public;
    world.edit(f.alice, f.to_bob, said, "pay twenty");
    assert_eq!(world.failures(f.alice), ["earlier-identity"]);
    assert_eq!(text(&world, f.alice, said).unwrap(), "pay ten");
}

#[test]
fn keys_that_changed_and_changed_back_stay_in_sight_until_the_person_has_seen_it() {
    let mut world = World::default();
    let f = verified(&mut world);
    let alice = world.server.user("alice");
    let (fake, real) = swap_keys(&mut world, &alice, 4_713);
    deliver(&mut world, f.bob, alice, &fake, Content::text("hi"), id(1));
    assert!(chat(&world, f.bob).key_changed);
    world.server.accounts.get_mut(&alice).unwrap().public_keys = real;
    world.advance(4_000);
    // What is written meanwhile is held until the true keys are found again, and goes out to them.
    world.say(f.bob, f.to_alice, "is it you?");
    let heard = world.texts(f.alice, f.to_bob);
    assert_eq!(heard.last().unwrap(), "is it you?");
    let row = chat(&world, f.bob);
    assert!(!row.key_changed && row.key_changed_back && !row.verified);
    // Another browser shows it too, and this one after a reload.
    let second = world.sign_in("bob");
    assert!(chat(&world, second).key_changed_back);
    assert!(!chat(&world, second).verified);
    world.command(second, Command::AcknowledgeKeys { chat: f.to_alice });
    world.advance(2_000);
    for tab in [f.bob, second] {
        let row = chat(&world, tab);
        assert!(!row.key_changed_back && row.verified);
    }
    // Control: there is nothing to acknowledge now.
    world.command(second, Command::AcknowledgeKeys { chat: f.to_alice });
    assert_eq!(world.failures(second), ["no-such-chat"]);
}

#[test]
fn another_browser_tells_keys_that_are_still_changed_from_those_that_changed_back() {
    let mut world = World::default();
    let f = verified(&mut world);
    let second = world.sign_in("bob");
    world.advance(4_000);
    let alice = world.server.user("alice");
    let (fake, real) = swap_keys(&mut world, &alice, 4_717);
    deliver(&mut world, f.bob, alice, &fake, Content::text("hi"), id(1));
    world.advance(4_000);
    for tab in [f.bob, second] {
        let row = chat(&world, tab);
        assert!(row.key_changed && !row.key_changed_back && !row.verified);
    }
    world.server.accounts.get_mut(&alice).unwrap().public_keys = real;
    let third = world.sign_in("bob");
    let row = chat(&world, third);
    assert!(!row.key_changed && row.key_changed_back && !row.verified);
}

#[test]
fn comparing_the_safety_number_answers_keys_that_changed_back() {
    let mut world = World::default();
    let f = verified(&mut world);
    let alice = world.server.user("alice");
    let (fake, real) = swap_keys(&mut world, &alice, 4_714);
    deliver(&mut world, f.bob, alice, &fake, Content::text("hi"), id(1));
    world.server.accounts.get_mut(&alice).unwrap().public_keys = real;
    world.advance(4_000);
    world.say(f.bob, f.to_alice, "is it you?");
    assert!(chat(&world, f.bob).key_changed_back);
    verify(&mut world, f.bob, f.to_alice);
    let row = chat(&world, f.bob);
    assert!(!row.key_changed_back && row.verified);
}

#[test]
fn keys_found_by_looking_a_contact_up_are_compared_with_the_pin() {
    for by_link in [false, true] {
        let mut world = World::default();
        let f = verified(&mut world);
        world.close(f.alice);
        world.advance(4_000);
        let alice = world.server.user("alice");
        let (fake, _) = swap_keys(&mut world, &alice, 4_715);
        if by_link {
            // A link of alice's, of before or made up: its pin is not that of the keys shown.
            let fragment = format!(
                "{}.{}.{}",
                "0".repeat(32),
                world.id("alice"),
                "0".repeat(64)
            );
            world.command(f.bob, Command::OpenInvite { fragment });
            assert!(refused(&world, f.bob, "invite-pin"));
        } else {
            let (handle, greeting) = ("alice".into(), "".into());
            world.command(f.bob, Command::RequestContact { handle, greeting });
            let row = chat(&world, f.bob);
            assert!(row.key_changed && !row.verified);
        }
        let content = Content::text("this is alice, trust me");
        deliver(&mut world, f.bob, alice, &fake, content, id(9));
        let shown = world.message(f.bob, id(9)).unwrap();
        assert_eq!(shown.warnings, ["key-changed"]);
        let row = chat(&world, f.bob);
        assert!(row.key_changed && !row.verified);
        assert!(refused(&world, f.bob, "swapped-key"));
    }
}

#[test]
fn a_session_whose_safe_has_the_new_pin_believes_the_old_keys_no_more() {
    let mut world = World::default();
    let f = world.acquainted();
    let second = world.sign_in("bob");
    world.advance(4_000);
    let alice = world.server.user("alice");
    world.say(f.alice, f.to_bob, "hello both");
    world.say(second, f.to_alice, "hello back");
    world.advance(4_000);
    let thief = stolen(&mut world, "alice");
    world.command(
        f.alice,
        Command::NewIdentity {
            passphrase: client::testing::PASSPHRASE.into(),
        },
    );
    world.close(f.alice);
    world.advance(4_000);
    world.say(f.bob, f.to_alice, "are you new?");
    world.command(f.bob, Command::AcceptChangedKey { chat: f.to_alice });
    verify(&mut world, f.bob, f.to_alice);
    world.advance(10_000);
    assert!(chat(&world, second).verified);
    // Posted by somebody else's account: the server is honest and cannot know.
    let (mallory, _) = world.server.plant("mallory");
    for (tab, byte) in [(f.bob, 1), (second, 2)] {
        let bob = world.server.user("bob");
        let target = live_target(&world, tab, &bob);
        let forged = Forged::new(&world, Content::text("by the old keys"), id(byte));
        let submission = forged.seal(&world, alice, &thief, &target);
        world.server.post_as(mallory, &submission.encode());
        world.settle();
        assert_eq!(world.message(tab, id(byte)), None);
        assert!(refused(&world, tab, "swapped-key"));
    }
}

#[test]
fn somebody_who_only_reads_hears_of_a_replaced_identity_within_five_minutes() {
    let mut world = World::default();
    let f = verified(&mut world);
    // Nothing of bob's is on its way that would make his client look at alice's keys.
    for (tab, chat) in [(f.alice, f.to_bob), (f.bob, f.to_alice)] {
        let ids = world.ids(tab, chat);
        world.show(tab, chat, ids);
    }
    world.advance(4_000);
    let thief = stolen(&mut world, "alice");
    world.command(
        f.alice,
        Command::NewIdentity {
            passphrase: client::testing::PASSPHRASE.into(),
        },
    );
    world.close(f.alice);
    world.advance(301_000);
    assert!(chat(&world, f.bob).verified);
    let alice = world.server.user("alice");
    deliver(&mut world, f.bob, alice, &thief, Content::text("me"), id(1));
    let row = chat(&world, f.bob);
    assert!(row.key_changed && !row.verified);
    assert_eq!(
        world.message(f.bob, id(1)).unwrap().warnings,
        ["key-changed"]
    );
}

#[test]
fn a_message_under_the_id_of_another_stands_beside_it() {
    let mut world = World::default();
    let f = world.friends();
    let (mallory, secrets) = world.server.plant("mallory");
    let (handle, greeting) = ("mallory".into(), "".into());
    world.command(f.bob, Command::RequestContact { handle, greeting });
    let to_mallory = world.id("mallory");
    let own = world.say(f.bob, to_mallory, "I never agreed to that");
    // The server has forgotten the id.
    world.server.messages.remove(&mid(own));
    world.advance(1_000);
    let content = Content::text("you did agree");
    deliver(&mut world, f.bob, mallory, &secrets, content, own);
    let view = world.message(f.bob, own).unwrap();
    assert!(view.mine);
    let texts = world.texts(f.bob, to_mallory);
    assert_eq!(texts, ["I never agreed to that", "you did agree"]);
    // Edits and receipts find the one that is meant.
    let edit = Content::Edit {
        message_id: mid(own),
        text: "did you agree?".into(),
    };
    deliver(&mut world, f.bob, mallory, &secrets, edit, id(2));
    let texts = world.texts(f.bob, to_mallory);
    assert_eq!(texts, ["I never agreed to that", "did you agree?"]);
    let ids = world.ids(f.bob, to_mallory);
    world.show(f.bob, to_mallory, ids.clone());
    let theirs = ids.into_iter().find(|name| *name != own).unwrap();
    assert_eq!(
        world.message(f.bob, theirs).unwrap().state,
        MessageState::Read
    );
    // In a chat with somebody else it changes nothing either.
    let to_alice = world.say(f.bob, f.to_alice, "to alice");
    world.server.messages.remove(&mid(to_alice));
    let content = Content::text("from mallory");
    deliver(&mut world, f.bob, mallory, &secrets, content, to_alice);
    assert_eq!(world.texts(f.bob, f.to_alice), ["to alice"]);
    assert!(world.message(f.bob, to_alice).unwrap().mine);
}

#[test]
fn a_sender_does_not_say_something_else_under_an_id_of_theirs() {
    let mut world = World::default();
    let f = world.acquainted();
    let alice = world.server.user("alice");
    let secrets = stolen(&mut world, "alice");
    deliver(
        &mut world,
        f.bob,
        alice,
        &secrets,
        Content::text("a"),
        id(1),
    );
    world.show(f.bob, f.to_alice, vec![id(1)]);
    // A busy session forgets which ids it has finished.
    for byte in 0..=u8::MAX {
        for more in 0..=16 {
            let mut other = [byte; 16];
            other[0] = more;
            other[1] = 0xee;
            let frame =
                serde_json::json!({"t": "acked", "id": MessageId::from_bytes(other).to_string()});
            world
                .server
                .push(f.bob, client::testing::Reply::Text(frame));
        }
    }
    world.settle();
    deliver(
        &mut world,
        f.bob,
        alice,
        &secrets,
        Content::text("b"),
        id(1),
    );
    assert_eq!(text(&world, f.bob, id(1)).unwrap(), "a");
    assert!(refused(&world, f.bob, "replayed"));
}

#[test]
fn a_removed_contact_who_asks_again_under_other_keys_is_shown_as_such() {
    let mut world = World::default();
    let f = world.acquainted();
    world.command(f.bob, Command::RemoveContact { chat: f.to_alice });
    world.advance(4_000);
    let alice = world.server.user("alice");
    let ask = |alias: &str| Content::Request {
        handle: "alice".into(),
        alias: alias.into(),
        greeting: "it is me".into(),
        invite: None,
    };
    let genuine = stolen(&mut world, "alice");
    deliver(&mut world, f.bob, alice, &genuine, ask("alice"), id(1));
    assert!(!world.requests(f.bob)[0].key_changed);
    let (fake, _) = swap_keys(&mut world, &alice, 4_716);
    world.advance(301_000);
    deliver(&mut world, f.bob, alice, &fake, ask("Alice!"), id(2));
    let request = world.requests(f.bob)[0].clone();
    assert!(request.key_changed);
    assert_eq!(request.alias, "alice");
    // Once accepted, what came under the other keys says so, and nothing goes to them.
    world.command(f.bob, Command::AcceptRequest { chat: f.to_alice });
    let row = chat(&world, f.bob);
    assert!(row.key_changed && !row.verified);
    world.command(f.bob, Command::OpenChat { chat: f.to_alice });
    let warnings = |message: MessageId| world.message(f.bob, message).unwrap().warnings;
    assert_eq!(warnings(id(1)), Vec::<String>::new());
    assert_eq!(warnings(id(2)), ["key-changed"]);
}

#[test]
fn a_receipt_for_what_another_wrote_is_refused_and_one_for_what_is_not_here_is_none() {
    for (here, refusals) in [(true, vec!["forged-receipt"]), (false, Vec::new())] {
        let mut world = World::default();
        let f = world.acquainted();
        let theirs = world.say(f.alice, f.to_bob, "pay ten");
        let thief = stolen(&mut world, "alice");
        let alice = world.server.user("alice");
        let of = if here { theirs } else { id(9) };
        let content = Content::Receipt(vec![Receipt {
            message_id: mid(of),
            state: ReceiptState::Read,
        }]);
        deliver(&mut world, f.bob, alice, &thief, content, id(1));
        assert_eq!(world.refusals(f.bob), refusals);
    }
}

#[test]
fn of_what_comes_after_its_time_only_a_contacts_text_leaves_a_trace() {
    for (from, content, shown) in [
        ("alice", Content::text("too late"), true),
        ("alice", Content::Typing { active: true }, false),
        ("mallory", Content::text("too late"), false),
    ] {
        let mut world = World::default();
        let f = world.acquainted();
        let (sender, secrets) = if from == "alice" {
            let thief = stolen(&mut world, "alice");
            (world.server.user("alice"), thief)
        } else {
            world.server.plant("mallory")
        };
        let bob = world.server.user("bob");
        let target = live_target(&world, f.bob, &bob);
        let mut forged = Forged::new(&world, content, id(1));
        forged.sent_at -= 120;
        forged.life_secs = 60;
        let submission = forged.seal(&world, sender, &secrets, &target);
        let from = world.tab(f.bob).events.len();
        world.server.post_as(sender, &submission.encode());
        world.settle();
        let told = world.tab(f.bob).events[from..].iter();
        let states: Vec<MessageState> = told
            .filter_map(|event| match event {
                client::Event::Message { message, .. } => Some(message.state),
                _ => None,
            })
            .collect();
        assert_eq!(states.contains(&MessageState::Expired), shown);
        assert_eq!(states.is_empty(), !shown);
        assert!(world.requests(f.bob).is_empty());
    }
}
