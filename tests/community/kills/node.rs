//! Of a node.

use std::rc::Rc;
use std::time::Instant;

use super::ledger::Ledger;
use super::load::{known, states};
use super::{Away, People, kills, whole_log};
use crate::community::{Community, proof, until};
use crate::support::{Account, Client, Heard, TestSocket, random_id};

#[actix_web::test]
async fn kill_9_of_a_node_is_told_to_its_senders_and_touches_no_other_node() {
    let (mut community, _admin) = Community::start(2, 3).await;
    let people = People::gather(&community).await;
    let ledger = Rc::new(Ledger::default());
    let (mut vanished, mut kept, mut away, begun) = (0, 0, Away::default(), Instant::now());
    for cycle in 0..kills() {
        let victim = cycle % community.nodes.len();
        let load = people.work(&community, &ledger, true);
        load.grows(3).await;
        let before = ledger.unread_of(victim);
        ledger.closed.borrow_mut().clear();
        community.nodes[victim].kill();
        let down = Instant::now();
        // Somebody meets that it is away, in every other cycle.
        if cycle % 2 == 0 {
            let refused = async || {
                let noticed = !ledger.not_sent.borrow().is_empty();
                (noticed || !ledger.refused.borrow().is_empty()).then_some(())
            };
            until("a refusal", refused).await;
        }
        community.nodes[victim].start_again();
        // The sockets of its accounts are closed, so that they come again and ask.
        let told = async || {
            let closed = ledger.closed.borrow();
            closed
                .iter()
                .any(|(by, code)| (*by, *code) == (victim, Some(4503)))
                .then_some(())
        };
        until("the end of the poster's socket", told).await;
        for index in 0..community.instances.len() {
            let poster = community.there(&people.posters[victim], index);
            let after = async || answers(&poster).await.then_some(());
            until("service at every instance", after).await;
            for state in states(&poster, &before).await {
                assert_eq!(state, "unknown", "it vanished, and its sender is told so");
                vanished += 1;
            }
        }
        away.note(down.elapsed());
        load.stop().await;
        let refused = std::mem::take(&mut *ledger.refused.borrow_mut());
        for answer in refused {
            // The key of tokens goes with the node: what was begun before is begun again.
            if answer.status == 409 {
                assert_eq!(answer.code(), "token-expired");
                continue;
            }
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
        }
        let codes = std::mem::take(&mut *ledger.not_sent.borrow_mut());
        assert!(codes.iter().all(|code| code == "unavailable"), "{codes:?}");
        // What lay there is over for everybody: its poster sends again under other ids.
        ledger.posted.borrow_mut().retain(|(by, _)| *by != victim);
        for (number, poster) in people.posters.iter().enumerate() {
            let there = community.there(poster, cycle % 2);
            for state in states(&there, &ledger.unread_of(number)).await {
                assert_ne!(state, "unknown", "it lies at a node that lives");
                kept += 1;
            }
        }
    }
    let unheard = people.read_the_rest(&community, &ledger).await;
    let [registered, _, read] = ledger.counts();
    let (twice, everybody) = (ledger.twice.get(), ledger.registered.borrow().clone());
    known(&community, 1, &everybody).await;
    let records = whole_log(community, &ledger).await;
    proof(
        &format!("kill -9 of a node under load, {} times", kills()),
        &format!(
            "{registered} registrations are all there, {records} audit records are whole, of {vanished} \
             messages that vanished the sender was told, {kept} at other nodes were kept, {read} read, {unheard} \
             by an answer that was cut, {twice} twice, {}, in {} s",
            away.shown(),
            begun.elapsed().as_secs()
        ),
        vanished > 0 && kept > 0 && twice == 0,
    );
}

/// Whether an account can connect and is told what waits.
async fn answers(account: &Account) -> bool {
    let client = account
        .client
        .with_cookie_of(address(&account.client))
        .tolerant();
    for path in ["/api/v1/server", "/api/v1/session"] {
        if client.get(path).await.status != 200 {
            return false;
        }
    }
    match TestSocket::open(&client, random_id()).await {
        Ok(mut socket) => matches!(
            socket.hear().await,
            Heard::Text(text) if text["t"] == "hello"
        ),
        Err(_) => false,
    }
}

fn address(client: &Client) -> std::net::SocketAddr {
    client.base().rsplit('/').next().unwrap().parse().unwrap()
}
