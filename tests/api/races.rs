//! Exactly one reader wins a burn-on-read message.

use futures_util::future::join_all;
use protocol::envelope::Parcel;
use serde_json::json;

use crate::support::{
    Account, Heard, Passphrase, TestApp, TestSocket, b64, random_id, submission, waiting_slot,
};

const READERS: usize = 50;
const ROUNDS: usize = 100;
const PASSPHRASE: Passphrase = Passphrase("fifty sessions have this one");

async fn race(app: &TestApp, sender: &Account, reader: &Account, sockets: &mut [TestSocket]) {
    for round in 0..ROUNDS {
        let id = random_id();
        let text = hex::encode(id);
        let bytes = submission(id, true, vec![waiting_slot(reader.id(), b"slot")], b"body");
        sender.post(bytes).await.expect(201);
        for socket in sockets.iter_mut() {
            socket.say(json!({"t": "claim", "id": text})).await;
        }
        let answers = join_all(sockets.iter_mut().map(|socket| verdict(socket, &text))).await;
        let won: Vec<_> = answers
            .iter()
            .enumerate()
            .filter(|(_, won)| won.is_some())
            .collect();
        assert_eq!(won.len(), 1, "round {round}");
        let (winner, parcel) = won[0];
        let token = b64(&parcel.as_ref().unwrap().token);
        sockets[winner]
            .say(json!({"t": "ack", "id": text, "token": token}))
            .await;
        sockets[winner].text_of("acked").await;
        assert_eq!(app.app.vault().stats().await.unwrap().messages, 0);
    }
}

/// The parcel of whoever won, nothing for whoever was refused.
async fn verdict(socket: &mut TestSocket, id: &str) -> Option<Parcel> {
    loop {
        match socket.hear().await {
            Heard::Binary(bytes) => return Some(Parcel::decode(&bytes).unwrap()),
            Heard::Text(text) if text["t"] == "refused" && text["id"] == id => {
                assert!(
                    matches!(text["code"].as_str(), Some("taken" | "gone")),
                    "{text}"
                );
                return None;
            }
            Heard::Text(_) => {}
            Heard::Closed(code) => panic!("closed {code:?}"),
        }
    }
}

#[actix_web::test]
async fn fifty_sockets_on_one_cookie_race_and_one_wins_each_time() {
    let app = TestApp::start_with(|config| config.workers = 4).await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let mut sockets = Vec::new();
    for _ in 0..READERS {
        sockets.push(TestSocket::connect(&bob.client).await.0);
    }
    race(&app, &alice, &bob, &mut sockets).await;
}

#[actix_web::test]
async fn fifty_sessions_of_one_account_race_and_one_wins_each_time() {
    let app = TestApp::start_with(|config| config.workers = 4).await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = Account::register_with(app.client(), "bob", None, PASSPHRASE)
        .await
        .unwrap();
    let mut sockets = vec![TestSocket::connect(&bob.client).await.0];
    while sockets.len() < READERS {
        let session = Account::sign_in(app.client(), "bob", PASSPHRASE)
            .await
            .unwrap();
        sockets.push(TestSocket::connect(&session.client).await.0);
    }
    let listed = bob.client.get("/api/v1/sessions").await.json();
    assert_eq!(listed.as_array().unwrap().len(), READERS);
    race(&app, &alice, &bob, &mut sockets).await;
}
