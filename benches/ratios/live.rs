//! Messages from socket to socket: how long one is on its way, and how many pass in a second.

use std::io;
use std::time::{Duration, Instant};

use headless::Headless;
use protocol::envelope::{Parcel, Target};
use protocol::ids::{LiveId, MessageId};
use tokio::task::JoinSet;

use crate::door::{Door, Place};
use crate::echo::Echo;
use crate::linked::{Linked, is, is_object};
use crate::messages::{ack, submission};
use crate::people::{Person, register};
use crate::report::{Aim, Report};
use crate::subject::Subject;
use crate::websocket::WebSocket;

/// The passphrase of whole clients.
const PASSPHRASE: &str = "granite otter velvet mosaic turbine lantern";

/// Bytes of a message in all.
const SIZE: usize = 1024;
/// Messages on their way one after the other.
const DELIVERIES: usize = 2_000;
/// The same between whole clients.
const SEALED_DELIVERIES: usize = 300;
/// Pairs of sockets at once, one message in flight on each.
const PAIRS: usize = 64;
/// Messages of each pair.
const EACH: usize = 500;

/// Measures and reports.
pub(crate) async fn run(report: &mut Report) -> io::Result<()> {
    let subject = Subject::start().await?;
    let echo = Echo::start()?;
    let people = register(&subject.addresses(), 2 * PAIRS).await?.people;
    let mut pairs = Vec::new();
    for (number, pair) in people.chunks_exact(2).enumerate() {
        let doors = [subject.door(0); 2];
        pairs.push(Pair::open(doors, number as u8, &pair[0], &pair[1]).await?);
    }
    let mut echoes = Vec::new();
    for _ in 0..PAIRS {
        echoes.push(WebSocket::open(echo.address, "/ws", "", 1).await?);
    }

    let echoed = sorted(echo_all(&mut echoes[0], DELIVERIES).await?);
    let pair = &mut pairs[0];
    pair.pass(DELIVERIES / 10).await?;
    let delivered = sorted(pair.pass(DELIVERIES).await?);
    for (share, name) in [(0.5, "p50"), (0.99, "p99")] {
        report.row(
            format!("delivery {name}, socket to socket / echo's round trip"),
            (percentile(&delivered, share), "µs"),
            (percentile(&echoed, share), "µs"),
            Aim::AtMost(4.0),
        );
    }
    let sealed = sorted(sealed(&subject).await?);
    for (share, name) in [(0.5, "p50"), (0.99, "p99")] {
        report.row(
            format!("delivery {name} between whole clients / without cryptography"),
            (percentile(&sealed, share), "µs"),
            (percentile(&delivered, share), "µs"),
            Aim::OursAtMost(50_000.0),
        );
    }

    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for mut pair in pairs {
        tasks.spawn(async move { pair.pass(EACH).await.map(drop) });
    }
    let passed = all(tasks, begun).await?;
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for mut socket in echoes {
        tasks.spawn(async move { echo_all(&mut socket, EACH).await.map(drop) });
    }
    let echoed = all(tasks, begun).await?;
    report.row(
        "live messages, from post to acknowledgement / echo",
        (passed, "/s"),
        (echoed, "/s"),
        Aim::AtLeast(0.2),
    );
    report.note(format!("Live messages have {SIZE} bytes; {PAIRS} pairs of sockets, one message in flight on each. Each costs two frames to the server and six from it, an echo one of each; frames are sealed, those of a message have the next larger size."));
    Ok(())
}

/// Two sockets of two people.
pub(crate) struct Pair {
    number: u8,
    sent: u64,
    from: Linked,
    to: Linked,
    target: Target,
}

impl Pair {
    /// Opens both, each at its door.
    pub(crate) async fn open(
        doors: [&Door; 2],
        number: u8,
        from: &Person,
        to: &Person,
    ) -> io::Result<Self> {
        let place = |person, side: u8| {
            let mut live_id = [side; 16];
            live_id[0] = number;
            Place {
                person,
                live_id,
                deliver: true,
                from: 1,
            }
        };
        let (sends, reads) = (place(from, 1), place(to, 2));
        Ok(Self {
            number,
            sent: 0,
            from: doors[0].open(sends).await?,
            to: doors[1].open(reads).await?,
            target: Target::Live {
                account: to.id,
                live_id: LiveId::from_bytes(reads.live_id),
            },
        })
    }

    /// Passes messages one by one; gives the time from each post to its parcel.
    pub(crate) async fn pass(&mut self, count: usize) -> io::Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            self.sent += 1;
            let mut id = [self.number; 16];
            id[..8].copy_from_slice(&self.sent.to_be_bytes());
            let id = MessageId::from_bytes(id);
            let message = submission(id, self.target, SIZE);
            let begun = Instant::now();
            self.from.say(&message).await?;
            let heard = |heard: &[u8]| is_object(heard) || is(heard, "waiting");
            let parcel = self.to.hear_of(heard).await?;
            times.push(begun.elapsed());
            if !is_object(&parcel) {
                return Err(io::Error::other("a message was not pushed"));
            }
            let parcel = Parcel::decode(&parcel).map_err(io::Error::other)?;
            let ack = ack(id, &parcel.token);
            self.to.exchange(&ack, |heard| is(heard, "acked")).await?;
            self.from.hear_of(is_end).await?;
        }
        Ok(times)
    }
}

/// Whether a payload tells that a message was acknowledged.
fn is_end(payload: &[u8]) -> bool {
    let wanted = b"\"acknowledged\"";
    is(payload, "message") && payload.windows(wanted.len()).any(|part| part == wanted)
}

async fn echo_all(socket: &mut WebSocket, count: usize) -> io::Result<Vec<Duration>> {
    let message = vec![0x52; SIZE];
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        socket.exchange(&message).await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// Passes texts between two whole clients, which seal and open them.
async fn sealed(subject: &Subject) -> io::Result<Vec<Duration>> {
    let base = format!("http://{}", subject.door(0).address);
    let mut people = Vec::new();
    for handle in ["seals", "opens"] {
        let mut client = Headless::connect(&base).await.map_err(io::Error::other)?;
        client
            .register(handle, PASSPHRASE, None, None)
            .await
            .map_err(io::Error::other)?;
        people.push(client);
    }
    let [from, to] = people.as_mut_slice() else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let chat = from
        .request_contact("opens")
        .await
        .map_err(io::Error::other)?;
    let theirs = to.accept_request().await.map_err(io::Error::other)?;
    let mut times = Vec::with_capacity(SEALED_DELIVERIES);
    // The first ones agree on keys.
    for number in 0..SEALED_DELIVERIES + 10 {
        let text = format!("message {number}");
        let begun = Instant::now();
        let (said, read) = tokio::join!(from.say(chat, &text), to.read(theirs, &text));
        let took = begun.elapsed();
        said.and(read).map_err(io::Error::other)?;
        if number >= 10 {
            times.push(took);
        }
    }
    Ok(times)
}

async fn all(mut tasks: JoinSet<io::Result<()>>, begun: Instant) -> io::Result<f64> {
    while let Some(done) = tasks.join_next().await {
        done.map_err(io::Error::other)??;
    }
    Ok((PAIRS * EACH) as f64 / begun.elapsed().as_secs_f64())
}

/// From the shortest to the longest.
pub(crate) fn sorted(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort_unstable();
    times
}

/// Microseconds below which a share of them stayed.
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let place = (last as f64 * share).round() as usize;
    sorted
        .get(place)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}
