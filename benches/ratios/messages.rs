//! Messages that wait: sent, claimed and acknowledged through linked sockets.

use std::io;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::envelope::{Parcel, Slot, Submission, Target};
use protocol::ids::MessageId;

use crate::door::Place;
use crate::lanes::run as lanes;
use crate::linked::{Linked, is, is_object};
use crate::load::Outcome;
use crate::people::Person;
use crate::subject::Subject;

/// Sockets that send or claim at once.
pub(crate) const CONNECTIONS: usize = 64;
/// Bytes of the posted message in all.
pub(crate) const SIZE: usize = 1024;

/// Sends messages and burns them.
pub(crate) async fn sends_and_burns(
    subject: &Subject,
    round: u8,
    messages: usize,
) -> io::Result<()> {
    send(subject, round, messages).await?;
    burn(subject, round, messages).await?;
    Ok(())
}

/// Opens the sockets of one person and reads what they are told at first.
///
/// The reader's are opened after the sends, or else each would be told of every message.
pub(crate) async fn sockets(
    subject: &Subject,
    person: &Person,
    round: u8,
    count: usize,
) -> io::Result<Vec<Linked>> {
    let mut sockets = Vec::with_capacity(count);
    for number in 0..count {
        let mut live_id = [round; 16];
        live_id[0] = number as u8;
        let place = Place {
            person,
            live_id,
            deliver: false,
            from: 1,
        };
        let mut socket = subject.door(number).open(place).await?;
        let ping = b"{\"t\":\"ping\"}";
        socket.exchange(ping, |heard| is(heard, "pong")).await?;
        sockets.push(socket);
    }
    Ok(sockets)
}

/// Sends messages to the reader, one in flight on each socket.
pub(crate) async fn send(subject: &Subject, round: u8, messages: usize) -> io::Result<Outcome> {
    let zero = id(0, 0, 0);
    let template = waiting(subject, zero, SIZE);
    let at = template
        .windows(16)
        .position(|window| window == zero.as_bytes())
        .ok_or(io::ErrorKind::InvalidData)?;
    let mut sockets = sockets(subject, &subject.sender, round, CONNECTIONS).await?;
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

/// Claims and acknowledges what was sent in a round, in turn on each socket.
pub(crate) async fn burn(
    subject: &Subject,
    round: u8,
    messages: usize,
) -> io::Result<(Outcome, Outcome)> {
    let mut sockets = sockets(subject, &subject.reader, round, CONNECTIONS).await?;
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
pub(crate) async fn unknown(subject: &Subject, claims: usize) -> io::Result<()> {
    let mut sockets = sockets(subject, &subject.reader, 9, CONNECTIONS).await?;
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

/// Asks for a message.
pub(crate) fn claim(id: MessageId) -> Vec<u8> {
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
pub(crate) fn id(round: u8, connection: usize, turn: usize) -> MessageId {
    let mut bytes = [0xb7; 16];
    bytes[0] = round;
    bytes[1..5].copy_from_slice(&(connection as u32).to_be_bytes());
    bytes[5..9].copy_from_slice(&(turn as u32).to_be_bytes());
    MessageId::from_bytes(bytes)
}

/// A message for the reader's account; the server reads none of its contents.
pub(crate) fn waiting(subject: &Subject, message_id: MessageId, size: usize) -> Vec<u8> {
    let target = Target::Account {
        account: subject.reader.id,
    };
    submission(message_id, target, size)
}

/// A message of so many bytes in all.
pub(crate) fn submission(message_id: MessageId, target: Target, size: usize) -> Vec<u8> {
    let waits = matches!(target, Target::Account { .. });
    let mut submission = Submission {
        message_id,
        life_secs: 86_400,
        burn_on_read: waits,
        slots: vec![Slot {
            target,
            prekey_id: waits.then_some(1),
            bytes: vec![0x51; 256],
        }],
        body: Vec::new(),
    };
    let front = submission.encode().len();
    submission.body = vec![0x52; size - front];
    submission.encode()
}
