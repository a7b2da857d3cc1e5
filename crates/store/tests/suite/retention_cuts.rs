//! Power cuts across the audit log's retention: doors, signed heads, deletions and records that are
//! written meanwhile. What was acknowledged is there, and what may go still goes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::Folder;
use crate::support::power::{Powered, others_go_on};
use audit::{Door, Finding, Head, HeadSigningKey, Header, Outside, Verifier, Witnessed};
use rand_core::UnwrapErr;
use serde_json::json;
use store::testing::sample::NOW;
use store::testing::{Disk, Synchronous};
use store::{AuditEvent, AuditFile, AuditFilter, Fault, Store};

const CUTS: u64 = 40;
/// Old records, one a day; the newest of them is a day old.
const OLD: u64 = 180;
const DAY: u64 = 86_400;
/// Days that are kept, less with each door.
const DOORS: [u64; 3] = [140, 80, 20];
/// Rows that go at once.
const CHUNK: u32 = 12;
const OLD_ACTION: &str = "session.created";
const NEW_ACTION: &str = "session.revoked";

fn cutoff(days: u64) -> u64 {
    NOW - days * DAY
}

fn key() -> HeadSigningKey {
    HeadSigningKey::from_bytes(&[7; 64])
}

/// What was acknowledged while the power was on.
#[derive(Default)]
struct Acknowledged {
    /// New records with numbers below this.
    records: u64,
    doors: Vec<Door>,
    /// Lines of a witness, one for each head.
    heads: Vec<String>,
    /// Everything that may go has gone.
    finished: bool,
}

/// Counts the steps of a retention and cuts the power so many writes and syncs after one of them
/// begins: where cuts fall does not depend on how fast the machine is.
struct Steps {
    disk: Arc<Disk>,
    appended: Arc<AtomicU64>,
    taken: u64,
    cut: Option<(u64, u64)>,
}

impl Steps {
    async fn step(&mut self) {
        others_go_on(&self.appended, &self.disk).await;
        if let Some((_, after)) = self.cut.filter(|(at, _)| *at == self.taken) {
            self.disk.cut_after(after);
        }
        self.taken += 1;
    }
}

async fn sign(store: &Store) -> Result<Option<String>, Fault> {
    let tip = store.audit_tip().await?;
    let newest = store.newest_audit_head().await?;
    let head = Head {
        number: newest.map_or(0, |newest| newest.head.number) + 1,
        record_id: tip.id,
        hash: tip.hash,
        timestamp: NOW,
    };
    let head = key().sign(&mut UnwrapErr(getrandom::SysRng), head);
    let line = Witnessed::new(&head, key().verify_key().fingerprint()).line();
    Ok(store.append_audit_head(head).await?.then_some(line))
}

async fn append(store: &Store, action: &'static str, timestamp: u64, number: u64) -> bool {
    let event = AuditEvent {
        user_id: None,
        action,
        timestamp,
        details: json!({ "number": number }),
    };
    store.append_audit(vec![event]).await.is_ok()
}

/// Opens each door, signs, lets go what may go; until it is done or cut.
async fn retain(store: &Store, steps: &mut Steps) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    let disk = Arc::clone(&steps.disk);
    for days in DOORS {
        steps.step().await;
        let door = store.open_audit_door(cutoff(days), NOW).await;
        if !disk.is_cut() {
            acknowledged.doors.extend(door.unwrap());
        }
        steps.step().await;
        let line = sign(store).await;
        if !disk.is_cut() {
            acknowledged.heads.extend(line.unwrap());
        }
        loop {
            steps.step().await;
            let gone = store.pass_audit_door(CHUNK).await;
            if disk.is_cut() {
                return acknowledged;
            }
            if gone.unwrap() == 0 {
                break;
            }
        }
    }
    acknowledged.finished = true;
    acknowledged
}

struct Cut {
    acknowledged: Acknowledged,
    steps: u64,
    /// Whether the newest door was there, and something that may go through it as well.
    half: bool,
    wrong: Vec<String>,
}

/// `at` is the step and the number of writes and syncs after it begins.
async fn cut(
    original: &Folder,
    at: Option<(u64, u64)>,
    seed: u64,
    synchronous: Synchronous,
) -> Cut {
    let powered = Powered::open(original, synchronous, 100);
    let appended = Arc::new(AtomicU64::new(0));
    let client = tokio::spawn({
        let (store, disk) = (powered.store.clone(), Arc::clone(&powered.disk));
        let appended = Arc::clone(&appended);
        async move {
            for number in 0.. {
                let done = append(&store, NEW_ACTION, NOW, number).await;
                if !done || disk.is_cut() {
                    return;
                }
                appended.store(number + 1, Ordering::SeqCst);
            }
        }
    });
    let mut steps = Steps {
        disk: Arc::clone(&powered.disk),
        appended: Arc::clone(&appended),
        taken: 0,
        cut: at,
    };
    let mut acknowledged = retain(&powered.store, &mut steps).await;
    client.abort();
    let _ = client.await;
    acknowledged.records = appended.load(Ordering::SeqCst);
    let after = powered.after(seed);
    let (half, wrong) = match look(&after, &acknowledged).await {
        Ok(found) => found,
        Err(error) => (false, vec![error]),
    };
    Cut {
        acknowledged,
        steps: steps.taken,
        half,
        wrong,
    }
}

fn findings(folder: &Folder, heads: &[String]) -> Vec<Finding> {
    let file = AuditFile::open(&folder.database()).unwrap();
    let key = Header::parse_key(&file.named_key().unwrap().unwrap()).unwrap();
    let mut outside = Outside::under(key.clone());
    for head in heads {
        outside.line(head.as_bytes()).unwrap();
    }
    let verifier = Verifier::new(Some(key), Some(outside));
    file.verify(verifier).unwrap().findings
}

/// Numbers of the records with this action, as their sealed details say.
async fn numbers(store: &Store, action: &str) -> Result<BTreeSet<u64>, Fault> {
    let filter = AuditFilter {
        action: Some(action.to_owned()),
        ..AuditFilter::default()
    };
    let (mut found, mut before) = (BTreeSet::new(), None);
    loop {
        let page = store.query_audit(filter.clone(), before, 500).await?;
        let number = |record: &store::AuditRecord| record.details["number"].as_u64().unwrap();
        found.extend(page.records.iter().map(number));
        before = page.next;
        if before.is_none() {
            return Ok(found);
        }
    }
}

/// What does not hold after the cut, and whether it fell between a door and its last deletion.
async fn look(folder: &Folder, acknowledged: &Acknowledged) -> Result<(bool, Vec<String>), String> {
    let failed = |error: &dyn std::fmt::Display| format!("everything: {error}");
    let store = Store::open(&folder.config()).map_err(|error| failed(&error))?;
    let mut wrong = Vec::new();
    for finding in findings(folder, &acknowledged.heads) {
        wrong.push(format!("the chain: {finding}"));
    }
    let doors = store.audit_doors().await.map_err(|error| failed(&error))?;
    // One more may have been written and not been acknowledged.
    if !doors.starts_with(&acknowledged.doors) || doors.len() > acknowledged.doors.len() + 1 {
        wrong.push(format!("doors: {doors:?}"));
    }
    let kept = doors.len().checked_sub(1).map_or(OLD, |at| DOORS[at]);
    let old = numbers(&store, OLD_ACTION).await.map_err(|e| failed(&e))?;
    let missing = |number: &u64| !old.contains(number);
    wrong.extend(
        (1..=kept)
            .filter(missing)
            .map(|n| format!("old record {n}")),
    );
    let half = !doors.is_empty() && old.iter().any(|number| *number > kept);
    let new = numbers(&store, NEW_ACTION).await.map_err(|e| failed(&e))?;
    let missing = |number: &u64| !new.contains(number);
    let all = 0..acknowledged.records;
    wrong.extend(all.filter(missing).map(|n| format!("new record {n}")));
    if acknowledged.finished && half {
        wrong.push("what was let go came back".to_owned());
    }
    go_on(&store).await.map_err(|error| failed(&error))?;
    let kept: BTreeSet<u64> = (1..=DOORS[DOORS.len() - 1]).collect();
    let left = numbers(&store, OLD_ACTION).await.map_err(|e| failed(&e))?;
    if left != kept {
        wrong.push(format!("the retention ended with {left:?}"));
    }
    store.close().map_err(|error| failed(&error))?;
    for finding in findings(folder, &acknowledged.heads) {
        wrong.push(format!("the chain afterwards: {finding}"));
    }
    Ok((half, wrong))
}

/// As the server does after its start: what is under way first, then what is due.
async fn go_on(store: &Store) -> Result<(), Fault> {
    let mut due = !store.audit_doors().await?.is_empty();
    for days in [None].into_iter().chain(DOORS.map(Some)) {
        if let Some(days) = days {
            due = store.open_audit_door(cutoff(days), NOW).await?.is_some();
        }
        if due {
            sign(store).await?;
            while store.pass_audit_door(CHUNK).await? > 0 {}
        }
    }
    Ok(())
}

async fn original() -> Folder {
    let folder = Folder::new();
    let store = folder.open();
    let text = Header::key_text(&key().verify_key());
    store.publish_audit_key(text).await.unwrap();
    for days in (1..=OLD).rev() {
        assert!(append(&store, OLD_ACTION, cutoff(days), days).await);
        if days % 60 == 0 {
            sign(&store).await.unwrap().unwrap();
        }
    }
    store.close().unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_cuts_across_a_retention_lose_nothing_that_was_to_stay() {
    let original = original().await;
    let whole = cut(&original, None, 0, Synchronous::Full).await;
    assert!(whole.acknowledged.finished, "the control: uncut, it ends");
    assert_eq!(whole.acknowledged.doors.len(), DOORS.len());
    assert!(whole.wrong.is_empty(), "{:?}", whole.wrong);
    let (mut half, mut unfinished, mut records) = (0, 0, 0);
    for seed in 0..CUTS {
        let at = (seed * whole.steps / CUTS, seed * 7 % 26);
        let cut = cut(&original, Some(at), seed, Synchronous::Full).await;
        assert!(
            cut.wrong.is_empty(),
            "cut {seed}, {} operations into step {} of {}: {:?}",
            at.1,
            at.0,
            whole.steps,
            cut.wrong
        );
        half += u64::from(cut.half);
        unfinished += u64::from(!cut.acknowledged.finished);
        records += cut.acknowledged.records;
    }
    println!("{unfinished} of {CUTS} cuts before the end, {half} half way through a door");
    assert!(unfinished >= CUTS * 9 / 10, "{unfinished} of {CUTS}");
    assert!(half >= CUTS / 2, "too few cuts fell into a door: {half}");
    assert!(records > CUTS, "too little was acknowledged: {records}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_with_full_turned_off_loses_acknowledged_records() {
    let original = original().await;
    for seed in 0..4 {
        let at = Some((8 + seed * 6, 9));
        let cut = cut(&original, at, seed * 2, Synchronous::Off).await;
        assert!(cut.acknowledged.records > 0 && !cut.acknowledged.doors.is_empty());
        let lost = |what: &str| cut.wrong.iter().any(|wrong| wrong.contains(what));
        assert!(
            lost("new record") && lost("doors"),
            "a loss would go unnoticed: {:?}",
            cut.wrong
        );
    }
}
