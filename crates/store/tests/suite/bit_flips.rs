//! Every page of the database with flipped bits: each read gives what was written or an error, never
//! another plaintext and never a panic.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::support::Folder;
use crate::support::everything::{self, Seen, Seens};
use store::testing::sample::{self, NOW, event, session, user_id};
use store::{Fault, OpenError, Store};

const PAGE: usize = 8_192;
/// The database's head, before the first page's own.
const HEAD: usize = 100;
/// Kinds of pages of a B-tree: inner and leaf pages of indexes and tables.
const KINDS: [u8; 4] = [2, 5, 10, 13];
/// Flips in the content of each page, beside one in its head.
const INSIDE: usize = 1;
/// Threads that flip.
const WORKERS: usize = 2;

/// Places of a page that hold something: its head with the pointers, its cells or overflow.
fn used(page: &[u8], first: bool) -> (Vec<usize>, Vec<usize>) {
    let head = if first { HEAD } else { 0 };
    if !KINDS.contains(&page[head]) {
        let last = page.iter().rposition(|byte| *byte != 0).unwrap_or(PAGE - 1);
        return ((0..4).collect(), (4..=last.max(4)).collect());
    }
    let number = |at: usize| usize::from(u16::from_be_bytes([page[at], page[at + 1]]));
    let (cells, content) = (number(head + 3), number(head + 5));
    let pointers = if matches!(page[head], 2 | 5) { 12 } else { 8 };
    let heads = (0..head + pointers + 2 * cells).collect();
    (heads, (content..PAGE).collect())
}

/// Where bits are flipped: in every page one in its head and some in what it holds.
fn places(file: &[u8]) -> Vec<(usize, u8)> {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 16) as usize % below
    };
    let mut places = Vec::new();
    for (number, page) in file.chunks(PAGE).enumerate() {
        let (head, content) = used(page, number == 0);
        let many = match std::env::var_os("SECURE_MESSAGING_LONG") {
            Some(_) => 60,
            None => INSIDE,
        };
        let inside = (0..many).map(|_| &content);
        for choice in [&head].into_iter().chain(inside) {
            let at = choice[draw(choice.len())];
            places.push((number * PAGE + at, 1 << draw(8)));
        }
    }
    places
}

/// How what was seen differs from what was written.
#[derive(Debug, Default)]
struct Difference {
    /// Sealed values that opened to something else.
    wrong: Vec<String>,
    /// Values that never were sealed and are different; the bit is in them.
    clear: Vec<String>,
    errors: Vec<String>,
    gone: Vec<String>,
}

fn compare(written: &Seens, seen: &Seens) -> Difference {
    let mut difference = Difference::default();
    for (name, was) in written {
        match seen.get(name) {
            Some(now) if now == was => {}
            // Details whose key is not found are shown as none: those of an erased account.
            Some(Seen::Value(now)) if name.contains("encrypted_details") && now == "null" => {
                difference.gone.push(name.clone());
            }
            Some(Seen::Value(_)) if name.contains("encrypted_") => {
                difference.wrong.push(name.clone());
            }
            Some(Seen::Value(_)) => difference.clear.push(name.clone()),
            Some(Seen::Damaged { table, row }) => {
                difference.errors.push(format!("{name}: {table} {row}"));
            }
            Some(Seen::Refused(text)) => difference.errors.push(format!("{name}: {text}")),
            // A value that is looked at only where its row opened.
            Some(Seen::Absent) | None => difference.gone.push(name.clone()),
        }
    }
    difference
}

/// What came of one flip.
enum Outcome {
    /// The database does not open.
    Refused(OpenError),
    Opened {
        difference: Difference,
        /// What an offline verification of the audit log found, if anything.
        audit: Option<String>,
    },
}

async fn flip(whole: &[u8], (at, bit): (usize, u8), written: &Seens, last: u64) -> Outcome {
    let folder = Folder::new();
    let mut changed = whole.to_vec();
    changed[at] ^= bit;
    std::fs::write(folder.database(), changed).unwrap();
    let audit = everything::offline(&folder);
    let store = match Store::open(&folder.config()) {
        Ok(store) => store,
        Err(error) => return Outcome::Refused(error),
    };
    let seen = everything::look(&store, last).await;
    // Whoever writes into it meets an error at most.
    let events = vec![event(Some(user_id(1)), "a.b", NOW)];
    let _ = store.append_audit(events).await;
    let new = session(user_id(2), 77, NOW);
    let _ = store.create_session(new, vec![]).await;
    let alias = "Another".to_owned().into();
    let _ = store.set_alias(user_id(3), alias, vec![]).await;
    let answers = store.statistics(NOW).await;
    assert!(!matches!(answers, Err(Fault::Closed)), "a thread ended");
    let closed = store.close();
    assert!(!matches!(closed, Err(Fault::Closed)), "a thread ended");
    Outcome::Opened {
        difference: compare(written, &seen),
        audit,
    }
}

/// Panics of any thread, of the store's too.
fn count_panics() -> &'static AtomicU32 {
    static PANICS: AtomicU32 = AtomicU32::new(0);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        before(info);
    }));
    &PANICS
}

/// The database, what was written into it, and its newest audit record.
async fn written() -> (Folder, Seens, u64) {
    let folder = everything::filled().await;
    let store = folder.open();
    let last = store.audit_tip().await.unwrap().id;
    store.close().unwrap();
    let whole = std::fs::read(folder.database()).unwrap();
    let store = folder.open();
    let written = everything::look(&store, last).await;
    store.close().unwrap();
    everything::assert_full(&folder, &written).await;
    // Looking claims prekeys.
    std::fs::write(folder.database(), whole).unwrap();
    (folder, written, last)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.build().unwrap().block_on(future)
}

#[test]
fn bits_flipped_in_every_page_give_errors_and_never_wrong_plaintext_or_a_panic() {
    let panics = count_panics();
    let (folder, written, last) = block_on(written());
    let whole = std::fs::read(folder.database()).unwrap();
    assert_eq!(whole.len() % PAGE, 0);
    let places = places(&whole);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outcomes = Vec::new();
        while let Some(place) = places.get(next.fetch_add(1, Ordering::SeqCst)) {
            outcomes.push((*place, block_on(flip(&whole, *place, &written, last))));
        }
        outcomes
    };
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter().map(|worker| worker.join().unwrap());
        done.flatten().collect()
    });
    assert_eq!(outcomes.len(), places.len());
    assert_eq!(panics.load(Ordering::SeqCst), 0, "nobody panics");
    summarize(&whole, outcomes);
}

fn summarize(whole: &[u8], outcomes: Vec<((usize, u8), Outcome)>) {
    let mut sum: BTreeMap<&str, u32> = BTreeMap::new();
    let flips = outcomes.len();
    let mut unclear = 0;
    for ((at, bit), outcome) in outcomes {
        let place = format!("bit {bit:#04x} at {} of page {}", at % PAGE, 1 + at / PAGE);
        let what = match outcome {
            Outcome::Refused(error) => {
                let text = error.to_string();
                assert!(text.len() > 40, "{place}: {text}");
                "refused"
            }
            Outcome::Opened { difference, audit } => {
                assert_eq!(difference.wrong, Vec::<String>::new(), "{place}");
                // A record's clear values are under the chain's hashes.
                let record = |name: &&String| name.starts_with("audit_log of");
                if let Some(name) = difference.clear.iter().find(record) {
                    assert!(audit.is_some(), "{place}: {name} is changed and verifies");
                }
                let unnamed = |error: &&String| error.contains("nothing was kept");
                unclear += difference.errors.iter().filter(unnamed).count();
                match difference {
                    Difference { errors, .. } if !errors.is_empty() => "errors",
                    Difference { gone, .. } if !gone.is_empty() => "gone",
                    Difference { clear, .. } if !clear.is_empty() => "clear",
                    _ if audit.is_some() => "audit",
                    _ => "nothing",
                }
            }
        };
        *sum.entry(what).or_default() += 1;
    }
    println!(
        "{flips} flips in {} pages: {sum:?}, {unclear} errors without a row",
        whole.len() / PAGE
    );
    let many = |what: &str| sum.get(what).copied().unwrap_or_default() as usize;
    assert!(
        many("refused") > 0 && many("errors") > flips / 5,
        "the control: flips meet what is sealed, and what opening needs"
    );
}

#[test]
fn the_control_another_plaintext_would_be_noticed_in_every_sealed_value() {
    let (folder, written, last) = block_on(written());
    assert!(compare(&written, &written).wrong.is_empty());
    for (name, seen) in &written {
        let Seen::Value(value) = seen else { continue };
        let mut changed = written.clone();
        let at = value.len() / 2;
        let other = if value.as_bytes()[at] == b'0' {
            "1"
        } else {
            "0"
        };
        let mut value = value.clone();
        value.replace_range(at..=at, other);
        changed.insert(name.clone(), Seen::Value(value));
        let Difference { wrong, clear, .. } = compare(&written, &changed);
        assert_eq!([wrong, clear].concat(), std::slice::from_ref(name));
    }
    // And through the store: values that are sealed as they must be, but are not what was written.
    let seen = block_on(async {
        let store = folder.open();
        let alias = "Alias 9".to_owned().into();
        assert!(store.set_alias(user_id(1), alias, vec![]).await.unwrap());
        let update = store::SafeUpdate {
            user_id: user_id(2),
            expected_version: 1,
            write_proof_hash: sample::safe(1).write_proof_hash,
            version: 2,
            data: vec![1; 100],
        };
        store.write_safe(update).await.unwrap();
        let seen = everything::look(&store, last).await;
        store.close().unwrap();
        seen
    });
    assert_eq!(
        compare(&written, &seen).wrong,
        [
            "key_safes.encrypted_private_keys of 2",
            "users.encrypted_data of 1 by handle",
            "users.encrypted_data of 1 by id",
        ]
    );
}
