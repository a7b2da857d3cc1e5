//! Messages that are too large for a frame: sent and fetched over HTTP, sealed under tickets.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use api::frames::ServerFrame;
use protocol::link::Ticket;

use crate::lanes::run as lanes;
use crate::linked::{Linked, is, is_object};
use crate::load::{Connection, Plan, Reply, checked, get, post, run as load};
use crate::messages::{ack, claim, id, sockets, waiting};
use crate::people::Person;
use crate::report::{Aim, Report};
use crate::subject::Subject;

/// Sockets, each with a connection for bodies.
const CONNECTIONS: usize = 16;
/// Messages on each.
const EACH: usize = 200;
/// Bytes of a message in all.
const SIZE: usize = 64 << 10;
/// The round of these messages.
const ROUND: u8 = 10;

/// Measures and reports.
pub(crate) async fn run(
    report: &mut Report,
    subject: &Subject,
    echo: SocketAddr,
) -> io::Result<()> {
    let request = post("/echo", "", &waiting(subject, id(0, 0, 0), SIZE));
    let plan = Plan {
        addresses: vec![echo],
        connections: CONNECTIONS,
        requests: CONNECTIONS * EACH,
        expect: 200,
        request: Arc::new(move |_, _, buffer| buffer.extend_from_slice(&request)),
    };
    let echoed = checked(load(plan, None).await?)?;
    let mut open = Roads::open(subject, &subject.sender).await?;
    let [sent] = lanes(&mut open, EACH, async |roads, number, turn| {
        let begun = Instant::now();
        let message = waiting(subject, id(ROUND, number, turn), SIZE);
        roads.send(&subject.sender, &message).await?;
        Ok([begun.elapsed()])
    })
    .await?;
    drop(open);
    let mut open = Roads::open(subject, &subject.reader).await?;
    let [burned] = lanes(&mut open, EACH, async |roads, number, turn| {
        let begun = Instant::now();
        let id = id(ROUND, number, turn);
        let token = roads.fetch(&subject.reader, &claim(id)).await?;
        let acked = |heard: &[u8]| is(heard, "acked");
        roads.socket.exchange(&ack(id, &token), acked).await?;
        Ok([begun.elapsed()])
    })
    .await?;
    for (name, ours) in [
        ("sends of 64 KiB under tickets / HTTP echo", sent),
        ("burns of 64 KiB under tickets / HTTP echo", burned),
    ] {
        report.row(name, (ours.rate(), "/s"), (echoed.rate(), "/s"), Aim::Open);
    }
    report.note(format!("Messages under tickets: {CONNECTIONS} sockets with a connection each; a send is a frame, a ticket, a body and a frame, a burn the same and an acknowledgement."));
    Ok(())
}

/// A socket for tickets and a connection for what they are leave for.
struct Roads {
    socket: Linked,
    http: Connection,
}

impl Roads {
    async fn open(subject: &Subject, person: &Person) -> io::Result<Vec<Self>> {
        let mut roads = Vec::with_capacity(CONNECTIONS);
        for socket in sockets(subject, person, ROUND, CONNECTIONS).await? {
            let http = Connection::open(subject.door(0).address).await?;
            roads.push(Self { socket, http });
        }
        Ok(roads)
    }

    /// Sends a submission under a ticket.
    async fn send(&mut self, person: &Person, message: &[u8]) -> io::Result<()> {
        let asked = format!("{{\"t\":\"ticket\",\"len\":{}}}", message.len());
        let ticket = self.socket.exchange(asked.as_bytes(), is_object).await?;
        let ticket = Ticket::decode(&ticket).map_err(io::Error::other)?;
        let path = path(&ticket);
        let body = sealed(ticket, message)?;
        let request = post(&path, &person.cookies, &body);
        expect(204, &self.http.exchange(&request).await?)?;
        self.socket.hear_of(|heard| is(heard, "sent")).await?;
        Ok(())
    }

    /// Claims a message and fetches its parcel; gives the token of the claim.
    async fn fetch(&mut self, person: &Person, claim: &[u8]) -> io::Result<Vec<u8>> {
        let large = |heard: &[u8]| is(heard, "claimed_large");
        let told = self.socket.exchange(claim, large).await?;
        let ServerFrame::ClaimedLarge { token, ticket, .. } = serde_json::from_slice(&told)? else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let ticket = Ticket::decode(&ticket).map_err(io::Error::other)?;
        let request = get(&path(&ticket), &person.cookies);
        let mut reply = self.http.exchange(&request).await?;
        expect(200, &reply)?;
        open(ticket, &mut reply.body)?;
        Ok(token.into_vec())
    }
}

fn path(ticket: &Ticket) -> String {
    format!("/api/v1/messages/sealed/{}", hex::encode(ticket.id()))
}

fn sealed(ticket: Ticket, mut message: &[u8]) -> io::Result<Vec<u8>> {
    let mut body = Vec::with_capacity(message.len() + 128);
    let mut sealer = ticket.into_sealer();
    while let Some(len) = sealer.next_len() {
        let (chunk, rest) = message.split_at(len);
        body.extend(sealer.seal(chunk).map_err(io::Error::other)?);
        message = rest;
    }
    Ok(body)
}

/// Opens a body in its place.
fn open(ticket: Ticket, mut body: &mut [u8]) -> io::Result<()> {
    let mut opener = ticket.into_opener();
    while let Some(len) = opener.next_len() {
        let short = io::ErrorKind::UnexpectedEof;
        let (chunk, rest) = body.split_at_mut_checked(len).ok_or(short)?;
        opener.open(chunk).map_err(io::Error::other)?;
        body = rest;
    }
    Ok(())
}

fn expect(status: u16, reply: &Reply) -> io::Result<()> {
    if reply.status != status {
        return Err(io::Error::other(format!("a body: {}", reply.status)));
    }
    Ok(())
}
