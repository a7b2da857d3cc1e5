//! Of an instance.

use std::rc::Rc;
use std::time::Instant;

use super::ledger::Ledger;
use super::load::{known, states};
use super::{People, kills, whole_log};
use crate::community::{Community, proof};

#[actix_web::test]
async fn kill_9_of_an_instance_loses_nothing_that_was_acknowledged() {
    let (mut community, _admin) = Community::start(2, 2).await;
    let people = People::gather(&community).await;
    let ledger = Rc::new(Ledger::default());
    let (mut checked, mut states_seen, begun) = (0, 0, Instant::now());
    for cycle in 0..kills() {
        let (victim, other) = (cycle % 2, 1 - cycle % 2);
        let load = people.work(&community, &ledger, false);
        load.grows(3).await;
        let closed_before = ledger.closed.borrow().len();
        community.kill(victim);
        // Whoever is at the other one goes on, and meets no refusal.
        load.grows(2).await;
        load.stop().await;
        let closed = ledger.closed.borrow()[closed_before..].to_vec();
        assert!(closed.iter().all(|(poster, _)| poster % 2 == victim));
        assert_eq!(*ledger.not_sent.borrow(), Vec::<String>::new());
        for (number, poster) in people.posters.iter().enumerate() {
            let unread = ledger.unread_of(number);
            let there = community.there(poster, other);
            for (id, state) in unread.iter().zip(states(&there, &unread).await) {
                assert_ne!(state, "unknown", "what was acknowledged is lost");
                states_seen += 1;
                if state == "acknowledged" {
                    // The answer was cut. What becomes of a message is remembered for a bounded number.
                    ledger.read.borrow_mut().insert(*id);
                }
            }
        }
        let fresh = ledger.registered.borrow()[checked..].to_vec();
        known(&community, other, &fresh).await;
        community.serve(victim).await;
        known(&community, victim, &fresh).await;
        checked += fresh.len();
    }
    let unheard = people.read_the_rest(&community, &ledger).await;
    let [registered, posted, read] = ledger.counts();
    let refused = ledger
        .refused
        .borrow()
        .iter()
        .filter(|it| it.status != 599)
        .count();
    let twice = ledger.twice.get();
    let everybody = ledger.registered.borrow().clone();
    known(&community, 0, &everybody).await;
    let records = whole_log(community, &ledger).await;
    proof(
        &format!("kill -9 of an instance under load, {} times", kills()),
        &format!(
            "{registered} registrations are all there, {records} audit records are whole, of {posted} messages \
             {read} were read, {unheard} by an answer that was cut, {twice} twice, {refused} requests refused elsewhere, {states_seen} \
             states asked, in {} s",
            begun.elapsed().as_secs()
        ),
        read + unheard >= posted && twice == 0 && refused == 0 && checked == registered,
    );
}
