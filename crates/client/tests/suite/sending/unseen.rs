//! What goes out without being seen: signs of typing, and one's own name.

use client::Command;
use client::command::SettingsChange;
use client::testing::World;
use protocol::envelope::Submission;
use protocol::ids::UserId;

fn submissions(world: &World) -> Vec<Submission> {
    let sent = world.server.traffic.iter();
    sent.filter_map(|bytes| Submission::decode(bytes).ok())
        .collect()
}

#[test]
fn typing_is_told_every_three_seconds_at_most() {
    let mut world = World::default();
    let f = world.acquainted();
    let start = submissions(&world).len();
    for (wait_ms, told) in [(0, 1), (2_999, 1), (1, 2), (1, 2), (2_999, 3)] {
        world.advance(wait_ms);
        world.command(f.alice, Command::Typing { chat: f.to_bob });
        assert_eq!(submissions(&world).len() - start, told, "{wait_ms}");
    }
}

#[test]
fn typing_is_told_to_nobody_where_it_is_switched_off_or_the_person_is_blocked() {
    for blocked in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        if blocked {
            world.command(f.alice, Command::Block { chat: f.to_bob });
        } else {
            let change = SettingsChange {
                typing: Some(false),
                ..SettingsChange::default()
            };
            world.command(f.alice, Command::SetSettings(change));
        }
        world.advance(4_000);
        let before = submissions(&world).len();
        world.command(f.alice, Command::Typing { chat: f.to_bob });
        world.advance(4_000);
        assert_eq!(submissions(&world).len(), before, "{blocked}");
    }
}

#[test]
fn a_new_name_is_told_to_contacts_and_neither_to_the_blocked_nor_to_those_who_have_not_answered() {
    let mut world = World::default();
    let f = world.acquainted();
    let (carol, _) = world.register("carol");
    world.befriend(f.alice, carol, "carol");
    world.register("dave");
    world.command(
        f.alice,
        Command::RequestContact {
            handle: "dave".into(),
            greeting: "".into(),
        },
    );
    let chat = world.id("carol");
    world.command(f.alice, Command::Block { chat });
    world.advance(4_000);
    let before = submissions(&world).len();
    world.command(
        f.alice,
        Command::SetAlias {
            alias: "Alice B.".into(),
        },
    );
    world.advance(10_000);
    let mut told: Vec<UserId> = submissions(&world)[before..]
        .iter()
        .flat_map(|sent| sent.slots.iter().map(|slot| *slot.target.account()))
        .collect();
    told.dedup();
    assert_eq!(told, [world.server.user("bob")]);
}
