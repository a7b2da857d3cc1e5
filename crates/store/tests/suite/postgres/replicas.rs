//! A replica that streams: what it answers, and what it never does.

use std::sync::Arc;
use std::time::Duration;

use ambient::{Ambient, ManualClock, OsEntropy};
use servers::{Postgres, until};
use store::testing::sample::{self, NOW, event, service, service_key, session_id, user_id};
use store::{
    Act, AuditFilter, Credential, CredentialChange, Declaration, Fault, IdentityChange,
    KeepSessions, KeySource, PostgresConfig, ReplicaUse, Store, StoreConfig,
};

const DATABASE: &str = "followed";
const ACT: Act = Act {
    intent: "service_key.intent",
    done: "service_key.done",
    failed: "service_key.failed",
};

/// A primary, its replica, and two instances: only `here` knows of the replica.
struct Followed {
    primary: Postgres,
    replica: Postgres,
    clock: Arc<ManualClock>,
    here: Store,
    elsewhere: Store,
}

/// The address of the tests' database for the role that serves.
fn address(of: &Postgres) -> String {
    of.address_for(&format!("of_{DATABASE}"), DATABASE)
}

fn config(primary: &Postgres, replicas: &[&Postgres], clock: &Arc<ManualClock>) -> StoreConfig {
    let folder = tempfile::tempdir().unwrap();
    let mut server = PostgresConfig::new(address(primary));
    server.readers = 4;
    for replica in replicas {
        server.add_replica(address(replica));
    }
    let key = KeySource::beside(
        Some(store::testing::TEST_KEY.into()),
        &folder.path().join("none.db"),
    );
    let mut config = StoreConfig::server(server, key);
    config.iterations = store::testing::ITERATIONS;
    config.ambient = Ambient::new(Arc::<ManualClock>::clone(clock), Arc::new(OsEntropy));
    config
}

fn in_use(store: &Store, number: u64) {
    until("the replicas", || {
        (store.replicas().in_use == number).then_some(())
    });
}

/// Waits until some instance has looked at a replica, and looked again.
fn looked_at_twice(replica: &Postgres) {
    let asked = || {
        let sql = "SELECT max(query_start) FROM pg_stat_activity WHERE state = 'idle'
                 AND query LIKE '%pg_last_wal_replay_lsn%' AND pid <> pg_backend_pid()";
        let asked = replica.psql("postgres", sql).unwrap();
        Some(asked).filter(|asked| !asked.is_empty())
    };
    let first = until("a look", asked);
    until("another look", || asked().filter(|again| *again != first));
}

impl Followed {
    /// Two accounts are registered, and the replica has them.
    async fn start() -> Self {
        let primary = Postgres::start();
        primary.database(DATABASE);
        let replica = primary.replica();
        let clock = ManualClock::at(NOW);
        let elsewhere = Store::open(&config(&primary, &[], &clock)).unwrap();
        sample::register(&elsewhere, 1..3, 3).await;
        let here = Store::open(&config(&primary, &[&replica], &clock)).unwrap();
        assert_eq!(here.replicas().configured, 1);
        in_use(&here, 1);
        Self {
            primary,
            replica,
            clock,
            here,
            elsewhere,
        }
    }

    /// From here on the replica shows what it has.
    fn pause(&self) {
        let here = self
            .primary
            .psql(DATABASE, "SELECT pg_current_wal_flush_lsn()");
        let here = here.unwrap();
        let caught_up = format!("SELECT pg_last_wal_replay_lsn() >= '{here}'");
        let says = |question: &str, answer: &str| {
            let said = self.replica.psql("postgres", question);
            (said.as_deref() == Ok(answer)).then_some(())
        };
        until("the replica", || says(&caught_up, "t"));
        self.replica
            .psql("postgres", "SELECT pg_wal_replay_pause()")
            .unwrap();
        let state = "SELECT pg_get_wal_replay_pause_state()";
        until("the pause", || says(state, "paused"));
    }

    fn resume(&self) {
        self.replica
            .psql("postgres", "SELECT pg_wal_replay_resume()")
            .unwrap();
    }
}

async fn users(store: &Store) -> usize {
    store.list_users(None, 100).await.unwrap().len()
}

async fn records(store: &Store) -> u64 {
    store.count_audit(AuditFilter::default()).await.unwrap()
}

async fn newest_record(store: &Store) -> u64 {
    let page = store.query_audit(AuditFilter::default(), None, 1).await;
    page.unwrap().records[0].id
}

async fn make_service(store: &Store) {
    let declaration = Declaration {
        user_id: None,
        act: &ACT,
        details: serde_json::json!({}),
    };
    let intent = store.declare(declaration, NOW).await.unwrap();
    let made = store.create_service_key(
        service(1),
        "Service".to_owned(),
        service_key(1),
        &intent,
        NOW,
    );
    made.await.unwrap();
}

/// Another passphrase for the second account.
fn passphrase() -> CredentialChange {
    CredentialChange {
        user_id: user_id(2),
        opaque_record: b"new record".to_vec().into(),
        expected_safe_version: 1,
        safe: sample::safe(2),
        expected_prekey_version: 1,
        prekey_safe: sample::prekey_safe(2),
        keep: KeepSessions::None,
        new_session: None,
    }
}

/// A new identity for the first account.
fn identity() -> IdentityChange {
    IdentityChange {
        user_id: user_id(1),
        fingerprint: vec![0xfe; 64],
        public_keys: sample::public_keys(200),
        prekeys: sample::batch(2, 500, 2),
        expected_safe_version: 1,
        safe: sample::safe(2),
        expected_prekey_version: 1,
        prekey_safe: sample::prekey_safe(2),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_answers_look_ups_and_never_says_who_is_who_or_may_do_what() {
    let followed = Followed::start().await;
    let (here, elsewhere) = (&followed.here, &followed.elsewhere);
    let before = (users(here).await, records(here).await);
    followed.pause();
    sample::register(elsewhere, 3..4, 3).await;
    make_service(elsewhere).await;
    let ended = elsewhere.delete_session(user_id(1), session_id(1), vec![]);
    assert!(ended.await.unwrap());
    elsewhere
        .replace_credentials(passphrase(), vec![])
        .await
        .unwrap();
    elsewhere
        .replace_identity(identity(), vec![])
        .await
        .unwrap();

    // Look-ups show what the replica has.
    assert_eq!((users(here).await, records(here).await), before);
    assert_eq!(newest_record(here).await, before.1);
    let figures = here.statistics(NOW).await.unwrap();
    assert_eq!((figures.users, figures.active_sessions), (2, 2));
    assert!(here.list_services(None, 10).await.unwrap().is_empty());
    let published = here.published_service_keys(service(1), None).await.unwrap();
    assert!(published.is_empty());

    // Everything else is as it is.
    for session in [1, 2] {
        let found = here.find_session(session_id(session), NOW).await.unwrap();
        assert!(found.is_none(), "{session} was revoked");
    }
    assert!(
        here.list_sessions(user_id(1), NOW)
            .await
            .unwrap()
            .is_empty()
    );
    let record = |found: Option<Credential>| found.unwrap().opaque_record;
    let handle = sample::handle(2);
    assert_eq!(
        record(here.credential(&handle).await.unwrap()),
        b"new record"
    );
    assert_eq!(
        record(here.credential_by_id(user_id(2)).await.unwrap()),
        b"new record"
    );
    let keys = here.public_keys(user_id(1)).await.unwrap().unwrap();
    assert_eq!(keys.keys, sample::public_keys(200));
    let user = here.user_by_id(user_id(1)).await.unwrap().unwrap();
    assert_eq!(user.fingerprint, vec![0xfe; 64]);
    let user = here.user_by_handle(&sample::handle(3)).await.unwrap();
    assert!(user.is_some() && here.handle_taken(&sample::handle(3)).await.unwrap());
    assert_eq!(here.safes(user_id(1)).await.unwrap().unwrap().0.version, 2);
    assert_eq!(
        here.prekey_stock(user_id(1), NOW)
            .await
            .unwrap()
            .unwrap()
            .batch_number,
        2
    );
    assert_eq!(
        here.service_key_versions(service(1)).await.unwrap().len(),
        1
    );
    let private = here.private_service_key(service(1), 1).await.unwrap();
    assert!(private.is_some());
    let newest = elsewhere.audit_tip().await.unwrap().id;
    assert!(newest > before.1);
    assert_eq!(here.audit_tip().await.unwrap().id, newest);
    assert_eq!(here.verify_audit_chain().await.unwrap().id, newest);
    assert_eq!(here.replicas().in_use, 1);
    // The positive control: the replica was asked.
    assert_eq!(users(here).await, 2);

    followed.resume();
    until("the replica", || {
        let users = followed
            .replica
            .psql(DATABASE, "SELECT count(*) FROM users");
        (users.as_deref() == Ok("3")).then_some(())
    });
    assert_eq!(users(here).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_wrote_here_sees_it_here() {
    let followed = Followed::start().await;
    let (here, before) = (&followed.here, records(&followed.here).await);
    followed.pause();
    let record = || vec![event(None, "test", NOW)];
    followed.elsewhere.append_audit(record()).await.unwrap();
    assert_eq!(records(here).await, before, "what was written elsewhere");
    here.append_audit(record()).await.unwrap();
    assert_eq!(records(here).await, before + 2);
    assert_eq!(here.replicas().in_use, 1, "it is not too far behind");
    followed.resume();
    for number in 3..20 {
        here.append_audit(record()).await.unwrap();
        assert_eq!(records(here).await, before + number);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_further_behind_than_the_bound_is_not_used() {
    let followed = Followed::start().await;
    let here = &followed.here;
    followed.pause();
    sample::register(&followed.elsewhere, 3..4, 0).await;
    assert_eq!(users(here).await, 2);
    followed.clock.advance(Duration::from_secs(4));
    assert_eq!(users(here).await, 2, "within the bound");
    followed.clock.advance(Duration::from_secs(2));
    assert_eq!(users(here).await, 3);
    in_use(here, 0);
    assert_eq!(users(here).await, 3);
    followed.resume();
    in_use(here, 1);
    // A database in which nothing happens is never behind.
    followed.clock.advance(Duration::from_secs(600));
    in_use(here, 1);
    assert_eq!(users(here).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_killed_leaves_the_service_as_it_was() {
    let mut followed = Followed::start().await;
    followed.replica.kill();
    for _ in 0..20 {
        assert_eq!(users(&followed.here).await, 2);
    }
    in_use(&followed.here, 0);
    assert_eq!(users(&followed.here).await, 2);
    followed.replica.start_again();
    in_use(&followed.here, 1);
    assert_eq!(users(&followed.here).await, 2);
    // One that became a primary may show what never was, or no longer is.
    followed
        .replica
        .psql("postgres", "SELECT pg_promote()")
        .unwrap();
    in_use(&followed.here, 0);
    assert_eq!(users(&followed.here).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_of_another_database_and_what_is_no_replica_are_never_used() {
    let followed = Followed::start().await;
    let other = Postgres::start();
    other.database(DATABASE);
    let other_replica = other.replica();
    let named = [&other_replica, &followed.primary, &followed.replica];
    let store = Store::open(&config(&followed.primary, &named, &followed.clock)).unwrap();
    in_use(&store, 1);
    looked_at_twice(&other_replica);
    let expected = ReplicaUse {
        configured: 3,
        in_use: 1,
    };
    assert_eq!(store.replicas(), expected);
    for _ in 0..8 {
        assert_eq!(users(&store).await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_of_the_primary_before_is_not_used_beside_the_promoted_one() {
    let primary = Postgres::start();
    primary.database(DATABASE);
    let (promoted, stayed) = (primary.replica(), primary.replica());
    promoted.psql("postgres", "SELECT pg_promote()").unwrap();
    let clock = ManualClock::at(NOW);
    let store = Store::open(&config(&promoted, &[&stayed], &clock)).unwrap();
    sample::register(&store, 1..3, 0).await;
    // The one before goes on, further than the promoted one.
    primary
        .psql(
            "postgres",
            "CREATE TABLE noise AS SELECT generate_series(1, 100000)",
        )
        .unwrap();
    let noise = || {
        let seen = stayed.psql("postgres", "SELECT count(*) FROM noise");
        (seen.as_deref() == Ok("100000")).then_some(())
    };
    until("the replica", noise);
    looked_at_twice(&stayed);
    assert_eq!(store.replicas().in_use, 0);
    assert_eq!(users(&store).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_none_is_refused_at_the_start() {
    let primary = Postgres::start();
    primary.database(DATABASE);
    let mut config = config(&primary, &[], &ManualClock::at(NOW));
    let server = config.postgres.as_mut().unwrap();
    server.add_replica("postgres://me:secret@/".to_owned());
    let refused = Store::open(&config).unwrap_err().to_string();
    assert!(refused.starts_with("database_replicas: "), "{refused}");
    assert!(!refused.contains("secret"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_primary_a_replica_answers_as_long_as_it_may() {
    let mut followed = Followed::start().await;
    followed.primary.kill();
    assert_eq!(users(&followed.here).await, 2);
    let refused = followed.here.find_session(session_id(1), NOW).await;
    assert!(matches!(refused, Err(Fault::Unavailable(_))), "{refused:?}");
    followed.clock.advance(Duration::from_secs(6));
    let refused = followed.here.list_users(None, 100).await.map(|it| it.len());
    assert!(matches!(refused, Err(Fault::Unavailable(_))), "{refused:?}");
}
