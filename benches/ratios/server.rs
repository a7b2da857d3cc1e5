//! The server path: sends and burns through linked sockets, over an echo of the same bytes, and over a peer.

use std::io;

use crate::echo::Echo;
use crate::lanes::echo;
use crate::messages::{CONNECTIONS, SIZE, burn, id, send, sends_and_burns, unknown, waiting};
use crate::peer::{Amount, Ours, Peer};
use crate::report::{Aim, Report};
use crate::subject::{Subject, settle};
use crate::tickets;
use crate::websocket::WebSocket;

const MESSAGES: usize = 100_000 / CONNECTIONS * CONNECTIONS;

/// Measures and reports.
pub(crate) async fn run(report: &mut Report, peer: Option<&Peer>) -> io::Result<()> {
    let subject = Subject::start().await?;
    let yardstick = Echo::start()?;
    let warm_up = MESSAGES / 10 / CONNECTIONS * CONNECTIONS;

    let message = waiting(&subject, id(0, 0, 0), SIZE);
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
    tickets::run(report, &subject, yardstick.address).await?;

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
