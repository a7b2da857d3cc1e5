//! What a link costs the server: `cargo run --release -p protocol --features vectors --example link_times`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

use std::time::{Duration, Instant};

use api::ids::{BootId, SessionId};
use protocol::boot::BootSigningKey;
use protocol::epoch::LocalParty;
use protocol::identity::AccountSecrets;
use protocol::ids::{LiveId, UserId};
use protocol::link::client::{Active, Opening};
use protocol::link::server::{Activated, Open, Place, Read, answer};
use protocol::link::{Hello, InstanceId, LinkPair, Psks};
use protocol::vectors::SeededRng;

const NOW: u64 = 1_800_000_000;
const ORIGIN: &str = "https://messages.example";
const SESSION: SessionId = SessionId::from_bytes([3; 32]);

fn main() {
    let rng = &mut SeededRng::new(1);
    let key = BootSigningKey::generate(rng);
    let server = key.sign(rng, [1; 16], NOW).server_key(None).unwrap();
    let boot_id = BootId::from_bytes([1; 16]);
    let pair = LinkPair::generate(rng, &key, boot_id, InstanceId([2; 16]), NOW / 300);
    let hello = Hello::decode(pair.hello()).unwrap();
    let hello = hello.verify(&server, NOW).unwrap();
    let secrets = AccountSecrets::generate(rng);
    let keys = secrets.account_keys(rng);
    let account = LocalParty {
        user_id: UserId::random(rng),
        secrets: &secrets,
        keys: &keys,
    };
    let live = LiveId::random(rng);
    let place = Place {
        pair: &pair,
        origin: ORIGIN,
        session: Some(&SESSION),
        now: NOW,
    };
    let mut psks = Psks::default();

    let mut signed = Vec::new();
    let mut last = None;
    for _ in 0..100 {
        let (opening, open) = Opening::for_account(rng, &hello, ORIGIN, SESSION, live).unwrap();
        let begin = Instant::now();
        let read = Open::decode(&open).unwrap();
        let (answered, opened) = answer(rng, &place, &read, None).unwrap();
        let first = begin.elapsed();
        let (proving, proof) = opening.prove(rng, &opened, &account).unwrap();
        let begin = Instant::now();
        let Read::Account(claimed) = answered.read(&proof).unwrap() else {
            panic!("the proof names an account")
        };
        let activated = claimed.verify(&account.user_id, &keys).unwrap();
        let activated = activated.activate(NOW);
        signed.push(first + begin.elapsed());
        last = Some((proving.active(NOW, &activated.active).unwrap(), activated));
    }
    tell("link with a signature", signed);

    let (mut active, mut activated): (Active, Activated) = last.unwrap();
    let mut known = Vec::new();
    for _ in 0..1_000 {
        psks.keep(activated.known.take().unwrap());
        let psk = active.psk.take().unwrap();
        let (opening, open) = Opening::with_psk(rng, &hello, ORIGIN, SESSION, live, psk).unwrap();
        let begin = Instant::now();
        let read = Open::decode(&open).unwrap();
        let taken = read
            .psk()
            .and_then(|(session, live, id)| psks.take(session, live, id));
        let (answered, opened) = answer(rng, &place, &read, taken).unwrap();
        let first = begin.elapsed();
        let (proving, proof) = opening.confirm(&opened).unwrap();
        let begin = Instant::now();
        let Read::Ready(ready) = answered.read(&proof).unwrap() else {
            panic!("no signature is needed")
        };
        activated = ready.activate(NOW);
        known.push(first + begin.elapsed());
        active = proving.active(NOW, &activated.active).unwrap();
    }
    tell("link with a psk", known);

    let mut now = NOW;
    // The largest payload of a frame of 1,024 bytes, and the next size for a payload of 1 KiB.
    for len in [1_005, 1_024] {
        let payload = vec![7; len];
        let (mut sealing, mut opening) = (Vec::new(), Vec::new());
        for frame in 0..4_000 {
            if frame % 900 == 0 {
                now += 300;
                renew(rng, now, &mut active, &mut activated);
            }
            let mut up = active.link.seal(now, &payload).unwrap();
            let begin = Instant::now();
            activated.link.receive(rng, now, &mut up).unwrap();
            opening.push(begin.elapsed());
            let begin = Instant::now();
            let mut down = activated.link.seal(now, &payload).unwrap();
            sealing.push(begin.elapsed());
            active.link.receive(now, &mut down).unwrap();
        }
        tell(&format!("opening {len} bytes"), opening);
        tell(&format!("sealing {len} bytes"), sealing);
    }
}

fn renew(rng: &mut SeededRng, now: u64, active: &mut Active, activated: &mut Activated) {
    use protocol::link::client::Received::Renewal;
    let mut ask = active.link.renew(rng, now).unwrap();
    let Renewal(Some(mut answer)) = activated.link.receive(rng, now, &mut ask).unwrap() else {
        panic!("the server answers")
    };
    let Renewal(Some(mut last)) = active.link.receive(now, &mut answer).unwrap() else {
        panic!("the client switches")
    };
    activated.link.receive(rng, now, &mut last).unwrap();
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let median = times[times.len() / 2].as_nanos() as f64 / 1_000.0;
    let least = times[0].as_nanos() as f64 / 1_000.0;
    println!("{what}: median {median:.2} us, least {least:.2} us");
}
