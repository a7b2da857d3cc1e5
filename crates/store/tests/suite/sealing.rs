//! Nothing sensitive reaches a file in the clear: not the database, its log, nor what SQLite spills.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::Folder;
use ambient::testing::in_a_process_of_its_own;
use rusqlite::Connection;
use store::testing::sample::{self, NOW, event};

/// What nobody who holds a file may read: names, addresses, user agents, details of audit records.
const MARKERS: [&[u8]; 6] = [
    b"handle-7",
    b"Alias 7",
    b"192.0.2.77",
    b"Sample Browser",
    b"Sample device",
    b"a sample reason",
];
/// Public by nature: what shows that a place was searched at all.
const PUBLIC: &[u8] = b"user.registered";
const USERS: u64 = 120;
const ALONE: &str = "SECURE_MESSAGING_TEST_SEALING";

/// Markers found in the kinds of places that were searched.
type Found = BTreeMap<&'static str, usize>;

fn hits(bytes: &[u8]) -> usize {
    MARKERS
        .iter()
        .filter(|marker| memchr::memmem::find(bytes, marker).is_some())
        .count()
}

fn add(found: &mut Found, place: &'static str, bytes: &[u8]) {
    *found.entry(place).or_default() += hits(bytes);
}

/// Searches the database and what lies beside it.
fn search_folder(folder: &Folder, found: &mut Found) {
    for name in folder.names() {
        let place = match name.rsplit_once('-').map(|(_, end)| end) {
            Some("wal") => "-wal",
            Some("shm") => "-shm",
            _ => "db",
        };
        let bytes = fs::read(folder.0.path().join(name)).unwrap();
        if place == "db" {
            let public = memchr::memmem::find(&bytes, PUBLIC).is_some();
            *found.entry("public text").or_default() += usize::from(public);
        }
        add(found, place, &bytes);
    }
}

/// Searches the files that this process has open and nobody can name any more: where SQLite sorts
/// and rebuilds. Returns how many bytes there were.
fn search_spilled(found: &mut Found) -> usize {
    let mut searched = 0;
    for entry in fs::read_dir("/proc/self/fd").unwrap().flatten() {
        let gone = fs::read_link(entry.path())
            .is_ok_and(|target| target.to_string_lossy().ends_with(" (deleted)"));
        let a_file = fs::metadata(entry.path())
            .is_ok_and(|metadata| metadata.is_file() && !metadata.file_type().is_socket());
        if gone
            && a_file
            && let Ok(bytes) = fs::read(entry.path())
        {
            searched += bytes.len();
            add(found, "spilled", &bytes);
        }
    }
    searched
}

/// Does work while another thread searches what it spills.
fn watched(found: &mut Found, work: impl FnOnce()) -> usize {
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let watcher = threads.spawn(|| {
            let mut searched = 0;
            while !done.load(Ordering::SeqCst) {
                searched += search_spilled(found);
            }
            searched
        });
        // Also when the work fails, or the failure would never be seen.
        let over = Over(&done);
        work();
        drop(over);
        watcher.join().unwrap()
    })
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Sorts what is too much for memory and rebuilds the file, as somebody does who is careless with
/// the settings: the product's own connections keep both in memory.
fn sort_and_rebuild(connection: &Connection) {
    connection
        .execute_batch("PRAGMA temp_store = FILE; PRAGMA cache_size = 10;")
        .unwrap();
    for columns in [
        "CAST(k.encrypted_private_keys || u.encrypted_data AS BLOB) AS it
             FROM key_safes k JOIN users u ON u.user_id = k.user_id",
        "CAST(encrypted_details || zeroblob(8192) AS BLOB) AS it FROM audit_log",
        "CAST(encrypted_data || zeroblob(8192) AS BLOB) AS it FROM sessions",
    ] {
        let sql = format!("SELECT {columns} ORDER BY it DESC");
        let mut sort = connection.prepare(&sql).unwrap();
        let rows = sort.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        assert!(rows.map(Result::unwrap).count() as u64 >= USERS);
    }
    connection.execute_batch("VACUUM").unwrap();
}

async fn search_everywhere() -> Found {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..USERS + 1, 3).await;
    for number in 0..USERS {
        let user = sample::user_id(number % USERS + 1);
        let events = vec![event(Some(user), "session.created", NOW); 4];
        store.append_audit(events).await.unwrap();
    }
    let mut found = Found::new();
    search_folder(&folder, &mut found);
    let copy = folder.0.path().join("copy");
    store
        .snapshot(copy.clone(), Box::new(|_, _| {}))
        .await
        .unwrap();
    add(&mut found, "copy", &fs::read(copy).unwrap());
    store.close().unwrap();
    let connection = folder.tamper();
    let mut searched = 0;
    // A file lives as long as one statement; the watcher must have met some.
    for _ in 0..20 {
        searched += watched(&mut found, || sort_and_rebuild(&connection));
        if searched > 1 << 20 {
            break;
        }
    }
    assert!(searched > 0, "nothing was spilled: the proof saw nothing");
    drop(connection);
    search_folder(&folder, &mut found);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_shows_names_addresses_or_details_not_even_what_sorting_and_vacuum_spill() {
    // The control turns sealing off for the whole process.
    if std::env::var_os(ALONE).is_none() {
        return in_a_process_of_its_own(&[], [(ALONE, "1")]);
    }
    let found = search_everywhere().await;
    assert!(found["public text"] > 0, "the search is blind: {found:?}");
    let places = ["db", "-wal", "-shm", "copy", "spilled"];
    for place in places {
        assert_eq!(found[place], 0, "{found:?}");
    }
    // The control: the same build with sealing turned off shows them in each place that holds rows.
    keyring::testing::turn_sealing_off();
    let found = search_everywhere().await;
    for place in ["db", "-wal", "copy", "spilled"] {
        assert!(found[place] > 0, "{place}: {found:?}");
    }
}
