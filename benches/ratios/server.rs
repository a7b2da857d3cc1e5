//! The server path: sends and burns through linked sockets, over an echo of the same bytes, and over a peer.

use std::io;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::envelope::{Parcel, Slot, Submission, Target};
use protocol::ids::MessageId;

use crate::echo::Echo;
use crate::lanes::{echo, run as lanes};
use crate::linked::{Linked, Place, is, is_object};
use crate::load::Outcome;
use crate::peer::{Amount, Ours, Peer};
use crate::people::Person;
use crate::report::{Aim, Report};
use crate::subject::{Subject, settle};
use crate::websocket::WebSocket;

const CONNECTIONS: usize = 64;
const MESSAGES: usize = 100_000 / CONNECTIONS * CONNECTIONS;
/// Bytes of the posted message in all, handshake included.
const SIZE: usize = 1024;

/// Measures and reports.
pub(crate) async fn run(report: &mut Report, peer: Option<&Peer>) -> io::Result<()> {
    let subject = Subject::start().await?;
    let yardstick = Echo::start()?;
    let warm_up = MESSAGES / 10 / CONNECTIONS * CONNECTIONS;

    let message = submission(&subject, id(0, 0, 0));
    report.note(format!("{MESSAGES} messages of {} bytes over {CONNECTIONS} sockets, one request in flight on each; the load shares the machine with the server. Ours seal each message as a frame of the next larger size; the echo has its bytes alone.", message.len()));
    let echoed = {
        let mut sockets = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            sockets.push(WebSocket::open(yardstick.address, "/ws", "", 1).await?);
        }
        echo(&mut sockets, warm_up / CONNECTIONS, &message).await?;
        echo(&mut sockets, MESSAGES / CONNECTIONS, &message).await?
    };
    sends_and_burns(&subject, 1, warm_up).await?;
    settle().await;
    let before = subject.resident()?;
    let sent = send(&subject, 2, MESSAGES).await?;
    let held = subject.resident()?;
    let (claimed, acknowledged) = burn(&subject, 2, MESSAGES).await?;
    settle().await;
    let after = subject.resident()?;
    unknown(&subject, MESSAGES).await?;
    settle().await;
    let unknown_after = subject.resident()?;

    // Each socket claims and acknowledges in turn: both took the same time as a whole.
    let burned = acknowledged.rate();
    report.row(
        "sends / echo",
        (sent.rate(), "/s"),
        (echoed.rate(), "/s"),
        Aim::Open,
    );
    report.row(
        "sends p99 / echo p99",
        (sent.percentile(0.99), "µs"),
        (echoed.percentile(0.99), "µs"),
        Aim::Open,
    );
    report.row(
        "burns (claim, then acknowledge) / echo",
        (burned, "/s"),
        (echoed.rate(), "/s"),
        Aim::AtLeast(0.5),
    );
    report.row(
        "claim p99 / echo p99",
        (claimed.percentile(0.99), "µs"),
        (echoed.percentile(0.99), "µs"),
        Aim::Open,
    );
    report.row(
        "acknowledge p99 / echo p99",
        (acknowledged.percentile(0.99), "µs"),
        (echoed.percentile(0.99), "µs"),
        Aim::Open,
    );
    let grown = held.saturating_sub(before) as f64;
    report.row(
        "bytes of memory per held message / bytes posted",
        (grown / MESSAGES as f64, "B"),
        (message.len() as f64, "B"),
        Aim::Open,
    );
    report.row(
        "memory kept after burning all / growth",
        (after.saturating_sub(before) as f64 / 1024.0, "KiB"),
        (grown / 1024.0, "KiB"),
        Aim::AtMost(0.05),
    );
    report.row(
        "growth from requests for unknown ids / growth",
        (unknown_after.saturating_sub(after) as f64 / 1024.0, "KiB"),
        (grown / 1024.0, "KiB"),
        Aim::AtMost(0.01),
    );

    let Some(peer) = peer else {
        report.note("No peer was given: pass --peer http://127.0.0.1:PORT to compare with a running cryptgeon.");
        return Ok(());
    };
    let amount = Amount {
        connections: CONNECTIONS,
        warm_up,
        notes: MESSAGES,
        size: message.len(),
    };
    let ours = Ours {
        sent: &sent,
        claimed: &claimed,
        acknowledged: &acknowledged,
        burns: burned,
        held: grown / MESSAGES as f64,
    };
    peer.compare(report, &amount, &ours).await
}

async fn sends_and_burns(subject: &Subject, round: u8, messages: usize) -> io::Result<()> {
    send(subject, round, messages).await?;
    burn(subject, round, messages).await?;
    Ok(())
}

/// Opens the sockets of one person and reads what they are told at first.
///
/// The reader's are opened after the sends, or else each would be told of every message.
async fn sockets(subject: &Subject, person: &Person, round: u8) -> io::Result<Vec<Linked>> {
    let mut sockets = Vec::with_capacity(CONNECTIONS);
    for number in 0..CONNECTIONS {
        let mut live_id = [round; 16];
        live_id[0] = number as u8;
        let place = Place {
            person,
            live_id,
            deliver: false,
            from: 1,
        };
        let mut socket = Linked::open(&subject.door, place).await?;
        let ping = b"{\"t\":\"ping\"}";
        socket.exchange(ping, |heard| is(heard, "pong")).await?;
        sockets.push(socket);
    }
    Ok(sockets)
}

async fn send(subject: &Subject, round: u8, messages: usize) -> io::Result<Outcome> {
    let zero = id(0, 0, 0);
    let template = submission(subject, zero);
    let at = template
        .windows(16)
        .position(|window| window == zero.as_bytes())
        .ok_or(io::ErrorKind::InvalidData)?;
    let mut sockets = sockets(subject, &subject.sender, round).await?;
    let turns = messages / CONNECTIONS;
    let [sent] = lanes(&mut sockets, turns, async |socket, number, turn| {
        let mut message = template.clone();
        message[at..at + 16].copy_from_slice(id(round, number, turn).as_bytes());
        let begun = Instant::now();
        socket.exchange(&message, |heard| is(heard, "sent")).await?;
        Ok([begun.elapsed()])
    })
    .await?;
    Ok(sent)
}

async fn burn(subject: &Subject, round: u8, messages: usize) -> io::Result<(Outcome, Outcome)> {
    let mut sockets = sockets(subject, &subject.reader, round).await?;
    let turns = messages / CONNECTIONS;
    let [claimed, acknowledged] = lanes(&mut sockets, turns, async |socket, number, turn| {
        let id = id(round, number, turn);
        let begun = Instant::now();
        let parcel = socket.exchange(&claim(id), is_object).await?;
        let claimed = begun.elapsed();
        let parcel = Parcel::decode(&parcel).map_err(io::Error::other)?;
        let ack = ack(id, &parcel.token);
        let begun = Instant::now();
        socket.exchange(&ack, |heard| is(heard, "acked")).await?;
        Ok([claimed, begun.elapsed()])
    })
    .await?;
    Ok((claimed, acknowledged))
}

/// Claims messages that nobody sent, each of which is refused.
async fn unknown(subject: &Subject, claims: usize) -> io::Result<()> {
    let mut sockets = sockets(subject, &subject.reader, 9).await?;
    let turns = claims / CONNECTIONS;
    let [_refused] = lanes(&mut sockets, turns, async |socket, number, turn| {
        let begun = Instant::now();
        let claim = claim(id(9, number, turn));
        socket
            .exchange(&claim, |heard| is(heard, "refused"))
            .await?;
        Ok([begun.elapsed()])
    })
    .await?;
    Ok(())
}

fn claim(id: MessageId) -> Vec<u8> {
    format!(
        "{{\"t\":\"claim\",\"id\":\"{}\"}}",
        hex::encode(id.as_bytes())
    )
    .into_bytes()
}

/// Acknowledges what was claimed.
pub(crate) fn ack(id: MessageId, token: &[u8]) -> Vec<u8> {
    let (id, token) = (hex::encode(id.as_bytes()), URL_SAFE_NO_PAD.encode(token));
    format!("{{\"t\":\"ack\",\"id\":\"{id}\",\"token\":\"{token}\"}}").into_bytes()
}

/// The id of a message, the same whenever it is asked for.
fn id(round: u8, connection: usize, turn: usize) -> MessageId {
    let mut bytes = [0xb7; 16];
    bytes[0] = round;
    bytes[1..5].copy_from_slice(&(connection as u32).to_be_bytes());
    bytes[5..9].copy_from_slice(&(turn as u32).to_be_bytes());
    MessageId::from_bytes(bytes)
}

/// A message of [`SIZE`] bytes for the reader's account; the server reads none of its contents.
fn submission(subject: &Subject, message_id: MessageId) -> Vec<u8> {
    let mut submission = Submission {
        message_id,
        life_secs: 86_400,
        burn_on_read: true,
        slots: vec![Slot {
            target: Target::Account {
                account: subject.reader.id,
            },
            prekey_id: Some(1),
            bytes: vec![0x51; 256],
        }],
        body: Vec::new(),
    };
    let front = submission.encode().len();
    submission.body = vec![0x52; SIZE - front];
    submission.encode()
}
