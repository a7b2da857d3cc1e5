//! Settings of the account and of a chat: their bounds, and that they are the same after a sign-in.

use client::command::{Burn, ChatChange, Command, SettingsChange};
use client::event::{Event, SettingsView};
use client::id::{ConversationId, UserId};
use client::testing::World;

fn settings(world: &World, tab: usize) -> SettingsView {
    let mut events = world.tab(tab).events.iter().rev();
    let told = events.find_map(|event| match event {
        Event::Settings(settings) => Some(*settings),
        _ => None,
    });
    told.unwrap()
}

/// Sets the lock, the life and the burn rule; whether that was taken.
fn set(world: &mut World, tab: usize, values: (u32, u32, Burn)) -> bool {
    let failures = world.failures(tab);
    let (lock, life, burn) = values;
    world.command(
        tab,
        Command::SetSettings(SettingsChange {
            lock_after_secs: Some(lock),
            life_secs: Some(life),
            burn: Some(burn),
            ..SettingsChange::default()
        }),
    );
    let taken = world.failures(tab).len() == failures.len();
    assert!(taken || world.failures(tab).last().unwrap() == "bad-settings");
    taken
}

#[test]
fn a_setting_out_of_range_changes_nothing_and_those_in_range_are_there_at_the_next_sign_in() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    for (values, taken) in [
        ((0, 5, Burn::Never), true),
        ((60, 604_800, Burn::OnRead), true),
        ((1_800, 3_600, Burn::After(1)), true),
        ((59, 3_600, Burn::Never), false),
        ((1_801, 3_600, Burn::Never), false),
        ((1, 3_600, Burn::Never), false),
        ((60, 4, Burn::Never), false),
        ((60, 604_801, Burn::Never), false),
        ((0, 4, Burn::Never), false),
        ((60, 3_600, Burn::After(0)), false),
        ((60, 3_600, Burn::After(86_401)), false),
        ((0, 3_600, Burn::After(86_401)), false),
        ((600, 7_200, Burn::After(86_400)), true),
    ] {
        let before = settings(&world, alice);
        assert_eq!(set(&mut world, alice, values), taken, "{values:?}");
        let now = settings(&world, alice);
        if taken {
            assert_eq!((now.lock_after_secs, now.life_secs, now.burn), values);
        } else {
            assert_eq!(now, before);
        }
        world.advance(3_000);
        let elsewhere = world.sign_in("alice");
        assert_eq!(settings(&world, elsewhere), now);
        world.close(elsewhere);
    }
}

#[test]
fn the_rules_of_a_chat_are_kept_in_range_and_only_for_contacts() {
    let mut world = World::default();
    let f = world.acquainted();
    let failed = |world: &World| world.failures(f.alice).len();
    let nobody = ConversationId::with(UserId::from_bytes([9; 16]));
    for (chat, life, burn, code) in [
        (f.to_bob, 5, Burn::OnRead, None),
        (f.to_bob, 4, Burn::Never, Some("bad-settings")),
        (f.to_bob, 604_801, Burn::OnRead, Some("bad-settings")),
        (f.to_bob, 60, Burn::After(0), Some("bad-settings")),
        (nobody, 60, Burn::Never, Some("no-such-chat")),
        (nobody, 4, Burn::Never, Some("no-such-chat")),
        (f.to_bob, 604_800, Burn::After(86_400), None),
    ] {
        let before = (failed(&world), world.chats(f.alice));
        let change = ChatChange {
            life_secs: Some(life),
            burn: Some(burn),
            ..ChatChange::default()
        };
        world.command(f.alice, Command::SetChat { chat, change });
        if let Some(code) = code {
            assert_eq!(world.failures(f.alice).last().unwrap(), code, "{life}");
            assert_eq!((failed(&world) - 1, world.chats(f.alice)), before);
        } else {
            assert_eq!(failed(&world), before.0);
            let row = &world.chats(f.alice)[0];
            assert_eq!((row.life_secs, row.burn), (Some(life), Some(burn)));
            world.advance(3_000);
            let elsewhere = world.sign_in("alice");
            assert_eq!(world.chats(elsewhere)[0].burn, Some(burn));
            world.close(elsewhere);
        }
    }
}

#[test]
fn what_is_set_for_one_chat_is_not_set_for_another() {
    let mut world = World::default();
    let f = world.friends();
    let (carol, _) = world.register("carol");
    world.befriend(f.alice, carol, "carol");
    let change = ChatChange {
        live_only: Some(true),
        burn: Some(Burn::OnRead),
        ..ChatChange::default()
    };
    let chat = f.to_bob;
    world.command(f.alice, Command::SetChat { chat, change });
    let chats = world.chats(f.alice);
    let live_only = |of: ConversationId| chats.iter().find(|row| row.chat == of).unwrap().live_only;
    let to_carol = world.id("carol");
    assert_eq!((live_only(f.to_bob), live_only(to_carol)), (true, false));
    let said = world.say(f.alice, to_carol, "kept");
    assert_eq!(world.message(f.alice, said).unwrap().burn, Burn::Never);
}
