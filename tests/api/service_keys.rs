//! Keys of services: made and rotated by administrators, public halves for everybody, private halves for
//! whoever proves the passphrase.

use hyper::Method;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::credentials::reauthenticate;
use super::roles;
use crate::support::{Account, Answer, Client, Passphrase, START, TestApp, b64};

const PASSPHRASE: Passphrase = Passphrase("the passphrase of somebody who runs services");
const PATH: &str = "/api/v1/service-keys";
const KEM: &str = "ML-KEM-1024+X25519";
const SIGN: &str = "ML-DSA-87+Ed25519";

/// An administrator who can prove a passphrase.
async fn administrator(app: &TestApp) -> Account {
    let right = Some(("setup", app.setup_secret()));
    let admin = Account::register_with(app.client(), "admin", right, PASSPHRASE);
    let admin = admin.await.unwrap();
    let mode = json!({"mode": "open"});
    let opened = admin.client.put("/api/v1/admin/registration", &mode).await;
    opened.expect(204);
    admin
}

async fn make(admin: &Account, service: &str, algorithm: &str) -> Answer {
    let wanted = json!({"service": service, "algorithm": algorithm});
    admin.client.post(PATH, &wanted).await
}

async fn rotate(admin: &Account, service: &str, wanted: Value) -> Answer {
    let path = format!("{PATH}/{service}/rotate");
    admin.client.post(&path, &wanted).await
}

async fn public(client: &Client, service: &str, query: &str) -> Answer {
    client.get(&format!("{PATH}/{service}/public{query}")).await
}

async fn proof(client: &Client) -> Value {
    let proven = reauthenticate(client, PASSPHRASE).await.expect(200);
    proven.json()["reauth_token"].clone()
}

async fn private(client: &Client, service: &str, mut wanted: Value) -> Answer {
    if wanted["reauth_token"].is_null() {
        wanted["reauth_token"] = proof(client).await;
    }
    let path = format!("{PATH}/{service}/private");
    client.post(&path, &wanted).await
}

fn keys(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.headers["content-type"], "application/jwk-set+json");
    answer.json()["keys"].as_array().unwrap().clone()
}

/// Details of records, the oldest first.
async fn records(app: &TestApp, action: &str) -> Vec<Value> {
    let filter = store::AuditFilter {
        action: Some(action.to_owned()),
        ..store::AuditFilter::default()
    };
    let page = app.app.store().query_audit(filter, None, 50).await;
    let records = page.unwrap().records.into_iter().rev();
    records.map(|record| record.details).collect()
}

#[actix_web::test]
async fn a_service_gets_a_key_that_everybody_reads_without_signing_in() {
    let app = TestApp::start().await;
    let admin = administrator(&app).await;
    for (algorithm, names, bits) in [
        (KEM, &["ML-KEM-1024", "X25519"][..], 12_800),
        (SIGN, &["ML-DSA-87", "Ed25519"], 20_992),
        ("RS256", &["RS256"], 3_072),
    ] {
        let service = format!("service-{bits}");
        let made = make(&admin, &service, algorithm).await.expect(201).json();
        assert_eq!(made["service"], service);
        assert_eq!(made["name"], service);
        assert_eq!(
            (&made["version"], &made["state"]),
            (&json!(1), &json!("active"))
        );
        assert_eq!(
            (&made["algorithm"], &made["key_size"]),
            (&json!(algorithm), &json!(bits))
        );
        assert_eq!(
            (&made["created_at"], &made["retired_at"]),
            (&json!(START), &Value::Null)
        );
        let answer = public(&app.client(), &service, "").await.expect(200);
        assert_eq!(answer.headers["cache-control"], "public, max-age=300");
        let set = keys(&answer);
        let found = set.iter().map(|key| match key["kty"].as_str() {
            Some("OKP") => key["crv"].as_str().unwrap(),
            _ => key["alg"].as_str().unwrap(),
        });
        assert_eq!(found.collect::<Vec<_>>(), names);
        for key in &set {
            assert_eq!(key["version_kid"], made["kid"]);
            for member in ["d", "priv", "p", "q", "dp", "dq", "qi"] {
                assert_eq!(key[member], Value::Null, "{member} of {algorithm}");
            }
        }
        let pem = public(&app.client(), &service, "?format=pem")
            .await
            .expect(200);
        assert_eq!(pem.headers["content-type"], "application/x-pem-file");
        let pem = String::from_utf8(pem.body.to_vec()).unwrap();
        assert_eq!(
            pem.matches("-----BEGIN PUBLIC KEY-----\n").count(),
            names.len()
        );
        assert!(!pem.contains("PRIVATE"));
    }
    let declared = records(&app, "admin.service_key.intent").await;
    let done = records(&app, "admin.service_key.done").await;
    assert_eq!((declared.len(), done.len()), (3, 3));
    assert_eq!(done[0]["service"], "service-12800");
    assert!(done[0]["request_id"].is_string());
}

#[actix_web::test]
async fn public_keys_are_read_again_only_when_they_changed() {
    let app = TestApp::start().await;
    let admin = administrator(&app).await;
    make(&admin, "mail", SIGN).await.expect(201);
    let client = app.client();
    let path = format!("{PATH}/mail/public");
    let ask = async |path: &str, tag: &str| {
        let headers = [("if-none-match", tag)];
        client.send(Method::GET, path, &headers, Bytes::new()).await
    };
    let first = client.get(&path).await.expect(200);
    let tag = first.headers["etag"].to_str().unwrap();
    for given in [tag, &format!("W/{tag}"), &format!("\"other\", {tag}")] {
        let same = ask(&path, given).await.expect(304);
        assert!(same.body.is_empty());
        assert_eq!(same.headers["etag"], tag);
        assert_eq!(same.headers["cache-control"], "public, max-age=300");
    }
    ask(&path, "\"other\"").await.expect(200);
    let pem = ask(&format!("{path}?format=pem"), tag).await.expect(200);
    assert_ne!(pem.headers["etag"], tag, "another form is another thing");
    rotate(&admin, "mail", json!({})).await.expect(201);
    let changed = ask(&path, tag).await.expect(200);
    assert_ne!(changed.headers["etag"], tag);
    let head = client.send(Method::HEAD, &path, &[], Bytes::new()).await;
    assert_eq!(head.expect(200).headers["etag"], changed.headers["etag"]);
}

#[actix_web::test]
async fn a_rotation_keeps_the_version_before_for_everybody() {
    let app = TestApp::start().await;
    let admin = administrator(&app).await;
    let first = make(&admin, "mail", SIGN).await.expect(201).json();
    let old = keys(&public(&app.client(), "mail", "").await);
    app.advance(10).await;
    let wanted = json!({"expected_version": 1});
    let second = rotate(&admin, "mail", wanted.clone())
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&second["version"], &second["algorithm"]),
        (&json!(2), &json!(SIGN))
    );
    assert_ne!(second["kid"], first["kid"]);
    let set = keys(&public(&app.client(), "mail", "").await);
    let seen = set
        .iter()
        .map(|key| (key["version"].as_u64(), key["state"].as_str()));
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [
            (Some(2), Some("active")),
            (Some(2), Some("active")),
            (Some(1), Some("retired")),
            (Some(1), Some("retired")),
        ]
    );
    assert_eq!(set[2]["retired_at"], START + 10);
    let one = keys(&public(&app.client(), "mail", "?version=1").await);
    assert_eq!(
        (&one[0]["pub"], &one[1]["x"]),
        (&old[0]["pub"], &old[1]["x"])
    );
    assert_eq!(one[0]["kid"], old[0]["kid"]);
    let again = rotate(&admin, "mail", wanted).await.expect(409);
    assert_eq!(again.code(), "service-key-conflict");
    let other = json!({"algorithm": "RS256", "key_size": 2048});
    let third = rotate(&admin, "mail", other).await.expect(201).json();
    assert_eq!(
        (&third["version"], &third["key_size"]),
        (&json!(3), &json!(2048))
    );
    let fourth = rotate(&admin, "mail", json!({})).await.expect(201).json();
    assert_eq!(fourth["key_size"], 2048, "as many bits as before");
    let versions = admin
        .client
        .get(&format!("{PATH}/mail"))
        .await
        .expect(200)
        .json();
    let versions = versions.as_array().unwrap().iter();
    let versions: Vec<_> = versions
        .map(|key| key["version"].as_u64().unwrap())
        .collect();
    assert_eq!(versions, [4, 3, 2, 1]);
    let done = records(&app, "admin.service_key_rotation.done").await;
    let done: Vec<_> = done
        .iter()
        .map(|it| it["version"].as_u64().unwrap())
        .collect();
    assert_eq!(done, [2, 3, 4]);
}

#[actix_web::test]
async fn who_asks_twice_for_the_same_key_gets_the_same_one() {
    let app = TestApp::start().await;
    let admin = administrator(&app).await;
    let path = format!("{PATH}/mail");
    let put = async |wanted: Value| admin.client.put(&path, &wanted).await;
    let first = put(json!({"algorithm": KEM})).await.expect(201).json();
    let second = put(json!({"algorithm": KEM})).await.expect(200).json();
    assert_eq!(first, second);
    assert_eq!(records(&app, "admin.service_key.intent").await.len(), 1);
    app.advance(5).await;
    let named = put(json!({"algorithm": KEM, "name": "Post  office"})).await;
    let named = named.expect(200).json();
    assert_eq!(
        (&named["name"], &named["kid"]),
        (&json!("Post office"), &first["kid"])
    );
    assert_eq!(named["updated_at"], START + 5);
    let kept = put(json!({"algorithm": KEM})).await.expect(200).json();
    assert_eq!(kept["name"], "Post office");
    let other = put(json!({"algorithm": SIGN})).await.expect(409);
    assert_eq!(other.code(), "service-key-conflict");
    let strict = make(&admin, "mail", KEM).await.expect(409);
    assert_eq!(strict.code(), "service-key-conflict");
    // Those who ask at once get the same one too.
    let path = format!("{PATH}/fresh");
    let wanted = json!({"algorithm": KEM});
    let many = (0..6).map(|_| admin.client.put(&path, &wanted));
    let many = futures_util::future::join_all(many).await;
    let made = many.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1, "{many:?}");
    for answer in &many {
        assert_eq!(answer.json()["kid"], many[0].json()["kid"]);
    }
}

#[actix_web::test]
async fn a_private_key_is_given_to_an_administrator_who_proves_the_passphrase() {
    let app = TestApp::start().await;
    let admin = administrator(&app).await;
    let first = make(&admin, "mail", SIGN).await.expect(201).json();
    rotate(&admin, "mail", json!({})).await.expect(201);
    let answer = private(&admin.client, "mail", json!({})).await.expect(200);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(!answer.headers.contains_key("etag"));
    let set = keys(&answer);
    let open = keys(&public(&app.client(), "mail", "?version=2").await);
    for ((mut key, public), member) in set.into_iter().zip(open).zip(["priv", "d"]) {
        let seed = key.as_object_mut().unwrap().remove(member).unwrap();
        assert_eq!(seed.as_str().unwrap().len(), 43, "32 bytes");
        assert_eq!(key, public);
    }
    let wanted = json!({"version": 1, "format": "pem"});
    let pem = private(&admin.client, "mail", wanted).await.expect(200);
    assert_eq!(pem.headers["content-type"], "application/x-pem-file");
    let pem = String::from_utf8(pem.body.to_vec()).unwrap();
    assert_eq!(pem.matches("-----BEGIN PRIVATE KEY-----\n").count(), 2);
    for action in [
        "admin.service_key_reading.intent",
        "admin.service_key_reading.done",
    ] {
        let read = records(&app, action).await;
        let versions: Vec<_> = read
            .iter()
            .map(|it| it["version"].as_u64().unwrap())
            .collect();
        assert_eq!(versions, [2, 1], "{action}");
        assert_eq!(read[1]["service"], "mail");
        assert_eq!(read[1]["kid"], first["kid"]);
        assert_eq!(read[1]["format"], "pem");
    }
    let missing = private(&admin.client, "mail", json!({"version": 9})).await;
    assert_eq!(missing.expect(404).code(), "no-such-service");
    let missing = private(&admin.client, "male", json!({})).await;
    assert_eq!(missing.expect(404).code(), "no-such-service");
}

#[actix_web::test]
async fn a_cookie_alone_an_old_proof_and_a_spent_one_give_no_private_key() {
    let app = TestApp::start().await;
    let admin = administrator(&app).await;
    make(&admin, "mail", SIGN).await.expect(201);
    let path = format!("{PATH}/mail/private");
    admin.client.post(&path, &json!({})).await.expect(400);
    let made_up = json!({"reauth_token": b64(b"made up")});
    let refused = private(&admin.client, "mail", made_up).await.expect(403);
    assert_eq!(refused.code(), "reauth-failed");
    let old = proof(&admin.client).await;
    app.advance(301).await;
    let refused = private(&admin.client, "mail", json!({"reauth_token": old})).await;
    assert_eq!(refused.expect(403).code(), "reauth-failed");
    let token = proof(&admin.client).await;
    let wanted = json!({"reauth_token": token});
    private(&admin.client, "mail", wanted.clone())
        .await
        .expect(200);
    let spent = private(&admin.client, "mail", wanted).await.expect(403);
    assert_eq!(spent.code(), "reauth-failed");
    // Another session's proof is none.
    let other = Account::sign_in(app.client(), "admin", PASSPHRASE)
        .await
        .unwrap();
    let wanted = json!({"reauth_token": proof(&other.client).await});
    let refused = private(&admin.client, "mail", wanted).await.expect(403);
    assert_eq!(refused.code(), "reauth-failed");
    assert_eq!(
        records(&app, "admin.service_key_reading.intent")
            .await
            .len(),
        1
    );
    let wrong = reauthenticate(&admin.client, Passphrase("a guess")).await;
    assert_eq!(wrong.expect(403).code(), "reauth-failed");
}

#[actix_web::test]
async fn a_private_key_is_never_answered_from_a_cache_or_in_parts() {
    let app = TestApp::start().await;
    let admin = administrator(&app).await;
    make(&admin, "mail", SIGN).await.expect(201);
    let path = format!("{PATH}/mail/private");
    for (name, value) in [
        ("if-none-match", "*"),
        ("if-match", "\"x\""),
        ("if-range", "\"x\""),
        ("range", "bytes=0-9"),
    ] {
        let body = json!({"reauth_token": proof(&admin.client).await}).to_string();
        let headers = [("content-type", "application/json"), (name, value)];
        let answer = admin
            .client
            .send(Method::POST, &path, &headers, body.into())
            .await;
        assert_eq!(answer.expect(400).code(), "malformed-request", "{name}");
    }
    admin.client.get(&path).await.expect(405);
    assert!(
        records(&app, "admin.service_key_reading.intent")
            .await
            .is_empty()
    );
}

#[actix_web::test]
async fn nobody_but_an_administrator_makes_lists_or_reads_what_is_not_public() {
    let app = TestApp::start().await;
    let admin = administrator(&app).await;
    make(&admin, "mail", SIGN).await.expect(201);
    let person = app.account("person").await;
    let auditor = roles::account(&app, "auditor", store::Role::Auditor).await;
    let nobody = app.client();
    let body = json!({"service": "mine", "algorithm": SIGN, "reauth_token": b64(b"x")});
    for (client, status) in [
        (&nobody, 401),
        (&person.client, 403),
        (&auditor.client, 403),
    ] {
        // A service that exists and one that does not are refused alike.
        for service in ["mail", "male"] {
            for (method, path) in [
                (Method::GET, PATH.to_owned()),
                (Method::POST, PATH.to_owned()),
                (Method::GET, format!("{PATH}/{service}")),
                (Method::PUT, format!("{PATH}/{service}")),
                (Method::POST, format!("{PATH}/{service}/rotate")),
                (Method::POST, format!("{PATH}/{service}/delete")),
                (Method::POST, format!("{PATH}/{service}/private")),
            ] {
                let answer = client.json(method.clone(), &path, &body).await;
                assert_eq!(answer.status, status, "{method} {path}");
                let text = String::from_utf8(answer.body.to_vec()).unwrap();
                assert!(!text.contains("mail"), "{text}");
            }
        }
        public(client, "mail", "").await.expect(200);
    }
    let refused = records(&app, "admin.refused").await;
    assert!(refused.len() > 20, "{}", refused.len());
    let services = admin.client.get(PATH).await.expect(200).json();
    assert_eq!(services["services"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&services["damaged"], &services["next"]),
        (&json!([]), &Value::Null)
    );
}

#[actix_web::test]
async fn hostile_names_sizes_and_addresses_are_refused_and_make_nothing() {
    let app = TestApp::start().await;
    let admin = administrator(&app).await;
    for service in [
        "",
        "..",
        "../mail",
        "a/b",
        "A",
        "mail box",
        "-mail",
        "mail.",
        "a..b",
        "ｍail",
        "a\0b",
        "a\nb",
        "'; DROP TABLE service_keys; --",
        &"x".repeat(65),
        &"x".repeat(10_000),
    ] {
        let refused = make(&admin, service, SIGN).await;
        assert_eq!(refused.expect(422).code(), "service-refused", "{service:?}");
    }
    for segment in [
        "%2e%2e",
        "..%2fmail",
        "%00",
        "A",
        "mail%20box",
        "%ff",
        &"x".repeat(65),
    ] {
        let answer = public(&app.client(), segment, "").await;
        assert!(answer.status.is_client_error(), "{segment}: {answer:?}");
        let path = format!("{PATH}/{segment}");
        let wanted = json!({"algorithm": SIGN});
        let answer = admin.client.put(&path, &wanted).await;
        assert!(answer.status.is_client_error(), "{segment}: {answer:?}");
    }
    for (wanted, status) in [
        (json!({"service": "a", "algorithm": "HS256"}), 400),
        (json!({"service": "a", "algorithm": "none"}), 400),
        (json!({"service": "a"}), 400),
        (
            json!({"service": "a", "algorithm": "RS256", "key_size": 1024}),
            422,
        ),
        (
            json!({"service": "a", "algorithm": "RS256", "key_size": 65_537}),
            422,
        ),
        (
            json!({"service": "a", "algorithm": "RS256", "key_size": -1}),
            400,
        ),
        (
            json!({"service": "a", "algorithm": KEM, "key_size": 768}),
            422,
        ),
        (json!({"service": "a", "algorithm": KEM, "name": ""}), 422),
        (
            json!({"service": "a", "algorithm": KEM, "name": "x".repeat(65)}),
            422,
        ),
        (
            json!({"service": "a", "algorithm": KEM, "name": "a\u{202e}b"}),
            422,
        ),
    ] {
        let refused = admin.client.post(PATH, &wanted).await;
        assert_eq!(refused.status, status, "{wanted}: {refused:?}");
    }
    for query in [
        "?format=der",
        "?version=-1",
        "?version=99999999999",
        "?version=x",
    ] {
        public(&app.client(), "mail", query).await.expect(400);
    }
    let listed = admin.client.get(PATH).await.expect(200).json();
    assert_eq!(listed["services"], json!([]));
    assert!(records(&app, "admin.service_key.intent").await.is_empty());
}

#[actix_web::test]
async fn looking_for_services_is_limited_by_address_and_tells_who_is_there_only_by_the_status() {
    let app = TestApp::start_with(|config| config.lookups_per_minute = 5).await;
    let admin = administrator(&app).await;
    make(&admin, "mail", SIGN).await.expect(201);
    let client = app.client();
    for name in ["a", "b", "c", "d"] {
        let unknown = public(&client, name, "").await.expect(404);
        assert_eq!(unknown.code(), "no-such-service");
        assert!(!unknown.headers.contains_key("etag"));
    }
    public(&client, "mail", "").await.expect(200);
    let limited = public(&client, "mail", "").await.expect(429);
    assert_eq!(limited.code(), "too-many-requests");
    assert!(limited.headers.contains_key("retry-after"));
    app.advance(12).await;
    let fired = records(&app, "limits.fired").await;
    assert_eq!(fired[0]["limit"], "service-key-look-up");
    public(&client, "mail", "").await.expect(200);
}

#[actix_web::test]
async fn retired_versions_and_whole_services_are_deleted_with_a_proof() {
    let app = TestApp::start().await;
    let admin = administrator(&app).await;
    make(&admin, "mail", SIGN).await.expect(201);
    rotate(&admin, "mail", json!({})).await.expect(201);
    let path = format!("{PATH}/mail/delete");
    let delete = async |mut wanted: Value| {
        wanted["reauth_token"] = proof(&admin.client).await;
        admin.client.post(&path, &wanted).await
    };
    admin.client.post(&path, &json!({})).await.expect(400);
    let active = delete(json!({"version": 2})).await.expect(409);
    assert_eq!(active.code(), "service-key-conflict");
    delete(json!({"version": 9})).await.expect(404);
    delete(json!({"version": 1})).await.expect(204);
    public(&app.client(), "mail", "?version=1")
        .await
        .expect(404);
    public(&app.client(), "mail", "?version=2")
        .await
        .expect(200);
    delete(json!({})).await.expect(204);
    public(&app.client(), "mail", "").await.expect(404);
    delete(json!({})).await.expect(404);
    assert_eq!(
        records(&app, "admin.service_key_deletion.done").await.len(),
        2
    );
    assert_eq!(
        records(&app, "admin.service_key_deletion.failed")
            .await
            .len(),
        2
    );
}

#[actix_web::test]
async fn a_service_key_that_was_changed_in_the_file_is_given_to_nobody() {
    let app = TestApp::start().await;
    let admin = administrator(&app).await;
    make(&admin, "mail", SIGN).await.expect(201);
    make(&admin, "other", SIGN).await.expect(201);
    let path = app.app.config().database_path().unwrap();
    let database = rusqlite::Connection::open(path).unwrap();
    let sql = "UPDATE service_keys SET public_key = zeroblob(2624) WHERE service_id = 'mail'";
    assert_eq!(database.execute(sql, []).unwrap(), 1);
    let problem = public(&app.client(), "mail", "").await.expect(500);
    assert_eq!(problem.code(), "internal");
    let text = String::from_utf8(problem.body.to_vec()).unwrap();
    assert!(!text.contains("changed by somebody"), "{text}");
    private(&admin.client, "mail", json!({})).await.expect(500);
    rotate(&admin, "mail", json!({})).await.expect(500);
    public(&app.client(), "other", "").await.expect(200);
    let listed = admin.client.get(PATH).await.expect(200).json();
    assert_eq!(listed["damaged"][0]["service"], "mail");
    assert_eq!(listed["services"][0]["service"], "other");
}
