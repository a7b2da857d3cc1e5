//! Several servers over PostgreSQL and Redis or Valkey, set against one server that needs neither.
//!
//! Everything shares one machine: servers, engines and load. What several machines would add is not seen here;
//! what a journey to an engine costs is.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use api::ServiceKeyAlgorithm;
use api::bodies::NewServiceKey;
use tokio::task::JoinSet;

use crate::accounts::{rate, sign_in};
use crate::live::{Pair, percentile, sorted};
use crate::load::{Outcome, Plan, call, checked, get, run as load};
use crate::messages::{burn, send};
use crate::people::{CONNECTIONS, Person, body, register};
use crate::report::{Aim, Report};
use crate::store_load::{appends, over_file, over_server};
use crate::subject::{Engines, Kind, Subject};

const MESSAGES: usize = 12_800;
const ACCOUNTS: usize = 1_600;
const DELIVERIES: usize = 1_000;
const PAIRS: usize = 32;
const EACH: usize = 100;
const RETRIEVALS: usize = 32_000;
const APPENDS: u64 = 20_000;

/// What one arrangement did.
struct Measured {
    sends: f64,
    burns: f64,
    claim_p99: f64,
    delivery: Vec<std::time::Duration>,
    live: f64,
    registrations: f64,
    sign_ins: f64,
    keys: Outcome,
    appends: f64,
}

/// Measures and reports.
pub(crate) async fn run(report: &mut Report) -> io::Result<()> {
    let alone = measure(Kind::Embedded).await?;
    for count in [1, 2, 4] {
        let shared = measure(Kind::Instances(count)).await?;
        let name = match count {
            1 => "1 instance".to_owned(),
            _ => format!("{count} instances"),
        };
        for (what, ours, reference, unit) in [
            ("sends", shared.sends, alone.sends, "/s"),
            (
                "burns (claim, then acknowledge)",
                shared.burns,
                alone.burns,
                "/s",
            ),
            ("claim p99", shared.claim_p99, alone.claim_p99, "µs"),
            (
                "delivery p50, socket to socket",
                percentile(&shared.delivery, 0.5),
                percentile(&alone.delivery, 0.5),
                "µs",
            ),
            (
                "delivery p99, socket to socket",
                percentile(&shared.delivery, 0.99),
                percentile(&alone.delivery, 0.99),
                "µs",
            ),
            ("live messages", shared.live, alone.live, "/s"),
            (
                "registrations",
                shared.registrations,
                alone.registrations,
                "/s",
            ),
            ("sign-ins", shared.sign_ins, alone.sign_ins, "/s"),
            (
                "service keys looked up",
                shared.keys.rate(),
                alone.keys.rate(),
                "/s",
            ),
            (
                "service key look-up p99",
                shared.keys.percentile(0.99),
                alone.keys.percentile(0.99),
                "µs",
            ),
            (
                "audit appends, 64 at once",
                shared.appends,
                alone.appends,
                "/s",
            ),
        ] {
            let row = format!("{what}: {name} / embedded");
            report.row(row, (ours, unit), (reference, unit), Aim::Open);
        }
    }
    report.note(format!("{MESSAGES} messages over 64 sockets, {ACCOUNTS} accounts and {RETRIEVALS} look-ups over {CONNECTIONS} connections, {PAIRS} pairs for live messages; sockets and connections take the instances in turn, and the two sockets of a delivery are at different ones. Servers, PostgreSQL, Redis and the load share the machine. Embedded is SQLite and the memory of the process."));
    Ok(())
}

async fn measure(kind: Kind) -> io::Result<Measured> {
    let subject = Subject::start_as(kind).await?;
    let addresses = subject.addresses();
    send(&subject, 1, MESSAGES / 10).await?;
    burn(&subject, 1, MESSAGES / 10).await?;
    let sent = send(&subject, 2, MESSAGES).await?;
    let (claimed, acknowledged) = burn(&subject, 2, MESSAGES).await?;
    let registered = register(&addresses, ACCOUNTS).await?;
    let (signed_in, _) = sign_in(&addresses, ACCOUNTS).await?;
    let (delivery, live) = delivered(&subject, &registered.people).await?;
    let keys = look_ups(&subject, "a-service").await?;
    drop(subject);
    let stores = match kind {
        Kind::Embedded => {
            let folder = tempfile::tempdir()?;
            appends(&[over_file(&folder.path().join("audit.db"))?], APPENDS).await?
        }
        Kind::Instances(count) => {
            let engines = Engines::start();
            let stores = (0..count).map(|_| over_server(&engines.database));
            appends(&stores.collect::<io::Result<Vec<_>>>()?, APPENDS).await?
        }
    };
    Ok(Measured {
        sends: sent.rate(),
        burns: acknowledged.rate(),
        claim_p99: claimed.percentile(0.99),
        delivery,
        live,
        registrations: rate(&registered.started, &registered.finished),
        sign_ins: rate(&signed_in.0, &signed_in.1),
        keys,
        appends: stores,
    })
}

/// Passes messages between sockets at neighbouring servers: one by one, then on many pairs at once.
async fn delivered(
    subject: &Subject,
    people: &[Person],
) -> io::Result<(Vec<std::time::Duration>, f64)> {
    let mut pairs = Vec::with_capacity(PAIRS);
    for (number, pair) in people.chunks_exact(2).take(PAIRS).enumerate() {
        let doors = [subject.door(number), subject.door(number + 1)];
        pairs.push(Pair::open(doors, number as u8, &pair[0], &pair[1]).await?);
    }
    pairs[0].pass(DELIVERIES / 10).await?;
    let delivery = sorted(pairs[0].pass(DELIVERIES).await?);
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for mut pair in pairs {
        tasks.spawn(async move { pair.pass(EACH).await.map(drop) });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(io::Error::other)??;
    }
    let live = (PAIRS * EACH) as f64 / begun.elapsed().as_secs_f64();
    Ok((delivery, live))
}

/// Makes the key of a service and looks its public half up.
async fn look_ups(subject: &Subject, service: &str) -> io::Result<Outcome> {
    let key = body(&NewServiceKey {
        service: service.to_owned(),
        name: None,
        algorithm: ServiceKeyAlgorithm::MlDsa87Ed25519,
        key_size: None,
    });
    let address = subject.door(0).address;
    let cookies = &subject.sender.cookies;
    call(address, "POST", "/api/v1/service-keys", cookies, &key).await?;
    let request = get(&format!("/api/v1/service-keys/{service}/public"), "");
    let plan = Plan {
        addresses: subject.addresses(),
        connections: CONNECTIONS,
        requests: RETRIEVALS,
        expect: 200,
        request: Arc::new(move |_, _, buffer| buffer.extend_from_slice(&request)),
    };
    checked(load(plan, None).await?)
}
