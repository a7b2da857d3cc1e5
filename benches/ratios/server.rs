//! The server path: sends and burns over an echo of the same bytes, and over a peer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::envelope::{Parcel, Slot, Submission, Target};
use protocol::ids::MessageId;

use crate::echo::Echo;
use crate::load::{Outcome, Plan, checked, json, post, run as load};
use crate::peer::{Amount, Ours, Peer};
use crate::report::{Aim, Report};
use crate::subject::{Subject, settle};

const CONNECTIONS: usize = 64;
const MESSAGES: usize = 100_000 / CONNECTIONS * CONNECTIONS;
/// Bytes of the posted message in all, handshake included.
const SIZE: usize = 1024;

/// Measures and reports.
pub(crate) async fn run(report: &mut Report, peer: Option<&Peer>) -> io::Result<()> {
    let subject = Subject::start().await?;
    let echo = Echo::start()?;
    let warm_up = MESSAGES / 10 / CONNECTIONS * CONNECTIONS;

    let message = submission(&subject, id(0, 0, 0));
    report.note(format!("{MESSAGES} messages of {} bytes over {CONNECTIONS} connections, one request in flight on each; the load shares the machine with the server.", message.len()));
    let echoed = {
        measure(&echo_plan(echo.address, &message, warm_up)).await?;
        measure(&echo_plan(echo.address, &message, MESSAGES)).await?
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

    let burned = MESSAGES as f64 / (claimed.elapsed + acknowledged.elapsed).as_secs_f64();
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

async fn measure(plan: &dyn Fn() -> Plan) -> io::Result<Outcome> {
    checked(load(plan(), None).await?)
}

fn echo_plan(address: SocketAddr, message: &[u8], requests: usize) -> impl Fn() -> Plan {
    let request = post("/echo", "", message);
    move || {
        let request = request.clone();
        Plan {
            address,
            connections: CONNECTIONS,
            requests,
            expect: 200,
            request: Arc::new(move |_, _, buffer| buffer.extend_from_slice(&request)),
        }
    }
}

async fn sends_and_burns(subject: &Subject, round: u8, requests: usize) -> io::Result<()> {
    send(subject, round, requests).await?;
    burn(subject, round, requests).await?;
    Ok(())
}

async fn send(subject: &Subject, round: u8, requests: usize) -> io::Result<Outcome> {
    let template = submission(subject, id(0, 0, 0));
    let zero = id(0, 0, 0);
    let at = template
        .windows(16)
        .position(|window| window == zero.as_bytes())
        .ok_or(io::ErrorKind::InvalidData)?;
    let request = post("/api/v1/messages", &subject.sender, &template);
    let at = at + request.len() - template.len();
    let plan = Plan {
        address: subject.address,
        connections: CONNECTIONS,
        requests,
        expect: 201,
        request: Arc::new(move |connection, turn, buffer| {
            buffer.extend_from_slice(&request);
            buffer[at..at + 16].copy_from_slice(id(round, connection, turn).as_bytes());
        }),
    };
    checked(load(plan, None).await?)
}

async fn burn(subject: &Subject, round: u8, requests: usize) -> io::Result<(Outcome, Outcome)> {
    let cookie = subject.reader.clone();
    let mut parcels = Vec::with_capacity(requests);
    let claims = Plan {
        address: subject.address,
        connections: CONNECTIONS,
        requests,
        expect: 200,
        request: Arc::new(move |connection, turn, buffer| {
            let path = format!("/api/v1/messages/{}/claim", id(round, connection, turn));
            buffer.extend_from_slice(&post(&path, &cookie, b""));
        }),
    };
    let claimed = checked(load(claims, Some(&mut parcels)).await?)?;
    let mut tokens = vec![String::new(); requests];
    let each = requests / CONNECTIONS;
    for (connection, turn, reply) in parcels {
        let parcel = Parcel::decode(&reply.body).map_err(io::Error::other)?;
        tokens[connection * each + turn] = URL_SAFE_NO_PAD.encode(parcel.token);
    }
    let cookie = subject.reader.clone();
    let acknowledgements = Plan {
        address: subject.address,
        connections: CONNECTIONS,
        requests,
        expect: 204,
        request: Arc::new(move |connection, turn, buffer| {
            let path = format!("/api/v1/messages/{}/ack", id(round, connection, turn));
            let body = format!("{{\"token\":\"{}\"}}", tokens[connection * each + turn]);
            buffer.extend_from_slice(&json(&path, &cookie, body.as_bytes()));
        }),
    };
    Ok((claimed, checked(load(acknowledgements, None).await?)?))
}

async fn unknown(subject: &Subject, requests: usize) -> io::Result<Outcome> {
    let cookie = subject.reader.clone();
    let plan = Plan {
        address: subject.address,
        connections: CONNECTIONS,
        requests,
        expect: 404,
        request: Arc::new(move |connection, turn, buffer| {
            let path = format!("/api/v1/messages/{}/claim", id(9, connection, turn));
            buffer.extend_from_slice(&post(&path, &cookie, b""));
        }),
    };
    checked(load(plan, None).await?)
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
                account: subject.reader_id,
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
