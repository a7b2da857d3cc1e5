//! What the server says of itself, and what an administrator tells it.

use client::Command;
use client::event::Event;
use client::testing::{Reply, World};
use serde_json::json;

use super::flows::answers;

fn notices(world: &World, tab: usize) -> Vec<String> {
    let events = world.tab(tab).events.iter();
    let told = events.filter_map(|event| match event {
        Event::Notice { code, .. } => Some(code.clone()),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_clock_that_is_more_than_an_hour_away_from_the_servers_is_told_once() {
    for (away, told) in [
        (3_600, 0),
        (-3_600, 0),
        (3_601, 1),
        (-3_601, 1),
        (90_000, 1),
    ] {
        let mut world = World::default();
        world.server.tamper = Some(Box::new(move |_, mut reply| {
            let now = match &mut reply {
                Reply::Text(frame) if frame["t"] == "hello" => Some(&mut frame["now"]),
                Reply::Json { request, body, .. } if request == "GET /server" => {
                    Some(&mut body["now"])
                }
                _ => None,
            };
            if let Some(now) = now {
                *now = json!(now.as_i64().unwrap() + away);
            }
            vec![reply]
        }));
        // The server's state and the socket's greeting both name the time.
        let (tab, _) = world.register("alice");
        assert_eq!(notices(&world, tab), vec!["clock-skew"; told], "{away}");
        let views = world.tab(tab).events.iter();
        let skews: Vec<i64> = views
            .filter_map(|event| match event {
                Event::Server(view) => Some(view.clock_skew_secs),
                _ => None,
            })
            .collect();
        assert_eq!(skews.last(), Some(&-away));
    }
}

#[test]
fn registration_is_set_to_one_of_three_modes_and_the_server_is_asked_how_it_stands() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    let set = |mode: &str| Command::SetRegistration { mode: mode.into() };
    world.server.log.clear();
    for mode in ["", "Open", "everybody"] {
        world.command(tab, set(mode));
    }
    assert_eq!(world.failures(tab), ["bad-settings"; 3]);
    assert_eq!(world.server.log, Vec::<String>::new());
    answers(&mut world, "PUT /admin/registration", 204, json!(null));
    for mode in ["closed", "invite", "open"] {
        world.server.log.clear();
        world.command(tab, set(mode));
        let asked = ["PUT /admin/registration", "GET /server"];
        assert_eq!(world.server.log, asked, "{mode}");
    }
    let refused = json!({"code": "forbidden", "detail": ""});
    answers(&mut world, "PUT /admin/registration", 403, refused);
    world.server.log.clear();
    world.command(tab, set("open"));
    assert_eq!(world.failures(tab).last().unwrap(), "forbidden");
    assert_eq!(world.server.log, ["PUT /admin/registration"]);
}
