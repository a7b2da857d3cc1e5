//! A fault of this program ends one batch, and the writer goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use store::testing::sample::{self, NOW, event, session, session_id, user, user_id};
use store::{Admission, AuditFilter, Fault, RegisterError, Store, StoreConfig};

use crate::support::Folder;

/// What every engine does when its writer panics in the middle of a transaction.
pub(crate) async fn a_panic_undoes_the_batch_and_the_writer_goes_on(config: StoreConfig) {
    let armed = Arc::new(AtomicBool::new(false));
    let store = Store::open(&config.with_panics(&armed)).unwrap();
    sample::register(&store, 1..2, 2).await;
    let records = store.count_audit(AuditFilter::default()).await.unwrap();
    for round in 0..3 {
        armed.store(true, Ordering::SeqCst);
        let new = user(2, 2, Admission::Open);
        let audit = vec![event(Some(user_id(2)), "user.registered", NOW)];
        let refused = store
            .register(new, session(user_id(2), 2, NOW), audit)
            .await;
        match refused {
            Err(RegisterError::Fault(Fault::Unavailable(reason))) => {
                assert!(reason.contains("internal error"), "{reason}");
            }
            other => panic!("{round}: {other:?}"),
        }
        assert!(!armed.load(Ordering::SeqCst), "the panic took place");
        // What the request had changed by then is undone.
        assert!(!store.handle_taken(&sample::handle(2)).await.unwrap());
        let found = store.find_session(session_id(2), NOW).await.unwrap();
        assert!(found.is_none());
        store.health(NOW).await.unwrap();
    }
    sample::register(&store, 2..3, 2).await;
    assert_eq!(store.statistics(NOW).await.unwrap().users, 2);
    let now = store.count_audit(AuditFilter::default()).await.unwrap();
    assert_eq!(now, records * 2, "no record of what was undone");
    store.verify_audit_chain().await.unwrap();
    store.close().unwrap();
    let closed = store.health(NOW).await;
    assert!(closed.is_err(), "without a writer it is not healthy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_the_writer_of_a_file_ends_one_batch() {
    let folder = Folder::new();
    a_panic_undoes_the_batch_and_the_writer_goes_on(folder.config()).await;
}
