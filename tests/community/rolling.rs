//! A rolling restart, seen by people who sign in meanwhile.
//!
//! There is no proxy: [`Balancer`] does what one does. An instance that is asked to stop says that it is not
//! ready, and serves on for a while.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::balancer::Balancer;
use super::{Community, is_long, proof, until};
use crate::support::{Account, Passphrase, TestSocket};

const PASSPHRASE: Passphrase = Passphrase("known before, during and after a restart");

/// People who sign in, one after the other without an end.
const PEOPLE: usize = 3;

/// How often each instance is asked whether it is ready.
const EVERY: Duration = Duration::from_millis(50);

/// What people met.
#[derive(Default)]
struct Met {
    signed_in: Cell<usize>,
    failed: RefCell<Vec<String>>,
    over: Cell<bool>,
}

async fn keep_signing_in(balancer: Rc<Balancer>, met: Rc<Met>, handle: String) {
    while !met.over.get() {
        match balancer.sign_in(&handle, PASSPHRASE).await {
            Ok(()) => met.signed_in.set(met.signed_in.get() + 1),
            Err(failure) => met.failed.borrow_mut().push(failure),
        }
    }
}

/// Restarts one instance, as a rolling restart does, and waits until it is ready again.
async fn restart(community: &mut Community, balancer: &Balancer, index: usize) {
    let server = community.instances[index].take().unwrap();
    let before = server.address;
    actix_web::rt::task::spawn_blocking(move || server.stop())
        .await
        .unwrap();
    community.serve(index).await;
    let after = community.at(index).address;
    for address in &mut *balancer.instances.borrow_mut() {
        if *address == before {
            *address = after;
        }
    }
    let is_ready = async || balancer.ready.borrow().contains(&after).then_some(());
    until("a restarted instance", is_ready).await;
}

#[actix_web::test]
async fn a_rolling_restart_fails_no_sign_in_and_ends_no_session() {
    let (instances, rounds) = if is_long() { (3, 10) } else { (2, 1) };
    let (mut community, admin) = Community::start(instances, 2).await;
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let client = community.at(number % instances).client();
        let handle = format!("person{number}");
        let person = Account::register_with(client, &handle, None, PASSPHRASE).await;
        people.push(person.unwrap());
    }
    // Who signed in before, and does nothing meanwhile.
    let mut residents = vec![admin];
    for number in 0..instances {
        residents.push(
            community
                .register(&format!("resident{number}"), number)
                .await,
        );
    }
    let balancer = Rc::new(Balancer::default());
    let addresses = community.instances.iter().flatten().map(|it| it.address);
    *balancer.instances.borrow_mut() = addresses.collect();
    balancer.look().await;
    let met = Rc::new(Met::default());
    let looking = actix_web::rt::spawn({
        let balancer = Rc::clone(&balancer);
        async move {
            loop {
                balancer.look().await;
                tokio::time::sleep(EVERY).await;
            }
        }
    });
    let signing_in: Vec<_> = people
        .iter()
        .map(|person| {
            let handle = person.handle.clone();
            let (balancer, met) = (Rc::clone(&balancer), Rc::clone(&met));
            actix_web::rt::spawn(keep_signing_in(balancer, met, handle))
        })
        .collect();

    let begun = Instant::now();
    let (mut restarts, mut kept) = (0, 0);
    for round in 0..rounds {
        for index in 0..instances {
            let before = met.signed_in.get();
            let person = community.there(&residents[1 + index], index);
            let (mut socket, hello) = TestSocket::connect(&person.client).await;
            restart(&mut community, &balancer, index).await;
            assert_eq!(socket.closed().await, Some(4503));
            let elsewhere = community.client(&person, (index + 1) % instances);
            let (_socket, again) = TestSocket::connect(&elsewhere).await;
            assert_eq!(again["boot_id"], hello["boot_id"], "nothing has vanished");
            restarts += 1;
            for resident in &residents {
                let client = community.client(resident, index);
                client.get("/api/v1/session").await.expect(200);
                kept += 1;
            }
            let more = async || (met.signed_in.get() > before + PEOPLE).then_some(());
            until(&format!("sign-ins of round {round}"), more).await;
        }
    }
    met.over.set(true);
    for task in signing_in {
        task.await.unwrap();
    }
    looking.abort();
    let failed = met.failed.borrow();
    proof(
        "a rolling restart with 0 failed sign-ins",
        &format!(
            "{} failed of {}, in {restarts} restarts of {instances} processes, {} tried again where nobody \
             listened, {kept} looks at sessions of before, in {} s{}",
            failed.len(),
            failed.len() + met.signed_in.get(),
            balancer.retries.get(),
            begun.elapsed().as_secs(),
            failed
                .first()
                .map(|it| format!(": {it}"))
                .unwrap_or_default(),
        ),
        failed.is_empty() && met.signed_in.get() > restarts,
    );
}
