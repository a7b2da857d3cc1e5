//! Known and unknown handles answer alike.

use protocol::opaque;
use serde_json::{Value, json};

use crate::support::{Account, Answer, Client, Passphrase, TestApp, b64, rng};

const PASSPHRASE: Passphrase = Passphrase("a passphrase nobody guesses");

/// What somebody who guesses handles can see of an answer.
fn shape(answer: &Answer) -> Value {
    let lengths: Value = match answer.json() {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().map(str::len).into()))
            .collect::<serde_json::Map<_, Value>>()
            .into(),
        other => panic!("{other}"),
    };
    let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
    headers.sort();
    json!([answer.status.as_u16(), answer.body.len(), headers, lengths])
}

async fn attempt(client: &Client, handle: &str) -> (Answer, Answer) {
    let (_, request) = opaque::login_start(&mut rng(), b"a wrong guess").unwrap();
    let body = json!({"handle": handle, "request": b64(&request)});
    let started = client.post("/api/v1/session/start", &body).await;
    let body = json!({"token": started.json()["token"], "finalization": b64(&[1; 64])});
    let finished = client.post("/api/v1/session/finish", &body).await;
    (started, finished)
}

#[actix_web::test]
async fn a_sign_in_looks_the_same_for_known_unknown_and_impossible_handles() {
    let app = TestApp::start().await;
    app.administrator().await;
    Account::register_with(app.client(), "known", None, PASSPHRASE)
        .await
        .unwrap();
    let client = app.client();
    let (known, known_end) = attempt(&client, "known").await;
    assert_eq!(known.status, 200);
    assert_eq!(known_end.status, 401);
    for handle in ["nobody", "not a handle!", "аdmin", "x", &"long".repeat(100)] {
        let (start, end) = attempt(&client, handle).await;
        assert_eq!(shape(&start), shape(&known), "{handle}");
        assert_eq!(shape(&end), shape(&known_end), "{handle}");
        assert_eq!(end.body, known_end.body, "{handle}");
    }
    // The control: a right passphrase does answer otherwise.
    Account::sign_in(app.client(), "known", PASSPHRASE)
        .await
        .unwrap();
}

#[actix_web::test]
async fn a_recovery_looks_the_same_for_known_and_unknown_handles() {
    let app = TestApp::start().await;
    app.administrator().await;
    app.account("known").await;
    let (_, request) = opaque::register_start(&mut rng(), b"new").unwrap();
    let mut shapes = Vec::new();
    for handle in ["known", "nobody", "not a handle!"] {
        let body = json!({"handle": handle, "proof": b64(b"a guess"), "request": b64(&request)});
        let answer = app.client().post("/api/v1/recovery/start", &body).await;
        assert_eq!(answer.status, 401);
        shapes.push((shape(&answer), answer.body));
    }
    assert!(shapes.windows(2).all(|pair| pair[0] == pair[1]));
}

#[actix_web::test]
async fn the_second_message_of_a_sign_in_counts_once_and_for_a_minute() {
    let app = TestApp::start().await;
    app.administrator().await;
    Account::register_with(app.client(), "known", None, PASSPHRASE)
        .await
        .unwrap();
    let client = app.client();
    for late in [false, true] {
        let (state, request) = opaque::login_start(&mut rng(), PASSPHRASE.0.as_bytes()).unwrap();
        let body = json!({"handle": "known", "request": b64(&request)});
        let started = client
            .post("/api/v1/session/start", &body)
            .await
            .expect(200)
            .json();
        let response = crate::support::unb64(&started["response"]);
        let (finalization, _) = state.finish(&mut rng(), &response).unwrap();
        let body = json!({"token": started["token"], "finalization": b64(&finalization)});
        if late {
            app.advance(60).await;
            let refused = client
                .post("/api/v1/session/finish", &body)
                .await
                .expect(401);
            assert_eq!(refused.code(), "sign-in-failed");
        } else {
            client
                .post("/api/v1/session/finish", &body)
                .await
                .expect(200);
            let again = client
                .post("/api/v1/session/finish", &body)
                .await
                .expect(401);
            assert_eq!(again.code(), "sign-in-failed");
        }
    }
}
