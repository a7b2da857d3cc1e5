//! Looking people up, bundles and prekeys, invites.

use protocol::identity::AccountKeys;
use protocol::ids::{LiveId, UserId};
use protocol::prekeys::{ClaimedPrekey, SessionSecrets};
use serde_json::{Value, json};

use crate::support::{Account, TestApp, TestSocket, b64, identity, public_material, rng, unb64};

#[actix_web::test]
async fn a_person_is_found_by_handle_in_any_case_and_by_id() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    for path in ["by-handle/BOB".to_owned(), bob.user_id.clone()] {
        let found = alice
            .client
            .get(&format!("/api/v1/users/{path}"))
            .await
            .expect(200)
            .json();
        assert_eq!(found["user_id"], bob.user_id.as_str());
        assert_eq!(found["alias"], "bob of the tests");
        AccountKeys::decode(&unb64(&found["public_keys"])).unwrap();
    }
    for path in [
        "by-handle/carol",
        "by-handle/%20",
        "00000000000000000000000000000000",
        "x",
    ] {
        let answer = alice
            .client
            .get(&format!("/api/v1/users/{path}"))
            .await
            .expect(404);
        assert_eq!(answer.code(), "no-such-user", "{path}");
    }
}

#[actix_web::test]
async fn an_alias_can_be_changed_but_not_to_nonsense() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let put = |alias: &str| {
        let body = json!({ "alias": alias });
        let client = &alice.client;
        async move { client.put("/api/v1/account", &body).await }
    };
    put("Alice Liddell").await.expect(204);
    let shown = alice.client.get("/api/v1/session").await.json();
    assert_eq!(shown["alias"], "Alice Liddell");
    assert_eq!(put("").await.expect(422).code(), "alias-refused");
    assert_eq!(put("a\u{0}b").await.expect(422).code(), "alias-refused");
}

async fn bundles(account: &Account, of: &Account, want_prekey: bool) -> Value {
    let path = format!("/api/v1/users/{}/bundles", of.user_id);
    let body = json!({ "want_prekey": want_prekey });
    account.client.post(&path, &body).await.expect(200).json()
}

fn one_time(prekey: &Value, of: &Account, now: u64) -> Option<u32> {
    let claimed = ClaimedPrekey::decode(&unb64(prekey)).unwrap();
    let keys = AccountKeys::decode(&identity().1).unwrap();
    claimed
        .verify(&keys, &UserId::from_bytes(of.id()), now, 1)
        .unwrap();
    claimed.one_time.map(|(leaf, _)| leaf.prekey_id)
}

#[actix_web::test]
async fn somebody_who_is_away_gives_one_prekey_for_each_session_and_bucket() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let now = app.app.ambient().now();
    let first = bundles(&alice, &bob, false).await;
    assert_eq!(first["live"], json!([]));
    let taken = one_time(&first["prekey"], &bob, now).unwrap();
    let again = bundles(&alice, &bob, true).await;
    assert_eq!(one_time(&again["prekey"], &bob, now), Some(taken));

    app.advance(300).await;
    let later = bundles(&alice, &bob, true).await;
    let next = one_time(&later["prekey"], &bob, now).unwrap();
    assert_ne!(next, taken);
    app.advance(300).await;
    assert!(one_time(&bundles(&alice, &bob, true).await["prekey"], &bob, now).is_some());
    // The batch of the tests has three: the fourth bucket gets the last resort.
    app.advance(300).await;
    assert_eq!(
        one_time(&bundles(&alice, &bob, true).await["prekey"], &bob, now),
        None
    );
    let left = bob.client.get("/api/v1/prekeys").await.expect(200).json();
    assert_eq!(left["stock"], 0);

    let batch = public_material(&bob.user_id, 2, app.app.ambient().now());
    let body = json!({"batch": batch["prekeys"]});
    let left = bob
        .client
        .put("/api/v1/prekeys", &body)
        .await
        .expect(200)
        .json();
    assert_eq!(
        (left["stock"].clone(), left["batch_number"].clone()),
        (json!(3), json!(2))
    );
    let stale = bob.client.put("/api/v1/prekeys", &body).await.expect(409);
    assert_eq!(stale.code(), "stale-batch");
}

#[actix_web::test]
async fn a_batch_for_another_account_or_with_a_flipped_bit_is_refused() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let now = app.app.ambient().now();
    let foreign = public_material(&alice.user_id, 2, now);
    let mut flipped = unb64(&public_material(&bob.user_id, 2, now)["prekeys"]);
    let last = flipped.len() - 40;
    flipped[last] ^= 1;
    for batch in [
        foreign["prekeys"].clone(),
        b64(&flipped).into(),
        b64(b"x").into(),
    ] {
        let answer = bob
            .client
            .put("/api/v1/prekeys", &json!({ "batch": batch }))
            .await;
        assert_eq!(answer.expect(422).code(), "keys-unusable");
    }
}

#[actix_web::test]
async fn a_bundle_is_published_for_the_present_bucket_or_a_neighbour_and_for_no_other() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let (mut socket, _) = TestSocket::connect(&bob.client).await;
    let now = app.app.ambient().now();
    let (user, live) = (
        UserId::from_bytes(bob.id()),
        LiveId::from_bytes(socket.live_id),
    );
    let (_, made) = SessionSecrets::generate(&mut rng(), &identity().0, user, live, now);
    let present = made.bucket;
    for bucket in [u64::MAX, u64::MAX - 1, 0, present - 2, present + 2] {
        let mut other = made.clone();
        other.bucket = bucket;
        socket
            .say(json!({"t": "bundle", "bundle": b64(&other.encode())}))
            .await;
        socket.say(json!({"t": "ping"})).await;
        let refused = socket.text().await;
        assert_eq!(
            (refused["re"].as_str(), refused["code"].as_str()),
            (Some("bundle"), Some("keys-unusable")),
            "{bucket}"
        );
        socket.text_of("pong").await;
        assert_eq!(bundles(&alice, &bob, false).await["live"], json!([]));
    }
    for bucket in [present - 1, present, present + 1] {
        let mut other = made.clone();
        other.bucket = bucket;
        let bytes = other.encode();
        socket
            .say(json!({"t": "bundle", "bundle": b64(&bytes)}))
            .await;
        socket.say(json!({"t": "ping"})).await;
        socket.text_of("pong").await;
        let found = bundles(&alice, &bob, false).await;
        assert_eq!(unb64(&found["live"][0]["bundle"]), bytes, "{bucket}");
    }
}

#[actix_web::test]
async fn a_live_session_publishes_its_bundle_and_takes_it_away() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let (mut socket, _) = TestSocket::connect(&bob.client).await;
    let now = app.app.ambient().now();
    let bundle = |user: [u8; 16], live: [u8; 16]| {
        let (user, live) = (UserId::from_bytes(user), LiveId::from_bytes(live));
        SessionSecrets::generate(&mut rng(), &identity().0, user, live, now)
            .1
            .encode()
    };
    let own = bundle(bob.id(), socket.live_id);
    socket
        .say(json!({"t": "bundle", "bundle": b64(&own)}))
        .await;
    socket.say(json!({"t": "ping"})).await;
    socket.text_of("pong").await;
    let found = bundles(&alice, &bob, false).await;
    assert_eq!(found["live"][0]["live_id"], hex::encode(socket.live_id));
    assert_eq!(unb64(&found["live"][0]["bundle"]), own);
    assert_eq!(found["prekey"], Value::Null);
    assert!(bundles(&alice, &bob, true).await["prekey"].is_string());

    for foreign in [
        bundle(alice.id(), socket.live_id),
        bundle(bob.id(), [0; 16]),
    ] {
        socket
            .say(json!({"t": "bundle", "bundle": b64(&foreign)}))
            .await;
        let refused = socket.text_of("refused").await;
        assert_eq!(
            (refused["re"].as_str(), refused["code"].as_str()),
            (Some("bundle"), Some("forbidden"))
        );
    }
    app.advance(600).await;
    assert_eq!(
        bundles(&alice, &bob, false).await["live"],
        json!([]),
        "two buckets later"
    );
    socket.say(json!({"t": "withdraw"})).await;
}

#[actix_web::test]
async fn an_invite_admits_as_often_as_it_says_and_not_after_its_time() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    let mode = json!({"mode": "invite"});
    admin
        .client
        .put("/api/v1/admin/registration", &mode)
        .await
        .expect(204);
    let refused = Account::register(app.client(), "carol", None)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code(), "invite-unusable");

    let make = json!({"max_uses": 1, "life": 3600});
    let made = admin
        .client
        .post("/api/v1/invites", &make)
        .await
        .expect(201)
        .json();
    let code = made["code"].as_str().unwrap().to_owned();
    let invite = Some(("invite", code.as_str()));
    Account::register(app.client(), "carol", invite)
        .await
        .unwrap();
    let refused = Account::register(app.client(), "dave", invite)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code(), "invite-unusable");
    let listed = admin.client.get("/api/v1/invites").await.expect(200).json();
    assert_eq!(listed[0]["uses"], 1);
    assert!(
        !listed.to_string().contains(&code),
        "the code itself is not kept"
    );

    app.advance(1).await;
    let made = admin
        .client
        .post("/api/v1/invites", &make)
        .await
        .expect(201)
        .json();
    let listed = admin.client.get("/api/v1/invites").await.json();
    let id = listed[0]["id"].as_str().unwrap();
    let path = format!("/api/v1/invites/{id}");
    admin.client.delete(&path).await.expect(204);
    admin.client.delete(&path).await.expect(404);
    let invite = Some(("invite", made["code"].as_str().unwrap()));
    assert!(
        Account::register(app.client(), "erin", invite)
            .await
            .is_err()
    );

    let made = admin
        .client
        .post("/api/v1/invites", &make)
        .await
        .expect(201)
        .json();
    app.advance(3600).await;
    admin.client.get("/api/v1/session").await.expect(401);
    let invite = Some(("invite", made["code"].as_str().unwrap()));
    let refused = Account::register(app.client(), "erin", invite)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code(), "invite-unusable");
}

#[actix_web::test]
async fn a_handle_can_be_had_once_and_lookalikes_not_at_all() {
    let app = TestApp::start().await;
    app.administrator().await;
    app.account("alice").await;
    let taken = Account::register(app.client(), "ALICE", None)
        .await
        .err()
        .unwrap();
    assert_eq!(taken.code(), "handle-taken");
    let lookalike = Account::register(app.client(), "аlice", None)
        .await
        .err()
        .unwrap();
    assert_eq!(lookalike.code(), "handle-refused");
}

#[actix_web::test]
async fn what_a_registration_would_be_refused_for_is_said_before_it_begins() {
    let app = TestApp::start().await;
    let admin = app.administrator().await;
    app.account("alice").await;
    let client = app.client();
    let asks = async |handle: &str, alias: &str, invite: Option<&str>| {
        let wish = json!({"handle": handle, "alias": alias, "invite": invite});
        let answer = client.post("/api/v1/registration/check", &wish).await;
        let code = answer.status.is_client_error().then(|| answer.code());
        code.unwrap_or_else(|| answer.expect(204).status.to_string())
    };
    assert_eq!(asks("bob", "Bob", None).await, "204 No Content");
    for emoji in [
        "Alice \u{1f469}\u{200d}\u{1f680}",
        "\u{645}\u{6cc}\u{200c}\u{62e}",
    ] {
        assert_eq!(asks("bob", emoji, None).await, "204 No Content");
    }
    assert_eq!(asks("ALICE", "Bob", None).await, "handle-taken");
    assert_eq!(asks("\u{430}lice", "Bob", None).await, "handle-refused");
    assert_eq!(asks("a b", "Bob", None).await, "handle-refused");
    assert_eq!(asks("bob", "a\u{202e}b", None).await, "alias-refused");
    assert_eq!(asks("bob", " ", None).await, "alias-refused");

    let make = json!({"max_uses": 1, "life": 3600});
    let made = admin.client.post("/api/v1/invites", &make).await.json();
    let code = made["code"].as_str().unwrap();
    for _ in 0..2 {
        assert_eq!(asks("bob", "Bob", Some(code)).await, "204 No Content");
    }
    Account::register(app.client(), "carol", Some(("invite", code)))
        .await
        .unwrap();
    // The server is open, but whoever comes by a link hears that it was used.
    assert_eq!(asks("bob", "Bob", Some(code)).await, "invite-unusable");
}

#[actix_web::test]
async fn asking_for_handles_is_limited_by_address() {
    let app = TestApp::start_with(|config| config.sign_ins_per_minute = 3).await;
    app.administrator().await;
    for n in 0..4 {
        let wish = json!({"handle": format!("p{n}"), "alias": "P"});
        let answer = app.client().post("/api/v1/registration/check", &wish).await;
        assert_eq!(answer.status, if n < 3 { 204 } else { 429 });
    }
}
