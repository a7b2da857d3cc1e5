//! What has come to its end is on its way no more.

use client::command::Burn;
use client::event::MessageState;
use client::testing::World;

/// How a message ends at its sender.
#[derive(Debug, Clone, Copy)]
enum Ends {
    Read,
    Burned,
    Expired,
}

#[test]
fn what_has_ended_is_not_asked_about_on_the_next_connection() {
    for ends in [Ends::Read, Ends::Burned, Ends::Expired] {
        let mut world = World::default();
        let f = world.friends();
        let (burn, expected) = match ends {
            Ends::Read => (None, MessageState::Read),
            Ends::Burned => (Some(Burn::OnRead), MessageState::Burned),
            Ends::Expired => (None, MessageState::Expired),
        };
        if matches!(ends, Ends::Expired) {
            world.close(f.bob);
            world.advance(4_000);
        }
        let id = world.say_with(f.alice, f.to_bob, "soon over", burn, Some(60));
        if !matches!(ends, Ends::Expired) {
            if burn.is_some() {
                let (chat, message) = (f.to_alice, id);
                world.command(f.bob, client::Command::Reveal { chat, message });
            }
            world.show(f.bob, f.to_alice, vec![id]);
            if burn.is_some() {
                let (chat, messages) = (f.to_alice, vec![id]);
                world.command(f.bob, client::Command::Hide { chat, messages });
            }
            world.advance(5_000);
        } else {
            world.advance(62_000);
        }
        assert_eq!(
            world.message(f.alice, id).unwrap().state,
            expected,
            "{ends:?}"
        );
        let from = world.server.traffic.len();
        world.cut(f.alice);
        world.advance(5_000);
        let said = world.server.traffic[from..].iter();
        let mut said = said.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let asked = |text: String| text.contains("\"status\"") && text.contains(&id.to_string());
        assert!(!said.any(asked), "{ends:?}");
        assert_eq!(
            world.message(f.alice, id).unwrap().state,
            expected,
            "{ends:?}"
        );
    }
}
