//! Power cuts across a rotation: either key that must open the database does, and nothing
//! acknowledged is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::support::Folder;
use crate::support::other_key::{OTHER_KEY, other_key};
use crate::support::power::{Powered, others_go_on};
use store::testing::sample::{self, NOW, handle, session, session_id, user_id};
use store::testing::{Disk, Synchronous, TEST_KEY};
use store::{KekState, OpenError, Store};

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
enum Moment {
    /// The rotation was asked for; deriving its key takes most of what follows.
    Asked(u64),
    /// This step of the acknowledged job began: where cuts fall does not depend on the machine's speed.
    Step(u64, u64),
    Never,
}

/// A rotation to another key, with sessions being made meanwhile, until it is done or cut.
///
/// Also the number of steps that were begun.
async fn rotate(store: &Store, disk: &Arc<Disk>, moment: Moment) -> (Acknowledged, u64) {
    if let Moment::Asked(after) = moment {
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
    let (mut finished, mut steps) = (false, 0);
    loop {
        others_go_on(&sessions, disk).await;
        if let Moment::Step(step, after) = moment
            && step == steps
        {
            disk.cut_after(after);
        }
        steps += 1;
        let Ok(Some(job)) = store.step_key_job(Duration::ZERO, NOW).await else {
            break;
        };
        if job.finished || disk.is_cut() {
            finished = job.finished && !disk.is_cut();
            break;
        }
    }
    client.abort();
    let _ = client.await;
    let acknowledged = Acknowledged {
        sessions: sessions.load(Ordering::SeqCst),
        begun,
        finished,
    };
    (acknowledged, steps)
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
    steps: u64,
    wrong: Vec<String>,
}

async fn cut(original: &Folder, moment: Moment, seed: u64, synchronous: Synchronous) -> Cut {
    let powered = Powered::open(original, synchronous, 300);
    let (acknowledged, steps) = rotate(&powered.store, &powered.disk, moment).await;
    let restored = powered.after(seed);
    Cut {
        wrong: wrong(&restored, &acknowledged).await,
        acknowledged,
        steps,
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
    let whole = cut(&original, Moment::Never, 1_000, Synchronous::Full).await;
    assert!(whole.acknowledged.finished, "the control: uncut, it ends");
    assert!(whole.wrong.is_empty(), "{:?}", whole.wrong);
    let (mut begun, mut finished, mut sessions) = (0, 0, 0);
    for seed in 0..CUTS {
        // Most fall into the job, a few into its beginning.
        let moment = if seed.is_multiple_of(5) {
            Moment::Asked(1 + seed)
        } else {
            Moment::Step(seed * whole.steps / CUTS, seed * 7 % 16)
        };
        let cut = cut(&original, moment, seed, Synchronous::Full).await;
        assert!(
            cut.wrong.is_empty(),
            "cut {seed} in one of {} steps: {:?}",
            whole.steps,
            cut.wrong
        );
        begun += u64::from(cut.acknowledged.begun);
        finished += u64::from(cut.acknowledged.finished);
        sessions += cut.acknowledged.sessions - 1_000;
    }
    println!(
        "{begun} begun, {finished} finished, {sessions} sessions, {} steps",
        whole.steps
    );
    assert!(
        begun - finished > CUTS / 3,
        "too few cuts fell into the job: {begun} begun, {finished} finished"
    );
    assert!(sessions > CUTS, "too little was acknowledged: {sessions}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_with_full_turned_off_loses_acknowledged_records() {
    let original = original().await;
    for seed in 0..6 {
        let moment = Moment::Step(seed, 1);
        let cut = cut(&original, moment, seed * 2, Synchronous::Off).await;
        assert!(cut.acknowledged.begun, "cut {seed}");
        assert!(!cut.wrong.is_empty(), "a loss would go unnoticed: {seed}");
    }
}
