//! Idle sockets: how many are held, what each takes, and what is given back after they closed.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinSet;

use crate::accounts::{Person, register};
use crate::echo::Echo;
use crate::report::{Aim, Report};
use crate::subject::{Subject, settle};
use crate::websocket::{WebSocket, path};

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
    drop(
        open(
            echo.address,
            1_000.min(echoed),
            Arc::new(|_| ("/ws".to_owned(), String::new())),
        )
        .await,
    );
    settle().await;
    let before = echo.resident()?;
    let held = open(
        echo.address,
        echoed,
        Arc::new(|_| ("/ws".to_owned(), String::new())),
    )
    .await;
    let bare = echo.resident()?.saturating_sub(before) as f64 / held.len().max(1) as f64;
    drop(held);

    let subject = Subject::start().await?;
    let people: Arc<[Person]> = register(subject.address, ACCOUNTS).await?.people.into();
    let opening: Arc<Opening> = Arc::new(move |number| {
        let person = &people[number % people.len()];
        let mut live_id = [0x11; 16];
        live_id[..8].copy_from_slice(&(number as u64).to_be_bytes());
        (path(live_id), person.cookies.clone())
    });
    // What a process sets up once, whoever connects, is no socket's.
    drop(open(subject.address, 1_000.min(wanted), Arc::clone(&opening)).await);
    settle().await;
    tokio::time::sleep(GIVEN_BACK_AFTER).await;
    let before = subject.resident()?;
    let sockets = open(subject.address, wanted, opening).await;
    let held = subject.resident()?;
    let count = sockets.len();
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
    report.note(format!("{count} sockets of {ACCOUNTS} accounts, each with a session of its own; the bare echo held {echoed}."));
    Ok(())
}

/// The path and the cookies of a socket by its number.
type Opening = dyn Fn(usize) -> (String, String) + Send + Sync;

/// Opens so many sockets and holds them, as far as they are let in; each is a task that answers pings.
async fn open(address: SocketAddr, count: usize, opening: Arc<Opening>) -> JoinSet<()> {
    let mut held = JoinSet::new();
    let mut lanes = JoinSet::new();
    for lane in 0..AT_ONCE {
        let opening = Arc::clone(&opening);
        lanes.spawn(async move {
            let mut opened = Vec::new();
            for number in (lane..count).step_by(AT_ONCE) {
                let (path, cookies) = opening(number);
                let from = 1 + (number / PER_ADDRESS) as u8;
                match WebSocket::open(address, &path, &cookies, from).await {
                    Ok(socket) => opened.push(socket),
                    Err(error) => {
                        println!("  socket {number}: {error}");
                        break;
                    }
                }
            }
            opened
        });
    }
    while let Some(opened) = lanes.join_next().await {
        for mut socket in opened.unwrap_or_default() {
            held.spawn(async move { while socket.next().await.is_ok() {} });
        }
    }
    held
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
