//! Settings: what they hold, and how much of it.

use proptest::prelude::*;
use protocol::safe::Settings;

use crate::support::NOW;

#[test]
fn a_switch_is_on_off_or_as_it_is_by_default() {
    let mut settings = Settings::default();
    for default in [false, true] {
        assert_eq!(settings.switch("typing", default), default);
    }
    for on in [true, false, true] {
        settings.set_switch("typing", on, NOW);
        assert_eq!(settings.get("typing"), Some(if on { "on" } else { "off" }));
        assert_eq!(settings.switch("typing", !on), on);
    }
    settings.set("typing", "maybe", NOW);
    for default in [false, true] {
        assert_eq!(settings.switch("typing", default), default);
    }
}

#[test]
fn a_number_is_what_was_set_or_the_default_one() {
    let mut settings = Settings::default();
    assert_eq!(settings.number("lock", 900), 900);
    settings.set_number("lock", 0, NOW);
    assert_eq!(settings.number("lock", 900), 0);
    settings.set_number("lock", u64::MAX, NOW);
    assert_eq!(settings.number("lock", 900), u64::MAX);
    settings.set("lock", "-1", NOW);
    assert_eq!(settings.number("lock", 900), 900);
}

#[test]
fn a_name_has_up_to_64_bytes_and_a_value_up_to_4096() {
    for (name, value, kept) in [
        (64, 4_096, true),
        (64, 0, true),
        (0, 4_096, true),
        (65, 0, false),
        (0, 4_097, false),
        (65, 4_096, false),
        (64, 4_097, false),
        (65, 4_097, false),
        (1_000, 10_000, false),
    ] {
        let (name, value) = ("n".repeat(name), "v".repeat(value));
        let mut settings = Settings::default();
        settings.set(&name, &value, NOW);
        let expected = kept.then_some(value.as_str());
        assert_eq!(
            settings.get(&name),
            expected,
            "{} {}",
            name.len(),
            value.len()
        );
    }
    // What is too long leaves what was there.
    let mut settings = Settings::default();
    settings.set("name", "before", NOW);
    settings.set("name", &"v".repeat(4_097), NOW + 1);
    assert_eq!(settings.get("name"), Some("before"));
}

/// As many settings as one session adds.
fn many(session: char) -> Settings {
    let mut settings = Settings::default();
    for n in 0..1_024 {
        settings.set(&format!("{session}{n:04}"), "x", NOW);
    }
    settings
}

#[test]
fn two_sessions_settings_have_room_together_and_one_more_costs_the_last_name() {
    let mut both = many('a');
    both.merge(many('b'));
    for session in ['a', 'b'] {
        let kept = (0..1_024).all(|n| both.get(&format!("{session}{n:04}")).is_some());
        assert!(kept, "of session {session}");
    }
    let mut third = Settings::default();
    third.set("a", "new", NOW);
    both.merge(third);
    assert_eq!(both.get("a"), Some("new"));
    assert_eq!(both.get("b1023"), None);
    assert_eq!(both.get("b1022"), Some("x"));
}

#[test]
fn of_two_values_the_later_one_stays_and_of_one_second_the_larger() {
    for (a, b, stays) in [
        (("1", NOW), ("2", NOW + 1), "2"),
        (("2", NOW), ("1", NOW + 1), "1"),
        (("1", NOW), ("2", NOW), "2"),
        (("", NOW), ("0", NOW), "0"),
    ] {
        for (ours, theirs) in [(a, b), (b, a)] {
            let of = |(value, at): (&str, u64)| {
                let mut settings = Settings::default();
                settings.set("name", value, at);
                settings
            };
            let mut settings = of(ours);
            settings.merge(of(theirs));
            assert_eq!(settings.get("name"), Some(stays), "{ours:?} {theirs:?}");
        }
    }
}

fn any_settings() -> impl Strategy<Value = Settings> {
    proptest::collection::vec((0_u8..4, 0_u8..3, 0_u64..4), 0..8).prop_map(|changes| {
        let mut settings = Settings::default();
        for (name, value, later) in changes {
            settings.set(&format!("{name}"), &format!("{value}"), NOW + later);
        }
        settings
    })
}

proptest! {
    #[test]
    fn settings_merge_alike_in_any_order(
        a in any_settings(), b in any_settings(), c in any_settings()
    ) {
        let merged = |a: &Settings, b: &Settings| {
            let mut both = a.clone();
            both.merge(b.clone());
            both
        };
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &a), a);
    }
}
