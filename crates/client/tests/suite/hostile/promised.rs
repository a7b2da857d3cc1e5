//! A server that shows one state of the safe to one session and another to the next.

use client::id::MessageId;
use client::testing::World;
use protocol::envelope::Content;
use protocol::safe::SafeMark;

use super::forge::{Forged, live_target, stolen};
use super::nothing_refused;

#[test]
fn a_session_that_wrote_something_else_under_a_version_reveals_two_states_of_the_safe() {
    for (same, version_off) in [(true, 0), (false, 0), (false, 1)] {
        let mut world = World::default();
        let f = world.acquainted();
        world.advance(60_000);
        let alice = world.server.user("alice");
        let secrets = stolen(&mut world, "alice");
        let (version, data) = world.server.accounts[&alice]
            .history
            .last()
            .unwrap()
            .clone();
        let mut mark = SafeMark::of(version, &data);
        if !same {
            mark = SafeMark::of(version + version_off, b"something else");
        }
        let target = live_target(&world, f.alice, &alice);
        let text = Content::text("from the desk");
        let mut forged = Forged::new(&world, text, MessageId::from_bytes([1; 16]));
        forged.recipient = Some(world.server.user("bob"));
        forged.safe_mark = Some(mark);
        let submission = forged.seal(&world, alice, &secrets, &target);
        world.server.post_as(alice, &submission.encode());
        world.settle();
        let texts = world.texts(f.alice, f.to_bob);
        assert_eq!(texts.last().unwrap(), "from the desk");
        if same {
            nothing_refused(&world, f.alice);
        } else {
            let refused = world.refusals(f.alice);
            assert_eq!(refused.len(), 1, "{version_off}: {refused:?}");
        }
    }
}
