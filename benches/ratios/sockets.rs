//! Idle sockets: how many are held, what each takes, and what is given back after they closed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinSet;

use crate::door::Place;
use crate::echo::Echo;
use crate::linked::Linked;
use crate::people::{Person, register};
use crate::report::{Aim, Report};
use crate::subject::{Subject, settle};
use crate::websocket::WebSocket;

/// Sockets that are held where the limit of files allows it.
const WANTED: usize = 50_000;

/// Sockets of the echo.
const ECHOED: usize = 10_000;

/// Accounts that the sockets belong to.
const ACCOUNTS: usize = 2_000;

/// Files that both processes need besides.
const OTHER_FILES: usize = 300;

/// Sockets that are being opened at once.
const AT_ONCE: usize = 64;

/// Sockets of one loopback address: each has some 28,000 ports.
const PER_ADDRESS: usize = 10_000;

/// Time after which what was given back is measured.
const GIVEN_BACK_AFTER: Duration = Duration::from_secs(10);

/// Measures and reports.
pub(crate) async fn run(report: &mut Report) -> io::Result<()> {
    let allowed = raise_files().saturating_sub(OTHER_FILES);
    let wanted = WANTED.min(allowed);
    if wanted < WANTED {
        report.note(format!(
            "`ulimit -Hn` lets this machine hold {wanted} sockets only."
        ));
    }
    let echo = Echo::start()?;
    let echoed = ECHOED.min(wanted);
    let address = echo.address;
    let bare: Arc<Opening> = Arc::new(move |number| {
        Box::pin(async move {
            let socket = WebSocket::open(address, "/ws", "", from(number)).await?;
            Ok(Held::Bare(socket))
        })
    });
    drop(open(1_000.min(echoed), Arc::clone(&bare)).await);
    settle().await;
    let before = echo.resident()?;
    let mut held = open(echoed, bare).await;
    let grown = echo.resident()?.saturating_sub(before) as f64;
    let bare = grown / held.count().max(1) as f64;
    drop(held);

    let subject = Arc::new(Subject::start().await?);
    let registered = register(&subject.addresses(), ACCOUNTS).await?;
    let people: Arc<[Person]> = registered.people.into();
    let behind = Arc::clone(&subject);
    let opening: Arc<Opening> = Arc::new(move |number| {
        let (subject, people) = (Arc::clone(&behind), Arc::clone(&people));
        Box::pin(async move {
            let mut live_id = [0x11; 16];
            live_id[..8].copy_from_slice(&(number as u64).to_be_bytes());
            let place = Place {
                person: &people[number % people.len()],
                live_id,
                deliver: true,
                from: from(number),
            };
            let socket = subject.door(0).open(place).await?;
            Ok(Held::Linked(Box::new(socket)))
        })
    });
    // What a process sets up once, whoever connects, is no socket's.
    drop(open(1_000.min(wanted), Arc::clone(&opening)).await);
    settle().await;
    tokio::time::sleep(GIVEN_BACK_AFTER).await;
    let before = subject.resident()?;
    let mut sockets = open(wanted, opening).await;
    let held = subject.resident()?;
    let count = sockets.count();
    drop(sockets);
    tokio::time::sleep(GIVEN_BACK_AFTER).await;
    let after = subject.resident()?;

    let grown = held.saturating_sub(before) as f64;
    report.row(
        "idle sockets held / aim",
        (count as f64, ""),
        (WANTED as f64, ""),
        Aim::AtLeast(1.0),
    );
    report.row(
        "memory for an idle signed-in socket / bare echo's",
        (grown / count as f64, "B"),
        (bare, "B"),
        Aim::OursAtMost(8_192.0),
    );
    report.row(
        "memory kept ten seconds after they closed / growth",
        (after.saturating_sub(before) as f64 / 1024.0, "KiB"),
        (grown / 1024.0, "KiB"),
        Aim::AtMost(0.05),
    );
    report.note(format!("{count} sockets of {ACCOUNTS} accounts, each with a session of its own, and each with a link; the bare echo held {echoed}."));
    Ok(())
}

/// A socket that does nothing but answer.
enum Held {
    Bare(WebSocket),
    Linked(Box<Linked>),
}

impl Held {
    /// Answers pings, and renews the link, until the socket is closed.
    async fn hold(self) {
        match self {
            Self::Bare(mut socket) => while socket.frame().await.is_ok() {},
            Self::Linked(mut socket) => while socket.hear().await.is_ok() {},
        }
    }
}

/// Opens a socket by its number.
type Opening = dyn Fn(usize) -> BoxFuture<'static, io::Result<Held>> + Send + Sync;

/// Sockets that are held until this is dropped.
struct Sockets(Vec<JoinSet<()>>);

impl Sockets {
    /// How many are open still.
    fn count(&mut self) -> usize {
        let open = |lane: &mut JoinSet<()>| {
            while lane.try_join_next().is_some() {}
            lane.len()
        };
        self.0.iter_mut().map(open).sum()
    }
}

/// The last byte of the address that a socket comes from.
fn from(number: usize) -> u8 {
    1 + (number / PER_ADDRESS) as u8
}

/// Opens so many sockets and holds them, as far as they are let in; each is a task that answers at once.
async fn open(count: usize, opening: Arc<Opening>) -> Sockets {
    let mut lanes = JoinSet::new();
    for lane in 0..AT_ONCE {
        let opening = Arc::clone(&opening);
        lanes.spawn(async move {
            let mut held = JoinSet::new();
            for number in (lane..count).step_by(AT_ONCE) {
                match opening(number).await {
                    Ok(socket) => drop(held.spawn(socket.hold())),
                    Err(error) => {
                        println!("  socket {number}: {error}");
                        break;
                    }
                }
            }
            held
        });
    }
    Sockets(lanes.join_all().await)
}

/// Lets this process, and those that it starts, have as many files open as the system allows.
fn raise_files() -> usize {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    );
    let current = getrlimit(Resource::Nofile).current;
    current.map_or(usize::MAX, |most| {
        usize::try_from(most).unwrap_or(usize::MAX)
    })
}
