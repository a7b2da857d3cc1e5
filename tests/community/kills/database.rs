//! Of the database.

use std::rc::Rc;
use std::time::Instant;

use super::ledger::Ledger;
use super::load::known;
use super::{Away, People, kills, whole_log};
use crate::community::{Community, proof, until};
use crate::support::{Account, Client};

#[actix_web::test]
async fn kill_9_of_the_database_loses_nothing_and_service_returns_by_itself() {
    let (mut community, _admin) = Community::start(2, 2).await;
    let people = People::gather(&community).await;
    let ledger = Rc::new(Ledger::default());
    let (mut checked, mut refused, mut away, begun) = (0, 0, Away::default(), Instant::now());
    for cycle in 0..kills() {
        let load = people.work(&community, &ledger, true);
        load.grows(3).await;
        community.postgres.kill();
        let [_, sent, _] = ledger.counts();
        let met = async || {
            let refused = ledger.refused.borrow().len() >= 2;
            // Messages need no database.
            (refused && ledger.counts()[1] >= sent + 3).then_some(())
        };
        until("a refusal", met).await;
        let up = Instant::now();
        community.postgres.start_again();
        for index in 0..community.instances.len() {
            let address = community.at(index).address;
            let number = std::cell::Cell::new(0);
            let registers = async || {
                number.set(number.get() + 1);
                let handle = format!("after{cycle}at{index}n{}", number.get());
                let client = Client::new(address).tolerant();
                let account = Account::register(client, &handle, None).await.ok()?;
                Some((handle, account.client.cookie()?))
            };
            let (registered, _) = until("service at every instance", registers).await;
            ledger.registered.borrow_mut().push(registered);
        }
        away.note(up.elapsed());
        load.stop().await;
        let answers = std::mem::take(&mut *ledger.refused.borrow_mut());
        for answer in &answers {
            let logs = community.instances.iter().flatten().map(|it| it.log());
            let logs: Vec<_> = logs.collect();
            let said = logs.iter().flat_map(|log| log.lines());
            let said = said.filter(|line| line.contains("a request failed"));
            let said: Vec<_> = said.collect();
            assert_eq!(answer.status, 503, "{said:?}");
            assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
        }
        refused += answers.len();
        assert_eq!(*ledger.not_sent.borrow(), Vec::<String>::new());
        assert_eq!(*ledger.closed.borrow(), []);
        let fresh = ledger.registered.borrow()[checked..].to_vec();
        known(&community, cycle % 2, &fresh).await;
        checked += fresh.len();
    }
    let unheard = people.read_the_rest(&community, &ledger).await;
    let [registered, posted, read] = ledger.counts();
    let (twice, everybody) = (ledger.twice.get(), ledger.registered.borrow().clone());
    known(&community, 0, &everybody).await;
    let records = whole_log(community, &ledger).await;
    proof(
        &format!("kill -9 of the database under load, {} times", kills()),
        &format!(
            "{registered} registrations are all there, {records} audit records are whole, {refused} requests \
             refused with 503 and when to try again, {} of {posted} messages read, {twice} twice, {} after \
             it was up, in {} s",
            read + unheard,
            away.shown(),
            begun.elapsed().as_secs()
        ),
        read + unheard == posted && twice == 0 && refused > 0,
    );
}
