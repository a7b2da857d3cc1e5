//! `kill -9` of an instance, of a node and of the database, under load.
//!
//! What was acknowledged as durable is there afterwards, senders learn what vanished, nobody is served
//! what somebody else has, and service returns by itself.

mod database;
mod instance;
mod ledger;
mod load;
mod node;

use std::rc::Rc;
use std::time::Duration;

use store::{KeySource, PostgresConfig, Store, StoreConfig};

use self::ledger::Ledger;
use self::load::{Load, states};
use super::{Community, is_long, until};
use crate::support::Account;

/// How often each thing is killed.
fn kills() -> usize {
    if is_long() { 50 } else { 3 }
}

/// The longest time that service was away, in milliseconds, beside what it is compared with.
#[derive(Default)]
struct Away(Duration);

impl Away {
    fn note(&mut self, took: Duration) {
        self.0 = self.0.max(took);
    }

    fn shown(&self) -> String {
        format!("back within {} ms at the latest", self.0.as_millis())
    }
}

/// Everybody of a test: one poster for each node, and one reader.
struct People {
    posters: Vec<Account>,
    reader: Account,
}

impl People {
    async fn gather(community: &Community) -> Self {
        let reader = community.register("reader", 0).await;
        Self {
            posters: community.posters(&reader).await,
            reader,
        }
    }

    /// Load at every instance: posters in turn, a reader, and somebody who registers.
    fn work(&self, community: &Community, ledger: &Rc<Ledger>, persists: bool) -> Load {
        let mut load = Load::new(ledger);
        let instances = community.instances.len();
        for (number, poster) in self.posters.iter().enumerate() {
            let client = community.client(poster, number % instances);
            load.post(number, &client, self.reader.id());
        }
        for index in 0..instances {
            load.read(index, &community.client(&self.reader, index));
            load.register(community.at(index).address, persists);
        }
        load
    }

    /// Reads what is left, at every instance. Answers how many readings were acknowledged by an answer that
    /// nobody heard; fails if anything else was not read.
    async fn read_the_rest(&self, community: &Community, ledger: &Rc<Ledger>) -> usize {
        let mut load = Load::new(ledger);
        for index in 0..community.instances.len() {
            load.read(index, &community.client(&self.reader, index));
        }
        let empty = async || (community.held() == 0).then_some(());
        until("the end of what waits", empty).await;
        load.stop().await;
        let mut unheard = 0;
        for (number, poster) in self.posters.iter().enumerate() {
            let there = community.there(poster, 0);
            for state in states(&there, &ledger.unread_of(number)).await {
                assert_eq!(state, "acknowledged", "it was read, or waits");
                unheard += 1;
            }
        }
        unheard
    }
}

/// Fails unless the audit log is whole and has every registration; answers how many records it has.
async fn whole_log(community: Community, ledger: &Ledger) -> u64 {
    let statement = "SELECT count(*) FROM audit_log WHERE action = 'account.registered'";
    let written = community.postgres.psql("community", statement).unwrap();
    let acknowledged = ledger.registered.borrow().len();
    assert!(written.parse::<usize>().unwrap() >= acknowledged);
    let database = PostgresConfig::new(community.address.clone());
    let path = community.data[0].path().join("none");
    let key = KeySource::beside(Some("a key of the tests".to_owned()), &path);
    let store = Store::open(&StoreConfig::server(database, key)).unwrap();
    let head = store.verify_audit_chain().await.unwrap();
    store.close().unwrap();
    head.id
}
