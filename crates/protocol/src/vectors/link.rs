//! The link: a hello, and a whole handshake with a frame in each direction.

use api::ids::BootId;
use serde_json::{Value, json};

use super::fields::{Checked, Fields, Outcome};
use super::rng::SeededRng;
use crate::boot::{BootSigningKey, SignedBoot};
use crate::link::client::{Nobody, Opening};
use crate::link::server::{Open, Place, Read, Received, answer};
use crate::link::{Hello, InstanceId, LinkError, LinkPair, VerifiedHello};

const ORIGIN: &str = "https://messages.example";
const DOWN: &[u8] = b"from the server";
const UP: &[u8] = b"from the client";

/// Checks a vector of the link; `None` for other kinds.
pub(super) fn run(kind: &str, fields: &Fields<'_>) -> Option<Checked> {
    Some(match kind {
        "link_hello" => hello(fields).map(super::objects::outcome),
        "link_handshake" => handshake(fields),
        _ => return None,
    })
}

fn hello(fields: &Fields<'_>) -> Result<Result<VerifiedHello, LinkError>, String> {
    let boot = SignedBoot::decode(&fields.bytes("boot")?).map_err(|it| it.to_string())?;
    let server = boot.server_key(None).map_err(|it| it.to_string())?;
    let now = fields.number("now")?;
    let hello = Hello::decode(&fields.bytes("bytes")?).map_err(LinkError::from);
    Ok(hello.and_then(|hello| hello.verify(&server, now)))
}

fn handshake(fields: &Fields<'_>) -> Checked {
    let Ok(hello) = hello(fields)? else {
        return Err("the hello is refused".to_owned());
    };
    match replay(fields, &hello)? {
        Ok(()) => Ok(Outcome::Accepted),
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

/// The client's half again, from its published private halves.
fn replay(fields: &Fields<'_>, hello: &VerifiedHello) -> Result<Result<(), LinkError>, String> {
    let now = fields.number("now")?;
    let (agreement, kem) = (fields.array("agreement")?, fields.array("kem")?);
    let secrets = (&agreement, &kem, &fields.array("kem_server")?);
    let open = fields.bytes("open")?;
    let (opened, active) = (fields.bytes("opened")?, fields.bytes("active")?);
    let mut down = fields.bytes("frame_down")?;
    let opening = Opening::published(&open, hello, fields.text("origin")?, secrets);
    let (proving, proof) = match opening.and_then(|opening| opening.confirm(&opened)) {
        Ok(proving) => proving,
        Err(error) => return Ok(Err(error)),
    };
    fields.expect("proof", &proof)?;
    let mut link = match proving.active(now, &active) {
        Ok(active) => active.link,
        Err(error) => return Ok(Err(error)),
    };
    match link.receive(now, &mut down) {
        Ok(Received::Data(payload)) => fields.expect("down", payload)?,
        Ok(Received::Renewal(_)) => return Err("the frame renews".to_owned()),
        Err(error) => return Ok(Err(error)),
    }
    let sealed = link.seal(now, &fields.bytes("up")?);
    fields.expect("frame_up", &sealed.map_err(|it| it.to_string())?)?;
    Ok(Ok(()))
}

/// Makes the vectors.
pub(super) fn produce(out: &mut Vec<Value>, rng: &mut SeededRng, now: u64) -> Option<()> {
    let key = BootSigningKey::generate(rng);
    let boot = key.sign(rng, [0x61; 16], now);
    let server = boot.server_key(None).ok()?;
    let bucket = crate::epoch::bucket_of(now);
    let boot_id = BootId::from_bytes([0x61; 16]);
    let pair = LinkPair::generate(rng, &key, boot_id, InstanceId([0x62; 16]), bucket);
    let hello = Hello::decode(pair.hello())
        .ok()?
        .verify(&server, now)
        .ok()?;
    let (opening, open) = Opening::<Nobody>::for_nobody(rng, &hello, ORIGIN).ok()?;
    let [agreement, kem, kem_server] = opening.exposed().map(hex::encode);
    let place = Place {
        pair: &pair,
        origin: ORIGIN,
        session: None,
        now,
    };
    let (answered, opened) = answer(rng, &place, &Open::decode(&open).ok()?, None).ok()?;
    let (_, proof) = opening.confirm(&opened).ok()?;
    let Read::Ready(ready) = answered.read(&proof).ok()? else {
        return None;
    };
    let mut activated = ready.activate(now);
    let frame_down = activated.link.seal(now, DOWN).ok()?;
    let mut vector = json!({
        "id": "link handshake", "kind": "link_handshake", "result": "accept",
        "boot": "@link hello/boot", "bytes": "@link hello/bytes", "now": now,
        "origin": ORIGIN, "agreement": agreement, "kem": kem, "kem_server": kem_server,
        "open": hex::encode(&open), "opened": hex::encode(&opened),
        "proof": hex::encode(&proof), "active": hex::encode(&activated.active),
        "frame_down": hex::encode(frame_down), "down": hex::encode(DOWN),
        "up": hex::encode(UP),
    });
    let frame_up = frame_up(&vector, &hello, now)?;
    vector
        .as_object_mut()?
        .insert("frame_up".to_owned(), hex::encode(&frame_up).into());
    // The server opens what the vector's client seals.
    let mut frame = frame_up;
    let received = activated.link.receive(rng, now, &mut frame).ok()?;
    if received != Received::Data(UP) {
        return None;
    }
    out.push(json!({
        "id": "link hello", "kind": "link_hello", "result": "accept",
        "boot": hex::encode(boot.encode()), "bytes": hex::encode(pair.hello()), "now": now,
    }));
    out.push(vector);
    Some(())
}

/// The first frame of the client that a vector describes.
fn frame_up(vector: &Value, hello: &VerifiedHello, now: u64) -> Option<Vec<u8>> {
    let fields = Fields::new(vector, &[]);
    let (agreement, kem) = (fields.array("agreement").ok()?, fields.array("kem").ok()?);
    let secrets = (&agreement, &kem, &fields.array("kem_server").ok()?);
    let open = fields.bytes("open").ok()?;
    let opening = Opening::published(&open, hello, ORIGIN, secrets).ok()?;
    let (proving, _) = opening.confirm(&fields.bytes("opened").ok()?).ok()?;
    let mut active = proving.active(now, &fields.bytes("active").ok()?).ok()?;
    active.link.seal(now, UP).ok()
}
