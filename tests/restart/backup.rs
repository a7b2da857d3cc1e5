//! Backups with the real binary: made while it serves, killed half way, restored, chatted on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Output, Stdio};
use std::time::{Duration, Instant};

use backup::{BackupKey, S3Options, Target};
use client::command::SettingsChange;
use client::event::Phase;
use client::{Command, Event};
use headless::Headless;
use store::testing::sample;
use store::{KeySource, Store, StoreConfig};
use tempfile::TempDir;

use crate::support::{Spawned, binary};

const KEY: &str = "a key of the tests";
const PASSPHRASE: &str = "granite otter velvet mosaic turbine lantern";
/// Accounts in the database: few, so that there is time for many kills.
const PEOPLE: u64 = 10;
const PATIENCE: Duration = Duration::from_secs(60);

/// A data folder, a folder for backups, and one key for both.
struct Place {
    data: TempDir,
    backups: TempDir,
    key: String,
}

impl Place {
    fn new() -> Self {
        let digits: String = hex::encode(crate::support::random_id());
        Self {
            data: TempDir::new().unwrap(),
            backups: TempDir::new().unwrap(),
            key: format!("{digits}{digits}"),
        }
    }

    fn address(&self) -> String {
        format!("file:{}", self.backups.path().display())
    }

    fn database(&self) -> PathBuf {
        self.data.path().join("secure_messaging.db")
    }

    /// A subcommand of the binary in this place.
    fn command(&self, args: &[&str]) -> Process {
        let mut command = binary();
        command
            .args(args)
            .current_dir(self.data.path())
            .env("DB_ENCRYPTION_KEY", KEY)
            .env("BACKUP_KEY", &self.key)
            .env("SECURE_MESSAGING_KDF_ITERATIONS", "100000")
            .env("SECURE_MESSAGING_DATA_DIR", self.data.path())
            .env("SECURE_MESSAGING_BACKUP_TARGET", self.address())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A server in this place, with its backup key and its target.
    fn serve(&self) -> Spawned {
        let address = self.address();
        let variables = [
            ("BACKUP_KEY", self.key.as_str()),
            ("SECURE_MESSAGING_BACKUP_TARGET", address.as_str()),
        ];
        Spawned::start_with(self.data.path(), &variables)
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a subcommand, which waits for the backup that a server makes when it starts.
    fn must(&self, args: &[&str]) -> String {
        let mut output = self.run(args);
        for _ in 0..100 {
            if !said(&output).contains("a backup is under way") {
                break;
            }
            output = self.run(args);
        }
        let text = said(&output);
        assert!(output.status.success(), "{args:?}: {text}");
        text
    }

    fn restore(&self, into: &Path) -> Output {
        let into = into.to_str().unwrap();
        self.run(&["restore", "--from", &self.address(), "--data-dir", into])
    }

    /// Names in the data folder that a backup or a restore makes for itself.
    fn temporary(folder: &Path) -> BTreeSet<String> {
        let mut names = names(folder);
        names.retain(|name| {
            [".snapshot-", ".partial", "drill-"]
                .iter()
                .any(|part| name.contains(part))
        });
        names
    }
}

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&text).into_owned()
}

fn open(database: &Path) -> Store {
    let key = KeySource::beside(Some(KEY.to_owned()), database);
    let mut config = StoreConfig::new(database, key);
    config.iterations = 100_000;
    Store::open(&config).unwrap()
}

/// Kills as `kill -9` does as soon as this says so; whether it had ended by itself.
fn kill_when(mut child: Child, now: impl Fn() -> bool) -> bool {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        if now() {
            child.kill().unwrap();
            child.wait().unwrap();
            return false;
        }
        // A spinning watcher would take the other's processor.
        std::thread::park_timeout(Duration::from_micros(200));
    }
}

/// Waits for a moment and kills; whether it had ended by itself.
fn kill_after(child: Child, wait: Duration) -> bool {
    let until = Instant::now() + wait;
    kill_when(child, || Instant::now() >= until)
}

/// How often each is killed.
fn cycles(ordinary: u32) -> u32 {
    match std::env::var_os("SECURE_MESSAGING_LONG") {
        Some(_) => 1_000,
        None => ordinary,
    }
}

/// Names in a folder; none where it is not there.
fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeSet::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Moments spread over the time that something takes, another in each cycle.
fn moment(cycle: u32, cycles: u32, whole: Duration) -> Duration {
    whole * (cycle * 17 % cycles) / cycles
}

/// Waits until the server has a key safe in which somebody is a contact: a browser that is new to the
/// account sees nothing else.
async fn until_stored(base: &str, handle: &str, contact: client::id::ConversationId) {
    loop {
        let mut fresh = Headless::connect(base).await.unwrap();
        fresh.sign_in(handle, PASSPHRASE).await.unwrap();
        fresh.command(Command::Snapshot).unwrap();
        let seen = fresh
            .next_event(|event| matches!(event, Event::Chats { .. }), PATIENCE)
            .await
            .unwrap();
        let is_there =
            |chat: &client::event::ChatView| chat.chat == contact && chat.relation == "contact";
        if matches!(&seen, Event::Chats { chats } if chats.iter().any(is_there)) {
            return;
        }
    }
}

#[actix_web::test]
async fn people_chat_on_after_a_restore_into_a_new_folder() {
    let place = Place::new();
    let server = place.serve();
    let base = format!("http://{}", server.address);
    let mut alice = Headless::connect(&base).await.unwrap();
    let secret = server.setup_secret();
    alice
        .register("alice", PASSPHRASE, Some(&secret), None)
        .await
        .unwrap();
    alice
        .command(Command::SetRegistration {
            mode: "open".into(),
        })
        .unwrap();
    alice
        .expect(|event| matches!(event, Event::Server(view) if view.registration == api::RegistrationMode::Open))
        .await
        .unwrap();
    let mut bob = Headless::connect(&base).await.unwrap();
    bob.register("bob", PASSPHRASE, None, None).await.unwrap();
    let to_bob = alice.request_contact("bob").await.unwrap();
    let to_alice = bob.accept_request().await.unwrap();
    alice.say(to_bob, "before the backup").await.unwrap();
    bob.read(to_alice, "before the backup").await.unwrap();

    until_stored(&base, "alice", to_bob).await;
    until_stored(&base, "bob", to_alice).await;

    let made = place.must(&["backup", "--full"]);
    assert!(made.contains("verified"), "{made}");
    // What changes afterwards is not in it; the browsers remember.
    for person in [&mut alice, &mut bob] {
        let change = SettingsChange {
            receipts: Some(false),
            ..SettingsChange::default()
        };
        person.command(Command::SetSettings(change)).unwrap();
        person
            .expect(|event| matches!(event, Event::Settings(view) if !view.receipts))
            .await
            .unwrap();
    }
    alice.say(to_bob, "after the backup").await.unwrap();
    bob.read(to_alice, "after the backup").await.unwrap();
    let (alice, bob) = (alice.abandon(), bob.abandon());
    server.kill();

    let new = TempDir::new().unwrap();
    let folder = new.path().join("data");
    let restored = place.restore(&folder);
    assert!(restored.status.success(), "{}", said(&restored));
    assert!(said(&restored).contains("Everybody signs in again"));
    let again = place.restore(&folder);
    assert!(!again.status.success());
    assert!(
        said(&again).contains("never overwrites"),
        "{}",
        said(&again)
    );

    let server = Spawned::start(&folder);
    let base = format!("http://{}", server.address);
    let mut people = Vec::new();
    for (profile, handle) in [(alice, "alice"), (bob, "bob")] {
        let mut person = Headless::open(&base, profile).await.unwrap();
        // The session of before is nobody's any more.
        person.phase(Phase::SignedOut).await.unwrap();
        person
            .command(Command::SignIn {
                handle: handle.into(),
                passphrase: PASSPHRASE.into(),
                device_name: None,
            })
            .unwrap();
        let asked = person
            .next_event(|event| matches!(event, Event::Restored { .. }), PATIENCE)
            .await
            .unwrap();
        assert!(matches!(asked, Event::Restored { at, .. } if at > 1_700_000_000));
        person.command(Command::AcceptRestored).unwrap();
        person.phase(Phase::Unlocked).await.unwrap();
        person.online().await.unwrap();
        people.push(person);
    }
    let [alice, bob] = people.as_mut_slice() else {
        panic!("two people")
    };
    alice.say(to_bob, "we are back").await.unwrap();
    bob.read(to_alice, "we are back").await.unwrap();
    bob.say(to_alice, "so we are").await.unwrap();
    alice.read(to_bob, "so we are").await.unwrap();
    // Somebody whose browser remembers nothing just signs in, and is written to.
    let mut elsewhere = Headless::connect(&base).await.unwrap();
    elsewhere.sign_in("bob", PASSPHRASE).await.unwrap();
    assert!(
        !elsewhere
            .drain_events()
            .iter()
            .any(|event| matches!(event, Event::Restored { .. }))
    );
    server.stop();
    let store = open(&folder.join("secure_messaging.db"));
    let filter = store::AuditFilter {
        action: Some("backup.restored".to_owned()),
        ..store::AuditFilter::default()
    };
    assert_eq!(store.count_audit(filter).await.unwrap(), 1);
    store.verify_audit_chain().await.unwrap();
    store.close().unwrap();
}

#[actix_web::test]
async fn a_backup_that_is_killed_half_way_does_not_count_and_leaves_nothing_behind() {
    let cycles = cycles(40);
    let place = Place::new();
    let store = open(&place.database());
    sample::register(&store, 0..PEOPLE, 2).await;
    store.close().unwrap();
    let begun = Instant::now();
    place.must(&["backup", "--full"]);
    let whole = begun.elapsed();
    let target = Target::open(&place.address(), &S3Options::default()).unwrap();
    let key = BackupKey::parse(&place.key).unwrap();
    let (mut finished, mut half) = (1, 0);
    for cycle in 0..cycles {
        let kind: &[&str] = if cycle % 3 == 0 {
            &["backup", "--full"]
        } else {
            &["backup"]
        };
        let copies = Place::temporary(place.data.path());
        let begun = names(place.backups.path());
        let child = place.command(kind).spawn().unwrap();
        // Half of the kills wait for what they are to fall into, wherever that is in time.
        let ended = match cycle % 4 {
            0 => kill_when(child, || {
                !Place::temporary(place.data.path()).is_subset(&copies)
            }),
            1 => kill_when(child, || !names(place.backups.path()).is_subset(&begun)),
            _ => kill_after(child, moment(cycle, cycles, whole)),
        };
        finished += usize::from(ended);
        let found = backup::catalogue(&target, &key).await.unwrap();
        // A kill between the manifest and the answer leaves one more that is whole.
        assert!(
            found.backups.len() >= finished,
            "an acknowledged backup is lost"
        );
        assert!(found.manifests().all(|manifest| found.is_whole(manifest)));
        assert_eq!(found.manifests().count(), found.backups.len());
        let copies = Place::temporary(place.data.path());
        half += u32::from(!found.unfinished.is_empty() || !copies.is_empty());
        finished = found.backups.len();
    }
    println!("{half} of {cycles} kills came half way through a backup");
    assert!(half >= cycles / 4, "the control: too few came half way");
    // What was acknowledged before is in the database, and the newest backup is of it.
    let store = open(&place.database());
    assert_eq!(store.statistics(0).await.unwrap().users, PEOPLE);
    store.verify_audit_chain().await.unwrap();
    store.close().unwrap();
    place.must(&["backup"]);
    let found = backup::catalogue(&target, &key).await.unwrap();
    assert!(found.unfinished.is_empty());
    assert!(Place::temporary(place.data.path()).is_empty());
    let drilled = place.must(&["backup", "drill"]);
    assert!(
        drilled.contains("RPO") && drilled.contains("RTO"),
        "{drilled}"
    );
    assert!(Place::temporary(place.data.path()).is_empty());
}

#[actix_web::test]
async fn a_restore_that_is_killed_half_way_is_done_again_and_is_never_half_there() {
    let cycles = cycles(30);
    let place = Place::new();
    let store = open(&place.database());
    sample::register(&store, 0..PEOPLE, 2).await;
    store.close().unwrap();
    place.must(&["backup", "--full"]);
    place.must(&["backup"]);
    let new = TempDir::new().unwrap();
    let begun = Instant::now();
    assert!(place.restore(&new.path().join("first")).status.success());
    let whole = begun.elapsed();
    let mut half = 0;
    for cycle in 0..cycles {
        let folder = new.path().join(cycle.to_string());
        let into = folder.to_str().unwrap();
        let args = ["restore", "--from", &place.address(), "--data-dir", into];
        let child = place.command(&args).spawn().unwrap();
        // Half of the kills wait for what they are to fall into, wherever that is in time.
        match cycle % 2 {
            0 => kill_when(child, || !Place::temporary(&folder).is_empty()),
            _ => kill_after(child, moment(cycle, cycles, whole)),
        };
        let database = folder.join("secure_messaging.db");
        if !database.exists() {
            if !folder.exists() {
                continue;
            }
            if !Place::temporary(&folder).is_empty() {
                half += 1;
                // A server does not begin anew where somebody wanted the old state.
                let started = place.run(&["serve", "--data-dir", into]);
                assert!(!started.status.success());
                assert!(
                    said(&started).contains("run restore again"),
                    "{}",
                    said(&started)
                );
            }
            let again = place.restore(&folder);
            assert!(again.status.success(), "{}", said(&again));
        }
        let store = open(&database);
        assert_eq!(store.statistics(0).await.unwrap().users, PEOPLE);
        assert!(store.restored().await.unwrap().is_some());
        store.close().unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }
    println!("{half} of {cycles} kills came half way through a restore");
    assert!(half >= cycles / 4, "the control: too few came half way");
}

#[actix_web::test]
async fn a_running_server_is_asked_for_a_backup_a_drill_and_an_export() {
    let place = Place::new();
    let server = place.serve();
    let said_first = place.must(&["backup", "--full"]);
    assert!(said_first.contains("verified"), "{said_first}");
    let drilled = place.must(&["backup", "drill"]);
    assert!(
        drilled.contains("was restored, opened and compared"),
        "{drilled}"
    );
    let log = place.must(&["audit", "export", "--details"]);
    for action in ["backup.intent", "backup.done", "backup_drill.done"] {
        assert!(
            log.contains(&format!("admin.{action}\"")),
            "{action}: {log}"
        );
    }
    assert!(log.contains("\"subcommand\":\"backup drill\""), "{log}");
    let mut elsewhere = place.command(&["backup"]);
    let elsewhere = elsewhere
        .env("SECURE_MESSAGING_BACKUP_TARGET", "file:/somewhere/else")
        .output()
        .unwrap();
    assert!(!elsewhere.status.success());
    let text = said(&elsewhere);
    assert!(text.contains("another backup_target"), "{text}");
    // The database's file alone would not be read: the server has the words.
    let keyless = || {
        let mut command = place.command(&["backup"]);
        command.env("DB_ENCRYPTION_KEY", "a key that opens nothing");
        command.output().unwrap()
    };
    let beside = keyless();
    assert!(beside.status.success(), "{}", said(&beside));
    server.stop();
    assert!(!keyless().status.success(), "the control");
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let place = Place::new();
    let text = said(&place.run(&["backup"]));
    assert!(text.contains("start the server once"), "{text}");
    let new = TempDir::new().unwrap();
    let text = said(&place.restore(&new.path().join("data")));
    assert!(text.contains("there is no backup in the target"), "{text}");
    let into = new.path().join("data");
    let mut command = place.command(&["restore", "--from", &place.address(), "--data-dir"]);
    let output = command
        .arg(&into)
        .env_remove("BACKUP_KEY")
        .output()
        .unwrap();
    assert!(
        said(&output).contains("BACKUP_KEY_FILE"),
        "{}",
        said(&output)
    );
    let mut command = place.command(&["backup", "list"]);
    let output = command
        .env_remove("SECURE_MESSAGING_BACKUP_TARGET")
        .output()
        .unwrap();
    assert!(
        said(&output).contains("backup_target is not set"),
        "{}",
        said(&output)
    );
}
