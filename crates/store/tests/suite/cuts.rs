//! Power cuts: what was acknowledged is there afterwards.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::support::Folder;
use crate::support::power::{Powered, opened_and_closed};
use store::testing::sample::{self, NOW, event, session, session_id, user, user_id};
use store::testing::{Disk, Loss, Synchronous};
use store::{Admission, AuditFilter, Claim, SafeUpdate, Store, StoreConfig};
use tokio::task::JoinSet;

const CUTS: u64 = 50;
/// Accounts that are there before the cut.
const SETTLED: std::ops::Range<u64> = 1..4;

/// What was acknowledged while the power was on.
#[derive(Default)]
struct Acknowledged {
    users: BTreeSet<u64>,
    sessions: BTreeSet<u64>,
    claims: BTreeSet<(u64, u32)>,
    safe_versions: [u64; 4],
    records: u64,
}

impl Acknowledged {
    fn count(&self) -> usize {
        self.users.len() + self.claims.len()
    }
}

/// When the power goes.
#[derive(Clone, Copy)]
enum Moment {
    /// After so many writes and syncs.
    Operations(u64),
    /// As soon as so much was acknowledged.
    Acknowledged(usize),
}

/// Several clients at once, until the power goes.
async fn load(store: &Store, disk: &Arc<Disk>, moment: Moment) -> Acknowledged {
    let enough = match moment {
        Moment::Operations(operations) => {
            disk.cut_after(operations);
            usize::MAX
        }
        Moment::Acknowledged(enough) => enough,
    };
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let mut clients = JoinSet::new();
    for client in 0..4_u64 {
        let (store, disk) = (store.clone(), Arc::clone(disk));
        let acknowledged = Arc::clone(&acknowledged);
        clients.spawn(async move {
            for round in 0.. {
                let number = 1_000 + client * 1_000 + round;
                // Asked after the answer: an answer that came before the cut counts.
                let note = |entry: &dyn Fn(&mut Acknowledged)| {
                    if !disk.is_cut() {
                        let mut acknowledged = acknowledged.lock().unwrap();
                        entry(&mut acknowledged);
                        if acknowledged.count() >= enough {
                            disk.cut_after(0);
                        }
                    }
                };
                let id = user_id(number);
                let audit = vec![event(Some(id), "user.registered", NOW)];
                let new = user(number, 2, Admission::Open);
                if store
                    .register(new, session(id, number, NOW), audit)
                    .await
                    .is_ok()
                {
                    note(&|acknowledged| {
                        acknowledged.users.insert(number);
                        acknowledged.sessions.insert(number);
                        acknowledged.records += 1;
                    });
                }
                let settled = 1 + client % 3;
                let claimed = store
                    .claim_prekey(user_id(settled), Claim::OneTime, NOW)
                    .await;
                if let Ok(Some(leaf)) = claimed
                    && !leaf.last_resort
                {
                    note(&|acknowledged| {
                        assert!(acknowledged.claims.insert((settled, leaf.prekey_id)));
                    });
                }
                if client < 3 {
                    let update = SafeUpdate {
                        user_id: user_id(settled),
                        expected_version: round + 1,
                        write_proof_hash: sample::safe(1).write_proof_hash,
                        version: round + 2,
                        data: vec![round as u8; 16_384],
                    };
                    if store.write_safe(update).await.is_ok() {
                        note(&|acknowledged| {
                            acknowledged.safe_versions[settled as usize] = round + 2;
                        });
                    }
                }
                if disk.is_cut() {
                    break;
                }
            }
        });
    }
    while let Some(joined) = clients.join_next().await {
        joined.unwrap();
    }
    std::mem::take(&mut acknowledged.lock().unwrap())
}

/// What is missing of what was acknowledged; all of it when the database does not even open.
async fn lost(folder: &Path, acknowledged: &Acknowledged) -> Vec<String> {
    let config = StoreConfig::for_tests(&folder.join("secure_messaging.db"));
    let store = match Store::open(&config) {
        Ok(store) => store,
        Err(error) => return vec![format!("everything: {error}")],
    };
    let mut lost = Vec::new();
    for &number in &acknowledged.users {
        let id = user_id(number);
        let whole = store.user_by_id(id).await.is_ok_and(|user| user.is_some())
            && store.safes(id).await.is_ok_and(|safes| safes.is_some())
            && store.public_keys(id).await.is_ok_and(|keys| keys.is_some())
            && store
                .prekey_stock(id, NOW)
                .await
                .is_ok_and(|stock| stock.is_some());
        if !whole {
            lost.push(format!("user {number}"));
        }
    }
    for &number in &acknowledged.sessions {
        if !store
            .find_session(session_id(number), NOW)
            .await
            .is_ok_and(|row| row.is_some())
        {
            lost.push(format!("session {number}"));
        }
    }
    for settled in SETTLED {
        let version = match store.safes(user_id(settled)).await {
            Ok(Some((safe, _))) => safe.version,
            _ => 0,
        };
        if version < acknowledged.safe_versions[settled as usize] {
            lost.push(format!("safe of {settled}: {version}"));
        }
    }
    match store.verify_audit_chain().await {
        Ok(head) if head.id >= acknowledged.records + 3 => {}
        other => lost.push(format!("audit records: {other:?}")),
    }
    store.count_audit(AuditFilter::default()).await.unwrap();
    store.close().unwrap();
    let database = rusqlite::Connection::open(&config.path).unwrap();
    let mut find = database
        .prepare("SELECT claimed_at FROM prekeys WHERE user_id = ?1 AND prekey_id = ?2")
        .unwrap();
    for (settled, prekey) in &acknowledged.claims {
        // The row is what keeps a pair from being handed out again.
        if !find.exists((user_id(*settled).as_bytes(), prekey)).unwrap() {
            lost.push(format!("claim of {prekey} from {settled}"));
        }
    }
    lost
}

/// What was there before is safe in any case: it was closed in the ordinary way.
async fn original() -> Folder {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, SETTLED, 400).await;
    store.close().unwrap();
    folder
}

/// One cut; answers how much was acknowledged and what of it is lost.
async fn cut(
    original: &Folder,
    moment: Moment,
    seed: u64,
    synchronous: Synchronous,
    checkpoint_kib: usize,
) -> (usize, Vec<String>) {
    let powered = Powered::open(original, synchronous, checkpoint_kib);
    let acknowledged = load(&powered.store, &powered.disk, moment).await;
    assert!(powered.disk.is_cut());
    let after = powered.after(seed);
    let lost = lost(after.0.path(), &acknowledged).await;
    (acknowledged.count(), lost)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_cuts_lose_no_acknowledged_record() {
    let original = original().await;
    let mut acknowledged = 0;
    for seed in 0..CUTS {
        let moment = Moment::Operations(20 + seed * 37 % 1_500);
        let (count, lost) = cut(&original, moment, seed, Synchronous::Full, 400).await;
        assert!(
            lost.is_empty(),
            "cut {seed} of {count} acknowledged: {lost:?}"
        );
        acknowledged += count;
    }
    assert!(
        acknowledged > 500,
        "too little was acknowledged to prove anything: {acknowledged}"
    );
}

/// A checkpoint syncs the log, and whether one came between the last answer and the cut is a matter
/// of how commits were grouped; here there is none, and only FULL makes the difference.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_with_full_turned_off_loses_acknowledged_records() {
    const NEVER: usize = 1 << 30;
    let original = original().await;
    for synchronous in [Synchronous::Full, Synchronous::Normal, Synchronous::Off] {
        for seed in 0..6 {
            let moment = Moment::Acknowledged(3 + 5 * seed as usize);
            let (count, lost) = cut(&original, moment, seed, synchronous, NEVER).await;
            assert_eq!(
                lost.is_empty(),
                synchronous == Synchronous::Full,
                "{synchronous:?}, cut {seed} of {count} acknowledged: {lost:?}"
            );
        }
    }
}

#[test]
fn a_first_start_that_is_cut_anywhere_starts_again() {
    let whole = opened_and_closed(&Folder::new(), u64::MAX / 2).1;
    assert!(whole > 100, "the control: there is something to cut");
    std::thread::scope(|scope| {
        for odd in 0..2 {
            scope.spawn(move || {
                for operations in (odd..whole).step_by(2) {
                    let disk = opened_and_closed(&Folder::new(), operations).0;
                    // The first pages are written beside a journal and may be torn in many ways.
                    let draws = if operations < 12 { 6 } else { 1 };
                    for draw in 0..draws {
                        // Both kinds for both kinds of numbers: writes and syncs take turns.
                        let loss = match (operations + 2 * draw) % 4 {
                            0 | 1 => Loss::All,
                            _ => Loss::Some(
                                (operations * 64 + draw).wrapping_mul(0x9e37_79b9_7f4a_7c15),
                            ),
                        };
                        let after = Folder::new();
                        disk.restore(after.0.path(), loss).unwrap();
                        let again = Store::open(&after.config());
                        let store = again
                            .unwrap_or_else(|error| panic!("cut {operations}, {loss:?}: {error}"));
                        store.close().unwrap();
                    }
                }
            });
        }
    });
}
