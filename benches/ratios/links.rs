//! What a link costs: sockets with one opened in a second, and the time from hello to active.

use std::io;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use protocol::link::Psk;

use crate::door::{Door, Place};
use crate::echo::Echo;
use crate::people::{CONNECTIONS, Person, register};
use crate::report::{Aim, Report};
use crate::subject::{Subject, settle};
use crate::websocket::WebSocket;

/// Accounts whose links are opened, each with a session.
const ACCOUNTS: usize = 8 * CONNECTIONS;
/// Live sessions of each, half as many as a server keeps keys of a session for.
const LIVES: usize = 8;
/// Sockets that are being opened at once.
const AT_ONCE: usize = 16;
/// Links that are opened one after the other.
const ONE_BY_ONE: usize = 400;
/// Bytes of an echoed message.
const SIZE: usize = 1024;

/// Measures and reports.
pub(crate) async fn run(report: &mut Report) -> io::Result<()> {
    let subject = Subject::start().await?;
    let echo = Echo::start()?;
    let people = register(&subject.addresses(), ACCOUNTS).await?.people;
    let count = ACCOUNTS * LIVES;

    let bare = async |_| WebSocket::open(echo.address, "/ws", "", 1).await;
    at_once(0..AT_ONCE, bare).await?;
    let (_, echoed) = at_once(0..count, bare).await?;
    let place = |number| place(&people, number);
    let signs = async |number| {
        let opened = subject.door(0).open_with(place(number), None).await?;
        Ok((number, opened))
    };
    at_once(0..AT_ONCE, signs).await?;
    let (opened, signed) = at_once(0..count, signs).await?;
    let keys: Vec<(usize, Option<Psk>)> = opened
        .into_iter()
        .map(|(number, opened)| (number, opened.psk))
        .collect();
    settle().await;
    let knows = async |(number, psk)| subject.door(0).open_with(place(number), psk).await;
    let (_, known) = at_once(keys, knows).await?;
    for (name, rate) in [
        ("sockets opened, with links by signature / echo's", signed),
        (
            "sockets opened, with links by the key before / echo's",
            known,
        ),
    ] {
        report.row(name, (rate, "/s"), (echoed, "/s"), Aim::Open);
    }

    let round_trip = round_trip(&echo).await?;
    let (signed, signing) = one_by_one(subject.door(0), place(0), false).await?;
    let (known, knowing) = one_by_one(subject.door(0), place(0), true).await?;
    for (name, took) in [
        (
            "link by signature, hello to active, p50 / echo's round trip",
            signed,
        ),
        (
            "link by the key before, hello to active, p50 / echo's round trip",
            known,
        ),
    ] {
        report.row(name, (took, "µs"), (round_trip, "µs"), Aim::Open);
    }
    report.note(format!("{count} sockets with links of {ACCOUNTS} sessions, {AT_ONCE} being opened at once; the client's half is on the same cores. Of a link by signature it computes {signing:.0} µs, of one by the key before {knowing:.0} µs, and waits for the rest."));
    Ok(())
}

/// Where a link by its number belongs.
fn place(people: &[Person], number: usize) -> Place<'_> {
    let mut live_id = [0x21; 16];
    live_id[..8].copy_from_slice(&(number as u64).to_be_bytes());
    Place {
        person: &people[number % people.len()],
        live_id,
        deliver: true,
        from: 1,
    }
}

/// Opens all, some at once; gives them, and how many were opened in a second.
async fn at_once<I, S>(
    all: impl IntoIterator<Item = I>,
    open: impl AsyncFn(I) -> io::Result<S>,
) -> io::Result<(Vec<S>, f64)> {
    let begun = Instant::now();
    let left = std::cell::RefCell::new(all.into_iter());
    let (open, left) = (&open, &left);
    let next = move || left.borrow_mut().next();
    let lanes = (0..AT_ONCE).map(|_| async move {
        let mut opened = Vec::new();
        while let Some(one) = next() {
            opened.push(open(one).await?);
        }
        io::Result::Ok(opened)
    });
    let opened: Vec<S> = try_join_all(lanes).await?.into_iter().flatten().collect();
    let rate = opened.len() as f64 / begun.elapsed().as_secs_f64();
    Ok((opened, rate))
}

/// Opens links of one live session, by signature or by the key of the one before; gives the median of what each
/// took, and of what its client computed, in microseconds.
async fn one_by_one(door: &Door, place: Place<'_>, known: bool) -> io::Result<(f64, f64)> {
    let (mut took, mut computed) = (Vec::new(), Vec::new());
    let mut before = door.open_with(place, None).await?.psk;
    for _ in 0..ONE_BY_ONE {
        let psk = before.take().filter(|_| known);
        let opened = door.open_with(place, psk).await?;
        took.push(opened.took);
        computed.push(opened.computed);
        before = opened.psk;
    }
    Ok((median(took), median(computed)))
}

async fn round_trip(echo: &Echo) -> io::Result<f64> {
    let mut socket = WebSocket::open(echo.address, "/ws", "", 1).await?;
    let mut times = Vec::new();
    for _ in 0..ONE_BY_ONE {
        let begun = Instant::now();
        socket.exchange(&[0x52; SIZE]).await?;
        times.push(begun.elapsed());
    }
    Ok(median(times))
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    let middle = times.get(times.len() / 2);
    middle.map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}
