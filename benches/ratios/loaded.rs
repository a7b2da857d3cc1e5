//! Two servers over PostgreSQL with 100,000 accounts and 100,000 keys of services.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use store::testing::sample::{self, NOW};
use store::{Act, Declaration, MAX_SERVICE_KEY_VERSIONS, MAX_SERVICES, NewServiceKey, Store};
use zeroize::Zeroizing;

use crate::accounts::{rate, sign_in};
use crate::load::{Outcome, Plan, checked, get, json, run as load};
use crate::people::{CONNECTIONS, register};
use crate::report::{Aim, Report};
use crate::scale::{ACCOUNTS, fill, scattered, sealing, seen};
use crate::store_load::{alone, close, over_server, spread};
use crate::subject::{Engines, Kind, Subject};

const SERVERS: usize = 2;
const RETRIEVALS: usize = 32_000;
const REGISTRATIONS: usize = 4_800;
const BUNDLES: usize = 16_000;
const LOOKS: u64 = 20_000;
const ACT: Act = Act {
    intent: "service_key.intent",
    done: "service_key.done",
    failed: "service_key.failed",
};

/// Measures and reports.
pub(crate) async fn run(report: &mut Report) -> io::Result<()> {
    let empty = Subject::start_as(Kind::Instances(SERVERS)).await?;
    let before = register(&empty.addresses(), REGISTRATIONS).await?;
    drop(empty);

    let engines = Engines::start();
    let store = over_server(&engines.database)?;
    let begun = Instant::now();
    fill(&store).await?;
    let filled = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    keys(&store).await?;
    let keyed = begun.elapsed().as_secs_f64();
    report.note(format!("{ACCOUNTS} accounts were registered at the store in {filled:.0} s, {} keys of services made in {keyed:.0} s.", MAX_SERVICES * MAX_SERVICE_KEY_VERSIONS as u64));
    sealed(report, &store).await?;
    close(store).await?;

    let subject = Subject::start_over(Some(engines), SERVERS).await?;
    let registered = register(&subject.addresses(), REGISTRATIONS).await?;
    let (signed_in, _) = sign_in(&subject.addresses(), REGISTRATIONS).await?;
    let service = service_keys(&subject, 1).await?;
    let busy = service_keys(&subject, CONNECTIONS).await?;
    let bundles = bundles(&subject, &registered.people).await?;
    for (name, outcome) in [
        ("a service's public key", &busy),
        ("somebody's keys and prekey", &bundles),
    ] {
        report.row(
            format!("retrieval p99 of {name} / p99 of one at a time"),
            (outcome.percentile(0.99), "µs"),
            (service.percentile(0.99), "µs"),
            Aim::OursAtMost(10_000.0),
        );
    }
    report.row(
        "registrations with 100,000 accounts / without",
        (rate(&registered.started, &registered.finished), "/s"),
        (rate(&before.started, &before.finished), "/s"),
        Aim::OursAtLeast(1_000.0),
    );
    report.row(
        "sign-ins with 100,000 accounts / registrations",
        (rate(&signed_in.0, &signed_in.1), "/s"),
        (rate(&registered.started, &registered.finished), "/s"),
        Aim::Open,
    );
    report.note(format!("{SERVERS} servers; {CONNECTIONS} connections, one request in flight on each; one version of {} bytes out of {MAX_SERVICE_KEY_VERSIONS} of each of {MAX_SERVICES} services, all of them in turn.", 2_624));
    Ok(())
}

/// Gives every service that there may be every version that it may have.
async fn keys(store: &Store) -> io::Result<()> {
    spread(MAX_SERVICES, |number| {
        let store = store.clone();
        async move { service(&store, number).await }
    })
    .await
    .map(drop)
}

fn id(number: u64) -> String {
    format!("service-{number:03}")
}

async fn service(store: &Store, number: u64) -> io::Result<()> {
    let name = id(number).parse().map_err(io::Error::other);
    let name: store::ServiceId = name?;
    for version in 0..MAX_SERVICE_KEY_VERSIONS as u32 {
        let declared = Declaration {
            user_id: None,
            act: &ACT,
            details: serde_json::json!({}),
        };
        let by = store
            .declare(declared, NOW)
            .await
            .map_err(io::Error::other)?;
        let key = NewServiceKey {
            kid: format!("{number:021}{version:022}"),
            private_key: Zeroizing::new(vec![0x55; 64]).into(),
            ..sample::service_key(7)
        };
        let done = match version {
            0 => {
                let (named, of) = (format!("Service {number}"), name.clone());
                store.create_service_key(of, named, key, &by, NOW).await
            }
            active => {
                let of = name.clone();
                store.rotate_service_key(of, active, key, &by, NOW).await
            }
        };
        done.map_err(io::Error::other)?;
    }
    Ok(())
}

/// What sealing costs beside look-ups.
async fn sealed(report: &mut Report, store: &Store) -> io::Result<()> {
    let session = alone(LOOKS, async |number| {
        let id = sample::session_id(scattered(number));
        seen(store.find_session(id, NOW).await)
    })
    .await?;
    let user = alone(LOOKS, async |number| {
        let handle = sample::handle(scattered(number));
        seen(store.user_by_handle(&handle).await)
    })
    .await?;
    sealing(report, session, user)
}

/// Looks public keys of services up by version.
async fn service_keys(subject: &Subject, connections: usize) -> io::Result<Outcome> {
    let plan = Plan {
        addresses: subject.addresses(),
        connections,
        requests: RETRIEVALS * connections / CONNECTIONS,
        expect: 200,
        request: Arc::new(move |connection, turn, buffer| {
            let number = (turn * 31 + connection * 977) as u64;
            let of = id(number % MAX_SERVICES);
            let version = 1 + number / MAX_SERVICES % MAX_SERVICE_KEY_VERSIONS as u64;
            let path = format!("/api/v1/service-keys/{of}/public?version={version}");
            buffer.extend_from_slice(&get(&path, ""));
        }),
    };
    checked(load(plan, None).await?)
}

/// Hands out what is needed to write to people, each with a one-time prekey.
async fn bundles(subject: &Subject, people: &[crate::people::Person]) -> io::Result<Outcome> {
    let cookies = subject.sender.cookies.clone();
    let paths: Vec<String> = people
        .iter()
        .map(|person| {
            format!(
                "/api/v1/users/{}/bundles",
                hex::encode(person.id.as_bytes())
            )
        })
        .collect();
    let plan = Plan {
        addresses: subject.addresses(),
        connections: CONNECTIONS,
        requests: BUNDLES,
        expect: 200,
        request: Arc::new(move |connection, turn, buffer| {
            let path = &paths[(turn * CONNECTIONS + connection) % paths.len()];
            buffer.extend_from_slice(&json(path, &cookies, b"{\"want_prekey\":true}"));
        }),
    };
    checked(load(plan, None).await?)
}
