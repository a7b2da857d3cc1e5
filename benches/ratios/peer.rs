//! A running cryptgeon, whose notes are what our messages are: bytes that are posted once and burned by one read.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use crate::load::{Outcome, Plan, checked, run as load};
use crate::memory::resident;
use crate::report::{Aim, Report};
use crate::subject::settle;

/// Where the peer listens and which processes it is made of.
pub(crate) struct Peer {
    address: SocketAddr,
    /// Empty when its memory is not to be measured.
    pids: Vec<u32>,
}

/// What the subject did, to be set against the peer.
pub(crate) struct Ours<'a> {
    /// The sends.
    pub sent: &'a Outcome,
    /// The first half of the burns.
    pub claimed: &'a Outcome,
    /// The second half of the burns.
    pub acknowledged: &'a Outcome,
    /// Whole burns a second.
    pub burns: f64,
    /// Bytes of memory for each held message.
    pub held: f64,
}

/// How much is posted, the same as at the subject.
pub(crate) struct Amount {
    /// Connections held open.
    pub connections: usize,
    /// Notes posted and burned before anything is measured.
    pub warm_up: usize,
    /// Notes held at once.
    pub notes: usize,
    /// Bytes of each post's body.
    pub size: usize,
}

impl Peer {
    /// Reads `--peer` and `--peer-pid`, and refuses what could not be measured later.
    pub(crate) fn new(url: &str, pids: Option<&str>) -> io::Result<Self> {
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        let address = host
            .to_socket_addrs()?
            .next()
            .ok_or(io::ErrorKind::NotFound)?;
        if !address.ip().is_loopback() {
            return Err(io::Error::other(
                "the peer must listen on this machine: give a loopback address",
            ));
        }
        let pids: Vec<u32> = pids
            .map_or(Ok(Vec::new()), |list| {
                list.split(',').map(|pid| pid.trim().parse()).collect()
            })
            .map_err(|_| io::Error::other("--peer-pid wants process ids, separated by commas"))?;
        resident(&pids)?;
        Ok(Self { address, pids })
    }

    /// Posts and burns as many notes as the subject did messages, and reports ours over the peer's.
    pub(crate) async fn compare(
        &self,
        report: &mut Report,
        amount: &Amount,
        ours: &Ours<'_>,
    ) -> io::Result<()> {
        let (_, ids) = self.post(amount, amount.warm_up).await?;
        self.burn(amount, ids).await?;
        settle().await;
        let before = resident(&self.pids)?;
        let (posted, ids) = self.post(amount, amount.notes).await?;
        let held = resident(&self.pids)?;
        let burned = self.burn(amount, ids).await?;

        report.row(
            "sends / peer",
            (ours.sent.rate(), "/s"),
            (posted.rate(), "/s"),
            Aim::AtLeast(10.0),
        );
        report.row(
            "burns / peer",
            (ours.burns, "/s"),
            (burned.rate(), "/s"),
            Aim::AtLeast(12.0),
        );
        for (name, ours, theirs) in [
            ("sends p99 / peer", ours.sent, &posted),
            ("claim p99 / peer's burn p99", ours.claimed, &burned),
            (
                "acknowledge p99 / peer's burn p99",
                ours.acknowledged,
                &burned,
            ),
        ] {
            report.row(
                name,
                (ours.percentile(0.99), "µs"),
                (theirs.percentile(0.99), "µs"),
                Aim::AtMost(0.2),
            );
        }
        if self.pids.is_empty() {
            report.note("The peer's memory was not measured: pass --peer-pid PID,PID with its own process and its Redis.");
            return Ok(());
        }
        let grown = held.saturating_sub(before) as f64 / amount.notes as f64;
        report.row(
            "bytes of memory per held message / peer",
            (ours.held, "B"),
            (grown, "B"),
            Aim::AtMost(0.82),
        );
        if grown < amount.size as f64 {
            report.note("The peer's processes grew by less than was posted: is the one that holds the notes named by --peer-pid?");
        }
        Ok(())
    }

    /// Posts notes; returns their ids in the order of connections and turns.
    async fn post(&self, amount: &Amount, notes: usize) -> io::Result<(Outcome, Vec<String>)> {
        let body = note(amount.size);
        let request = format!(
            "POST /api/notes/ HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut answers = Vec::with_capacity(notes);
        let outcome = load(
            self.plan(amount, notes, move |_, _, buffer| {
                buffer.extend_from_slice(request.as_bytes());
            }),
            Some(&mut answers),
        )
        .await?;
        let outcome = checked(outcome)?;
        let each = notes / amount.connections;
        let mut ids = vec![String::new(); notes];
        for (connection, turn, reply) in answers {
            let answer: serde_json::Value = serde_json::from_slice(&reply.body)?;
            answer["id"]
                .as_str()
                .ok_or_else(|| io::Error::other("the peer answered without an id"))?
                .clone_into(&mut ids[connection * each + turn]);
        }
        Ok((outcome, ids))
    }

    /// Burns the notes that [`Self::post`] left.
    async fn burn(&self, amount: &Amount, ids: Vec<String>) -> io::Result<Outcome> {
        let notes = ids.len();
        let each = notes / amount.connections;
        let plan = self.plan(amount, notes, move |connection, turn, buffer| {
            let id = &ids[connection * each + turn];
            buffer.extend_from_slice(
                format!("DELETE /api/notes/{id} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes(),
            );
        });
        checked(load(plan, None).await?)
    }

    fn plan(
        &self,
        amount: &Amount,
        requests: usize,
        request: impl Fn(usize, usize, &mut Vec<u8>) + Send + Sync + 'static,
    ) -> Plan {
        Plan {
            addresses: vec![self.address],
            connections: amount.connections,
            requests,
            expect: 200,
            request: Arc::new(request),
        }
    }
}

/// A note for one view whose JSON has so many bytes.
fn note(size: usize) -> String {
    let with = |contents: &str| {
        format!(
            "{{\"contents\":\"{contents}\",\"meta\":\"{{\\\"type\\\":\\\"text\\\"}}\",\"views\":1}}"
        )
    };
    with(&"x".repeat(size - with("").len()))
}
