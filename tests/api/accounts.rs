//! Registration, sign-in, recovery and what belongs to an account.

use crate::support::{Account, Passphrase, TestApp};

const PASSPHRASE: Passphrase = Passphrase("correct horse battery staple and more");

#[actix_web::test]
async fn the_setup_link_makes_one_administrator_and_then_no_more() {
    let app = TestApp::start().await;
    let server = app.client().get("/api/v1/server").await.expect(200).json();
    assert_eq!(server["registration"], "closed");
    assert_eq!(server["setup_done"], false);
    let refused = Account::register(app.client(), "early", None)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code(), "registration-closed");

    let secret = Some(("setup", app.setup_secret()));
    let admin = Account::register(app.client(), "admin", secret)
        .await
        .unwrap();
    assert_eq!(admin.role, "admin");
    let again = Account::register(app.client(), "other", secret)
        .await
        .err()
        .unwrap();
    assert_eq!(again.code(), "setup-unusable");
    let server = app.client().get("/api/v1/server").await.json();
    assert_eq!(server["registration"], "invite");
    assert_eq!(server["setup_done"], true);
}

#[actix_web::test]
async fn a_person_signs_in_from_another_browser_and_out_again() {
    let app = TestApp::start().await;
    app.administrator().await;
    Account::register_with(app.client(), "Alice", None, PASSPHRASE)
        .await
        .unwrap();
    let alice = Account::sign_in(app.client(), "alice", PASSPHRASE)
        .await
        .unwrap();
    let shown = alice.client.get("/api/v1/session").await.expect(200).json();
    assert_eq!(shown["handle"], "alice");
    assert_eq!(shown["alias"], "Alice of the tests");
    assert_eq!(shown["role"], "user");
    assert_eq!(
        shown["idle_expires_at"],
        shown["created_at"].as_u64().unwrap() + 1800
    );
    let kept = alice.client.cookie();
    alice.client.delete("/api/v1/session").await.expect(204);
    assert_eq!(alice.client.cookie(), None);
    alice.client.set_cookie(kept);
    let after = alice.client.get("/api/v1/session").await.expect(401);
    assert_eq!(after.code(), "signed-out");
}
