//! Role × endpoint: who gets which status, compared with a file; an endpoint not in it fails.

use hyper::Method;
use secure_messaging::app::administration::intent::{Actor, Intent, USER_ROLE};
use secure_messaging::app::authority::{Authorized, Principal, permit};
use secure_messaging::routes::TABLE;
use serde_json::json;

use crate::support::{Account, Client, TestApp};

/// The file to compare with.
const GOLDEN: &str = include_str!("roles.txt");

async fn status(client: &Client, method: &str, path: &str) -> u16 {
    let path = path
        .replace("{id}", &hex::encode([0; 16]))
        .replace("{handle}", "nobody")
        .replace("{service}", "nobody")
        .replace("{path:.*}", "none.js");
    let method: Method = method.parse().unwrap();
    client.json(method, &path, &json!({})).await.status.as_u16()
}

/// An account of its own for each endpoint: some of them sign it out.
pub(super) async fn account(app: &TestApp, handle: &str, role: store::Role) -> Account {
    let account = app.account(handle).await;
    let user = store::UserId::from_bytes(account.id());
    let (store, now) = (app.app.store().clone(), app.app.ambient().now());
    let terminal = Principal::Terminal("test");
    let operator: Authorized<permit::ChangeAccounts> = Authorized::check(terminal).unwrap();
    let actor = Actor::of(&operator, None);
    let intent = Intent::declare(&store, app.app.ambient(), actor, &USER_ROLE, json!({}));
    let writing = store.clone();
    intent
        .await
        .unwrap()
        .carry_out(
            async move |declared| -> Result<(), store::AccountChangeError> {
                writing.set_role(user, role, &declared, now).await
            },
        )
        .await
        .unwrap();
    let session = store.list_sessions(user, now).await.unwrap()[0].0;
    // The cache knows the role of before; forgetting the session makes it look again.
    app.app.sessions().end(user, &[session], 4401).await;
    account
}

#[actix_web::test]
async fn every_endpoint_answers_each_role_as_the_golden_file_says() {
    let (app, _bundle) = super::pages::with_bundle().await;
    app.administrator().await;
    let mut table =
        String::from("# method address: nobody, a person, an auditor, an administrator\n");
    for (number, row) in TABLE.iter().enumerate() {
        let nobody = status(&app.client(), row.method, row.path).await;
        let person = app.account(&format!("person{number}")).await;
        let person = status(&person.client, row.method, row.path).await;
        let auditor = account(&app, &format!("auditor{number}"), store::Role::Auditor).await;
        let auditor = status(&auditor.client, row.method, row.path).await;
        let admin = account(&app, &format!("admin{number}"), store::Role::Admin).await;
        let admin = status(&admin.client, row.method, row.path).await;
        table.push_str(&format!(
            "{} {}: {nobody}, {person}, {auditor}, {admin}\n",
            row.method, row.path
        ));
    }
    assert!(
        table == GOLDEN,
        "tests/api/roles.txt says otherwise; if this is meant, it should be:\n{table}"
    );
}

#[test]
fn what_needs_a_permission_is_closed_to_every_role_without_it() {
    let mut closed = 0;
    for (row, line) in TABLE.iter().zip(GOLDEN.lines().skip(1)) {
        let Some(permission) = row.permission else {
            continue;
        };
        let (address, statuses) = line.split_once(": ").unwrap();
        assert_eq!(address, format!("{} {}", row.method, row.path));
        let statuses: Vec<&str> = statuses.split(", ").collect();
        let refusal = if row.path == "/admin" { "403" } else { "401" };
        assert_eq!(statuses[0], refusal, "{line}");
        for (role, status) in store::Role::ALL.iter().zip(&statuses[1..]) {
            let has = permission.roles().contains(role);
            assert_eq!(*status != "403", has, "{role}: {line}");
            closed += usize::from(!has);
        }
    }
    assert!(closed > 15, "{closed}");
}

#[actix_web::test]
async fn an_auditor_sees_the_log_and_figures_on_the_page_and_neither_keys_nor_backups() {
    let (app, _bundle) = super::pages::with_bundle().await;
    let admin = app.administrator().await;
    let auditor = account(&app, "auditor", store::Role::Auditor).await;
    for (who, sees_all) in [(&admin, true), (&auditor, false)] {
        let page = who.client.get("/admin").await.expect(200);
        let page = String::from_utf8(page.body.to_vec()).unwrap();
        for part in ["statistics", "audit-table"] {
            assert!(page.contains(&format!("data-testid=\"{part}\"")), "{part}");
        }
        for part in ["admin-keys", "admin-backups"] {
            assert_eq!(page.contains(part), sees_all, "{part}");
        }
    }
}
