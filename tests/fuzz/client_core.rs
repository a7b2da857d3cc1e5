//! What a server may send to the client core, signed in and in the middle of a chat.

use std::cell::RefCell;

use client::event::Phase;
use client::testing::{Reply, World};
use fuzz::Target;

use crate::AGAIN;

/// Inputs that one core is given before it is replaced: some end its session.
const INPUTS_OF_ONE: u32 = 4_096;

/// Somebody who is signed in; the world has no network, so that the core hears the input alone.
struct Victim {
    world: World,
    tab: usize,
    heard: u32,
}

impl Victim {
    fn new() -> Self {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        world.network = false;
        Self {
            world,
            tab,
            heard: 0,
        }
    }

    /// The server sends something inside its link.
    fn hears(&mut self, payload: &[u8]) -> (Phase, usize) {
        let before = self.world.tab(self.tab).events.len();
        (self.world.server).push(self.tab, Reply::Binary(payload.to_vec()));
        self.world.settle();
        let events = &self.world.tab(self.tab).events;
        (self.world.phase(self.tab), events.len() - before)
    }
}

fn with_victim<R>(victim: &RefCell<Victim>, act: impl FnOnce(&mut Victim) -> R) -> R {
    let mut victim = victim.borrow_mut();
    if victim.heard >= INPUTS_OF_ONE || victim.world.phase(victim.tab) != Phase::Unlocked {
        *victim = Victim::new();
    }
    victim.heard += 1;
    act(&mut victim)
}

#[test]
fn hostile_frames_of_a_server_break_no_client() {
    let id = "00112233445566778899aabbccddeeff";
    let seeds = [
        format!(r#"{{"t":"hello","boot_id":"{id}","now":1767225650,"waiting":[],"more":false}}"#),
        format!(
            r#"{{"t":"waiting","id":"{id}","burn":true,"size":9,"expires_at":1767225999,"target":"account"}}"#
        ),
        format!(r#"{{"t":"sent","id":"{id}","expires_at":1767225999}}"#),
        format!(r#"{{"t":"slots_added","id":"{id}"}}"#),
        format!(
            r#"{{"t":"refused","of":"send","id":"{id}","code":"vault-full","detail":"x","retry_after":5}}"#
        ),
        format!(r#"{{"t":"acked","id":"{id}"}}"#),
        format!(r#"{{"t":"extended","id":"{id}","lease_ms":30000}}"#),
        format!(
            r#"{{"t":"claimed_large","id":"{id}","token":"AAAAAAAAAAAAAAAAAAAAAA","lease_ms":30000}}"#
        ),
        format!(
            r#"{{"t":"status","messages":[{{"id":"{id}","state":"waiting","expires_at":1}}]}}"#
        ),
        format!(r#"{{"t":"message","id":"{id}","state":"read","expires_at":1}}"#),
        r#"{"t":"safe","version":9,"prekey_version":9}"#.to_owned(),
        r#"{"t":"joined"}"#.to_owned(),
        r#"{"t":"pong"}"#.to_owned(),
    ];
    let victim = RefCell::new(Victim::new());
    Target::new("frames of a server", AGAIN)
        .seeds(seeds)
        .words(&[
            "\"t\":",
            "\"id\":",
            "null",
            "18446744073709551615",
            "-1",
            "[]",
            "{}",
            id,
            "\"\\ud800\"",
        ])
        .at_most(4 << 10)
        .run(|bytes| with_victim(&victim, |victim| victim.hears(bytes)));
}

#[test]
fn hostile_parcels_of_a_server_break_no_client() {
    let victim = RefCell::new(Victim::new());
    let parcel = protocol::envelope::Parcel::encode_prefix(
        &protocol::ids::MessageId::from_bytes([1; 16]),
        &[2; 16],
        30_000,
        &protocol::envelope::Target::Account {
            account: protocol::ids::UserId::from_bytes([4; 16]),
        },
        &[3; 64],
        0,
    );
    Target::new("parcels of a server", AGAIN)
        .seed(parcel)
        .at_most(4 << 10)
        .run(|bytes| with_victim(&victim, |victim| victim.hears(bytes)));
}
