//! Power cuts across a rotation: either key that must open the database does, and nothing
//! acknowledged is lost.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use store::testing::sample::{self, NOW, handle, session, session_id, user_id};
use store::testing::{Disk, Synchronous, TEST_KEY};
use store::{KekState, OpenError, Store};
use support::Folder;
use support::other_key::{OTHER_KEY, other_key};
use support::power::Powered;

const CUTS: u64 = 50;
const SETTLED: std::ops::Range<u64> = 1..13;

/// What was acknowledged while the power was on.
#[derive(Default)]
struct Acknowledged {
    /// Sessions with numbers below this, from 1,000 on.
    sessions: u64,
    begun: bool,
    finished: bool,
}

/// When the power goes: so many writes and syncs after this.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Since {
    /// The rotation was asked for; deriving its key takes most of what follows.
    Asked,
    /// It was acknowledged: the job runs.
    Begun,
}

/// A rotation to another key, with sessions being made meanwhile, until it is done or cut.
///
/// Also the number of writes and syncs since the power's end was set.
async fn rotate(store: &Store, disk: &Arc<Disk>, since: Since, after: u64) -> (Acknowledged, u64) {
    let mut start = disk.operations();
    if since == Since::Asked {
        disk.cut_after(after);
    }
    let sessions = Arc::new(AtomicU64::new(1_000));
    let client = tokio::spawn({
        let (store, disk, sessions) = (store.clone(), Arc::clone(disk), Arc::clone(&sessions));
        async move {
            for number in 1_000.. {
                let id = user_id(1 + number % 12);
                let made = store.create_session(session(id, number, NOW), vec![]).await;
                if made.is_err() || disk.is_cut() {
                    return;
                }
                sessions.store(number + 1, Ordering::SeqCst);
            }
        }
    });
    let begun = store
        .begin_rotation(other_key(), "cut".to_owned(), NOW, vec![])
        .await;
    let begun = begun.is_ok() && !disk.is_cut();
    if since == Since::Begun {
        start = disk.operations();
        disk.cut_after(after);
    }
    let mut finished = false;
    while let Ok(Some(job)) = store.step_key_job(Duration::ZERO, NOW).await {
        if job.finished || disk.is_cut() {
            finished = job.finished && !disk.is_cut();
            break;
        }
    }
    let operations = disk.operations() - start;
    client.abort();
    let _ = client.await;
    let acknowledged = Acknowledged {
        sessions: sessions.load(Ordering::SeqCst),
        begun,
        finished,
    };
    (acknowledged, operations)
}

/// What does not hold after the cut.
async fn wrong(folder: &Folder, acknowledged: &Acknowledged) -> Vec<String> {
    let mut wrong = Vec::new();
    let old = Store::open(&folder.with_key(TEST_KEY));
    let store = match old {
        Ok(_) if acknowledged.finished => {
            return vec!["the key before opens a database that was moved away".to_owned()];
        }
        Ok(store) => {
            if acknowledged.begun && store.keks().await.map_or(0, |keks| keks.len()) != 2 {
                wrong.push("an acknowledged rotation is gone".to_owned());
            }
            store
        }
        Err(OpenError::WrongKey { .. }) => match Store::open(&folder.with_key(OTHER_KEY)) {
            Ok(store) => store,
            Err(error) => return vec![format!("no key opens it: {error}")],
        },
        Err(error) => return vec![format!("everything: {error}")],
    };
    loop {
        match store.step_key_job(Duration::from_secs(1), NOW).await {
            Ok(Some(job)) if !job.finished => {}
            Ok(_) => break,
            Err(error) => return vec![format!("the job does not go on: {error}")],
        }
    }
    for number in SETTLED {
        let id = user_id(number);
        let whole = store.user_by_id(id).await.is_ok_and(|user| user.is_some())
            && store.safes(id).await.is_ok_and(|safes| safes.is_some())
            && store
                .credential(&handle(number))
                .await
                .is_ok_and(|found| found.is_some());
        if !whole {
            wrong.push(format!("user {number}"));
        }
    }
    for number in 1_000..acknowledged.sessions {
        let found = store.find_session(session_id(number), NOW).await;
        if !found.is_ok_and(|found| found.is_some()) {
            wrong.push(format!("session {number}"));
        }
    }
    let keks = store.keks().await.unwrap();
    if keks.iter().any(|kek| kek.state == KekState::Retiring) {
        wrong.push("a key is still being retired".to_owned());
    }
    if let Err(error) = store.verify_audit_chain().await {
        wrong.push(error.to_string());
    }
    store.close().unwrap();
    wrong
}

struct Cut {
    acknowledged: Acknowledged,
    operations: u64,
    wrong: Vec<String>,
}

async fn cut(
    original: &Folder,
    (since, after): (Since, u64),
    seed: u64,
    synchronous: Synchronous,
) -> Cut {
    let powered = Powered::open(original, synchronous, 300);
    let (acknowledged, operations) = rotate(&powered.store, &powered.disk, since, after).await;
    let restored = powered.after(seed);
    Cut {
        wrong: wrong(&restored, &acknowledged).await,
        acknowledged,
        operations,
    }
}

async fn original() -> Folder {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, SETTLED, 1).await;
    store.close().unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_cuts_across_a_rotation_leave_a_database_that_opens_and_goes_on() {
    let original = original().await;
    let never = u64::MAX / 2;
    let whole = cut(&original, (Since::Begun, never), 1_000, Synchronous::Full).await;
    assert!(whole.acknowledged.finished, "the control: uncut, it ends");
    assert!(whole.wrong.is_empty(), "{:?}", whole.wrong);
    let (mut begun, mut finished, mut sessions) = (0, 0, 0);
    for seed in 0..CUTS {
        // Most fall into the job, a few into its beginning.
        let (since, after) = if seed.is_multiple_of(5) {
            (Since::Asked, 1 + seed)
        } else {
            (Since::Begun, 1 + seed * whole.operations / CUTS)
        };
        let cut = cut(&original, (since, after), seed, Synchronous::Full).await;
        assert!(
            cut.wrong.is_empty(),
            "cut {seed} after {after} of {}: {:?}",
            whole.operations,
            cut.wrong
        );
        begun += u64::from(cut.acknowledged.begun);
        finished += u64::from(cut.acknowledged.finished);
        sessions += cut.acknowledged.sessions - 1_000;
    }
    assert!(
        begun - finished > CUTS / 3,
        "too few cuts fell into the job: {begun} begun, {finished} finished"
    );
    assert!(sessions > 50, "too little was acknowledged: {sessions}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_with_full_turned_off_loses_acknowledged_records() {
    let original = original().await;
    for seed in 0..6 {
        let moment = (Since::Begun, 1 + seed * 20);
        let cut = cut(&original, moment, seed * 2, Synchronous::Off).await;
        assert!(cut.acknowledged.begun, "cut {seed}");
        assert!(!cut.wrong.is_empty(), "a loss would go unnoticed: {seed}");
    }
}
