//! A frame of the link and a body under a ticket are two roads to the same: the same refusals, the same
//! limits, the same records.

use protocol::envelope::SlotSet;
use protocol::ids::MessageId;
use secure_messaging::config::Config;
use serde_json::{Value, json};

use crate::support::{Account, TestApp, TestSocket, b64, random_id, submission, waiting_slot};

/// What somebody asks for.
enum Asked {
    /// To take a submission.
    Post(Vec<u8>),
    /// To take more slots for a message.
    Slots(Vec<u8>),
    /// Something about one message, with a claim's token.
    Held(&'static str, [u8; 16], Vec<u8>),
    /// What became of so many messages.
    Status(usize),
}

/// A refusal without what differs from one time to the next.
#[derive(Debug, PartialEq, Eq)]
struct Refused {
    code: String,
    waits: Option<u64>,
}

/// How a submission or a set of slots goes.
#[derive(Clone, Copy)]
enum Road {
    /// In a frame of the link.
    Frame,
    /// Over HTTP, sealed under a ticket.
    Ticket,
}

async fn over(
    road: Road,
    account: &Account,
    socket: &mut TestSocket,
    asked: &Asked,
) -> Option<Refused> {
    match asked {
        Asked::Post(bytes) | Asked::Slots(bytes) => match road {
            Road::Frame => socket.send_binary(bytes.clone()).await,
            Road::Ticket => assert!(socket.send_large(&account.client, bytes).await),
        },
        Asked::Held("claim", id, _) => {
            socket
                .say(json!({"t": "claim", "id": hex::encode(id)}))
                .await;
        }
        Asked::Held(what, id, token) => {
            let said = json!({"t": what, "id": hex::encode(id), "token": b64(token)});
            socket.say(said).await;
        }
        Asked::Status(count) => {
            let ids = vec![hex::encode([1; 16]); *count];
            socket.say(json!({"t": "status", "ids": ids})).await;
        }
    }
    loop {
        let told = socket.text().await;
        match told["t"].as_str().unwrap() {
            "refused" => {
                return Some(Refused {
                    code: told["code"].as_str().unwrap().to_owned(),
                    waits: told["retry_after"].as_u64(),
                });
            }
            "sent" | "slots_added" | "acked" | "extended" | "status" => return None,
            _ => {}
        }
    }
}

/// The records that refusals left, without what differs from one time to the next.
async fn records(app: &TestApp) -> Vec<(String, Value)> {
    app.advance(0).await;
    let page = app
        .app
        .store()
        .query_audit(store::AuditFilter::default(), None, 500)
        .await
        .unwrap();
    let kinds = ["limits.fired", "vault.full"];
    let records = page.records.into_iter().rev();
    records
        .filter(|record| kinds.contains(&record.action.as_str()))
        .map(|mut record| {
            if let Some(details) = record.details.as_object_mut() {
                for once in ["request_id", "latency_ms"] {
                    assert!(details.remove(once).is_some(), "{once}");
                }
            }
            (record.action, record.details)
        })
        .collect()
}

/// Starts a server and asks it the same, by one road or the other; the last one is to be refused.
async fn ask(
    change: fn(&mut Config),
    asked: fn(&Account) -> Vec<Asked>,
    road: Road,
) -> (Refused, Vec<(String, Value)>) {
    let app = TestApp::start_with(change).await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let bob = app.account("bob").await;
    let mut last = None;
    let mut socket = TestSocket::connect(&alice.client).await.0;
    for one in asked(&bob) {
        last = over(road, &alice, &mut socket, &one).await;
    }
    (last.expect("the last is refused"), records(&app).await)
}

fn post(to: [u8; 16], size: usize) -> Asked {
    let slots = vec![waiting_slot(to, b"slot")];
    Asked::Post(submission(random_id(), false, slots, &vec![1; size]))
}

#[actix_web::test]
async fn both_roads_refuse_alike_say_how_long_to_wait_and_leave_the_same_record() {
    type Case = (
        &'static str,
        fn(&mut Config),
        fn(&Account) -> Vec<Asked>,
        &'static str,
        bool,
        Option<&'static str>,
    );
    let cases: &[Case] = &[
        (
            "a full vault",
            |config| config.vault_bytes = 5_000,
            |bob| vec![post(bob.id(), 5_000)],
            "vault-full",
            true,
            Some("vault.full"),
        ),
        (
            "one's own share",
            |config| config.vault_account_messages = 1,
            |bob| vec![post(bob.id(), 1), post(bob.id(), 1)],
            "quota",
            true,
            Some("limits.fired"),
        ),
        (
            "more than waits for somebody who never wrote back",
            |config| config.vault_unanswered_messages = 1,
            |bob| vec![post(bob.id(), 1), post(bob.id(), 1)],
            "quota",
            true,
            Some("limits.fired"),
        ),
        (
            "slots beside what waits for somebody who never wrote back",
            |config| config.vault_unanswered_messages = 1,
            |bob| {
                let elsewhere = vec![waiting_slot([9; 16], b"slot")];
                let set = SlotSet {
                    message_id: MessageId::from_bytes([1; 16]),
                    slots: vec![waiting_slot(bob.id(), b"slot")],
                };
                vec![
                    post(bob.id(), 1),
                    Asked::Post(submission([1; 16], false, elsewhere, b"body")),
                    Asked::Slots(set.encode()),
                ]
            },
            "quota",
            true,
            Some("limits.fired"),
        ),
        (
            "too many messages",
            |config| config.messages_per_minute = 1,
            |bob| vec![post(bob.id(), 1), post(bob.id(), 1)],
            "too-many-requests",
            true,
            Some("limits.fired"),
        ),
        (
            "too many new people",
            |config| config.new_people_per_hour = 1,
            |bob| vec![post(bob.id(), 1), post([9; 16], 1)],
            "too-many-requests",
            true,
            Some("limits.fired"),
        ),
        (
            "slots that count as messages",
            |config| config.messages_per_minute = 1,
            |bob| {
                let set = SlotSet {
                    message_id: MessageId::from_bytes([1; 16]),
                    slots: vec![waiting_slot(bob.id(), b"s")],
                };
                vec![post(bob.id(), 1), Asked::Slots(set.encode())]
            },
            "too-many-requests",
            true,
            Some("limits.fired"),
        ),
        (
            "a message that was posted",
            |_| {},
            |bob| {
                let slots = || vec![waiting_slot(bob.id(), b"slot")];
                let bytes = submission([7; 16], false, slots(), b"body");
                vec![Asked::Post(bytes.clone()), Asked::Post(bytes)]
            },
            "duplicate-message",
            false,
            None,
        ),
        (
            "a body that is too large",
            |config| config.max_message_bytes = 100,
            |bob| vec![post(bob.id(), 101)],
            "too-large",
            false,
            None,
        ),
        (
            "too many questions",
            |_| {},
            |_| vec![Asked::Status(257)],
            "malformed-request",
            false,
            None,
        ),
        (
            "a message that is gone",
            |_| {},
            |_| vec![Asked::Held("claim", [5; 16], vec![])],
            "gone",
            false,
            None,
        ),
        (
            "an acknowledgement of nothing",
            |_| {},
            |_| vec![Asked::Held("ack", [5; 16], vec![0; 16])],
            "gone",
            false,
            None,
        ),
        (
            "more time with a token that fits nothing",
            |_| {},
            |_| vec![Asked::Held("extend", [5; 16], vec![0; 3])],
            "stale-claim",
            false,
            None,
        ),
        (
            "giving back what is not held",
            |_| {},
            |_| vec![Asked::Held("cannot_open", [5; 16], vec![0; 16])],
            "gone",
            false,
            None,
        ),
    ];
    for (what, change, asked, code, waits, record) in cases {
        let (by_frame, records) = ask(*change, *asked, Road::Frame).await;
        let (by_ticket, ticket_records) = ask(*change, *asked, Road::Ticket).await;
        assert_eq!(by_ticket, by_frame, "{what}");
        assert_eq!(by_frame.code, *code, "{what}");
        assert_eq!(by_frame.waits.is_some(), *waits, "{what}");
        assert_eq!(ticket_records, records, "{what}");
        let actions: Vec<_> = records.iter().map(|(action, _)| action.as_str()).collect();
        let expected: Vec<_> = record.iter().copied().collect();
        assert_eq!(actions, expected, "{what}");
    }
}

#[actix_web::test]
async fn as_many_questions_as_are_allowed_are_answered() {
    let app = TestApp::start().await;
    app.administrator().await;
    let alice = app.account("alice").await;
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    let asked = Asked::Status(256);
    let refused = over(Road::Frame, &alice, &mut socket, &asked).await;
    assert_eq!(refused, None);
}
