//! Keys that rotate while the server serves.

use std::cell::{Cell, RefCell};

use serde_json::{Value, json};

use crate::support::{Account, Passphrase, START, TestApp, WRITE_PROOF, b64};

const PASSPHRASE: Passphrase = Passphrase("signs in while keys rotate");

async fn keys(admin: &Account) -> Value {
    let answer = admin.client.get("/api/v1/admin/keys").await;
    answer.expect(200).json()
}

async fn work(app: &TestApp) {
    while app.app.keys().step(&app.app).await.unwrap() {
        actix_web::rt::task::yield_now().await;
    }
}

/// What people do while keys rotate, and what became of it.
#[derive(Default)]
struct Load {
    stop: Cell<bool>,
    requests: Cell<u64>,
    entered: Cell<u64>,
    failures: RefCell<Vec<String>>,
}

impl Load {
    fn note(&self, what: &str, status: u16) {
        self.requests.set(self.requests.get() + 1);
        if !(200..300).contains(&status) {
            self.failures.borrow_mut().push(format!("{what}: {status}"));
        }
    }

    /// Works on the job until it is done. Before each of its steps several requests are answered,
    /// and somebody new comes during it, however fast the machine is.
    async fn work(&self, app: &TestApp) {
        let yielding = actix_web::rt::task::yield_now;
        let entered = self.entered.get();
        loop {
            let before = self.requests.get();
            while self.requests.get() < before + 5 || self.entered.get() == entered {
                yielding().await;
            }
            if !app.app.keys().step(&app.app).await.unwrap() {
                break;
            }
        }
    }
}

fn active(keys: &Value) -> String {
    let keks = keys["keks"].as_array().unwrap();
    let active = keks.iter().find(|kek| kek["state"] == "active").unwrap();
    active["id"].as_str().unwrap().to_owned()
}

/// Everything that a person does all day, until told to stop; every answer must be a good one.
async fn busy(app: &TestApp, name: &str, load: &Load) {
    let person = app.account(name).await;
    let mut version = 1;
    while !load.stop.get() {
        let session = person.client.get("/api/v1/session").await;
        load.note("session", session.status.as_u16());
        let listed = person.client.get("/api/v1/sessions").await;
        load.note("sessions", listed.status.as_u16());
        let read = person.client.get("/api/v1/safe").await;
        load.note("safe", read.status.as_u16());
        let change = json!({
            "expected_version": version,
            "write_proof": b64(WRITE_PROOF),
            "safe": {"version": version + 1, "data": b64(format!("safe {version}").as_bytes())},
        });
        let written = person.client.put("/api/v1/safe", &change).await;
        load.note("write", written.status.as_u16());
        version += 1;
        let alias = json!({"alias": format!("{name} {version}")});
        let renamed = person.client.put("/api/v1/account", &alias).await;
        load.note("alias", renamed.status.as_u16());
    }
}

/// New accounts and sign-ins, until told to stop.
async fn coming(app: &TestApp, load: &Load) {
    while !load.stop.get() {
        let entered = load.entered.get();
        let handle = format!("newcomer{entered}");
        let failed =
            |what: &str, status| load.failures.borrow_mut().push(format!("{what}: {status}"));
        if let Err(answer) = Account::register(app.client(), &handle, None).await {
            failed("register", answer.status);
        }
        if entered % 4 == 3
            && let Err(answer) = Account::sign_in(app.client(), "person", PASSPHRASE).await
        {
            failed("sign in", answer.status);
        }
        load.entered.set(entered + 1);
    }
}

#[actix_web::test]
async fn under_load_keys_rotate_and_renew_with_no_failed_request() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    Account::register_with(app.client(), "person", None, PASSPHRASE)
        .await
        .unwrap();
    for number in 0..20 {
        app.account(&format!("settled{number}")).await;
    }
    let before = active(&keys(&admin).await);
    let load = Load::default();
    let rotating = async {
        for what in ["rotate", "renew", "rotate", "renew"] {
            let path = format!("/api/v1/admin/keys/{what}");
            admin.client.post_empty(&path).await.expect(202);
            load.work(&app).await;
        }
        load.stop.set(true);
    };
    tokio::join!(
        rotating,
        busy(&app, "busy1", &load),
        busy(&app, "busy2", &load),
        coming(&app, &load),
    );
    assert_eq!(*load.failures.borrow(), Vec::<String>::new());
    let after = keys(&admin).await;
    assert_ne!(active(&after), before);
    assert_eq!(after["keks"].as_array().unwrap().len(), 3);
    assert_eq!(after["job"]["finished"], true);
    let actions = [
        "keys.rotation_started",
        "keys.rotation_finished",
        "admin.key_rotation.intent",
        "admin.key_rotation.done",
        "admin.key_renewal.done",
    ];
    for action in actions {
        let audit = admin
            .client
            .get(&format!("/api/v1/admin/audit?action={action}"))
            .await;
        let records = audit.expect(200).json()["records"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(records, 2, "{action}");
    }
    app.app.store().verify_audit_chain().await.unwrap();
}

/// Records of rotations that are done.
async fn done(admin: &Account) -> Vec<Value> {
    let path = "/api/v1/admin/audit?action=admin.key_rotation.done";
    let page = admin.client.get(path).await.expect(200).json();
    page["records"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn one_job_runs_at_a_time_and_shows_how_far_it_is() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let rotate = "/api/v1/admin/keys/rotate";
    let begun = admin.client.post_empty(rotate).await.expect(202).json();
    assert_eq!(
        (&begun["kind"], &begun["done"]),
        (&json!("rewrap"), &json!(0))
    );
    let second = admin.client.post_empty("/api/v1/admin/keys/renew").await;
    assert_eq!(second.expect(409).code(), "key-job-running");
    let shown = keys(&admin).await;
    assert_eq!(shown["job"]["finished"], false);
    assert_eq!(shown["trouble"], Value::Null);
    assert_eq!(done(&admin).await, Vec::<Value>::new(), "it is under way");
    work(&app).await;
    let told = done(&admin).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["user_id"], json!(admin.user_id));
    assert!(told[0]["details"]["values"].as_u64().unwrap() > 0);
    let shown = keys(&admin).await;
    assert_eq!(shown["job"]["done"], shown["job"]["total"]);
    assert_eq!(shown["keks"][1]["state"], "retired");
    admin.client.post_empty(rotate).await.expect(202);
}

#[actix_web::test]
async fn a_key_rotates_by_itself_when_it_is_as_old_as_keys_may_be() {
    let app = TestApp::start_with(|config| config.keys.kek_days = 400).await;
    let admin = app.administrator().await;
    let shown = keys(&admin).await;
    let due = shown["next_rotation"].as_u64().unwrap();
    assert_eq!(
        due,
        shown["keks"][0]["created_at"].as_u64().unwrap() + 400 * 86_400
    );
    let before = active(&shown);
    app.advance(100).await;
    let store = app.app.store();
    assert!(
        store.key_job().await.unwrap().is_none(),
        "the control: not yet"
    );
    app.advance(due.saturating_sub(START)).await;
    let job = store.key_job().await.unwrap().unwrap();
    assert!(!job.finished && job.reason.contains("as old as"), "{job:?}");
    work(&app).await;
    let keks = store.keks().await.unwrap();
    let active = keks.iter().find(|kek| kek.state == store::KekState::Active);
    assert_ne!(active.unwrap().kek_id.to_string(), before);
}

#[actix_web::test]
async fn keys_stay_where_rotation_is_turned_off() {
    let app = TestApp::start_with(|config| config.keys.kek_days = 0).await;
    let admin = app.administrator().await;
    assert_eq!(keys(&admin).await["next_rotation"], Value::Null);
    app.advance(5 * 365 * 86_400).await;
    assert!(app.app.store().key_job().await.unwrap().is_none());
}
