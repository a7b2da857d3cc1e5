//! Power cuts while a backup is made under writes: the database loses nothing acknowledged, no half
//! backup counts, and the next one removes what the cut left behind.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use ambient::Ambient;
use ambient::Entropy;
use backup::{Progress, S3Options, Target, Wish};
use secure_messaging::app::backups::{Engine, find_key, restore};
use secure_messaging::config::{Backups, Config};
use store::testing::sample::{self, NOW, session, session_id, user_id};
use store::testing::{Disk, Loss, Synchronous};
use store::{Store, StoreConfig};
use tempfile::TempDir;

const CUTS: u64 = 20;
/// Machines that run side by side.
const INSTANCES: u64 = 2;
/// Accounts that are there before the cut.
const PEOPLE: u64 = 3;
/// How often a backup draws: the copy's name, the backup's, and a salt for each of three objects.
const DRAWS: u64 = 5;
const SECTOR: usize = 512;

/// A data folder and a folder for backups.
struct Machine {
    data: TempDir,
    backups: TempDir,
}

impl Machine {
    fn new() -> Self {
        Self {
            data: TempDir::new().unwrap(),
            backups: TempDir::new().unwrap(),
        }
    }

    fn database(&self) -> PathBuf {
        self.data.path().join("secure_messaging.db")
    }

    fn store(&self) -> StoreConfig {
        StoreConfig::for_tests(&self.database())
    }

    fn address(&self) -> String {
        format!("file:{}", self.backups.path().display())
    }

    fn engine(&self, ambient: &Ambient) -> Engine {
        let config = Config {
            data_dir: self.data.path().to_owned(),
            backups: Backups {
                backup_target: Some(self.address()),
                ..Backups::default()
            },
            ..Config::default()
        };
        Engine::open(&config, ambient).unwrap().unwrap()
    }

    /// Copies of the database that a backup made for itself.
    fn copies(&self) -> Vec<PathBuf> {
        let copy = |path: &PathBuf| path.to_string_lossy().contains(".snapshot-");
        files(self.data.path()).into_iter().filter(copy).collect()
    }
}

/// Files in a folder and its folders; some may be gone meanwhile.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}

/// Copies the files of a folder that are wanted; one that is gone meanwhile is not there.
fn copy(
    from: &Path,
    to: &Path,
    wanted: &dyn Fn(&str) -> bool,
    change: &dyn Fn(&str, &mut Vec<u8>),
) {
    for path in files(from) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !wanted(&name) {
            continue;
        }
        let Ok(mut bytes) = std::fs::read(&path) else {
            continue;
        };
        change(&name, &mut bytes);
        let into = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(into.parent().unwrap()).unwrap();
        std::fs::write(into, bytes).unwrap();
    }
}

/// What was acknowledged to whoever writes: numbers of accounts and sessions below these.
struct Written {
    users: AtomicU64,
    sessions: AtomicU64,
}

/// Entropy that cuts the power at its n-th draw, and waits for the cut where it is told to.
struct Cutting {
    disk: Arc<Disk>,
    drawn: AtomicU64,
    at: u64,
    after: u64,
    waits: bool,
}

impl Entropy for Cutting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), ambient::EntropyError> {
        if self.drawn.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            self.disk.cut_after(self.after);
            while self.waits && !self.disk.is_cut() {
                thread::yield_now();
            }
        }
        ambient::OsEntropy.fill(bytes)
    }
}

/// What was acknowledged while the power was on.
#[derive(Default)]
struct Acknowledged {
    /// Accounts with numbers below this, all before the backup began.
    users: u64,
    /// Sessions with numbers below this, from 1,000 on.
    sessions: u64,
    backups: usize,
}

struct Cut {
    acknowledged: Acknowledged,
    /// Whether the cut left a copy, or something unfinished in the target.
    half: bool,
    draws: u64,
    wrong: Vec<String>,
}

/// Registers somebody and makes sessions until the power goes, or `enough` says so.
fn write(store: &Store, disk: &Disk, written: &Written, enough: &AtomicBool) {
    block_on(async {
        sample::register(store, PEOPLE..PEOPLE + 1, 2).await;
        if disk.is_cut() {
            return;
        }
        written.users.store(PEOPLE + 1, Ordering::SeqCst);
        for number in 1_000.. {
            let owner = user_id(number % PEOPLE);
            let made = store.create_session(session(owner, number, NOW), vec![]);
            made.await.unwrap();
            if disk.is_cut() || enough.load(Ordering::SeqCst) {
                return;
            }
            written.sessions.store(number + 1, Ordering::SeqCst);
        }
    });
}

/// `at` is the draw at which the power goes, so many writes and syncs later, and whether the backup
/// waits for it; without one it does not go.
fn cut(original: &Machine, at: Option<(u64, u64, bool)>, seed: u64, full: bool) -> Cut {
    let machine = Machine::new();
    let all = |_: &str| true;
    copy(original.data.path(), machine.data.path(), &all, &|_, _| {});
    copy(
        original.backups.path(),
        machine.backups.path(),
        &all,
        &|_, _| {},
    );
    let disk = Arc::new(Disk::default());
    let synchronous = match full {
        true => Synchronous::Full,
        false => Synchronous::Off,
    };
    let config = machine
        .store()
        .with_checkpoints_every(300)
        .with_synchronous(synchronous)
        .on_disk(&format!("backup-{seed}-{full}-{}", at.is_some()), &disk)
        .unwrap();
    let store = Store::open(&config).unwrap();

    let after = Arc::new(Machine::new());
    disk.at_cut({
        let after = Arc::clone(&after);
        let (data, target) = (
            machine.data.path().to_owned(),
            machine.backups.path().to_owned(),
        );
        move || note(&data, &target, &after, seed)
    });
    let written = Written {
        users: AtomicU64::new(PEOPLE),
        sessions: AtomicU64::new(1_000),
    };
    let enough = AtomicBool::new(false);
    let cutting = Arc::new(Cutting {
        disk: Arc::clone(&disk),
        drawn: AtomicU64::new(0),
        at: at.map_or(u64::MAX, |at| at.0),
        after: at.map_or(0, |at| at.1),
        waits: at.is_some_and(|at| at.2),
    });
    let acknowledged = thread::scope(|scope| {
        let writing = scope.spawn(|| write(&store, &disk, &written, &enough));
        while written.users.load(Ordering::SeqCst) == PEOPLE {
            thread::yield_now();
        }
        let ambient = Ambient::new(Ambient::system().clock(), Arc::clone(&cutting) as _);
        let made = block_on(async {
            let wish = match seed.is_multiple_of(3) {
                true => Wish::Full,
                false => Wish::Incremental,
            };
            let engine = machine.engine(&ambient);
            let progress = Progress::default();
            let made = engine.back_up(&store, &ambient, wish, None, &progress);
            made.await.is_ok() && !disk.is_cut()
        });
        if at.is_none() || !full {
            enough.store(true, Ordering::SeqCst);
        }
        writing.join().unwrap();
        Acknowledged {
            users: written.users.load(Ordering::SeqCst),
            sessions: written.sessions.load(Ordering::SeqCst),
            backups: 1 + usize::from(made),
        }
    });
    if at.is_none() {
        note(machine.data.path(), machine.backups.path(), &after, seed);
    }
    let loss = match seed.is_multiple_of(2) {
        true => Loss::All,
        false => Loss::Some(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
    };
    disk.restore(after.data.path(), loss).unwrap();
    store.close().unwrap();
    let (half, wrong) = match block_on(look(&after, &acknowledged)) {
        Ok(found) => found,
        Err(error) => (false, vec![error]),
    };
    Cut {
        acknowledged,
        half,
        draws: cutting.drawn.load(Ordering::SeqCst),
        wrong,
    }
}

/// What else is on the disk when the power goes. Nothing of a copy was synced, nor of an object that
/// does not bear its name yet, which has a # in it; of these any sector may be missing.
fn note(data: &Path, target: &Path, after: &Machine, seed: u64) {
    let torn = |_: &str, bytes: &mut Vec<u8>| {
        let mut random = seed.wrapping_mul(2).wrapping_add(1);
        for sector in bytes.chunks_mut(SECTOR) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if random >> 63 == 1 {
                sector.fill(0);
            }
        }
        let len = bytes.len();
        bytes.truncate(len - len * (seed as usize % 4) / 8);
    };
    let whole = |_: &str, _: &mut Vec<u8>| {};
    // Manifests first: what comes later than now must not be taken for what was there before.
    let to = after.backups.path();
    copy(target, to, &|name| name == "manifest", &whole);
    let staged = |name: &str| name.contains('#');
    copy(
        target,
        to,
        &|name| name != "manifest" && !staged(name),
        &whole,
    );
    copy(target, to, &staged, &torn);
    let to = after.data.path();
    copy(data, to, &|name| name.ends_with(".key"), &whole);
    copy(data, to, &|name| name.contains(".snapshot-"), &torn);
}

/// Whether the cut fell into the backup, and what does not hold after it.
async fn look(after: &Machine, acknowledged: &Acknowledged) -> Result<(bool, Vec<String>), String> {
    let failed = |error: &dyn std::fmt::Display| format!("everything: {error}");
    let mut wrong = Vec::new();
    let store = Store::open(&after.store()).map_err(|error| failed(&error))?;
    for number in 0..acknowledged.users {
        let id = user_id(number);
        let user = store.user_by_id(id).await;
        let safes = store.safes(id).await;
        if !(user.is_ok_and(|user| user.is_some()) && safes.is_ok_and(|safes| safes.is_some())) {
            wrong.push(format!("user {number}"));
        }
    }
    for number in 1_000..acknowledged.sessions {
        let found = store.find_session(session_id(number), NOW).await;
        if !found.is_ok_and(|found| found.is_some()) {
            wrong.push(format!("session {number}"));
        }
    }
    if let Err(error) = store.verify_audit_chain().await {
        wrong.push(error.to_string());
    }

    let ambient = Ambient::system();
    let engine = after.engine(&ambient);
    let found = engine.catalogue().await.map_err(|error| failed(&error))?;
    let half = !found.unfinished.is_empty() || !after.copies().is_empty();
    let backups = found.backups.len();
    // One more may have been finished and not been acknowledged.
    if !(acknowledged.backups..=acknowledged.backups + 1).contains(&backups) {
        wrong.push(format!("{backups} of {} backups", acknowledged.backups));
    }
    let whole = found.manifests().filter(|it| found.is_whole(it)).count();
    if whole != backups {
        wrong.push(format!("{whole} of {backups} backups are whole"));
    }
    let least = match backups {
        1 => PEOPLE,
        _ => acknowledged.users,
    };
    match restored(after, &ambient).await {
        Ok(people) if people >= least => {}
        Ok(people) => wrong.push(format!("{people} of {least} people are in the backup")),
        Err(error) => wrong.push(format!("the newest backup: {error}")),
    }
    let again = engine
        .back_up(
            &store,
            &ambient,
            Wish::Incremental,
            None,
            &Progress::default(),
        )
        .await;
    if let Err(error) = again {
        wrong.push(format!("no backup any more: {error}"));
    }
    let found = engine.catalogue().await.map_err(|error| failed(&error))?;
    if !found.unfinished.is_empty() || !after.copies().is_empty() {
        wrong.push("what the cut left is still there".to_owned());
    }
    store.close().map_err(|error| failed(&error))?;
    Ok((half, wrong))
}

/// Restores the newest backup and answers how many people are in it.
async fn restored(after: &Machine, ambient: &Ambient) -> Result<u64, String> {
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let new = TempDir::new().unwrap();
    let target = Target::open(&after.address(), &S3Options::default()).map_err(|e| failed(&e))?;
    let key = find_key(after.data.path()).unwrap().unwrap();
    let progress = Progress::default();
    restore(&target, &key, None, new.path(), ambient, &progress)
        .await
        .map_err(|error| failed(&error))?;
    let config = StoreConfig::for_tests(&new.path().join("secure_messaging.db"));
    let store = Store::open(&config).map_err(|error| failed(&error))?;
    store.verify_audit_chain().await.map_err(|e| failed(&e))?;
    let people = store.statistics(NOW).await.map_err(|e| failed(&e))?.users;
    store.close().map_err(|error| failed(&error))?;
    Ok(people)
}

/// A database with a few people, and one backup of it.
async fn original() -> Machine {
    let machine = Machine::new();
    let ambient = Ambient::system();
    let store = Store::open(&machine.store()).unwrap();
    sample::register(&store, 0..PEOPLE, 2).await;
    let progress = Progress::default();
    machine
        .engine(&ambient)
        .back_up(&store, &ambient, Wish::Full, None, &progress)
        .await
        .unwrap();
    store.close().unwrap();
    machine
}

/// When the power goes in each cut: at every draw, after a few writes or many, with the backup
/// waiting or running on.
fn moment(seed: u64) -> (u64, u64, bool) {
    (
        1 + seed % DRAWS,
        seed * 11 % 60,
        !(seed / DRAWS).is_multiple_of(3),
    )
}

#[test]
fn twenty_cuts_while_a_backup_is_made_lose_nothing_and_leave_no_half_backup() {
    let original = block_on(original());
    let whole = cut(&original, None, 1_000, true);
    assert_eq!(whole.wrong, Vec::<String>::new());
    assert_eq!((whole.acknowledged.backups, whole.half), (2, false));
    assert_eq!(whole.draws, DRAWS, "the control: every moment exists");
    let instance = |first: u64| {
        let (mut half, mut sessions) = (0, 0);
        for seed in (first..CUTS).step_by(INSTANCES as usize) {
            let at = moment(seed);
            let cut = cut(&original, Some(at), seed, true);
            assert_eq!(cut.wrong, Vec::<String>::new(), "cut {seed} at {at:?}");
            assert!(cut.half || !at.2 || at.0 == 1, "cut {seed} at {at:?}");
            half += u64::from(cut.half);
            sessions += cut.acknowledged.sessions - 1_000;
        }
        (half, sessions)
    };
    let (half, sessions) = thread::scope(|scope| {
        let instance = &instance;
        let threads: Vec<_> = (0..INSTANCES)
            .map(|first| scope.spawn(move || instance(first)))
            .collect();
        let done = threads.into_iter().map(|thread| thread.join().unwrap());
        done.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    });
    println!("{half} of {CUTS} cuts left something half done; {sessions} sessions made meanwhile");
    assert!(half >= CUTS / 2, "too few cuts fell into a backup: {half}");
    assert!(sessions > CUTS, "too little was acknowledged: {sessions}");
}

#[test]
fn the_control_with_full_turned_off_loses_acknowledged_records_during_a_backup() {
    let original = block_on(original());
    for seed in [0, 2] {
        let cut = cut(&original, Some((2 + seed, 30, true)), seed, false);
        assert!(cut.acknowledged.users > PEOPLE);
        let lost = |wrong: &String| wrong.starts_with("user ");
        assert!(
            cut.wrong.iter().any(lost),
            "a loss would go unnoticed: {:?}",
            cut.wrong
        );
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(future)
}
