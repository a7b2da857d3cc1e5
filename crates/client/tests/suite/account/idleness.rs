//! Whether a person is here, by a clock that may be put back.

use client::Command;
use client::Input;
use client::command::SettingsChange;
use client::event::Phase;
use client::testing::World;

#[test]
fn a_person_who_is_active_all_the_time_is_told_of_once_in_a_minute() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    let told = |world: &World| {
        let frames = world.server.traffic.iter();
        let active = frames.filter(|frame| frame.as_slice() == br#"{"t":"active"}"#);
        active.count()
    };
    world.command(tab, Command::UserActive);
    world.advance(59_999);
    world.command(tab, Command::UserActive);
    assert_eq!(told(&world), 1);
    world.advance(1);
    world.command(tab, Command::UserActive);
    assert_eq!(told(&world), 2);
}

#[test]
fn a_clock_that_is_put_back_does_not_keep_an_account_open_and_a_small_step_is_waited_out() {
    for (back_ms, locks_after_ms) in [
        (0, 60_000),
        (5_000, 65_000),
        (5_001, 60_000),
        (600_000, 60_000),
    ] {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        let lock_after_secs = Some(60);
        let change = SettingsChange {
            lock_after_secs,
            ..SettingsChange::default()
        };
        world.command(tab, Command::SetSettings(change));
        world.command(tab, Command::UserActive);
        world.server.now_ms -= back_ms;
        world.input(tab, Input::Tick);
        world.advance(locks_after_ms - 1);
        assert_eq!(world.phase(tab), Phase::Unlocked, "{back_ms}");
        world.advance(1);
        assert_eq!(world.phase(tab), Phase::Locked, "{back_ms}");
    }
}

#[test]
fn after_a_sleep_or_a_changed_clock_the_server_is_asked_for_the_time() {
    for (step_ms, asked) in [(60_000, 0), (60_001, 1), (-5_000, 0), (-5_001, 1)] {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        world.server.log.clear();
        world.server.now_ms = world.server.now_ms.saturating_add_signed(step_ms);
        world.input(tab, Input::Tick);
        let log = world.server.log.iter();
        let times = log.filter(|line| *line == "GET /server").count();
        assert_eq!(times, asked, "{step_ms}");
        // Without keys there is nothing that the time matters for.
        world.command(tab, Command::Lock);
        world.server.log.clear();
        world.server.now_ms = world.server.now_ms.saturating_add_signed(step_ms);
        world.input(tab, Input::Tick);
        assert!(!world.server.log.contains(&"GET /server".to_owned()));
    }
}

#[test]
fn a_core_that_is_printed_tells_nothing_but_where_it_stands() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    let printed = format!("{:?}", world.tab(tab));
    assert_eq!(printed, "Tab { core: Core { phase: Unlocked, .. } }");
}
