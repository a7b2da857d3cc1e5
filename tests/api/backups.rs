//! Backups of a running server: on the schedule and on demand, to any moment of the past.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ambient::{Ambient, ManualClock};
use api::bodies::Backups;
use backup::{Kind, Wish};
use secure_messaging::app::backups::{Engine, restore};
use secure_messaging::config::Config;
use serde_json::{Value, json};
use store::testing::sample;
use store::{KeySource, Store, StoreConfig};
use tempfile::TempDir;

use crate::support::{Client, START, TestApp};

/// Waits until the backup under way is over and answers what there is.
async fn settled(client: &Client) -> Value {
    loop {
        let view = client.get("/api/v1/admin/backups").await.expect(200).json();
        if view["running"].is_null() && (view["count"] != 0 || !view["trouble"].is_null()) {
            return view;
        }
        tokio::task::yield_now().await;
    }
}

async fn with_target(folder: &TempDir) -> TestApp {
    let address = format!("file:{}", folder.path().display());
    TestApp::start_with(|config| config.backups.backup_target = Some(address)).await
}

/// Lets the jobs run until there are so many backups and none is under way.
async fn until(app: &TestApp, count: usize) -> Backups {
    loop {
        app.advance(0).await;
        let view = app.app.backups().view();
        assert_eq!(view.trouble, None);
        if view.running.is_none() && view.count == count {
            return view;
        }
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn the_schedule_makes_a_full_one_each_day_and_one_of_the_changes_each_hour() {
    let folder = TempDir::new().unwrap();
    let app = with_target(&folder).await;
    let first = until(&app, 1).await;
    assert_eq!(first.backups[0].kind, "full");
    assert_eq!(first.next_due, Some(START + 3_600));
    app.advance(3_599).await;
    // Nothing is due: whatever the jobs do now, there is one.
    for _ in 0..50 {
        app.advance(0).await;
    }
    let view = app.app.backups().view();
    assert!(view.running.is_none() && view.count == 1);
    app.advance(1).await;
    let second = until(&app, 2).await;
    assert_eq!(second.backups[0].kind, "incremental");
    app.advance(86_400 - 3_600).await;
    let third = until(&app, 3).await;
    assert_eq!(third.backups[0].kind, "full");
    assert_eq!(third.last_success, Some(START + 86_400));
    app.advance(60).await;
    let text = app.metrics().await;
    assert!(
        text.contains("secure_messaging_backup_age_seconds 60\n"),
        "{text}"
    );
    let filter = store::AuditFilter {
        action: Some("admin.backup.done".to_owned()),
        ..store::AuditFilter::default()
    };
    assert_eq!(app.app.store().count_audit(filter).await.unwrap(), 3);
}

#[actix_web::test]
async fn an_administrator_has_one_made_now_and_it_is_audited() {
    let folder = TempDir::new().unwrap();
    let app = with_target(&folder).await;
    let admin = app.administrator().await;
    let begun = admin
        .client
        .post("/api/v1/admin/backups", &json!({"full": true}))
        .await;
    assert_eq!(begun.expect(202).json()["kind"], "full");
    let view = settled(&admin.client).await;
    assert_eq!(view["count"], 1, "{view}");
    for action in ["admin.backup.intent", "admin.backup.done"] {
        let path = format!("/api/v1/admin/audit?action={action}");
        let log = admin.client.get(&path).await.json();
        assert_eq!(log["records"].as_array().unwrap().len(), 1, "{action}");
    }
}

#[actix_web::test]
async fn a_target_that_fails_is_said_counted_and_tried_again_later() {
    let folder = TempDir::new().unwrap();
    let app = with_target(&folder).await;
    let admin = app.administrator().await;
    // A file stands where the folder was.
    std::fs::remove_dir_all(folder.path()).unwrap();
    std::fs::write(folder.path(), b"in the way").unwrap();
    let body = json!({"full": true});
    admin
        .client
        .post("/api/v1/admin/backups", &body)
        .await
        .expect(202);
    let view = settled(&admin.client).await;
    assert!(!view["trouble"].as_str().unwrap().is_empty());
    std::fs::remove_file(folder.path()).unwrap();
    std::fs::create_dir(folder.path()).unwrap();
    admin
        .client
        .post("/api/v1/admin/backups", &body)
        .await
        .expect(202);
    loop {
        let view = settled(&admin.client).await;
        if view["trouble"].is_null() {
            assert_eq!(view["count"], 1);
            break;
        }
    }
    let log = admin
        .client
        .get("/api/v1/admin/audit?action=admin.backup.failed")
        .await
        .json();
    assert_eq!(log["records"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn without_a_target_the_administrator_is_told_what_to_set() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let refused = admin.client.post("/api/v1/admin/backups", &json!({})).await;
    let refused = refused.expect(409).json();
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("backup_target")
    );
    let view = admin
        .client
        .get("/api/v1/admin/backups")
        .await
        .expect(200)
        .json();
    assert!(view["target"].is_null());
}

/// Leaves beside a database what a backup and a drill leave that were killed.
fn leave_behind(database: &Path) -> [PathBuf; 2] {
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", database.display()));
    let drill = database.with_file_name(".backup-drill-0123456789abcdef");
    std::fs::create_dir_all(&drill).unwrap();
    std::fs::write(drill.join("secure_messaging.db"), b"a copy").unwrap();
    let snapshot = beside(".snapshot-0123456789abcdef");
    std::fs::write(&snapshot, b"a copy").unwrap();
    std::fs::write(beside(".backup-lock"), b"").unwrap();
    [snapshot, drill]
}

#[actix_web::test]
async fn what_a_killed_backup_left_is_removed_at_the_start_and_each_minute() {
    let mut left = None;
    // No backup is ever made here, so that none of them clears up.
    let app = TestApp::start_with(|config| {
        left = Some(leave_behind(&config.database_path().unwrap()));
    })
    .await;
    let gone = |left: &[PathBuf; 2]| left.iter().all(|path| !path.exists());
    assert!(gone(&left.unwrap()), "at the start");

    let database = app.app.config().database_path().unwrap();
    let left = leave_behind(&database);
    let lock = format!("{}.backup-lock", database.display());
    let lock = File::open(lock).unwrap();
    lock.lock().unwrap();
    app.advance(60).await;
    assert!(!gone(&left), "a backup that is under way keeps its copy");
    drop(lock);
    app.advance(59).await;
    assert!(!gone(&left));
    app.advance(1).await;
    assert!(gone(&left));
}

#[actix_web::test]
async fn every_backup_of_a_day_gives_back_the_state_of_its_time() {
    let (data, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let database = data.path().join("secure_messaging.db");
    let clock = ManualClock::at(START);
    let ambient = Ambient::new(clock.clone(), Arc::new(ambient::OsEntropy));
    let mut config = Config {
        data_dir: data.path().to_owned(),
        ..Config::default()
    };
    config.backups.backup_target = Some(format!("file:{}", folder.path().display()));
    let engine = Engine::open(&config, &ambient).unwrap().unwrap();
    let open = |database: &std::path::Path| {
        let key = KeySource::beside(Some("a key of the tests".to_owned()), database);
        let mut config = StoreConfig::new(database, key);
        config.iterations = 100_000;
        Store::open(&config).unwrap()
    };
    let store = open(&database);
    let mut states = Vec::new();
    for hour in 0..6_u64 {
        sample::register(&store, hour * 3..hour * 3 + 3, 2).await;
        let progress = backup::Progress::default();
        let made = engine
            .back_up(&store, &ambient, Wish::Incremental, None, &progress)
            .await
            .unwrap();
        assert_eq!(made.kind() == Kind::Full, hour == 0);
        let head = store.verify_audit_chain().await.unwrap();
        states.push((ambient.now(), (hour + 1) * 3, head));
        clock.advance_ms(3_600_000);
    }
    store.close().unwrap();
    let new = TempDir::new().unwrap();
    for (at, users, head) in states {
        let into = new.path().join(at.to_string());
        let key = secure_messaging::app::backups::find_key(data.path())
            .unwrap()
            .unwrap();
        let progress = backup::Progress::default();
        let later = Some(at + 1_800);
        restore(engine.target(), &key, later, &into, &ambient, &progress)
            .await
            .unwrap();
        let store = open(&into.join("secure_messaging.db"));
        assert_eq!(store.statistics(START).await.unwrap().users, users);
        assert_eq!(store.verify_audit_chain().await.unwrap(), head);
        assert_eq!(store.restored().await.unwrap().unwrap().at, at);
        store.close().unwrap();
    }
}
