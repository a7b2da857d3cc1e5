//! Role × endpoint: who gets which status, compared with a file; an endpoint not in it fails.

use hyper::Method;
use secure_messaging::app::administration::intent::{Actor, Intent, USER_ROLE};
use secure_messaging::routes::TABLE;
use serde_json::json;

use crate::support::{Account, Client, TestApp};

/// The file to compare with.
const GOLDEN: &str = include_str!("roles.txt");

async fn status(client: &Client, method: &str, path: &str) -> u16 {
    let path = path
        .replace("{id}", &hex::encode([0; 16]))
        .replace("{handle}", "nobody")
        .replace("{path:.*}", "none.js");
    let method: Method = method.parse().unwrap();
    client.json(method, &path, &json!({})).await.status.as_u16()
}

/// An account of its own for each endpoint: some of them sign it out.
async fn administrator(app: &TestApp, handle: &str) -> Account {
    let account = app.account(handle).await;
    let user = store::UserId::from_bytes(account.id());
    let (store, now) = (app.app.store().clone(), app.app.ambient().now());
    let actor = Actor::terminal("test");
    let intent = Intent::declare(&store, app.app.ambient(), actor, &USER_ROLE, json!({}));
    let writing = store.clone();
    intent
        .await
        .unwrap()
        .carry_out(
            async move |declared| -> Result<(), store::AccountChangeError> {
                let admin = store::Role::Admin;
                writing.set_role(user, admin, &declared, now).await
            },
        )
        .await
        .unwrap();
    let session = store.list_sessions(user, now).await.unwrap()[0].0;
    // The cache knows the role of before; forgetting the session makes it look again.
    app.app.sessions().end(user, &[session], 4401);
    account
}

#[actix_web::test]
async fn every_endpoint_answers_each_role_as_the_golden_file_says() {
    let (app, _bundle) = super::pages::with_bundle().await;
    app.administrator().await;
    let mut table = String::from("# method address: nobody, a person, an administrator\n");
    for (number, row) in TABLE.iter().enumerate() {
        let nobody = status(&app.client(), row.method, row.path).await;
        let person = app.account(&format!("person{number}")).await;
        let person = status(&person.client, row.method, row.path).await;
        let admin = administrator(&app, &format!("admin{number}")).await;
        let admin = status(&admin.client, row.method, row.path).await;
        table.push_str(&format!(
            "{} {}: {nobody}, {person}, {admin}\n",
            row.method, row.path
        ));
    }
    assert!(
        table == GOLDEN,
        "tests/api/roles.txt says otherwise; if this is meant, it should be:\n{table}"
    );
}

#[test]
fn administrators_endpoints_are_closed_to_everybody_else() {
    let rows: Vec<&str> = GOLDEN
        .lines()
        .filter(|line| line.contains("/api/v1/admin/"))
        .collect();
    assert!(rows.len() >= 4);
    for row in rows {
        assert!(row.contains(": 401, 403, "), "{row}");
    }
}
